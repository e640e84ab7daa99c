//! The official uniform marginal price of centralised bidding.
//!
//! It trades the same energy between the same orders as [`clear`], but names another
//! price between the last accepted ask and the last accepted bid.

use duet_units::{BasisPoints, OverflowError, Price, div_half_away};

use super::{CallRule, Clearing, clear};
use crate::order::{Order, Rationing, Side};

/// Where on the last step of the curves the price lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarginalPrice {
    /// Between the limits of the last matched pair (Jiangsu 2026 art. 57(1)).
    LastPair,
    /// Where the two curves cross (Beijing annex 1). Where they share a vertical piece, between its
    /// ends; where they do not cross because every bid is above every ask, between the lowest
    /// bid and the highest ask of the book.
    CrossingPoint,
}

/// The rule of a uniform marginal price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UniformRule {
    /// Between which two prices it lies.
    pub marginal: MarginalPrice,
    /// How far from the upper price: `upper - K1 * (upper - lower)`. One half is the mean.
    pub k1: BasisPoints,
    /// How orders at the margin share what is left; officially pro rata.
    pub rationing: Rationing,
}

/// Returns the price a share `k` of the way from `upper` down to `lower`, rounded half away from
/// zero to the official three decimals.
///
/// # Errors
///
/// Returns [`OverflowError`] if `k` does not lie between 0 and 1.
pub fn price_below(upper: Price, lower: Price, k: BasisPoints) -> Result<Price, OverflowError> {
    let overflow = OverflowError { operation: "price between two limits", unit: "milli-yuan/MWh" };
    if k < BasisPoints::ZERO || BasisPoints::ONE < k {
        return Err(overflow);
    }
    let (whole, k) = (i128::from(BasisPoints::ONE.bp()), i128::from(k.bp()));
    // Both products are below 2^63 * 10^4 in absolute value.
    let from_upper = whole.checked_sub(k).and_then(|share| times(upper, share));
    let weighted = from_upper.zip(times(lower, k)).and_then(|(a, b)| a.checked_add(b));
    weighted
        .and_then(|sum| div_half_away(sum, whole))
        .and_then(|price| i64::try_from(price).ok())
        .map(Price::from_milli_yuan_per_mwh)
        .ok_or(overflow)
}

fn times(price: Price, share: i128) -> Option<i128> {
    share.checked_mul(price.milli_yuan_per_mwh().into())
}

/// Clears one session of centralised bidding at the uniform marginal price.
///
/// `interval` of the result stays the competitive one. The price may lie outside it: with the last
/// pair's mean an order between the price and its own curve's end is left although it would trade
/// at the price. That is the official rule, and the reason why the rule is part of the notice.
/// There is no trade if the best bid is below the best ask.
///
/// # Errors
///
/// Returns [`OverflowError`] as [`clear`] does, and if `k1` does not lie between 0
/// and 1.
///
/// # Source
///
/// market-rules.md 4.5 (1): Jiangsu 2026 art. 57(1), Beijing annex 1.
pub fn clear_uniform(orders: &[Order], rule: &UniformRule) -> Result<Clearing, OverflowError> {
    let call = CallRule { rationing: rule.rationing, ..CallRule::MIDPOINT };
    let mut clearing = clear(orders, &call)?;
    let Some((lo, hi)) = clearing.interval.filter(|_| clearing.price.is_some()) else {
        return Ok(clearing);
    };
    let filled = orders.iter().zip(&clearing.fills).filter(|(_, fill)| !fill.is_zero());
    let last_pair = ends(filled.map(|(order, _)| order));
    let all = ends(orders.iter().filter(|order| !order.quantity.is_zero()));
    let (upper, lower) = match rule.marginal {
        MarginalPrice::LastPair => last_pair.unwrap_or((hi, lo)),
        MarginalPrice::CrossingPoint => all.filter(|(bid, ask)| ask <= bid).unwrap_or((hi, lo)),
    };
    clearing.price = Some(price_below(upper, lower, rule.k1)?);
    Ok(clearing)
}

/// The lowest bid and the highest ask.
fn ends<'a>(orders: impl Iterator<Item = &'a Order>) -> Option<(Price, Price)> {
    let (mut bid, mut ask): (Option<Price>, Option<Price>) = (None, None);
    for order in orders {
        match order.side {
            Side::Buy => bid = Some(bid.map_or(order.limit, |bid| bid.min(order.limit))),
            Side::Sell => ask = ask.max(Some(order.limit)),
        }
    }
    bid.zip(ask)
}
