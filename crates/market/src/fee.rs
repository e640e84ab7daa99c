//! Fees of a venue on a trade.

use duet_units::{Energy, Money, OverflowError, Price, div_half_away};

/// A fee schedule for one side of a trade. What a side does not owe is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRule {
    /// Per unit of energy.
    pub per_energy: Price,
    /// Of the value of the trade, in millionths: 0.3 per mille is 300.
    pub of_value_ppm: i64,
    /// Per trade.
    pub fixed: Money,
    /// The least fee.
    pub min: Money,
    /// The highest fee; `None` if there is no cap.
    pub cap: Option<Money>,
}

impl FeeRule {
    /// No fee.
    pub const FREE: Self = Self {
        per_energy: Price::ZERO,
        of_value_ppm: 0,
        fixed: Money::ZERO,
        min: Money::ZERO,
        cap: None,
    };

    /// Returns the fee of one side of a trade: the sum of its parts, rounded once half away from
    /// zero, then held between least and cap. A negative value counts by its size.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum or product does not fit.
    ///
    /// # Source
    ///
    /// market-rules.md 4.15; vector V9.
    pub fn fee(&self, quantity: Energy, value: Money) -> Result<Money, OverflowError> {
        let overflow = OverflowError { operation: "fee", unit: "fen" };
        // Everything in micro-yuan * 100: fen * ppm is 1e-8 yuan.
        let of_energy = self.per_energy.value_of(quantity)?.micro_yuan().checked_mul(100);
        let of_value =
            value.fen().checked_abs().and_then(|fen| fen.checked_mul(self.of_value_ppm.into()));
        let fee = of_energy
            .zip(of_value)
            .and_then(|(a, b)| a.checked_add(b))
            .and_then(|sum| self.fixed.fen().checked_mul(1_000_000)?.checked_add(sum))
            .and_then(|sum| div_half_away(sum, 1_000_000))
            .map(Money::from_fen)
            .ok_or(overflow)?
            .max(self.min);
        Ok(self.cap.map_or(fee, |cap| fee.min(cap)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_before_rounding_and_held_between_least_and_cap() {
        let rule = FeeRule {
            per_energy: Price::from_milli_yuan_per_mwh(25),
            of_value_ppm: 4,
            fixed: Money::from_fen(1),
            ..FeeRule::FREE
        };
        let fee = |rule: &FeeRule, fen| rule.fee(Energy::from_kwh(100), Money::from_fen(fen));
        // 0.25 fen + 0.24 fen + 1 fen; with 0.01 fen more it rounds up.
        assert_eq!(fee(&rule, 60_000), Ok(Money::from_fen(1)));
        assert_eq!(fee(&rule, 62_500), Ok(Money::from_fen(2)));
        assert_eq!(fee(&rule, -62_500), Ok(Money::from_fen(2)));
        let least = FeeRule { min: Money::from_fen(50), ..rule };
        assert_eq!(fee(&least, 60_000), Ok(Money::from_fen(50)));
        let capped = FeeRule { cap: Some(Money::from_fen(99)), ..rule };
        assert_eq!(fee(&capped, 99_999_999_999), Ok(Money::from_fen(99)));
        assert!(FeeRule { of_value_ppm: i64::MAX, ..rule }.fee(Energy::MAX, Money::MAX).is_err());
    }
}
