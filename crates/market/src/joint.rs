//! Joint clearing of electricity and allowances on one node: many periods, one emissions budget.
//!
//! It maximises the value of consumption less the cost of generation and of bought allowances,
//! subject to balance in every period and to `sum (EF - BM) * g <= cap + bought`. [`solve`] finds a
//! schedule by bisection on the price of allowances; [`certificate`] checks any schedule against
//! the dual bound of any prices, so a replica need not trust how a schedule was found.
//!
//! Prices inside are exact in hundredths of a milli-yuan/MWh: one g/kWh at one fen/t is one of
//! them. So the carbon price is whole fen/t and nothing is ever rounded.

pub mod certificate;
mod dispatch;
mod fill_up;

use duet_units::{CarbonPrice, EmissionFactor, Emissions, Energy, OverflowError, Price};

use dispatch::{Dispatch, Tie, dispatch};

/// A generating unit's offer in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Cost without carbon.
    pub cost: Price,
    /// The most it can generate.
    pub quantity: Energy,
    /// What it emits.
    pub emission_factor: EmissionFactor,
    /// What it is allocated for free.
    pub benchmark: EmissionFactor,
}

/// A demand in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What the energy is worth to it.
    pub limit: Price,
    /// The most it wants.
    pub quantity: Energy,
}

/// One period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The units.
    pub units: Vec<Unit>,
    /// The demands.
    pub demands: Vec<Demand>,
}

/// Allowances that can be bought from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowanceOffer {
    /// Their price.
    pub price: CarbonPrice,
    /// How much emissions they cover.
    pub quantity: Emissions,
}

/// What is cleared together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// The periods.
    pub periods: Vec<Period>,
    /// The budget of emissions above the benchmarks.
    pub cap: Emissions,
    /// Allowances from outside.
    pub offers: Vec<AllowanceOffer>,
    /// The highest price of allowances that is tried.
    pub ceiling: CarbonPrice,
}

/// What happens in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What each unit generates.
    pub generated: Vec<Energy>,
    /// What each demand consumes.
    pub consumed: Vec<Energy>,
    /// The price of energy, in hundredths of a milli-yuan/MWh.
    pub price: i128,
}

/// A schedule for all periods with its prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The price of allowances.
    pub carbon_price: CarbonPrice,
    /// The periods.
    pub schedules: Vec<Schedule>,
}

/// Solves the joint clearing; `None` if even the ceiling price leaves emissions above the budget.
///
/// Emissions at a given price of allowances never rise with that price, so the least whole price
/// that meets the budget is found by bisection. What the budget then still allows is used by
/// moving period by period towards the schedule of the price one fen lower, the last step by
/// balanced swaps of single kWh. Takes `O(periods * n log n * log ceiling)` time.
///
/// # Errors
///
/// Returns [`OverflowError`] if a number is outside the ranges of [`Market::check`].
///
/// # Source
///
/// trading-game.md 1.7.
pub fn solve(market: &Market) -> Result<Option<Solution>, OverflowError> {
    market.check()?;
    let Some(carbon_price) = least_price(market) else { return Ok(None) };
    let mut dispatches: Vec<Dispatch> =
        market.periods.iter().map(|period| dispatch(period, carbon_price, Tie::Least)).collect();
    let budget = market.cap.g().saturating_add(market.on_offer(carbon_price, Tie::Most));
    if 0 < carbon_price {
        fill_up::fill_up(market, carbon_price.saturating_sub(1), budget, &mut dispatches);
    }
    let energies = |kwh: Vec<i64>| kwh.into_iter().map(Energy::from_kwh).collect();
    let schedules = dispatches.into_iter().map(|dispatch| Schedule {
        generated: energies(dispatch.generated),
        consumed: energies(dispatch.consumed),
        price: dispatch.price,
    });
    Ok(Some(Solution {
        carbon_price: CarbonPrice::from_fen_per_t(carbon_price),
        schedules: schedules.collect(),
    }))
}

/// The least price in fen/t, up to the ceiling, at which emissions meet the budget.
fn least_price(market: &Market) -> Option<i64> {
    let meets = |price: i64| {
        let emitted = market
            .periods
            .iter()
            .fold(0_i128, |sum, p| sum.saturating_add(dispatch(p, price, Tie::Least).emissions));
        emitted <= market.cap.g().saturating_add(market.on_offer(price, Tie::Most))
    };
    let (mut below, mut price) = (0_i64, market.ceiling.fen_per_t());
    if meets(0) {
        return Some(0);
    }
    if !meets(price) {
        return None;
    }
    // `below` misses the budget, `price` meets it.
    while below.saturating_add(1) < price {
        let middle = i64::midpoint(below, price);
        if meets(middle) {
            price = middle;
        } else {
            below = middle;
        }
    }
    Some(price)
}

/// Bounds on the input under which no sum below can overflow.
const PRICE_MAX: u64 = 1_000_000_000_000;
const FACTOR_MAX: u64 = 100_000;
const CARBON_PRICE_MAX: i64 = 100_000_000;
const ENERGY_MAX: i64 = 10_000_000_000_000;
const EMISSIONS_MAX: u128 = 1 << 70;
const ORDERS_MAX: usize = 1 << 28;

impl Market {
    /// Checks the ranges within which the arithmetic is exact: prices within a billion yuan/MWh,
    /// factors within 100 kg/kWh, allowances up to a million yuan/t, 10 TWh per order,
    /// 10^15 t of budget or offer, 2^28 orders.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] for the first number outside.
    pub fn check(&self) -> Result<(), OverflowError> {
        let outside = |operation| Err(OverflowError { operation, unit: "the joint clearing" });
        let units = || self.periods.iter().flat_map(|period| &period.units);
        let demands = || self.periods.iter().flat_map(|period| &period.demands);
        let is_energy = |e: Energy| (0..=ENERGY_MAX).contains(&e.kwh());
        let is_price = |p: Price| p.milli_yuan_per_mwh().unsigned_abs() <= PRICE_MAX;
        let is_factor = |f: EmissionFactor| f.g_per_kwh().unsigned_abs() <= FACTOR_MAX;
        let is_carbon_price = |p: CarbonPrice| (0..=CARBON_PRICE_MAX).contains(&p.fen_per_t());
        let is_emissions = |e: Emissions| e.g().unsigned_abs() <= EMISSIONS_MAX;
        if ORDERS_MAX < units().count().max(demands().count()).max(self.offers.len()) {
            return outside("number of orders");
        }
        if !units().all(|u| is_energy(u.quantity)) || !demands().all(|d| is_energy(d.quantity)) {
            return outside("energy of an order");
        }
        if !units().all(|u| is_price(u.cost)) || !demands().all(|d| is_price(d.limit)) {
            return outside("price of an order");
        }
        if !units().all(|u| is_factor(u.emission_factor) && is_factor(u.benchmark)) {
            return outside("emission factor");
        }
        let are_offers = |o: &AllowanceOffer| is_carbon_price(o.price) && 0 <= o.quantity.g();
        if !is_carbon_price(self.ceiling) || !self.offers.iter().all(are_offers) {
            return outside("price of allowances");
        }
        if !is_emissions(self.cap) || !self.offers.iter().all(|o| is_emissions(o.quantity)) {
            return outside("emissions");
        }
        Ok(())
    }

    /// The emissions that offers below `price` cover, with those at it for the most.
    fn on_offer(&self, price: i64, tie: Tie) -> i128 {
        let is_taken = |offer: &&AllowanceOffer| match tie {
            Tie::Least => offer.price.fen_per_t() < price,
            Tie::Most => offer.price.fen_per_t() <= price,
        };
        let taken = self.offers.iter().filter(is_taken);
        taken.fold(0_i128, |sum, offer| sum.saturating_add(offer.quantity.g()))
    }
}

impl Unit {
    /// What a kWh emits above its benchmark, in grams.
    fn net_factor(&self) -> i64 {
        self.emission_factor.g_per_kwh().saturating_sub(self.benchmark.g_per_kwh())
    }

    /// Its cost with carbon at `carbon_price` fen/t, in hundredths of a milli-yuan/MWh.
    fn ask(&self, carbon_price: i64) -> i128 {
        let carbon = i128::from(self.net_factor()).saturating_mul(carbon_price.into());
        hundredths(self.cost).saturating_add(carbon)
    }
}

/// A price in hundredths of a milli-yuan/MWh.
fn hundredths(price: Price) -> i128 {
    i128::from(price.milli_yuan_per_mwh()).saturating_mul(100)
}
