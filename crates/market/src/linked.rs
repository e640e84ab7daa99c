//! Multi-period orders: energy in several periods, all or nothing, at a mean price.
//!
//! **Acceptance rule.** Start with every multi-period order accepted. Clear each period with the
//! accepted ones as energy that must trade, whatever the price. If one of them is then not filled
//! in full in all its periods, or pays more (gets less) on the mean of its energy than its limit,
//! reject the worst: first those not filled, then the one with the lowest gain per kWh (rounded
//! down), ties to the later position. Repeat until all that are left gain or break even. Each
//! round rejects one order, so there are at most as many rounds as orders, plus one.
//!
//! So an accepted order never loses. A rejected one may look acceptable at the final prices, as on
//! other power exchanges: with it in the book they would have been others.

use duet_units::{Energy, OverflowError, Price};

use crate::auction::{CallRule, clear, fill_at};
use crate::order::{Order, Side};

/// An order over several periods, filled whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiPeriodOrder {
    /// Buy or sell.
    pub side: Side,
    /// The worst acceptable mean price of all its energy.
    pub limit: Price,
    /// The energy of each period; zero where it does not trade.
    pub quantities: Vec<Energy>,
}

/// The result of one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodClearing {
    /// The price; `None` if nothing trades.
    pub price: Option<Price>,
    /// The energy traded, multi-period orders included.
    pub volume: Energy,
    /// The filled energy of the period's own orders, by position.
    pub fills: Vec<Energy>,
}

/// The result of all periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedClearing {
    /// The periods.
    pub periods: Vec<PeriodClearing>,
    /// Positions of the accepted multi-period orders, ascending.
    pub accepted: Vec<usize>,
}

/// Clears periods together with the multi-period orders that link them, by the acceptance rule of
/// this module.
///
/// A must-trade order sets no price: where one end of a period's interval comes from such orders
/// alone the price is the other end, and where both do it lies between their limits. Orders of
/// nothing, and orders for another number of periods, are rejected.
///
/// # Errors
///
/// Returns [`OverflowError`] as [`clear`] does, or if a product does not fit.
pub fn clear_linked(
    periods: &[Vec<Order>],
    linked: &[MultiPeriodOrder],
    rule: &CallRule,
) -> Result<LinkedClearing, OverflowError> {
    let mut accepted = Vec::new();
    for (position, order) in linked.iter().enumerate() {
        let total = Energy::sum(order.quantities.iter().copied())?;
        if order.quantities.len() == periods.len() && !total.is_zero() {
            accepted.push(position);
        }
    }
    loop {
        let mut rounds = Vec::with_capacity(periods.len());
        for (period, orders) in periods.iter().enumerate() {
            rounds.push(Round::clear(orders, period, &members(linked, &accepted), rule)?);
        }
        let Some(worst) = worst(&rounds, &members(linked, &accepted))? else {
            let periods = rounds.into_iter().map(|round| round.clearing).collect();
            return Ok(LinkedClearing { periods, accepted });
        };
        accepted.remove(worst);
    }
}

fn members<'a>(linked: &'a [MultiPeriodOrder], accepted: &[usize]) -> Vec<&'a MultiPeriodOrder> {
    accepted.iter().filter_map(|position| linked.get(*position)).collect()
}

/// One period with the accepted orders as must-trade energy.
struct Round {
    clearing: PeriodClearing,
    price: Price,
    /// Whether each accepted order got all its energy.
    filled: Vec<bool>,
}

impl Round {
    fn clear(
        own: &[Order],
        period: usize,
        accepted: &[&MultiPeriodOrder],
        rule: &CallRule,
    ) -> Result<Self, OverflowError> {
        let mut orders = own.to_vec();
        for order in accepted {
            orders.push(order.must_trade(period));
        }
        let clearing = clear(&orders, rule)?;
        let Some((lo, hi)) = clearing.interval else {
            let filled = orders.iter().skip(own.len()).map(|order| order.quantity.is_zero());
            let fills = vec![Energy::ZERO; own.len()];
            let clearing = PeriodClearing { price: None, volume: Energy::ZERO, fills };
            return Ok(Self { clearing, price: Price::ZERO, filled: filled.collect() });
        };
        let price = price(lo, hi, accepted, rule)?;
        let (volume, mut fills) = fill_at(&orders, price, rule.rationing)?;
        let both = fills.iter().zip(&orders).skip(own.len());
        let filled = both.map(|(fill, order)| *fill == order.quantity).collect();
        fills.truncate(own.len());
        let shown = (!volume.is_zero()).then_some(price);
        Ok(Self { clearing: PeriodClearing { price: shown, volume, fills }, price, filled })
    }
}

const UNBOUNDED_ASK: Price = Price::from_milli_yuan_per_mwh(i64::MIN);
const UNBOUNDED_BID: Price = Price::MAX;

impl MultiPeriodOrder {
    /// The order in one period, at a limit that always trades.
    fn must_trade(&self, period: usize) -> Order {
        let limit = match self.side {
            Side::Buy => UNBOUNDED_BID,
            Side::Sell => UNBOUNDED_ASK,
        };
        let quantity = self.quantities.get(period).copied().unwrap_or_default();
        Order { side: self.side, limit, quantity, emission_factor: Default::default() }
    }
}

/// The price of a period whose interval may reach to the limits of must-trade orders.
fn price(
    lo: Price,
    hi: Price,
    accepted: &[&MultiPeriodOrder],
    rule: &CallRule,
) -> Result<Price, OverflowError> {
    match (lo == UNBOUNDED_ASK, hi == UNBOUNDED_BID) {
        (false, false) => rule.price_between(lo, hi),
        (false, true) => Ok(lo),
        (true, false) => Ok(hi),
        (true, true) => {
            let of = |side| accepted.iter().filter(move |o| o.side == side).map(|o| o.limit);
            let ask = of(Side::Sell).max().unwrap_or_default();
            let bid = of(Side::Buy).min().unwrap_or_default();
            rule.price_between(ask.min(bid), ask.max(bid))
        }
    }
}

/// The accepted order to reject next, as an index into `accepted`; `None` if all may stay.
fn worst(rounds: &[Round], accepted: &[&MultiPeriodOrder]) -> Result<Option<usize>, OverflowError> {
    let mut worst: Option<(Option<i128>, usize)> = None;
    for (index, order) in accepted.iter().enumerate() {
        let is_filled = rounds.iter().all(|round| round.filled.get(index) == Some(&true));
        let gain = if is_filled { Some(order.gain_per_kwh(rounds)?) } else { None };
        let may_stay = gain.is_some_and(|gain| 0 <= gain);
        // An order that is not filled has no gain, and `None` is the least.
        if !may_stay && worst.is_none_or(|(least, _)| gain <= least) {
            worst = Some((gain, index));
        }
    }
    Ok(worst.map(|(_, index)| index))
}

impl MultiPeriodOrder {
    /// What the order gains per kWh at the prices of the rounds, in milli-yuan/MWh, rounded down.
    fn gain_per_kwh(&self, rounds: &[Round]) -> Result<i128, OverflowError> {
        let overflow = OverflowError { operation: "gain of an order", unit: "micro-yuan" };
        let (mut gain, mut energy) = (0_i128, 0_i128);
        for (round, quantity) in rounds.iter().zip(&self.quantities) {
            let (limit, price) =
                (i128::from(self.limit.milli_yuan_per_mwh()), round.price.milli_yuan_per_mwh());
            let better = match self.side {
                Side::Buy => limit.checked_sub(price.into()),
                Side::Sell => i128::from(price).checked_sub(limit),
            };
            let part = better.and_then(|better| better.checked_mul(quantity.kwh().into()));
            gain = part.and_then(|part| gain.checked_add(part)).ok_or(overflow)?;
            energy = energy.checked_add(quantity.kwh().into()).ok_or(overflow)?;
        }
        gain.checked_div_euclid(energy).ok_or(overflow)
    }
}
