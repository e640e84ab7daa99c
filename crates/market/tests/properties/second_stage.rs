//! The second stage against a walk in single kWh, and its rule about rents.

use duet_market::game::{GameOrder, GameRule, clear_joint};
use duet_market::order::Side;
use duet_units::{Energy, Price};
use proptest::prelude::*;

use crate::game::{RULE, buyer, seller, sessions};
use crate::support::{kwh, price};

/// Sells 1,000 kWh at 340.000 in the first stage and leaves `rest` to the second.
fn after_a_first_stage(rest: &[GameOrder]) -> Vec<GameOrder> {
    let mut orders = vec![buyer(360_000, 10_000), seller(340_000, 10_000, 42_600)];
    orders.extend_from_slice(rest);
    orders
}

#[test]
fn an_unmatched_wind_offer_does_not_stop_the_second_stage() {
    let coal = after_a_first_stage(&[buyer(338_000, 500), seller(362_000, 500, 42_600)]);
    let mut with_wind = coal.clone();
    with_wind.push(seller(361_000, 500, 0));
    let (coal, with_wind) =
        (clear_joint(&coal, &RULE).unwrap(), clear_joint(&with_wind, &RULE).unwrap());
    let (coal, with_wind) = (coal.second.unwrap(), with_wind.second.unwrap());
    assert_eq!(coal.volume, kwh(500));
    assert_eq!((with_wind.volume, with_wind.seller_price), (coal.volume, coal.seller_price));
    assert_eq!(with_wind.fills[4], Energy::ZERO);
}

#[test]
fn a_seller_trades_only_as_far_as_its_own_rent_reaches() {
    // The gap is 24.000: a rent of 23.999 does not cover it, one of 24.000 does.
    let rest = |rent| after_a_first_stage(&[buyer(338_000, 500), seller(362_000, 500, rent)]);
    assert!(clear_joint(&rest(23_999), &RULE).unwrap().second.is_none());
    let second = clear_joint(&rest(24_000), &RULE).unwrap().second.unwrap();
    assert_eq!((second.volume, second.cap), (kwh(500), price(24_000)));
}

#[test]
fn an_offer_above_its_registered_ask_gets_no_compensation() {
    let mut marked_up = seller(362_000, 500, 42_600);
    marked_up.registered_ask = price(361_999);
    let orders = after_a_first_stage(&[buyer(338_000, 500), marked_up]);
    assert!(clear_joint(&orders, &RULE).unwrap().second.is_none());
}

#[test]
fn the_fund_limits_the_volume() {
    // Fund: half of 10,000 kWh at 0.426 yuan/MWh = 2.13 yuan; at a gap of 24 yuan/MWh: 88 kWh.
    let mut orders = after_a_first_stage(&[buyer(338_000, 500), seller(362_000, 500, 42_600)]);
    orders[1].rent = price(426);
    let joint = clear_joint(&orders, &RULE).unwrap();
    let second = joint.second.unwrap();
    assert_eq!(second.volume, kwh(88));
    assert_eq!(second.compensation.fen(), 211, "88 kWh x 24 yuan/MWh = 2.112 yuan, rounded down");
}

/// One kWh of the rest: its price in the walk, and its plain ask.
#[derive(Clone, Copy)]
struct Unit {
    price: Price,
    ask: Price,
}

fn unit_curve(orders: &[GameOrder], fills: &[Energy], side: Side, rule: &GameRule) -> Vec<Unit> {
    let mut units = Vec::new();
    for (game_order, fill) in orders.iter().zip(fills) {
        let order = &game_order.order;
        let ask = order.limit;
        if order.side != side || (side == Side::Sell && game_order.registered_ask < ask) {
            continue;
        }
        let compensation = match side {
            Side::Buy => Price::ZERO,
            Side::Sell => game_order.rent.min(rule.compensation_cap),
        };
        let unit = Unit { price: ask.minus(compensation).unwrap(), ask };
        let left = usize::try_from(order.quantity.minus(*fill).unwrap().kwh()).unwrap();
        units.extend(std::iter::repeat_n(unit, left));
    }
    units.sort_by_key(|unit| unit.price);
    if side == Side::Buy {
        units.reverse();
    }
    units
}

/// The largest volume of the rule, found by trying every volume.
fn naive_volume(orders: &[GameOrder], fills: &[Energy], fund: i128, rule: &GameRule) -> i64 {
    let bids = unit_curve(orders, fills, Side::Buy, rule);
    let asks = unit_curve(orders, fills, Side::Sell, rule);
    let mut best = 0;
    for volume in 1..=bids.len().min(asks.len()) {
        let (bid, last) = (bids[volume - 1].price, asks[volume - 1].price);
        let entered = asks.iter().filter(|unit| unit.price <= last);
        let highest = entered.map(|unit| unit.ask).max().unwrap();
        let gap = highest.minus(bid).unwrap().max(Price::ZERO);
        let volume = i64::try_from(volume).unwrap();
        if last <= bid && gap.value_of(kwh(volume)).unwrap().micro_yuan() <= fund {
            best = volume;
        }
    }
    best
}

fn fund(orders: &[GameOrder], fills: &[Energy], rule: &GameRule) -> i128 {
    let sold = orders.iter().zip(fills).filter(|(order, _)| order.order.side == Side::Sell);
    let rents = sold.map(|(order, fill)| order.rent.value_of(*fill).unwrap().micro_yuan());
    rents.sum::<i128>() * i128::from(rule.fund_share.bp()) / 10_000
}

proptest! {
    #[test]
    fn the_volume_is_the_largest_that_rents_and_fund_allow((orders, rule) in sessions()) {
        let joint = clear_joint(&orders, &rule).unwrap();
        let volume = joint.second.as_ref().map_or(0, |second| second.volume.kwh());
        let fund = fund(&orders, &joint.first.fills, &rule);
        let cap_is_zero = rule.compensation_cap <= Price::ZERO;
        let expected = naive_volume(&orders, &joint.first.fills, fund, &rule);
        prop_assert_eq!(volume, if cap_is_zero { 0 } else { expected });
    }
}
