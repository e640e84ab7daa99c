//! The grid of conductivities and carbon prices.

use duet_units::{BasisPoints, CarbonPrice, OverflowError};
use serde::Serialize;

use super::estimate::{Estimate, EstimateOptions, estimates};
use super::hour::{Basis, Fleet, HourResult, Policy};
use crate::scenario::Scenario;

/// The pass-through study of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct PassThrough {
    /// The scenario's name.
    pub scenario: String,
    /// The day that the grid was cleared on.
    pub day: u32,
    /// The grid.
    pub points: Vec<SweepPoint>,
    /// Pass-through as an observer would estimate it from simulated days.
    pub estimates: Vec<Estimate>,
}

/// One point of the grid: 24 hours at one conductivity and carbon price.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SweepPoint {
    /// What plants take for their carbon cost.
    pub basis: Basis,
    /// Which units take part.
    pub fleet: Fleet,
    /// The conductivity that all plants declare.
    pub rho_bp: i64,
    /// The carbon price, in yuan/t.
    pub carbon_price: f64,
    /// The volume-weighted clearing price, in yuan/MWh.
    pub price: f64,
    /// The pass-through that is measured, hour by hour against the same day at a carbon price of
    /// zero, weighted by volume; nothing at a price of zero.
    pub kappa: Option<f64>,
    /// Energy traded, in GWh.
    pub volume_gwh: f64,
    /// Emissions, in kt.
    pub emissions_kt: f64,
    /// Hours in which the price is the ceiling.
    pub hours_at_cap: u32,
    /// What buyers pay more for what they buy than they would at a carbon price of zero, in 10,000
    /// yuan.
    pub buyers_pay_more: f64,
    /// What sellers must pay for allowances beyond their free allocation; negative if they can
    /// sell some. In 10,000 yuan.
    pub sellers_allowances: f64,
    /// What all emissions would cost without free allocation, in 10,000 yuan.
    pub full_carbon_cost: f64,
}

const CARBON_PRICES: [i64; 11] =
    [0, 2_000, 4_000, 5_500, 8_000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000];

impl PassThrough {
    /// Sweeps a day of the scenario and estimates pass-through from simulated days.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded scenarios it always does.
    pub fn run(
        scenario: &Scenario,
        day: u32,
        options: &EstimateOptions,
    ) -> Result<Self, OverflowError> {
        let plan = scenario.day(day);
        let hours: Vec<_> = plan.orders.chunk_by(|a, b| a.period == b.period).collect();
        let mut points = Vec::new();
        for basis in [Basis::Full, Basis::NetOfBenchmark] {
            for fleet in [Fleet::CoalOnly, Fleet::WithWindAndSun] {
                for rho in (0..=10_000).step_by(1_000) {
                    let at = |fen| Policy {
                        basis,
                        fleet,
                        conductivity: Some(BasisPoints::from_bp(rho)),
                        carbon_price: CarbonPrice::from_fen_per_t(fen),
                    };
                    let day = |policy: Policy| -> Result<Vec<HourResult>, OverflowError> {
                        hours.iter().map(|hour| policy.clear(scenario, hour)).collect()
                    };
                    let without = day(at(0))?;
                    for fen in CARBON_PRICES {
                        let with = day(at(fen))?;
                        points.push(point(at(fen), rho, (&with, &without)));
                    }
                }
            }
        }
        let estimates = estimates(scenario, options)?;
        Ok(Self { scenario: scenario.name.clone(), day, points, estimates })
    }
}

fn point(
    policy: Policy,
    rho_bp: i64,
    (hours, without): (&[HourResult], &[HourResult]),
) -> SweepPoint {
    let (mut value, mut volume, mut kappa, mut kappa_volume) = (0.0, 0.0, 0.0, 0.0);
    let (mut more, mut emissions, mut net) = (0.0, 0.0, 0.0);
    let mut hours_at_cap = 0;
    let yuan_per_t = float(policy.carbon_price.fen_per_t().into()) / 100.0;
    for (hour, before) in hours.iter().zip(without) {
        let mwh = float(hour.volume.into()) / 1_000.0;
        volume += mwh;
        emissions += float(hour.emissions) / 1e6;
        net += float(hour.net_emissions) / 1e6;
        hours_at_cap += u32::from(hour.at_cap);
        let (Some(price), Some(price_before)) = (hour.price, before.price) else { continue };
        let rise = float((price - price_before).into()) / 1_000.0;
        value += mwh * float(price.into()) / 1_000.0;
        more += mwh * rise;
        if let Some((factor, _)) = hour.marginal
            && factor > 0
            && yuan_per_t > 0.0
        {
            kappa += mwh * rise / (float(factor.into()) / 1_000.0 * yuan_per_t);
            kappa_volume += mwh;
        }
    }
    SweepPoint {
        basis: policy.basis,
        fleet: policy.fleet,
        rho_bp,
        carbon_price: yuan_per_t,
        price: if volume > 0.0 { short(value / volume) } else { 0.0 },
        kappa: (kappa_volume > 0.0).then(|| short(kappa / kappa_volume)),
        volume_gwh: short(volume / 1_000.0),
        emissions_kt: short(emissions / 1_000.0),
        hours_at_cap,
        buyers_pay_more: short(more / 10_000.0),
        sellers_allowances: short(net * yuan_per_t / 10_000.0),
        full_carbon_cost: short(emissions * yuan_per_t / 10_000.0),
    }
}

/// Four decimals.
pub(super) fn short(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

#[expect(clippy::cast_precision_loss, reason = "for statistics; the clearing is exact")]
pub(super) const fn float(x: i128) -> f64 {
    x as f64
}
