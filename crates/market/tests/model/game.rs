//! The joint session against its definition, kWh by kWh: every volume of the second stage tried.

use duet_market::auction::CallRule;
use duet_market::game::{Design, GameOrder, GameRule, JointClearing, Stage, clear_joint};
use duet_market::order::{Order, Rationing, Side};
use duet_units::{BasisPoints, Energy, Price};

use crate::auction::{fills, interval, ration};
use crate::random::Random;
use crate::shares::shares;
use crate::{done, operations};

/// One kWh that is left after the first stage: its price in the walk, and its plain ask.
#[derive(Clone, Copy)]
struct Unit {
    price: i64,
    ask: i64,
}

/// What the second stage comes to.
struct Second {
    volume: i64,
    buyer_price: i64,
    seller_price: i64,
    fills: Vec<i64>,
    /// (buy, sell, paid, received) of each pair, in fen.
    trades: Vec<(usize, usize, i64, i64)>,
    compensation: i64,
    levies: Vec<(usize, i64)>,
    allocations: Vec<(usize, i64)>,
}

fn milli(price: Price) -> i64 {
    price.milli_yuan_per_mwh()
}

/// The price of an order in the walk; `None` if it stays out.
fn walked(order: &GameOrder, rule: &GameRule) -> Option<i64> {
    let limit = milli(order.order.limit);
    match order.order.side {
        Side::Buy => Some(limit),
        Side::Sell if milli(order.registered_ask) < limit => None,
        Side::Sell => Some(limit - milli(order.rent).min(milli(rule.compensation_cap))),
    }
}

fn curve(orders: &[GameOrder], left: &[i64], side: Side, rule: &GameRule) -> Vec<Unit> {
    let mut units = Vec::new();
    for (order, left) in orders.iter().zip(left).filter(|(order, _)| order.order.side == side) {
        let Some(price) = walked(order, rule) else { continue };
        let unit = Unit { price, ask: milli(order.order.limit) };
        units.extend(std::iter::repeat_n(unit, usize::try_from(*left).unwrap()));
    }
    units.sort_by_key(|unit| if side == Side::Buy { -unit.price } else { unit.price });
    units
}

/// The largest volume with its last bid and last price of the sells; `None` if nothing can trade.
fn last(bids: &[Unit], asks: &[Unit], fund: i128) -> Option<(usize, i64, i64)> {
    let mut largest = None;
    for volume in 1..=bids.len().min(asks.len()) {
        let (bid, price) = (bids[volume - 1].price, asks[volume - 1].price);
        let entered = asks.iter().filter(|unit| unit.price <= price);
        let gap = i128::from((entered.map(|unit| unit.ask).max()? - bid).max(0));
        if price <= bid && gap * i128::try_from(volume).unwrap() <= fund {
            largest = Some((volume, bid, price));
        }
    }
    largest
}

/// The fills of the second stage on both sides.
fn second_fills(
    orders: &[GameOrder],
    left: &[i64],
    rule: &GameRule,
    (volume, bid, price): (usize, i64, i64),
) -> Vec<i64> {
    let plain: Vec<Order> = orders
        .iter()
        .zip(left)
        .map(|(order, left)| Order { quantity: Energy::from_kwh(*left), ..order.order })
        .collect();
    let mut fills = vec![0; orders.len()];
    for (side, end) in [(Side::Buy, bid), (Side::Sell, price)] {
        let mut rest = i64::try_from(volume).unwrap();
        let mut margin = Vec::new();
        for index in (0..orders.len()).filter(|index| plain[*index].side == side) {
            let Some(own) = walked(&orders[index], rule) else { continue };
            let better = if side == Side::Buy { end < own } else { own < end };
            if better {
                fills[index] = left[index];
                rest -= left[index];
            } else if own == end && left[index] > 0 {
                margin.push(index);
            }
        }
        ration(&plain, margin, rest, rule.call.rationing, &mut fills);
    }
    fills
}

/// Who delivers to whom: the cheapest seller to the highest bid, the earlier first.
fn pairs(orders: &[GameOrder], fills: &[i64]) -> Vec<(usize, usize, i64)> {
    let mut left = fills.to_vec();
    let mut pairs = Vec::new();
    loop {
        let first = |side: Side, left: &[i64]| {
            let waiting =
                (0..orders.len()).filter(|at| orders[*at].order.side == side && left[*at] > 0);
            waiting.min_by_key(|at| {
                let limit = milli(orders[*at].order.limit);
                (if side == Side::Buy { -limit } else { limit }, *at)
            })
        };
        let (Some(buy), Some(sell)) = (first(Side::Buy, &left), first(Side::Sell, &left)) else {
            return pairs;
        };
        let kwh = left[buy].min(left[sell]);
        left[buy] -= kwh;
        left[sell] -= kwh;
        pairs.push((buy, sell, kwh));
    }
}

/// Micro-yuan to the nearest fen, halves away from zero.
fn fen(micro: i64) -> i64 {
    (micro.abs() + 5_000) / 10_000 * micro.signum()
}

fn second(orders: &[GameOrder], first: &[i64], rule: &GameRule) -> Option<Second> {
    let rent = |index: usize| {
        let order = &orders[index];
        if order.order.side == Side::Sell { milli(order.rent) * first[index] } else { 0 }
    };
    let rents: Vec<i64> = (0..orders.len()).map(rent).collect();
    let total: i128 = rents.iter().map(|rent| i128::from(*rent)).sum();
    let fund = total * i128::from(rule.fund_share.bp()) / 10_000;
    if fund == 0 || milli(rule.compensation_cap) == 0 {
        return None;
    }
    let left: Vec<i64> =
        orders.iter().zip(first).map(|(order, fill)| order.order.quantity.kwh() - fill).collect();
    let bids = curve(orders, &left, Side::Buy, rule);
    let asks = curve(orders, &left, Side::Sell, rule);
    let (volume, bid, price) = last(&bids, &asks, fund)?;
    let fills = second_fills(orders, &left, rule, (volume, bid, price));
    let sold: Vec<usize> = (0..orders.len())
        .filter(|at| orders[*at].order.side == Side::Sell && fills[*at] > 0)
        .collect();
    let seller_price = sold.iter().map(|at| milli(orders[*at].order.limit)).max()?;
    let mut compensation = 0;
    let mut trades = Vec::new();
    for (buy, sell, kwh) in pairs(orders, &fills) {
        let gets = milli(orders[sell].registered_ask).max(bid).min(seller_price);
        let (paid, extra) = (fen(bid * kwh), ((gets - bid) * kwh).div_euclid(10_000));
        compensation += extra;
        trades.push((buy, sell, paid, paid + extra));
    }
    let levies = (0..orders.len()).zip(shares(compensation, &rents)).filter(|levy| levy.1 > 0);
    let cost = |at: &usize| milli(orders[*at].registered_cost).max(0) * fills[*at];
    let mut costs: Vec<i64> = sold.iter().map(cost).collect();
    if costs.iter().all(|cost| *cost == 0) {
        costs = sold.iter().map(|at| fills[*at]).collect();
    }
    let allocations = sold.iter().copied().zip(shares(compensation, &costs)).collect();
    Some(Second {
        volume: i64::try_from(volume).unwrap(),
        buyer_price: bid,
        seller_price,
        compensation,
        levies: levies.collect(),
        allocations,
        fills,
        trades,
    })
}

fn session(random: &mut Random) -> (Vec<GameOrder>, GameRule) {
    let count = random.index(20);
    let book = random.book(count, 12);
    let orders = book.into_iter().map(|order| {
        let limit = Price::from_milli_yuan_per_mwh(1_000 * milli(order.limit));
        let quantity = Energy::from_kwh(order.quantity.kwh() % 40);
        let registered = milli(limit) + 1_000 * (random.below(8) - 1);
        let sells = order.side == Side::Sell;
        let of_seller = |milli: i64| Price::from_milli_yuan_per_mwh(if sells { milli } else { 0 });
        GameOrder {
            order: Order { limit, quantity, ..order },
            registered_ask: of_seller(registered),
            registered_cost: of_seller(registered - 2_000),
            rent: of_seller(1_000 * random.below(14)),
        }
    });
    let orders = orders.collect();
    let rationing = [Rationing::ProRata, Rationing::Time, Rationing::GreenFirst];
    let rule = GameRule {
        call: CallRule { rationing: rationing[random.index(3)], ..CallRule::MIDPOINT },
        second_stage: Design::Compensation,
        compensation_cap: Price::from_milli_yuan_per_mwh(1_000 * random.below(14)),
        fund_share: BasisPoints::from_bp(random.below(10_001)),
    };
    (orders, rule)
}

fn compare(orders: &[GameOrder], rule: &GameRule, joint: &JointClearing) -> u64 {
    let plain: Vec<Order> = orders.iter().map(|order| order.order).collect();
    let price = interval(&plain).map(|(lo, hi)| lo + (hi - lo).div_euclid(2));
    let first = price
        .map_or_else(|| vec![0; orders.len()], |price| fills(&plain, price, rule.call.rationing));
    let kwh = |fills: &[Energy]| fills.iter().map(|fill| fill.kwh()).collect::<Vec<_>>();
    assert_eq!(kwh(&joint.first.fills), first, "{orders:?}");
    let expected = second(orders, &first, rule);
    assert_eq!(joint.second.is_some(), expected.is_some(), "{rule:?} {orders:?}");
    let (Some(found), Some(expected)) = (&joint.second, expected) else { return 0 };
    let prices = (milli(found.buyer_price), milli(found.seller_price), found.volume.kwh());
    let expected_prices = (expected.buyer_price, expected.seller_price, expected.volume);
    assert_eq!(prices, expected_prices, "{rule:?} {orders:?}");
    assert_eq!(kwh(&found.fills), expected.fills, "{rule:?} {orders:?}");
    assert_eq!(found.compensation.fen(), expected.compensation.into());
    let small = |fen: i128| i64::try_from(fen).unwrap();
    let trades = joint.trades.iter().filter(|trade| trade.stage == Stage::Second);
    let trades: Vec<_> =
        trades.map(|t| (t.buy, t.sell, small(t.paid.fen()), small(t.received.fen()))).collect();
    assert_eq!(trades, expected.trades, "{rule:?} {orders:?}");
    let levies: Vec<_> = joint.levies.iter().map(|l| (l.sell, small(l.amount.fen()))).collect();
    assert_eq!(levies, expected.levies, "{rule:?} {orders:?}");
    let allocations = found.allocations.iter().map(|a| (a.sell, small(a.cost.fen())));
    assert_eq!(allocations.collect::<Vec<_>>(), expected.allocations, "{rule:?} {orders:?}");
    u64::try_from(trades.len()).unwrap()
}

#[test]
fn the_joint_session_equals_trying_every_volume() {
    let mut random = Random::new(12);
    let (mut done_so_far, mut deals) = (0, 0);
    while done_so_far < operations() {
        let (orders, rule) = session(&mut random);
        let joint = clear_joint(&orders, &rule).unwrap();
        deals += compare(&orders, &rule, &joint);
        done_so_far += u64::try_from(orders.len()).unwrap();
    }
    done("joint session, second stage", done_so_far, deals);
}
