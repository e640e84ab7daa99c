//! One period, cleared with changing must-trade energy.

use duet_units::{Energy, OverflowError, Price};

use super::PriceRule;
use crate::auction::fill_at;
use crate::auction::uniform::price_below;
use crate::order::{Order, Side};

/// Below every limit: where must-trade energy is offered.
const LEAST: i64 = i64::MIN;
/// Above every limit: where must-trade energy is bid.
const MOST: i64 = i64::MAX;

const OVERFLOW: OverflowError = OverflowError { operation: "energy of one side", unit: "kWh" };

/// The energy of a period that trades whatever the price, and the limits of its orders.
#[derive(Default)]
pub(super) struct Must {
    bought: i64,
    sold: i64,
    /// The lowest limit of those that buy.
    bid: Option<Price>,
    /// The highest limit of those that sell.
    ask: Option<Price>,
}

impl Must {
    pub(super) fn add(
        &mut self,
        side: Side,
        limit: Price,
        energy: Energy,
    ) -> Result<(), OverflowError> {
        if energy < Energy::ZERO {
            return Err(OVERFLOW);
        }
        if energy.is_zero() {
            return Ok(());
        }
        let sum = match side {
            Side::Buy => {
                self.bid = Some(self.bid.map_or(limit, |bid| bid.min(limit)));
                &mut self.bought
            }
            Side::Sell => {
                self.ask = self.ask.max(Some(limit));
                &mut self.sold
            }
        };
        *sum = sum.checked_add(energy.kwh()).ok_or(OVERFLOW)?;
        Ok(())
    }

    /// Both sides as one order each.
    fn orders(&self) -> [Order; 2] {
        let order = |side, limit, kwh| Order {
            side,
            limit: Price::from_milli_yuan_per_mwh(limit),
            quantity: Energy::from_kwh(kwh),
            emission_factor: Default::default(),
        };
        [order(Side::Buy, MOST, self.bought), order(Side::Sell, LEAST, self.sold)]
    }
}

/// What a period comes to with some must-trade energy.
pub(super) struct Quote {
    pub(super) interval: Option<(Price, Price)>,
    /// The competitive price that says who is filled.
    pub(super) cleared: Price,
    /// The price that is paid.
    pub(super) price: Price,
    buys_whole: bool,
    sells_whole: bool,
}

impl Quote {
    /// Whether the must-trade energy of a side is traded in full.
    pub(super) const fn is_whole(&self, side: Side) -> bool {
        match side {
            Side::Buy => self.buys_whole,
            Side::Sell => self.sells_whole,
        }
    }
}

/// The orders at one limit, and the curves there.
///
/// The energy of each side is checked to fit an `i64`, so saturating additions never saturate.
#[derive(Clone, Copy)]
struct Level {
    limit: i64,
    /// Bid at this limit or above.
    bid: i64,
    bid_here: i64,
    /// Offered at this limit or below.
    asked: i64,
    asked_here: i64,
}

impl Level {
    const fn bid_above(&self) -> i64 {
        self.bid.saturating_sub(self.bid_here)
    }

    const fn asked_below(&self) -> i64 {
        self.asked.saturating_sub(self.asked_here)
    }
}

/// The orders of a period, sorted once.
pub(super) struct PeriodBook {
    orders: Vec<Order>,
    levels: Vec<Level>,
    bid: i64,
    asked: i64,
}

impl PeriodBook {
    pub(super) fn new(orders: Vec<Order>) -> Result<Self, OverflowError> {
        let (mut bid, mut asked) = (0_i64, 0_i64);
        let mut levels = Vec::with_capacity(orders.len());
        for order in &orders {
            let (limit, kwh) = (order.limit.milli_yuan_per_mwh(), order.quantity.kwh());
            if kwh < 0 || limit == LEAST || limit == MOST {
                return Err(OVERFLOW);
            }
            if kwh == 0 {
                continue;
            }
            let (bid_here, asked_here) = match order.side {
                Side::Buy => (kwh, 0),
                Side::Sell => (0, kwh),
            };
            bid = bid.checked_add(bid_here).ok_or(OVERFLOW)?;
            asked = asked.checked_add(asked_here).ok_or(OVERFLOW)?;
            levels.push(Level { limit, bid: 0, bid_here, asked: 0, asked_here });
        }
        levels.sort_unstable_by_key(|level| level.limit);
        levels.dedup_by(|next, level| {
            let same = next.limit == level.limit;
            if same {
                level.bid_here = level.bid_here.saturating_add(next.bid_here);
                level.asked_here = level.asked_here.saturating_add(next.asked_here);
            }
            same
        });
        let (mut above, mut below) = (bid, 0_i64);
        for level in &mut levels {
            below = below.saturating_add(level.asked_here);
            (level.bid, level.asked) = (above, below);
            above = above.saturating_sub(level.bid_here);
        }
        Ok(Self { orders, levels, bid, asked })
    }

    pub(super) fn limit(&self, order: usize) -> Price {
        self.orders.get(order).map_or_else(Price::default, |order| order.limit)
    }

    /// Takes an order out; its position stays, with no energy.
    pub(super) fn remove(&mut self, order: usize) -> Result<(), OverflowError> {
        let mut orders = std::mem::take(&mut self.orders);
        if let Some(order) = orders.get_mut(order) {
            order.quantity = Energy::ZERO;
        }
        *self = Self::new(orders)?;
        Ok(())
    }

    /// The lowest price with no more bid above it than offered up to it.
    fn lowest(&self, must: &Must) -> i64 {
        if 0 < must.sold && self.bid.saturating_add(must.bought) <= must.sold {
            return LEAST;
        }
        let place = self.levels.partition_point(|level| {
            level.asked.saturating_add(must.sold) < level.bid_above().saturating_add(must.bought)
        });
        self.levels.get(place).map_or(MOST, |level| level.limit)
    }

    /// The highest price with no more offered below it than bid from it on.
    fn highest(&self, must: &Must) -> i64 {
        if 0 < must.bought && self.asked.saturating_add(must.sold) <= must.bought {
            return MOST;
        }
        let place = self.levels.partition_point(|level| {
            level.asked_below().saturating_add(must.sold) <= level.bid.saturating_add(must.bought)
        });
        let last = place.checked_sub(1).and_then(|place| self.levels.get(place));
        last.map_or(LEAST, |level| level.limit)
    }

    pub(super) fn quote(&self, must: &Must, rule: &PriceRule) -> Result<Quote, OverflowError> {
        let bought = self.bid.checked_add(must.bought).ok_or(OVERFLOW)?;
        let sold = self.asked.checked_add(must.sold).ok_or(OVERFLOW)?;
        if bought == 0 || sold == 0 {
            let (buys_whole, sells_whole) = (must.bought == 0, must.sold == 0);
            let (cleared, price) = (Price::ZERO, Price::ZERO);
            return Ok(Quote { interval: None, cleared, price, buys_whole, sells_whole });
        }
        let (lo, hi) = (self.lowest(must), self.highest(must));
        let (low, high) = shown((lo, hi), must);
        let cleared = rule.call().price_between(low, high)?;
        let price = match rule {
            PriceRule::Call(_) => cleared,
            PriceRule::LastPair { k1, .. } => {
                let (bid, ask) = self.last_pair(cleared, must);
                price_below(bid.unwrap_or(high), ask.unwrap_or(low), *k1)?
            }
        };
        let (buys_whole, sells_whole) = (lo != MOST, hi != LEAST);
        Ok(Quote { interval: Some((low, high)), cleared, price, buys_whole, sells_whole })
    }

    /// The lowest filled bid and the highest filled ask of the period's own orders. Where only
    /// one side of them trades, its end is both; where none does, neither is there.
    fn last_pair(&self, cleared: Price, must: &Must) -> (Option<Price>, Option<Price>) {
        let price = cleared.milli_yuan_per_mwh();
        let from = self.levels.partition_point(|level| level.limit < price);
        let (below, rest) = self.levels.split_at_checked(from).unwrap_or((&self.levels, &[]));
        let at = rest.first().filter(|level| level.limit == price);
        let above = if at.is_some() { rest.get(1..).unwrap_or(&[]) } else { rest };
        let better_bids = above.first().map_or(0, |level| level.bid).saturating_add(must.bought);
        let better_asks = below.last().map_or(0, |level| level.asked).saturating_add(must.sold);
        let (bids_here, asks_here) = at.map_or((0, 0), |level| (level.bid_here, level.asked_here));
        let volume =
            better_bids.saturating_add(bids_here).min(better_asks.saturating_add(asks_here));
        let first =
            |level: Option<&Level>| level.map(|level| Price::from_milli_yuan_per_mwh(level.limit));
        let bid = if 0 < bids_here && better_bids < volume {
            Some(cleared)
        } else {
            first(above.iter().find(|level| 0 < level.bid_here))
        };
        let ask = if 0 < asks_here && better_asks < volume {
            Some(cleared)
        } else {
            first(below.iter().rev().find(|level| 0 < level.asked_here))
        };
        (bid.or(ask), ask.or(bid))
    }

    /// The energy traded, and the fills of the period's own orders.
    pub(super) fn fills(
        &self,
        must: &Must,
        quote: &Quote,
        rule: &PriceRule,
    ) -> Result<(Energy, Vec<Energy>), OverflowError> {
        if quote.interval.is_none() {
            return Ok((Energy::ZERO, vec![Energy::ZERO; self.orders.len()]));
        }
        let mut orders = self.orders.clone();
        orders.extend(must.orders());
        let (volume, mut fills) = fill_at(&orders, quote.cleared, rule.call().rationing)?;
        fills.truncate(self.orders.len());
        Ok((volume, fills))
    }
}

/// An interval without the ends that only must-trade energy makes.
fn shown((lo, hi): (i64, i64), must: &Must) -> (Price, Price) {
    let (low, high) = (Price::from_milli_yuan_per_mwh(lo), Price::from_milli_yuan_per_mwh(hi));
    match (lo == LEAST, hi == MOST) {
        (false, false) => (low, high),
        (false, true) => (low, low),
        (true, false) => (high, high),
        (true, true) => {
            let (ask, bid) = (must.ask.unwrap_or_default(), must.bid.unwrap_or_default());
            (ask.min(bid), ask.max(bid))
        }
    }
}
