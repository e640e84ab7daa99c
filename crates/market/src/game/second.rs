//! The second stage: a call auction of the rest in which compensation closes the gap.
//!
//! After the first stage every remaining ask exceeds every remaining bid, so each trade needs a
//! compensation of at least `ask - buyer's price`. A trade is worth having if its buyer values the
//! energy at no less than what it costs the seller with carbon at its net cost, that is `ask -
//! rent` (theorem 8 of trading-game.md). So that this holds for every seller that trades, the
//! effective cap is each seller's own: the policy cap, or its rent where that is less. A seller
//! enters with its *compensated ask*
//!
//! `ask - min(cap, rent)`
//!
//! and trades only if the buyers' price reaches that. An offer without rent (wind, solar) thus
//! keeps its plain ask, cannot trade in this stage, and does not stop the others, as it would if
//! the least rent of all remaining offers were everyone's cap. Where all rents are equal or
//! above the policy cap, the rule is the walk of trading-game.md 1.4 unchanged.
//!
//! Compensated asks ascending meet bids descending. At volume `Q` the buyers' price is the last
//! bid `b(Q)` and the sellers' price the highest ask `a(Q)` so far; the walk ends at the largest
//! `Q` with `Q * (a(Q) - b(Q)) <= fund`. Both factors only grow, so what is feasible is one
//! interval from zero. An ask level counts with its highest ask as soon as it is entered.
//!
//! An offer above its registered ask stays out: safeguard A would pay it less than it asks.
//!
//! Under the design D the walk is the same, and what must stay within the fund is the uplift of
//! all sellers, those of the first stage included: see `game/budget.rs`.

use duet_units::{Energy, MicroYuan, OverflowError, Price};

use super::budget::Budget;
use super::{Design, GameOrder, GameRule};
use crate::order::{Claim, Rationing, Side, ration};
use crate::sort::{First, by_price};

/// What the second stage decided.
pub(super) struct Outcome {
    pub(super) buyer_price: Price,
    pub(super) seller_price: Price,
    pub(super) volume: Energy,
    pub(super) fills: Vec<Energy>,
    pub(super) cap: Price,
}

/// What an order has left for the second stage.
#[derive(Clone, Copy)]
struct Rest {
    /// The bid, or the compensated ask.
    price: Price,
    /// The ask without compensation; the bid again for a buy order.
    ask: Price,
    /// The rent of a sell order.
    rent: Price,
    claim: Claim,
}

/// Runs the second stage on what `filled` leaves of the orders; `None` if nothing can trade.
pub(super) fn run(
    orders: &[GameOrder],
    filled: &[Energy],
    rule: &GameRule,
    fund: MicroYuan,
) -> Result<Option<Outcome>, OverflowError> {
    let none = rule.second_stage == Design::None;
    if none || fund <= MicroYuan::ZERO || rule.compensation_cap <= Price::ZERO {
        return Ok(None);
    }
    let (buys, sells) = rests(orders, filled, rule)?;
    let budget = Budget::of(rule.second_stage, orders, filled, fund);
    let Some(last) = walk(&buys, &sells, budget) else { return Ok(None) };

    let mut fills = vec![Energy::ZERO; orders.len()];
    let at_buy = |rest: &Rest| rest.price.cmp(&last.bid).reverse();
    let at_sell = |rest: &Rest| rest.price.cmp(&last.compensated_ask);
    fill(&buys, at_buy, last.volume, rule.call.rationing, &mut fills)?;
    fill(&sells, at_sell, last.volume, rule.call.rationing, &mut fills)?;

    let is_filled = |rest: &&Rest| fills.get(rest.claim.order).is_some_and(|fill| !fill.is_zero());
    // Sells stand by price, so those filled stand before all at worse prices.
    let entered = sells.iter().take_while(|rest| rest.price <= last.compensated_ask);
    let dearest = entered.filter(is_filled).fold(None, |dearest: Option<(Price, Price)>, rest| {
        let (ask, rent) = dearest.unwrap_or((rest.ask, rest.rent));
        Some((ask.max(rest.ask), rent.max(rest.rent)))
    });
    let Some((seller_price, rent)) = dearest else { return Ok(None) };
    Ok(Some(Outcome {
        buyer_price: last.bid,
        seller_price,
        volume: Energy::from_kwh(last.volume),
        fills,
        cap: rent.min(rule.compensation_cap),
    }))
}

/// The buys from the highest bid and the sells from the lowest compensated ask, without those
/// that no order of the other side can reach.
fn rests(
    orders: &[GameOrder],
    filled: &[Energy],
    rule: &GameRule,
) -> Result<(Vec<Rest>, Vec<Rest>), OverflowError> {
    let (mut buys, mut sells) = (Vec::new(), Vec::new());
    for (index, (game_order, fill)) in orders.iter().zip(filled).enumerate() {
        let order = &game_order.order;
        let left = order.quantity.minus(*fill)?;
        if left.is_zero() {
            continue;
        }
        let claim = Claim::of(index, order, left.kwh());
        match order.side {
            Side::Buy => {
                let (price, rent) = (order.limit, Price::ZERO);
                buys.push(Rest { price, ask: price, rent, claim });
            }
            Side::Sell if order.limit <= game_order.registered_ask => {
                let rent = game_order.rent;
                let price = order.limit.minus(rent.min(rule.compensation_cap))?;
                sells.push(Rest { price, ask: order.limit, rent, claim });
            }
            Side::Sell => {}
        }
    }
    let (best_bid, best_ask) =
        (buys.iter().map(|rest| rest.price).max(), sells.iter().map(|rest| rest.price).min());
    buys.retain(|rest| best_ask.is_some_and(|ask| ask <= rest.price));
    sells.retain(|rest| best_bid.is_some_and(|bid| rest.price <= bid));
    by_price(&mut buys, First::Highest, |rest| rest.price.milli_yuan_per_mwh());
    by_price(&mut sells, First::Lowest, |rest| rest.price.milli_yuan_per_mwh());
    Ok((buys, sells))
}

/// Orders of one side with the same price, as one step of its curve.
#[derive(Clone, Copy)]
struct Level {
    price: Price,
    /// The highest plain ask of the level.
    ask: Price,
    /// The energy not yet taken by the walk.
    left: i64,
}

fn levels(rests: &[Rest]) -> impl Iterator<Item = Level> {
    rests.chunk_by(|a, b| a.price == b.price).filter_map(|level| {
        let first = level.first()?;
        let ask = level.iter().map(|rest| rest.ask).max()?;
        // Parts of a side's energy, which the first stage has checked to fit.
        let left = level.iter().fold(0_i64, |sum, rest| sum.saturating_add(rest.claim.quantity));
        Some(Level { price: first.price, ask, left })
    })
}

/// Where the walk ended.
struct Last {
    volume: i64,
    bid: Price,
    compensated_ask: Price,
}

/// Walks both curves up to the largest volume that the prices allow and the fund can pay.
fn walk(buys: &[Rest], sells: &[Rest], mut budget: Budget) -> Option<Last> {
    let (mut buys, mut sells) = (levels(buys), levels(sells));
    let (mut buy, mut sell) = (buys.next(), sells.next());
    let (mut volume, mut last) = (0_i64, None);
    while let (Some(bids), Some(asks)) = (buy, sell)
        && asks.price <= bids.price
    {
        let wanted = bids.left.min(asks.left);
        let step = wanted.min(budget.room(bids.price, asks.ask));
        if step <= 0 {
            break;
        }
        budget.spend(step, bids.price, asks.ask);
        volume = volume.saturating_add(step);
        last = Some(Last { volume, bid: bids.price, compensated_ask: asks.price });
        if step < wanted {
            break;
        }
        buy = rest(bids, step).or_else(|| buys.next());
        sell = rest(asks, step).or_else(|| sells.next());
    }
    last
}

fn rest(level: Level, taken: i64) -> Option<Level> {
    let left = level.left.saturating_sub(taken);
    (left > 0).then_some(Level { left, ..level })
}

/// Gives the `volume` of one side to its orders: those `Less` than the last price in full, those
/// `Equal` to it by rationing.
fn fill(
    rests: &[Rest],
    against_last: impl Fn(&Rest) -> std::cmp::Ordering,
    volume: i64,
    rationing: Rationing,
    fills: &mut [Energy],
) -> Result<(), OverflowError> {
    let mut left = volume;
    let mut claims = Vec::new();
    for rest in rests {
        match against_last(rest) {
            std::cmp::Ordering::Less => {
                left = left.saturating_sub(rest.claim.quantity);
                if let Some(fill) = fills.get_mut(rest.claim.order) {
                    *fill = Energy::from_kwh(rest.claim.quantity);
                }
            }
            std::cmp::Ordering::Equal => claims.push(rest.claim),
            std::cmp::Ordering::Greater => break,
        }
    }
    ration(&mut claims, left, rationing, fills)
}
