//! Free allocation by benchmark, and the yearly duty to surrender.

use duet_units::{Allowances, BasisPoints, Energy, OverflowError, div_half_away};

/// Free allowances per unit of output, in ten-thousandths of a tonne per MWh (or per GJ of heat).
///
/// Benchmarks are published with four decimals, one more than g/kWh can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Benchmark(i64);

impl Benchmark {
    /// A benchmark given in 1e-4 t/MWh (or 1e-4 t/GJ): 0.8177 is 8,177.
    #[must_use]
    pub const fn from_ten_thousandths_t(value: i64) -> Self {
        Self(value)
    }
}

/// An amount of heat supplied, in gigajoules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Heat(i64);

impl Heat {
    /// An amount given in gigajoules.
    #[must_use]
    pub const fn from_gj(gj: i64) -> Self {
        Self(gj)
    }
}

/// What a unit supplied in a compliance period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Electricity.
    pub electricity: Energy,
    /// Heat.
    pub heat: Heat,
}

/// The allocation rule of a class of units in a compliance period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationRule {
    /// Per MWh of electricity.
    pub electricity: Benchmark,
    /// Per GJ of heat.
    pub heat: Benchmark,
    /// The product of the correction factors for electricity (cooling, heat supply, load).
    pub correction: BasisPoints,
}

/// Returns the free allocation `Q_e * B_e * F + Q_h * B_h`, rounded half away from zero to the
/// tonne, once.
///
/// # Errors
///
/// Returns [`OverflowError`] if a product does not fit.
///
/// # Source
///
/// market-rules.md 4.12; vector V8.
pub fn allocate(output: &Output, rule: &AllocationRule) -> Result<Allowances, OverflowError> {
    let overflow = OverflowError { operation: "free allocation", unit: "t CO2e" };
    // kWh * 1e-4 t/MWh * 1e-4 = 1e-11 t; GJ * 1e-4 t/GJ = 1e-4 t.
    let electricity = i128::from(output.electricity.kwh())
        .checked_mul(rule.electricity.0.into())
        .and_then(|product| product.checked_mul(rule.correction.bp().into()));
    let heat = i128::from(output.heat.0)
        .checked_mul(rule.heat.0.into())
        .and_then(|product| product.checked_mul(10_000_000));
    electricity
        .zip(heat)
        .and_then(|(electricity, heat)| electricity.checked_add(heat))
        .and_then(|total| div_half_away(total, 100_000_000_000))
        .and_then(|tonnes| i64::try_from(tonnes).ok())
        .map(Allowances::from_t)
        .ok_or(overflow)
}

/// The share of an earlier year's allocation that is issued ahead: 70 %.
pub const PRE_ISSUED: BasisPoints = BasisPoints::from_bp(7_000);

/// The most of an obligation that carbon credits may cover: 5 %.
pub const OFFSET_CAP: BasisPoints = BasisPoints::from_bp(500);

/// Returns `share` of an amount, rounded down: neither an issue ahead nor an offset may exceed it.
///
/// # Errors
///
/// Returns [`OverflowError`] if the product does not fit.
pub fn share_of(amount: Allowances, share: BasisPoints) -> Result<Allowances, OverflowError> {
    let overflow = OverflowError { operation: "share of allowances", unit: "t CO2e" };
    let product = i128::from(amount.t()).checked_mul(share.bp().into()).ok_or(overflow)?;
    let tonnes = product.div_euclid(BasisPoints::ONE.bp().into());
    i64::try_from(tonnes).map(Allowances::from_t).map_err(|_| overflow)
}

/// What limits the duty of a unit that emitted more than it was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relief {
    /// Nothing: verified emissions are due in full.
    None,
    /// The shortage counts up to a share of verified emissions (coal in the first cycles: 20 %).
    Capped(BasisPoints),
    /// A shortage need not be covered (gas).
    ShortageWaived,
}

/// Returns how much must be surrendered for `verified` emissions.
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum or product does not fit.
///
/// # Source
///
/// market-rules.md 4.12; the relief is a parameter of the compliance period.
pub fn obligation(
    verified: Allowances,
    allocated: Allowances,
    relief: Relief,
) -> Result<Allowances, OverflowError> {
    let most = match relief {
        Relief::None => verified,
        Relief::Capped(share) => allocated.plus(share_of(verified, share)?)?,
        Relief::ShortageWaived => allocated,
    };
    Ok(verified.min(most))
}

/// How much of a surplus may be kept for a later period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankingRule {
    /// What may be kept in any case.
    pub base: Allowances,
    /// How much may be kept per tonne sold net.
    pub per_net_sale: BasisPoints,
}

impl BankingRule {
    /// The rule for surpluses of 2019 to 2024: 10,000 t and 1.5 times net sales (ICAP).
    pub const FROM_2019_TO_2024: Self =
        Self { base: Allowances::from_t(10_000), per_net_sale: BasisPoints::from_bp(15_000) };

    /// Returns how much of `surplus` may be banked by a holder that sold `net_sales` net.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum or product does not fit.
    pub fn bankable(
        &self,
        surplus: Allowances,
        net_sales: Allowances,
    ) -> Result<Allowances, OverflowError> {
        let earned = share_of(net_sales.max(Allowances::ZERO), self.per_net_sale)?;
        Ok(surplus.min(self.base.plus(earned)?).max(Allowances::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn t(tonnes: i64) -> Allowances {
        Allowances::from_t(tonnes)
    }

    #[test]
    fn electricity_and_heat_are_rounded_together() {
        // 1,500 kWh at 0.8177 t/MWh * 0.9 + 3 GJ at 0.1105 t/GJ = 1.103895 + 0.3315 t.
        let output = Output { electricity: Energy::from_kwh(1_500), heat: Heat::from_gj(3) };
        let rule = AllocationRule {
            electricity: Benchmark::from_ten_thousandths_t(8_177),
            heat: Benchmark::from_ten_thousandths_t(1_105),
            correction: BasisPoints::from_bp(9_000),
        };
        assert_eq!(allocate(&output, &rule), Ok(t(1)));
        let more = Output { heat: Heat::from_gj(4), ..output };
        assert_eq!(allocate(&more, &rule), Ok(t(2)));
        let most = Output { electricity: Energy::MAX, heat: Heat::from_gj(i64::MAX) };
        let wide = AllocationRule { heat: Benchmark::from_ten_thousandths_t(i64::MAX), ..rule };
        assert!(allocate(&most, &wide).is_err());
    }

    #[test]
    fn relief_limits_a_shortage_but_never_a_surplus() {
        let twenty = Relief::Capped(BasisPoints::from_bp(2_000));
        assert_eq!(obligation(t(100), t(70), twenty), Ok(t(90)));
        assert_eq!(obligation(t(100), t(85), twenty), Ok(t(100)));
        assert_eq!(obligation(t(100), t(70), Relief::ShortageWaived), Ok(t(70)));
        assert_eq!(obligation(t(100), t(170), Relief::ShortageWaived), Ok(t(100)));
        assert_eq!(obligation(t(100), t(70), Relief::None), Ok(t(100)));
    }

    #[test]
    fn banking_grows_with_net_sales_up_to_the_surplus() {
        let rule = BankingRule::FROM_2019_TO_2024;
        assert_eq!(rule.bankable(t(50_000), t(-3)), Ok(t(10_000)));
        assert_eq!(rule.bankable(t(50_000), t(10_001)), Ok(t(25_001)));
        assert_eq!(rule.bankable(t(9_000), t(10_000)), Ok(t(9_000)));
        assert_eq!(rule.bankable(t(-9_000), t(0)), Ok(t(0)));
    }
}
