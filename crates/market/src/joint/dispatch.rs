//! The schedule of one period at a given price of allowances: a call auction on cost with carbon.

use super::{Period, hundredths};

/// Which of the schedules that are equally good at a price: the one that emits least (trades
/// without gain are left out, the cleaner unit goes first) or most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    Least,
    Most,
}

/// The schedule of a period, in kWh, with its price and its emissions above the benchmarks.
#[derive(Clone, Debug)]
pub(super) struct Dispatch {
    pub(super) generated: Vec<i64>,
    pub(super) consumed: Vec<i64>,
    pub(super) price: i128,
    pub(super) emissions: i128,
}

/// An order of one side while the curves are walked.
#[derive(Clone, Copy)]
struct Step {
    index: usize,
    price: i128,
    net_factor: i64,
    left: i64,
}

pub(super) fn dispatch(period: &Period, carbon_price: i64, tie: Tie) -> Dispatch {
    let (asks, bids) = curves(period, carbon_price, tie);
    let (mut asks, mut bids) = (asks.into_iter(), bids.into_iter());
    let (mut ask, mut bid) = (asks.next(), bids.next());
    let mut result = Dispatch {
        generated: vec![0; period.units.len()],
        consumed: vec![0; period.demands.len()],
        price: 0,
        emissions: 0,
    };
    let mut last: Option<(i128, i128)> = None;
    while let (Some(a), Some(b)) = (ask, bid)
        && (a.price < b.price || (tie == Tie::Most && a.price == b.price))
    {
        let kwh = a.left.min(b.left);
        add(&mut result.generated, a.index, kwh);
        add(&mut result.consumed, b.index, kwh);
        let emitted = i128::from(a.net_factor).saturating_mul(kwh.into());
        result.emissions = result.emissions.saturating_add(emitted);
        last = Some((a.price, b.price));
        ask = a.after(kwh).or_else(|| asks.next());
        bid = b.after(kwh).or_else(|| bids.next());
    }
    result.price = between(last, ask.map(|a| a.price), bid.map(|b| b.price));
    result
}

/// Units from the cheapest ask and demands from the highest bid, without orders of nothing.
fn curves(period: &Period, carbon_price: i64, tie: Tie) -> (Vec<Step>, Vec<Step>) {
    let mut asks: Vec<Step> = Vec::with_capacity(period.units.len());
    for (index, unit) in period.units.iter().enumerate() {
        let (price, net_factor) = (unit.ask(carbon_price), unit.net_factor());
        asks.push(Step { index, price, net_factor, left: unit.quantity.kwh() });
    }
    let mut bids: Vec<Step> = Vec::with_capacity(period.demands.len());
    for (index, demand) in period.demands.iter().enumerate() {
        let (price, left) = (hundredths(demand.limit), demand.quantity.kwh());
        bids.push(Step { index, price, net_factor: 0, left });
    }
    asks.retain(|step| step.left > 0);
    bids.retain(|step| step.left > 0);
    let rank = |net_factor: i64| match tie {
        Tie::Least => net_factor,
        Tie::Most => net_factor.saturating_neg(),
    };
    asks.sort_unstable_by_key(|step| (step.price, rank(step.net_factor), step.index));
    bids.sort_unstable_by_key(|step| (step.price.saturating_neg(), step.index));
    (asks, bids)
}

/// The middle of the competitive prices, given the last traded ask and bid and the first of each
/// side that is not done; the bounded end if only one is, zero if nothing is offered or wanted.
fn between(last: Option<(i128, i128)>, next_ask: Option<i128>, next_bid: Option<i128>) -> i128 {
    let lo = last.map(|(ask, _)| ask).max(next_bid);
    let hi = match (last.map(|(_, bid)| bid), next_ask) {
        (Some(bid), Some(ask)) => Some(bid.min(ask)),
        (bid, ask) => bid.or(ask),
    };
    match (lo, hi) {
        (Some(lo), Some(hi)) => lo.saturating_add(hi.saturating_sub(lo).div_euclid(2)),
        (lo, hi) => lo.or(hi).unwrap_or(0),
    }
}

fn add(energies: &mut [i64], index: usize, kwh: i64) {
    if let Some(energy) = energies.get_mut(index) {
        *energy = energy.saturating_add(kwh);
    }
}

impl Step {
    fn after(self, kwh: i64) -> Option<Self> {
        let left = self.left.saturating_sub(kwh);
        (left > 0).then_some(Self { left, ..self })
    }
}
