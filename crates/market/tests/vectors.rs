//! The worked examples of the official rules, each with its citation in `fixtures/test_vectors.json`.

use duet_market::auction::{CallRule, clear};
use duet_market::order::{Order, Side};
use duet_units::{EmissionFactor, Energy, Price};
use serde_json::Value;

fn vector(name: &str) -> Value {
    let text = include_str!("fixtures/test_vectors.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all.get(name).unwrap_or_else(|| panic!("no vector {name}")).clone()
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("not an integer: {value}"))
}

fn price(value: &Value) -> Price {
    Price::from_milli_yuan_per_mwh(int(value))
}

fn energy(value: &Value) -> Energy {
    Energy::from_kwh(int(value))
}

/// The book of V1 and V2: sells, then buys, each `[name, kWh, milli-yuan/MWh]`.
fn book(vector: &Value) -> Vec<Order> {
    let side = |name: &str, side| {
        let rows = vector[name].as_array().unwrap().iter();
        let order = move |row: &Value| Order {
            side,
            limit: price(&row[2]),
            quantity: energy(&row[1]),
            emission_factor: EmissionFactor::ZERO,
        };
        rows.map(order).collect::<Vec<_>>()
    };
    [side("sells", Side::Sell), side("buys", Side::Buy)].concat()
}

#[test]
fn v2_call_auction() {
    let vector = vector("V2_call_auction");
    let clearing = clear(&book(&vector), &CallRule::MIDPOINT).unwrap();
    assert_eq!(clearing.volume, energy(&vector["volume_kwh"]));
    assert_eq!(clearing.price, Some(price(&vector["price_milli"])));
    let only = price(&vector["qualifying"][0]);
    assert_eq!(clearing.interval, Some((only, only)));
}
