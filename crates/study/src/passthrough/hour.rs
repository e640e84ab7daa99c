//! One hour of a scenario's fleet at a carbon price.

use duet_market::auction::{CallRule, clear};
use duet_market::order::{Order, Side};
use duet_units::{BasisPoints, CarbonPrice, EmissionFactor, OverflowError, Price};
use serde::Serialize;

use crate::scenario::{PlannedOrder, Scenario, Technology, Unit};

/// What a plant takes for its carbon cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// All emissions: as if allowances were auctioned, the paper's case.
    Full,
    /// Emissions less the free allocation that grows with output: the marginal cost under China's
    /// benchmarks. Negative for a plant below its benchmark.
    NetOfBenchmark,
}

/// Which units take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fleet {
    /// Coal only.
    CoalOnly,
    /// Coal, wind and sun.
    WithWindAndSun,
}

/// The bid policy of all plants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) basis: Basis,
    pub(super) fleet: Fleet,
    /// One conductivity for all; each unit's own if there is none.
    pub(super) conductivity: Option<BasisPoints>,
    pub(super) carbon_price: CarbonPrice,
}

/// What happened in an hour. Energy in kWh, money in micro-yuan, emissions in g.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HourResult {
    /// The price, in milli-yuan/MWh; nothing if nothing traded.
    pub(super) price: Option<i64>,
    pub(super) volume: i64,
    /// The emission factor and conductivity of the dearest seller that sold.
    pub(super) marginal: Option<(i64, i64)>,
    pub(super) emissions: i128,
    /// Emissions above the free allocation; negative if the fleet has more than it needs.
    pub(super) net_emissions: i128,
    pub(super) demand: i64,
    pub(super) renewable_offer: i64,
    pub(super) at_cap: bool,
}

impl Policy {
    fn adder(&self, unit: &Unit) -> Result<(Price, i64), OverflowError> {
        let rho = self.conductivity.unwrap_or(unit.conductivity);
        let costed = match self.basis {
            Basis::Full => unit.emission_factor,
            Basis::NetOfBenchmark => unit.emission_factor.minus(unit.benchmark)?,
        };
        // The adder rounds away from zero on both sides, so a negative factor is no special case.
        Ok((self.carbon_price.adder(costed, rho)?, rho.bp()))
    }

    /// Clears an hour's orders under this policy.
    pub(super) fn clear(
        &self,
        scenario: &Scenario,
        planned: &[PlannedOrder],
    ) -> Result<HourResult, OverflowError> {
        let mut result = HourResult::default();
        let (mut orders, mut sellers) = (Vec::new(), Vec::new());
        for order in planned {
            let unit = order.unit.and_then(|unit| scenario.unit(order.member, unit));
            let mut limit = order.limit;
            if let Some(unit) = unit {
                let renewable = unit.technology != Technology::Coal;
                if renewable && self.fleet == Fleet::CoalOnly {
                    continue;
                }
                let (adder, rho) = self.adder(unit)?;
                limit = limit.plus(adder)?.min(scenario.market.ceiling);
                sellers.push(Some((unit, rho)));
                result.renewable_offer += if renewable { order.quantity.kwh() } else { 0 };
            } else {
                sellers.push(None);
                result.demand += order.quantity.kwh();
            }
            orders.push(Order {
                side: order.side,
                limit,
                quantity: order.quantity,
                emission_factor: EmissionFactor::ZERO,
            });
        }
        let clearing = clear(&orders, &CallRule::MIDPOINT)?;
        result.price = clearing.price.map(Price::milli_yuan_per_mwh);
        result.volume = clearing.volume.kwh();
        result.at_cap = clearing.price == Some(scenario.market.ceiling);
        let mut dearest = None;
        for ((order, seller), fill) in orders.iter().zip(&sellers).zip(&clearing.fills) {
            let (Some((unit, rho)), false) = (seller, fill.is_zero()) else { continue };
            debug_assert_eq!(order.side, Side::Sell);
            if dearest.is_none_or(|dearest| dearest < order.limit) {
                dearest = Some(order.limit);
                result.marginal = Some((unit.emission_factor.g_per_kwh(), *rho));
            }
            let above = unit.emission_factor.minus(unit.benchmark)?;
            result.emissions += unit.emission_factor.emissions_of(*fill)?.g();
            result.net_emissions += above.emissions_of(*fill)?.g();
        }
        Ok(result)
    }
}
