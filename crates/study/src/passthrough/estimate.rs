//! Pass-through as an observer would estimate it who sees prices, loads and allowance quotes.

use duet_units::{BasisPoints, CarbonPrice, OverflowError};
use serde::Serialize;

use super::hour::{Basis, Fleet, HourResult, Policy};
use super::sweep::{float, short};
use crate::random::Random;
use crate::regression::{Observation, Regression};
use crate::scenario::Scenario;

/// What the simulated days are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct EstimateOptions {
    /// How many days.
    pub days: u32,
    /// What the carbon price's path is drawn from.
    pub seed: u64,
}

/// An estimate of pass-through.
#[derive(Clone, Debug, Serialize)]
pub struct Estimate {
    /// What plants take for their carbon cost.
    pub basis: Basis,
    /// Which units take part.
    pub fleet: Fleet,
    /// The conductivity of all plants; nothing where each has its own.
    pub rho_bp: Option<i64>,
    /// The mean conductivity that marginal sellers declared.
    pub declared: f64,
    /// The estimate, and its 95 % confidence interval.
    pub kappa: f64,
    /// The interval's lower end.
    pub kappa_low: f64,
    /// The interval's upper end.
    pub kappa_high: f64,
    /// The hours observed.
    pub hours: usize,
    /// Hours in which the price was the ceiling: there it cannot follow carbon.
    pub hours_at_cap: usize,
}

/// Estimates for the scenario's own conductivities and for full pass-through, on both bases.
pub(super) fn estimates(
    scenario: &Scenario,
    options: &EstimateOptions,
) -> Result<Vec<Estimate>, OverflowError> {
    let whole = Some(BasisPoints::ONE);
    let cases = [
        (Basis::Full, Fleet::WithWindAndSun, None),
        (Basis::Full, Fleet::CoalOnly, None),
        (Basis::NetOfBenchmark, Fleet::WithWindAndSun, whole),
        (Basis::NetOfBenchmark, Fleet::CoalOnly, whole),
    ];
    let mut estimates = Vec::new();
    for (basis, fleet, conductivity) in cases {
        let policy =
            Policy { basis, fleet, conductivity, carbon_price: CarbonPrice::from_fen_per_t(0) };
        estimates.extend(estimate(scenario, options, policy)?);
    }
    Ok(estimates)
}

/// Regresses the hourly price on the carbon cost of a typical marginal unit, residual load and its
/// square. The carbon price is one number a day, so errors are clustered by day.
///
/// The regressor is the mean marginal emission factor times the carbon price, not the hour's own
/// factor: dearer units are also dirtier, so the hour's factor would pick up the merit order.
fn estimate(
    scenario: &Scenario,
    options: &EstimateOptions,
    policy: Policy,
) -> Result<Option<Estimate>, OverflowError> {
    let hours = simulate(scenario, options, policy)?;
    let marginal: Vec<(i64, i64)> = hours.iter().filter_map(|(_, _, hour)| hour.marginal).collect();
    let mean = |values: &mut dyn Iterator<Item = i64>| {
        let sum: i64 = values.sum();
        float(sum.into()) / float(i128::try_from(marginal.len().max(1)).unwrap_or(1))
    };
    let factor = mean(&mut marginal.iter().map(|(factor, _)| *factor)) / 1_000.0;
    let declared = mean(&mut marginal.iter().map(|(_, rho)| *rho)) / 10_000.0;
    let observation = |(day, yuan_per_t, hour): &(u32, f64, HourResult)| {
        // In 10 GWh, so that the square is of the same size.
        let residual = float((hour.demand - hour.renewable_offer).into()) / 1e7;
        Some(Observation {
            x: vec![1.0, factor * yuan_per_t, residual, residual * residual],
            y: float(hour.price?.into()) / 1_000.0,
            cluster: *day,
        })
    };
    let observations: Vec<Observation> = hours.iter().filter_map(observation).collect();
    let Some(fit) = Regression::fit(&observations) else { return Ok(None) };
    let Some((low, high)) = fit.interval(1) else { return Ok(None) };
    Ok(Some(Estimate {
        basis: policy.basis,
        fleet: policy.fleet,
        rho_bp: policy.conductivity.map(BasisPoints::bp),
        declared: short(declared),
        kappa: short(fit.coefficients[1]),
        kappa_low: short(low),
        kappa_high: short(high),
        hours: fit.observations,
        hours_at_cap: hours.iter().filter(|(_, _, hour)| hour.at_cap).count(),
    }))
}

/// Clears the days along a path of the carbon price: a bounded walk with steps of up to 3 yuan/t
/// between 20 and 80 yuan/t, synthetic.
fn simulate(
    scenario: &Scenario,
    options: &EstimateOptions,
    policy: Policy,
) -> Result<Vec<(u32, f64, HourResult)>, OverflowError> {
    let mut random = Random::new(options.seed);
    let mut fen = 5_000;
    let mut hours = Vec::new();
    for day in 0..options.days {
        fen = (fen + random.between(-300, 300)).clamp(2_000, 8_000);
        let policy = Policy { carbon_price: CarbonPrice::from_fen_per_t(fen), ..policy };
        let plan = scenario.day(day);
        for hour in plan.orders.chunk_by(|a, b| a.period == b.period) {
            let result = policy.clear(scenario, hour)?;
            hours.push((day, float(fen.into()) / 100.0, result));
        }
    }
    Ok(hours)
}
