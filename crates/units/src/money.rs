//! Prices and money.

use crate::quantity::quantity;
use crate::{Energy, OverflowError, div_half_away};

quantity! {
    /// A price of energy, in thousandths of a yuan per megawatt-hour.
    ///
    /// The official precision is three decimals of yuan/MWh. Prices may be negative.
    Price(i64), "milli-yuan/MWh", from_milli_yuan_per_mwh, milli_yuan_per_mwh
}

quantity! {
    /// An amount of money, in fen (0.01 yuan).
    Money(i128), "fen", from_fen, fen
}

quantity! {
    /// An exact amount of money inside a clearing, in micro-yuan (1e-6 yuan).
    ///
    /// One kWh at one milli-yuan/MWh is exactly one micro-yuan, so no product of energy and price
    /// is ever rounded before a statement line.
    MicroYuan(i128), "micro-yuan", from_micro_yuan, micro_yuan
}

impl Price {
    /// Returns the exact value of `energy` at this price.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the product does not fit; with 64-bit factors it always does.
    pub fn value_of(self, energy: Energy) -> Result<MicroYuan, OverflowError> {
        i128::from(self.milli_yuan_per_mwh())
            .checked_mul(energy.kwh().into())
            .map(MicroYuan::from_micro_yuan)
            .ok_or(OverflowError { operation: "value of energy", unit: "micro-yuan" })
    }

    /// Returns what `energy` costs at this price, in fen, rounded half away from zero.
    ///
    /// Call it once per statement line: rounding the parts is not rounding the whole.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the product does not fit.
    pub fn cost_of(self, energy: Energy) -> Result<Money, OverflowError> {
        self.value_of(energy)?.rounded()
    }
}

impl MicroYuan {
    /// Returns the amount in fen, rounded half away from zero. Call it once per statement line.
    ///
    /// # Errors
    ///
    /// Never in practice: dividing by 10,000 cannot overflow.
    pub fn rounded(self) -> Result<Money, OverflowError> {
        div_half_away(self.micro_yuan(), 10_000)
            .map(Money::from_fen)
            .ok_or(OverflowError { operation: "rounding to fen", unit: "fen" })
    }

    /// The mean price at which `energy` has this value, rounded half away from zero to the
    /// milli-yuan/MWh; none for no energy, or if it does not fit.
    ///
    /// It is a figure of its own, not a step to an amount: that comes from the value itself.
    #[must_use]
    pub fn mean_price(self, energy: Energy) -> Option<Price> {
        let (value, kwh) = (self.micro_yuan(), i128::from(energy.kwh()));
        let (value, kwh) =
            if kwh < 0 { (value.checked_neg()?, kwh.checked_neg()?) } else { (value, kwh) };
        let price = div_half_away(value, kwh)?;
        i64::try_from(price).ok().map(Price::from_milli_yuan_per_mwh)
    }

    /// Returns the smallest whole amount of fen that is not below this amount, for escrow.
    ///
    /// # Errors
    ///
    /// Never in practice: dividing by 10,000 cannot overflow.
    pub fn rounded_up(self) -> Result<Money, OverflowError> {
        let overflow = OverflowError { operation: "rounding up to fen", unit: "fen" };
        let floor = self.micro_yuan().div_euclid(10_000);
        let up = i128::from(self.micro_yuan().rem_euclid(10_000) != 0);
        floor.checked_add(up).map(Money::from_fen).ok_or(overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_costs_its_price_times_its_energy() {
        // 450,000 kWh at 367.500 yuan/MWh is 165,375.00 yuan.
        let cost = Price::from_milli_yuan_per_mwh(367_500).cost_of(Energy::from_kwh(450_000));
        assert_eq!(cost, Ok(Money::from_fen(16_537_500)));
    }

    #[test]
    fn a_mean_price_is_weighted_by_energy() {
        let mean = |value, kwh| {
            let price = MicroYuan::from_micro_yuan(value).mean_price(Energy::from_kwh(kwh));
            price.map(Price::milli_yuan_per_mwh)
        };
        // 1 kWh at 10 and 2 kWh at 11 milli-yuan/MWh.
        assert_eq!(mean(32, 3), Some(11));
        assert_eq!((mean(-32, 3), mean(32, -3), mean(-32, -3)), (Some(-11), Some(-11), Some(11)));
        assert_eq!((mean(32, 0), mean(i128::MAX, 1), mean(i128::MIN, -1)), (None, None, None));
    }

    #[test]
    fn escrow_rounds_up_and_never_overflows() {
        let value = Price::MAX.value_of(Energy::MAX).unwrap();
        assert!(value.rounded_up().unwrap() >= value.rounded().unwrap());
        assert_eq!(MicroYuan::from_micro_yuan(1).rounded_up(), Ok(Money::from_fen(1)));
        assert_eq!(MicroYuan::from_micro_yuan(-1).rounded_up(), Ok(Money::from_fen(0)));
        assert_eq!(MicroYuan::from_micro_yuan(20_000).rounded_up(), Ok(Money::from_fen(2)));
    }
}
