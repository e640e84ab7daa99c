//! The rules of centralised bidding against their definitions, tried at every limit of the book.

use duet_market::auction::pairwise::match_pairs;
use duet_market::auction::uniform::{MarginalPrice, UniformRule, clear_uniform};
use duet_market::auction::{CallRule, Clearing, clear};
use duet_market::order::{Order, Rationing, Side};
use duet_units::{BasisPoints, Energy, Price};

use crate::random::Random;
use crate::shares::shares;
use crate::{done, operations};

pub(crate) fn limit(order: &Order) -> i64 {
    order.limit.milli_yuan_per_mwh()
}

/// The energy of the orders of a side whose limit passes a test.
fn energy(orders: &[Order], side: Side, passes: impl Fn(i64) -> bool) -> i64 {
    let passing = orders.iter().filter(|order| order.side == side && passes(limit(order)));
    passing.map(|order| order.quantity.kwh()).sum()
}

fn demand(orders: &[Order], price: i64) -> i64 {
    energy(orders, Side::Buy, |limit| price <= limit)
}

fn supply(orders: &[Order], price: i64) -> i64 {
    energy(orders, Side::Sell, |limit| limit <= price)
}

/// The lowest and the highest competitive price, by their definitions.
pub(crate) fn interval(orders: &[Order]) -> Option<(i64, i64)> {
    let real = |order: &&Order| !order.quantity.is_zero();
    for side in [Side::Buy, Side::Sell] {
        orders.iter().filter(real).find(|order| order.side == side)?;
    }
    let mut limits: Vec<i64> = orders.iter().filter(real).map(limit).collect();
    limits.sort_unstable();
    limits.dedup();
    let above = |price| energy(orders, Side::Buy, |limit| price < limit);
    let below = |price| energy(orders, Side::Sell, |limit| limit < price);
    let lo = limits.iter().copied().find(|price| above(*price) <= supply(orders, *price));
    let hi = limits.iter().rev().copied().find(|price| below(*price) <= demand(orders, *price));
    lo.zip(hi)
}

/// The most energy that any one price trades.
fn most(orders: &[Order]) -> i64 {
    let at = |price| demand(orders, price).min(supply(orders, price));
    orders.iter().map(|order| at(limit(order))).max().unwrap_or(0)
}

/// The fills at a price: better orders whole, those at the price by the rule of rationing.
pub(crate) fn fills(orders: &[Order], price: i64, rationing: Rationing) -> Vec<i64> {
    let volume = demand(orders, price).min(supply(orders, price));
    let mut fills = vec![0; orders.len()];
    for side in [Side::Buy, Side::Sell] {
        let mut left = volume;
        let mut margin = Vec::new();
        for (index, order) in orders.iter().enumerate().filter(|(_, order)| order.side == side) {
            let better =
                if side == Side::Buy { price < limit(order) } else { limit(order) < price };
            if better {
                fills[index] = order.quantity.kwh();
                left -= fills[index];
            } else if limit(order) == price {
                margin.push(index);
            }
        }
        ration(orders, margin, left, rationing, &mut fills);
    }
    fills
}

/// Shares what is left among the orders at the margin.
pub(crate) fn ration(
    orders: &[Order],
    mut margin: Vec<usize>,
    mut left: i64,
    rationing: Rationing,
    fills: &mut [i64],
) {
    let wants = |index: &usize| orders[*index].quantity.kwh();
    if rationing == Rationing::ProRata {
        let parts = shares(left, &margin.iter().map(wants).collect::<Vec<_>>());
        margin.iter().zip(parts).for_each(|(index, part)| fills[*index] = part);
        return;
    }
    while !margin.is_empty() {
        let factor = |index: usize| orders[index].emission_factor.g_per_kwh();
        let next = match rationing {
            Rationing::GreenFirst => {
                (0..margin.len()).min_by_key(|at| (factor(margin[*at]), margin[*at]))
            }
            Rationing::Time | Rationing::ProRata => Some(0),
        };
        let index = margin.remove(next.unwrap());
        fills[index] = wants(&index).min(left);
        left -= fills[index];
    }
}

/// Highest bid and lowest ask meet until they no longer do: (buy, sell, kWh).
fn pairs(orders: &[Order]) -> Vec<(usize, usize, i64)> {
    let mut left: Vec<i64> = orders.iter().map(|order| order.quantity.kwh()).collect();
    let mut pairs = Vec::new();
    loop {
        let best = |side: Side, left: &[i64]| {
            let waiting = (0..orders.len()).filter(|at| orders[*at].side == side && left[*at] > 0);
            waiting.min_by_key(|at| {
                let limit = limit(&orders[*at]);
                (if side == Side::Buy { -limit } else { limit }, *at)
            })
        };
        let (Some(buy), Some(sell)) = (best(Side::Buy, &left), best(Side::Sell, &left)) else {
            return pairs;
        };
        if limit(&orders[buy]) < limit(&orders[sell]) {
            return pairs;
        }
        let kwh = left[buy].min(left[sell]);
        left[buy] -= kwh;
        left[sell] -= kwh;
        pairs.push((buy, sell, kwh));
    }
}

/// `upper - k * (upper - lower)` with `k` in basis points, to the nearest, halves away from zero.
pub(crate) fn between(upper: i64, lower: i64, k: i64) -> i64 {
    let exact = i128::from(upper) * 10_000 - i128::from(k) * i128::from(upper - lower);
    let size = (exact.abs() + 5_000) / 10_000;
    i64::try_from(size * exact.signum()).unwrap()
}

fn milli(price: Option<Price>) -> Option<i64> {
    price.map(Price::milli_yuan_per_mwh)
}

fn kwh(clearing: &Clearing) -> Vec<i64> {
    clearing.fills.iter().map(|fill| fill.kwh()).collect()
}

fn check_call(orders: &[Order], rule: &CallRule) -> u64 {
    let clearing = clear(orders, rule).unwrap();
    let interval = interval(orders);
    let found =
        clearing.interval.map(|(lo, hi)| (lo.milli_yuan_per_mwh(), hi.milli_yuan_per_mwh()));
    assert_eq!(found, interval, "{orders:?}");
    assert_eq!(clearing.volume.kwh(), most(orders), "{orders:?}");
    let price =
        interval.map(|(lo, hi)| lo + ((hi - lo) * rule.numerator).div_euclid(rule.denominator));
    assert_eq!(milli(clearing.price), price.filter(|_| 0 < most(orders)), "{orders:?}");
    let expected =
        price.map_or_else(|| vec![0; orders.len()], |price| fills(orders, price, rule.rationing));
    assert_eq!(kwh(&clearing), expected, "{orders:?}");
    u64::try_from(expected.iter().filter(|kwh| 0 < **kwh).count()).unwrap()
}

/// Pair matching, and the uniform price of the last of its pairs.
fn check_pairs(orders: &[Order], k: i64) {
    let share = BasisPoints::from_bp(k);
    let expected = pairs(orders);
    let matched = match_pairs(orders, share).unwrap();
    let short: Vec<_> = matched.iter().map(|p| (p.buy, p.sell, p.quantity.kwh())).collect();
    assert_eq!(short, expected, "{orders:?}");
    for pair in &matched {
        let price = between(limit(&orders[pair.buy]), limit(&orders[pair.sell]), k);
        assert_eq!(milli(Some(pair.price)), Some(price), "{pair:?} of {orders:?}");
    }
    let rule =
        UniformRule { marginal: MarginalPrice::LastPair, k1: share, rationing: Rationing::ProRata };
    let uniform = clear_uniform(orders, &rule).unwrap();
    let last = expected.last().map(|(buy, sell, _)| (limit(&orders[*buy]), limit(&orders[*sell])));
    let price = last.map(|(bid, ask)| between(bid, ask, k));
    assert_eq!(milli(uniform.price), price, "{orders:?}");
    assert_eq!(uniform.volume, Energy::from_kwh(expected.iter().map(|pair| pair.2).sum()));
}

#[test]
fn centralised_bidding_equals_its_definitions() {
    let mut random = Random::new(2);
    let (mut done_so_far, mut deals) = (0, 0);
    while done_so_far < operations() {
        let count = random.index(41);
        let width = [3, 12, 60, 100_000][random.index(4)];
        let orders = random.book(count, width);
        let denominator = 1 + random.below(8);
        let rule = CallRule {
            numerator: random.below(denominator.unsigned_abs() + 1),
            denominator,
            rationing: [Rationing::ProRata, Rationing::Time, Rationing::GreenFirst]
                [random.index(3)],
        };
        deals += check_call(&orders, &rule);
        check_pairs(&orders, random.below(10_001));
        done_so_far += u64::try_from(count).unwrap();
    }
    done("auction", done_so_far, deals);
}
