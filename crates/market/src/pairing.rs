//! Pairing: who delivers to whom, once the filled energy of every order is known.

use duet_units::{Energy, OverflowError};

use crate::order::{Order, Side};
use crate::sort::{First, by_price};

/// Energy that one order sells to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Position of the buy order.
    pub buy: usize,
    /// Position of the sell order.
    pub sell: usize,
    /// The energy, in kWh; positive.
    pub quantity: Energy,
}

/// Pairs the filled energies by the north-west corner rule.
///
/// Sell orders stand in order of (limit, position), buy orders in order of (limit descending,
/// position); both queues are then served from the front. This gives fewer pairs than there are
/// filled orders. Takes `O(n)` time for limits in a common range.
///
/// # Errors
///
/// Returns [`OverflowError`] if `fills` has another length than `orders`, has a negative entry,
/// or sells another amount than it buys.
pub fn pair(orders: &[Order], fills: &[Energy]) -> Result<Vec<Pair>, OverflowError> {
    let mismatch = OverflowError { operation: "pairing of filled energy", unit: "kWh" };
    if orders.len() != fills.len() || fills.iter().any(|fill| *fill < Energy::ZERO) {
        return Err(mismatch);
    }
    let (mut buys, mut sells) = (Vec::new(), Vec::new());
    for (index, (order, fill)) in orders.iter().zip(fills).enumerate() {
        if fill.is_zero() {
            continue;
        }
        match order.side {
            Side::Buy => buys.push((order.limit.milli_yuan_per_mwh(), index, fill.kwh())),
            Side::Sell => sells.push((order.limit.milli_yuan_per_mwh(), index, fill.kwh())),
        }
    }
    by_price(&mut buys, First::Highest, |filled| filled.0);
    by_price(&mut sells, First::Lowest, |filled| filled.0);

    let mut pairs = Vec::with_capacity(buys.len().saturating_add(sells.len()));
    let mut buys = buys.into_iter().map(|(_, index, left)| (index, left));
    let mut sells = sells.into_iter().map(|(_, index, left)| (index, left));
    let (mut buy, mut sell) = (buys.next(), sells.next());
    while let (Some((buyer, wanted)), Some((seller, offered))) = (buy, sell) {
        let kwh = wanted.min(offered);
        pairs.push(Pair { buy: buyer, sell: seller, quantity: Energy::from_kwh(kwh) });
        // Both are at least `kwh`.
        buy = rest(buyer, wanted.saturating_sub(kwh)).or_else(|| buys.next());
        sell = rest(seller, offered.saturating_sub(kwh)).or_else(|| sells.next());
    }
    if buy.is_some() || sell.is_some() { Err(mismatch) } else { Ok(pairs) }
}

fn rest(index: usize, left: i64) -> Option<(usize, i64)> {
    (left > 0).then_some((index, left))
}
