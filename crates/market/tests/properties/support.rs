//! Short ways to write orders, and generators of small books.

use duet_market::auction::CallRule;
use duet_market::order::{Order, Rationing, Side};
use duet_units::{EmissionFactor, Energy, Price};
use proptest::prelude::*;

pub(crate) fn price(milli: i64) -> Price {
    Price::from_milli_yuan_per_mwh(milli)
}

pub(crate) fn kwh(kwh: i64) -> Energy {
    Energy::from_kwh(kwh)
}

pub(crate) fn buy(limit: i64, quantity: i64) -> Order {
    order(Side::Buy, limit, quantity)
}

pub(crate) fn sell(limit: i64, quantity: i64) -> Order {
    order(Side::Sell, limit, quantity)
}

pub(crate) fn order(side: Side, limit: i64, quantity: i64) -> Order {
    Order {
        side,
        limit: price(limit),
        quantity: kwh(quantity),
        emission_factor: EmissionFactor::ZERO,
    }
}

/// Few prices and small quantities, so that ties, crossings and empty sides are all common.
pub(crate) fn books(orders_max: usize) -> impl Strategy<Value = Vec<Order>> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let one = (side, -3..12_i64, 0..7_i64, 0..3_i64);
    let one = one.prop_map(|(side, limit, quantity, factor)| Order {
        emission_factor: EmissionFactor::from_g_per_kwh(factor),
        ..order(side, limit, quantity)
    });
    proptest::collection::vec(one, 0..=orders_max)
}

pub(crate) fn rationings() -> impl Strategy<Value = Rationing> {
    prop_oneof![Just(Rationing::ProRata), Just(Rationing::Time), Just(Rationing::GreenFirst)]
}

pub(crate) fn call_rules() -> impl Strategy<Value = CallRule> {
    (0..=4_i64, rationings()).prop_map(|(numerator, rationing)| CallRule {
        numerator,
        denominator: 4,
        rationing,
    })
}

/// The limits of one side, once per kWh, best first.
pub(crate) fn units(orders: &[Order], side: Side) -> Vec<i64> {
    let of_side = orders.iter().filter(|order| order.side == side);
    let mut units: Vec<i64> = of_side
        .flat_map(|order| {
            let kwh = usize::try_from(order.quantity.kwh()).unwrap();
            std::iter::repeat_n(order.limit.milli_yuan_per_mwh(), kwh)
        })
        .collect();
    units.sort_unstable();
    if side == Side::Buy {
        units.reverse();
    }
    units
}

/// The most that buyers and sellers can gain together: the worth of a coalition.
pub(crate) fn worth(orders: &[Order]) -> i64 {
    let (bids, asks) = (units(orders, Side::Buy), units(orders, Side::Sell));
    bids.iter().zip(&asks).map(|(bid, ask)| (bid - ask).max(0)).sum()
}

pub(crate) fn traded(orders: &[Order], fills: &[Energy], side: Side) -> i64 {
    let pairs = orders.iter().zip(fills).filter(|(order, _)| order.side == side);
    pairs.map(|(_, fill)| fill.kwh()).sum()
}
