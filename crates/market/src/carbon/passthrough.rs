//! Pass-through: how much of the price of carbon ends up in the price of energy.
//!
//! Declared is what an offer adds (rho); measured is what a clearing shows (kappa). They agree only
//! while the same plant stays at the margin.

use duet_units::{BasisPoints, CarbonPrice, EmissionFactor, OverflowError, Price, div_half_away};

use super::CarbonTerms;

/// Which carbon cost an offer reckons with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CostBasis {
    /// None.
    None,
    /// All emissions.
    Full,
    /// Emissions above the benchmark; negative for a plant below it. Under output-based free
    /// allocation this is the true marginal cost.
    NetOfBenchmark,
}

/// Returns what an offer adds for carbon on the given basis, rounded half away from zero.
///
/// # Errors
///
/// Returns [`OverflowError`] if the product does not fit.
///
/// # Source
///
/// market-rules.md 5.
pub fn declared_adder(terms: &CarbonTerms, basis: CostBasis) -> Result<Price, OverflowError> {
    let factor = match basis {
        CostBasis::None => EmissionFactor::ZERO,
        CostBasis::Full => terms.emission_factor,
        CostBasis::NetOfBenchmark => terms.emission_factor.minus(terms.benchmark)?,
    };
    terms.carbon_price.adder(factor, terms.conductivity)
}

/// The clearing prices of one book with and without a price of carbon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The clearing price without carbon.
    pub without: Price,
    /// The clearing price with carbon.
    pub with: Price,
    /// What the plant at the margin emits.
    pub marginal_factor: EmissionFactor,
    /// The price of allowances.
    pub carbon_price: CarbonPrice,
}

/// Returns the measured pass-through `kappa = (P(Pc) - P(0)) / (e_m * Pc)`, rounded half away from
/// zero to 1e-4; `None` if the margin bears no carbon cost.
///
/// # Errors
///
/// Returns [`OverflowError`] if a difference or product does not fit.
///
/// # Source
///
/// market-rules.md 5.
pub fn measured(observation: &Observation) -> Result<Option<BasisPoints>, OverflowError> {
    let overflow = OverflowError { operation: "pass-through", unit: "bp" };
    let factor = observation.marginal_factor.g_per_kwh();
    let cost = i128::from(factor).checked_mul(observation.carbon_price.fen_per_t().into());
    let cost = cost.ok_or(overflow)?;
    if cost <= 0 {
        return Ok(None);
    }
    // g/kWh * fen/t is a hundredth of a milli-yuan/MWh; with 10^4 bp that is a factor of 10^6.
    let rise = i128::from(observation.with.milli_yuan_per_mwh())
        .checked_sub(observation.without.milli_yuan_per_mwh().into())
        .and_then(|rise| rise.checked_mul(1_000_000))
        .and_then(|rise| div_half_away(rise, cost))
        .and_then(|bp| i64::try_from(bp).ok());
    rise.map(|bp| Some(BasisPoints::from_bp(bp))).ok_or(overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(factor: i64, rho: i64, fen: i64) -> CarbonTerms {
        CarbonTerms {
            emission_factor: EmissionFactor::from_g_per_kwh(factor),
            benchmark: EmissionFactor::from_g_per_kwh(846),
            conductivity: BasisPoints::from_bp(rho),
            carbon_price: CarbonPrice::from_fen_per_t(fen),
        }
    }

    #[test]
    fn bidding_net_of_the_benchmark_passes_on_one_less_their_ratio() {
        // market-rules.md 5: about 5 % for 894 g/kWh against 846.
        let terms = terms(894, 10_000, 9_596);
        let adder = declared_adder(&terms, CostBasis::NetOfBenchmark).unwrap();
        let kappa = measured(&Observation {
            without: Price::ZERO,
            with: adder,
            marginal_factor: terms.emission_factor,
            carbon_price: terms.carbon_price,
        });
        assert_eq!(kappa, Ok(Some(BasisPoints::from_bp(537))));
        assert_eq!(declared_adder(&terms, CostBasis::None), Ok(Price::ZERO));
    }

    #[test]
    fn a_margin_without_carbon_has_no_pass_through() {
        let observation = Observation {
            without: Price::ZERO,
            with: Price::MAX,
            marginal_factor: EmissionFactor::ZERO,
            carbon_price: CarbonPrice::from_fen_per_t(1),
        };
        assert_eq!(measured(&observation), Ok(None));
    }

    proptest! {
        #[test]
        fn at_an_unchanged_margin_measured_is_declared(
            (factor, rho, fen) in (300..1_200_i64, 0..=10_000_i64, 4_000..12_000_i64),
            cost in 0..400_000_i64,
        ) {
            let terms = terms(factor, rho, fen);
            let without = Price::from_milli_yuan_per_mwh(cost);
            let with = without.plus(declared_adder(&terms, CostBasis::Full).unwrap()).unwrap();
            let (marginal_factor, carbon_price) = (terms.emission_factor, terms.carbon_price);
            let kappa = measured(&Observation { without, with, marginal_factor, carbon_price });
            // The adder is rounded to 0.001 yuan/MWh, which is less than 1e-4 of the carbon cost.
            prop_assert!((kappa.unwrap().unwrap().bp() - rho).abs() <= 1);
        }
    }
}
