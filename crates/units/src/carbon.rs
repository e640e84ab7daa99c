//! Emissions, allowances and the price of carbon.

use crate::quantity::quantity;
use crate::{Energy, OverflowError, Price, div_half_away};

quantity! {
    /// Grams of CO2e emitted per kilowatt-hour delivered.
    EmissionFactor(i64), "g/kWh", from_g_per_kwh, g_per_kwh
}

quantity! {
    /// An amount of emissions, in grams CO2e; exact for whole kWh and whole g/kWh.
    Emissions(i128), "g CO2e", from_g, g
}

quantity! {
    /// Allowances or carbon credits, each the right to emit, or the reduction of, one tonne CO2e.
    Allowances(i64), "t CO2e", from_t, t
}

quantity! {
    /// A price of allowances, in fen per tonne.
    CarbonPrice(i64), "fen/t", from_fen_per_t, fen_per_t
}

quantity! {
    /// A share, in steps of 1e-4 (100 % is 10,000).
    BasisPoints(i64), "bp", from_bp, bp
}

impl BasisPoints {
    /// The whole: 100 %.
    pub const ONE: Self = Self::from_bp(10_000);
}

impl EmissionFactor {
    /// Returns what `energy` emits, exactly.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the product does not fit; with 64-bit factors it always does.
    pub fn emissions_of(self, energy: Energy) -> Result<Emissions, OverflowError> {
        i128::from(self.g_per_kwh())
            .checked_mul(energy.kwh().into())
            .map(Emissions::from_g)
            .ok_or(OverflowError { operation: "emissions of energy", unit: "g CO2e" })
    }
}

impl Emissions {
    /// Returns the emissions in kilograms, rounded half away from zero, for reports.
    #[must_use]
    pub fn kg(self) -> i128 {
        div_half_away(self.g(), 1_000).unwrap_or(0)
    }

    /// Returns the whole tonnes, rounded towards negative infinity, and the grams left over.
    #[must_use]
    pub fn tonnes_and_rest(self) -> (i128, Self) {
        (self.g().div_euclid(1_000_000), Self::from_g(self.g().rem_euclid(1_000_000)))
    }
}

impl CarbonPrice {
    /// Returns the share `rho` of the carbon cost of one kWh at `factor`, as a price of energy,
    /// rounded half away from zero: the carbon adder of an offer.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the product does not fit.
    pub fn adder(self, factor: EmissionFactor, rho: BasisPoints) -> Result<Price, OverflowError> {
        let overflow = OverflowError { operation: "carbon adder", unit: "milli-yuan/MWh" };
        // bp * g/kWh * fen/t = 1e-10 fen/kWh = 1e-6 milli-yuan/MWh, for
        // 1 fen/kWh = 10 yuan/MWh = 10,000 milli-yuan/MWh.
        let product = i128::from(rho.bp())
            .checked_mul(factor.g_per_kwh().into())
            .and_then(|x| x.checked_mul(self.fen_per_t().into()))
            .ok_or(overflow)?;
        let price = div_half_away(product, 1_000_000).ok_or(overflow)?;
        i64::try_from(price).map(Price::from_milli_yuan_per_mwh).map_err(|_| overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_carbon_adder_is_the_shared_carbon_cost() {
        // 65 % of 830 g/kWh at 85 yuan/t is 45.8575 yuan/MWh, which rounds to 45.858.
        let adder = CarbonPrice::from_fen_per_t(8_500)
            .adder(EmissionFactor::from_g_per_kwh(830), BasisPoints::from_bp(6_500));
        assert_eq!(adder, Ok(Price::from_milli_yuan_per_mwh(45_858)));
    }

    #[test]
    fn extremes_are_errors_not_wrapped_numbers() {
        let adder = CarbonPrice::MAX.adder(EmissionFactor::MAX, BasisPoints::MAX);
        assert!(adder.is_err());
    }

    #[test]
    fn tonnes_and_rest_recompose() {
        let (t, rest) = Emissions::from_g(2_500_001).tonnes_and_rest();
        assert_eq!((t, rest.g()), (2, 500_001));
    }
}
