//! The call auction: all orders of a session cleared at one price.

mod interval;
pub mod pairwise;
pub mod uniform;

use duet_units::{Energy, OverflowError, Price};

use crate::order::{Claim, Order, Rationing, Side, ration};

/// The rule of a call auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRule {
    /// The price is `lo + floor((hi - lo) * numerator / denominator)` of the interval: 0 favours
    /// buyers, the whole favours sellers, 1/2 is the midpoint.
    pub numerator: i64,
    /// See `numerator`; must be positive and not below it.
    pub denominator: i64,
    /// How orders at the price share what is left.
    pub rationing: Rationing,
}

impl CallRule {
    /// The midpoint of the interval, pro rata at the margin.
    pub const MIDPOINT: Self = Self { numerator: 1, denominator: 2, rationing: Rationing::ProRata };

    /// Returns the price that the rule picks between `lo` and `hi`.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the fraction does not lie between 0 and 1.
    pub fn price_between(&self, lo: Price, hi: Price) -> Result<Price, OverflowError> {
        let overflow =
            OverflowError { operation: "price inside the interval", unit: "milli-yuan/MWh" };
        if self.denominator <= 0 || self.numerator < 0 || self.denominator < self.numerator {
            return Err(overflow);
        }
        let lo = i128::from(lo.milli_yuan_per_mwh());
        i128::from(hi.milli_yuan_per_mwh())
            .checked_sub(lo)
            .and_then(|width| width.checked_mul(self.numerator.into()))
            .map(|product| product.div_euclid(self.denominator.into()))
            .and_then(|step| lo.checked_add(step))
            .and_then(|price| i64::try_from(price).ok())
            .map(Price::from_milli_yuan_per_mwh)
            .ok_or(overflow)
    }
}

/// The result of a call auction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clearing {
    /// The lowest and the highest price that clears the market. If nothing trades these are the
    /// best bid and the best ask; `None` if a side is empty.
    pub interval: Option<(Price, Price)>,
    /// The price; `None` if nothing trades.
    pub price: Option<Price>,
    /// The energy bought, which is the energy sold.
    pub volume: Energy,
    /// The filled energy of each order, by its position.
    pub fills: Vec<Energy>,
}

/// Clears one call auction at a uniform price.
///
/// `orders` are in order of priority. With `D(p)` the energy bid at `p` or above, `S(p)` the
/// energy offered at `p` or below, and `D+`, `S-` the same without `p` itself, the interval is
/// `lo = min {p: D+(p) <= S(p)}`, `hi = max {p: S-(p) <= D(p)}`: the competitive prices, which
/// are the duals of the transportation game, so that any of them is in its core. The volume is
/// `min(D, S)` at the price, which every price of the interval maximises; orders better than the
/// price are filled, orders at the price on the long side are rationed. Takes `O(n)` time for
/// limits spread over their range, `O(n log n)` at worst.
///
/// # Errors
///
/// Returns [`OverflowError`] if a quantity is negative, if the energy of a side exceeds
/// [`Energy::MAX`], or if the rule's fraction does not lie between 0 and 1.
///
/// # Source
///
/// trading-game.md 1.3; Shapley and Shubik 1971; Owen 1975.
pub fn clear(orders: &[Order], rule: &CallRule) -> Result<Clearing, OverflowError> {
    let Some((lo, hi)) = interval::competitive(orders, interval::SORTED_UP_TO)? else {
        return Ok(Clearing {
            interval: None,
            price: None,
            volume: Energy::ZERO,
            fills: vec![Energy::ZERO; orders.len()],
        });
    };
    let price = rule.price_between(lo, hi)?;
    let (volume, fills) = fill_at(orders, price, rule.rationing)?;
    let price = (!volume.is_zero()).then_some(price);
    Ok(Clearing { interval: Some((lo, hi)), price, volume, fills })
}

/// Fills the orders at a competitive `price`. The energy of each side is known to fit an `i64`, so
/// no partial sum below can saturate.
pub(crate) fn fill_at(
    orders: &[Order],
    price: Price,
    rationing: Rationing,
) -> Result<(Energy, Vec<Energy>), OverflowError> {
    let mut fills = Vec::with_capacity(orders.len());
    let (mut buys, mut sells) = (Margin::default(), Margin::default());
    for (index, order) in orders.iter().enumerate() {
        let (margin, better) = match order.side {
            Side::Buy => (&mut buys, price < order.limit),
            Side::Sell => (&mut sells, order.limit < price),
        };
        if better {
            margin.better = margin.better.saturating_add(order.quantity.kwh());
            fills.push(order.quantity);
        } else {
            if order.limit == price {
                margin.at = margin.at.saturating_add(order.quantity.kwh());
                margin.claims.push(Claim::of(index, order, order.quantity.kwh()));
            }
            fills.push(Energy::ZERO);
        }
    }
    let volume = buys.total().min(sells.total());
    for mut margin in [buys, sells] {
        let available = volume.saturating_sub(margin.better);
        ration(&mut margin.claims, available, rationing, &mut fills)?;
    }
    Ok((Energy::from_kwh(volume), fills))
}

/// The orders of one side at the price, and the energy that is ahead of them.
#[derive(Default)]
struct Margin {
    better: i64,
    at: i64,
    claims: Vec<Claim>,
}

impl Margin {
    const fn total(&self) -> i64 {
        self.better.saturating_add(self.at)
    }
}
