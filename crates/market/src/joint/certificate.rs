//! The evidence that a joint clearing is as good as it says.
//!
//! By weak duality no schedule can be worth more than the bound that any prices give. So whoever
//! has a schedule and prices knows how far it is from the best, in one pass over the orders.

use duet_units::{Emissions, Energy, OverflowError};

use super::{AllowanceOffer, Market, Period, Schedule, Solution, hundredths};

/// What a checked solution is worth. Values are in kWh times hundredths of a milli-yuan/MWh, that
/// is in hundredths of a micro-yuan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The worth of the schedule: consumption less generation less bought allowances.
    pub worth: i128,
    /// The most that any schedule can be worth.
    pub bound: i128,
    /// Emissions above the benchmarks.
    pub emissions: Emissions,
    /// What had to be bought from outside.
    pub bought: Emissions,
}

impl Certificate {
    /// How far the schedule may be from the best; never negative.
    #[must_use]
    pub const fn gap(&self) -> i128 {
        self.bound.saturating_sub(self.worth)
    }
}

/// Why a solution is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Infeasible {
    /// A number is outside the ranges of [`Market::check`].
    #[error(transparent)]
    Range(#[from] OverflowError),
    /// It does not have the periods and orders of the market.
    #[error("the schedule is for another market")]
    Shape,
    /// An order has less than nothing or more than it wants.
    #[error("period {0} goes beyond an order")]
    Order(usize),
    /// Generation is not consumption.
    #[error("period {0} does not balance")]
    Balance(usize),
    /// Emissions exceed the budget and all allowances on offer.
    #[error("emissions exceed the budget")]
    Budget,
    /// The price of allowances is negative.
    #[error("the price of allowances is negative")]
    CarbonPrice,
}

/// Checks a solution and returns its worth and its bound. Takes `O(n)` time.
///
/// # Errors
///
/// Returns [`Infeasible`] with the first condition that does not hold.
///
/// # Source
///
/// trading-game.md 1.7.
pub fn certify(market: &Market, solution: &Solution) -> Result<Certificate, Infeasible> {
    market.check()?;
    let carbon_price = solution.carbon_price.fen_per_t();
    if market.periods.len() != solution.schedules.len() {
        return Err(Infeasible::Shape);
    }
    if carbon_price < 0 {
        return Err(Infeasible::CarbonPrice);
    }
    let mut sums = Sums::default();
    let periods = market.periods.iter().zip(&solution.schedules);
    for (index, (period, schedule)) in periods.enumerate() {
        check(index, period, schedule)?;
        sums.add(period, schedule, carbon_price);
    }
    let bought = sums.emissions.saturating_sub(market.cap.g()).max(0);
    let paid = purchase(&market.offers, bought).ok_or(Infeasible::Budget)?;
    let carbon_price = i128::from(carbon_price);
    let mut bound = sums.bound.saturating_add(carbon_price.saturating_mul(market.cap.g()));
    for offer in &market.offers {
        let gain = carbon_price.saturating_sub(offer.price.fen_per_t().into()).max(0);
        bound = bound.saturating_add(gain.saturating_mul(offer.quantity.g()));
    }
    Ok(Certificate {
        worth: sums.worth.saturating_sub(paid),
        bound,
        emissions: Emissions::from_g(sums.emissions),
        bought: Emissions::from_g(bought),
    })
}

/// Checks that a schedule fits its period.
fn check(index: usize, period: &Period, schedule: &Schedule) -> Result<(), Infeasible> {
    let units = period.units.iter().map(|unit| unit.quantity);
    let demands = period.demands.iter().map(|demand| demand.quantity);
    if units.len() != schedule.generated.len() || demands.len() != schedule.consumed.len() {
        return Err(Infeasible::Shape);
    }
    let fits = |(most, energy): (Energy, &Energy)| Energy::ZERO <= *energy && *energy <= most;
    let all_fit =
        units.zip(&schedule.generated).all(fits) && demands.zip(&schedule.consumed).all(fits);
    if !all_fit {
        return Err(Infeasible::Order(index));
    }
    let total = |energies: &[Energy]| {
        energies.iter().fold(0_i128, |sum, energy| sum.saturating_add(energy.kwh().into()))
    };
    if total(&schedule.generated) != total(&schedule.consumed) {
        return Err(Infeasible::Balance(index));
    }
    Ok(())
}

/// What the periods add up to. The ranges of the market keep every sum within 128 bits.
#[derive(Default)]
struct Sums {
    worth: i128,
    bound: i128,
    emissions: i128,
}

impl Sums {
    fn add(&mut self, period: &Period, schedule: &Schedule, carbon_price: i64) {
        for (demand, energy) in period.demands.iter().zip(&schedule.consumed) {
            let limit = hundredths(demand.limit);
            self.worth = self.worth.saturating_add(times(limit, *energy));
            let gain = limit.saturating_sub(schedule.price).max(0);
            self.bound = self.bound.saturating_add(times(gain, demand.quantity));
        }
        for (unit, energy) in period.units.iter().zip(&schedule.generated) {
            self.worth = self.worth.saturating_sub(times(hundredths(unit.cost), *energy));
            let gain = schedule.price.saturating_sub(unit.ask(carbon_price)).max(0);
            self.bound = self.bound.saturating_add(times(gain, unit.quantity));
            let emitted = times(unit.net_factor().into(), *energy);
            self.emissions = self.emissions.saturating_add(emitted);
        }
    }
}

fn times(price: i128, energy: Energy) -> i128 {
    price.saturating_mul(energy.kwh().into())
}

/// What the cheapest offers for `needed` grams cost, in hundredths of a micro-yuan; `None` if they
/// do not suffice. One fen/t on one gram is one such hundredth.
fn purchase(offers: &[AllowanceOffer], needed: i128) -> Option<i128> {
    let mut cheapest: Vec<_> = offers.iter().map(|o| (o.price, o.quantity.g())).collect();
    cheapest.sort_unstable();
    let (mut left, mut paid) = (needed, 0_i128);
    for (price, quantity) in cheapest {
        let part = left.min(quantity);
        paid = paid.saturating_add(part.saturating_mul(price.fen_per_t().into()));
        left = left.saturating_sub(part);
    }
    (left == 0).then_some(paid)
}
