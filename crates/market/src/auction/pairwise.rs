//! Pair matching (high-low): every pair of the centralised bidding trades at its own price.

use std::cmp::Reverse;

use duet_units::{BasisPoints, Energy, OverflowError, Price};

use super::uniform::price_below;
use crate::order::{Order, Side};

/// A matched pair with its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricedPair {
    /// Position of the buy order.
    pub buy: usize,
    /// Position of the sell order.
    pub sell: usize,
    /// The energy; positive.
    pub quantity: Energy,
    /// What both sides trade at.
    pub price: Price,
}

/// Matches the highest bid with the lowest ask, again and again, until they no longer meet.
///
/// Each pair trades the smaller of the two quantities left, at `bid - K2 * (bid - ask)`; with one
/// half that is the pair's mean. At equal prices the earlier order goes first. The energy traded
/// is the same as in a call auction, but pairs at different prices block each other: this rule is
/// not in the core of the market. Takes `O(n log n)` time.
///
/// # Errors
///
/// Returns [`OverflowError`] if a quantity is negative or `k2` does not lie between 0 and 1.
///
/// # Source
///
/// market-rules.md 4.5 (2): Jiangsu 2026 art. 57(2).
pub fn match_pairs(orders: &[Order], k2: BasisPoints) -> Result<Vec<PricedPair>, OverflowError> {
    let (mut buys, mut sells) = (Vec::new(), Vec::new());
    for (index, order) in orders.iter().enumerate() {
        if order.quantity < Energy::ZERO {
            return Err(OverflowError { operation: "energy of an order", unit: "kWh" });
        }
        let waiting = Waiting { order: index, limit: order.limit, left: order.quantity.kwh() };
        match order.side {
            Side::Buy => buys.push(waiting),
            Side::Sell => sells.push(waiting),
        }
    }
    buys.sort_unstable_by_key(|buy| (Reverse(buy.limit), buy.order));
    sells.sort_unstable_by_key(|sell| (sell.limit, sell.order));

    let mut pairs = Vec::new();
    let (mut buys, mut sells) = (buys.into_iter(), sells.into_iter());
    let (mut best_buy, mut best_sell) = (buys.next(), sells.next());
    while let (Some(buy), Some(sell)) = (best_buy, best_sell)
        && sell.limit <= buy.limit
    {
        let kwh = buy.left.min(sell.left);
        if kwh > 0 {
            pairs.push(PricedPair {
                buy: buy.order,
                sell: sell.order,
                quantity: Energy::from_kwh(kwh),
                price: price_below(buy.limit, sell.limit, k2)?,
            });
        }
        best_buy = buy.after(kwh).or_else(|| buys.next());
        best_sell = sell.after(kwh).or_else(|| sells.next());
    }
    Ok(pairs)
}

/// An order with what it still wants.
#[derive(Clone, Copy)]
struct Waiting {
    order: usize,
    limit: Price,
    left: i64,
}

impl Waiting {
    /// The order after trading `kwh`, which is at most what it wants; `None` if it is done.
    fn after(self, kwh: i64) -> Option<Self> {
        let left = self.left.saturating_sub(kwh);
        (left > 0).then_some(Self { left, ..self })
    }
}
