//! The worked examples of the official rules, each with its citation in
//! `fixtures/test_vectors.json`.

use duet_market::allowance::Band;
use duet_market::allowance::compliance::{
    AllocationRule, Benchmark, Heat, OFFSET_CAP, Output, Relief, allocate, obligation, share_of,
};
use duet_market::auction::uniform::{MarginalPrice, UniformRule, clear_uniform, price_below};
use duet_market::auction::{CallRule, clear};
use duet_market::curve::quarter_hours;
use duet_market::deviation::{
    Charged, Clawback, Delivery, FreeBand, MeanPrices, clawback, free_band,
};
use duet_market::fee::FeeRule;
use duet_market::green::{self, Month, share_over_contracts};
use duet_market::guarantee::{Deal, trading_risk};
use duet_market::order::{Order, Rationing, Side};
use duet_market::quota::{Account, Limits, Position, available};
use duet_market::rolling::median;
use duet_market::settlement::Line;
use duet_market::settlement::spot::{Method, SpotEnergy, SpotPrices, settle_spot};
use duet_units::{
    Allowances, BasisPoints, CarbonPrice, EmissionFactor, Energy, Money, Power, Price,
};
use serde_json::Value;

fn vector(name: &str) -> Value {
    let text = include_str!("fixtures/test_vectors.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all.get(name).unwrap_or_else(|| panic!("no vector {name}")).clone()
}

#[test]
fn every_vector_says_where_it_comes_from() {
    let text = include_str!("fixtures/test_vectors.json");
    let all: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    for (name, vector) in &all {
        assert!(vector["rule"].as_str().is_some_and(|rule| !rule.is_empty()), "{name}");
    }
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

#[test]
fn v1_uniform_marginal_price_is_the_mean_of_the_last_pair() {
    let vector = vector("V1_uniform_midpoint_prorata");
    let rule = UniformRule {
        marginal: MarginalPrice::LastPair,
        k1: BasisPoints::from_bp(5_000),
        rationing: Rationing::ProRata,
    };
    let orders = book(&vector);
    let clearing = clear_uniform(&orders, &rule).unwrap();
    assert_eq!(clearing.volume, energy(&vector["cleared_kwh"]));
    assert_eq!(clearing.price, Some(price(&vector["price_milli"])));
    for (row, fill) in vector["sells"].as_array().unwrap().iter().zip(&clearing.fills) {
        let allocated = &vector["seller_alloc"][row[0].as_str().unwrap()];
        assert_eq!(fill.kwh(), allocated.as_i64().unwrap_or(0), "{row}");
    }
}

#[test]
fn v1b_price_between_curves_that_do_not_cross() {
    let vector = vector("V1b_K1");
    let k1 = BasisPoints::from_bp(decimal(&vector["K1"], 4));
    let price_of = price_below(price(&vector["Pb_min"]), price(&vector["Ps_max"]), k1);
    assert_eq!(price_of, Ok(price(&vector["price_milli"])));
}

/// A decimal text as an integer with `places` decimals.
fn decimal(value: &Value, places: usize) -> i64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    assert!(fraction.len() <= places, "{text} has more than {places} decimals");
    format!("{whole}{fraction:0<places$}").parse().unwrap()
}

#[test]
fn v3_price_of_the_continuous_phase() {
    let vector = vector("V3_median_official");
    for case in vector["cases"].as_array().unwrap() {
        let yuan = |name: &str| Price::from_milli_yuan_per_mwh(1_000 * int(&case[name]));
        assert_eq!(median(yuan("prev"), yuan("buy"), yuan("sell")), yuan("price"), "{case}");
    }
}

/// The four quotas of V4, in the vector's unit of 10^8 kWh with one decimal.
fn quota(name: &str) -> Energy {
    Energy::from_kwh(decimal(&vector("V4_quota_official")[name], 1) * 10_000_000)
}

/// V4 has the results of the official example but not its positions and limits: the rule text at
/// hand does not print them. So this chooses positions of its own that lead to the four results,
/// which shows that the formulas reach them and not that they are those of the example.
#[test]
fn v4_quotas_are_reached_from_positions_of_our_own() {
    let of = |tenths: i64| Energy::from_kwh(10_000_000 * tenths);
    let back = BasisPoints::from_bp(5_000);
    // A generator: 6.0 of 8.0 held, 0.5 of it to be sold; half of 6.0 less 1.0 may be bought back.
    let limits = Limits { net: of(80), cumulative: of(100), back };
    let position =
        Position { net: of(60), cumulative: of(75), open_enlarging: of(5), open_reducing: of(10) };
    let may = |account, side, position| available(account, side, position, &limits);
    assert_eq!(may(Account::Generator, Side::Sell, &position), Ok(quota("gen_sell")));
    assert_eq!(may(Account::Generator, Side::Buy, &position), Ok(quota("gen_buy")));
    // A user: what is left of the cumulative limit is less than of the net one.
    let position = Position { net: of(58), cumulative: of(85), open_reducing: of(15), ..position };
    assert_eq!(may(Account::User, Side::Buy, &position), Ok(quota("user_buy")));
    assert_eq!(may(Account::User, Side::Sell, &position), Ok(quota("user_sell")));
}

/// What V4 does fix, whatever its inputs: a generator that may still buy 2.0 has at least that
/// much left of its cumulative limit, so the 1.5 that it may sell is what the net limit leaves;
/// and a user that may buy 1.5 but sell only 1.4 is held by its net position.
#[test]
fn v4_tells_which_limit_binds() {
    let cases = [
        (Account::Generator, [("gen_sell", Side::Sell), ("gen_buy", Side::Buy)]),
        (Account::User, [("user_sell", Side::Sell), ("user_buy", Side::Buy)]),
    ];
    for (account, sides) in cases {
        let [less, more] = sides;
        assert!(quota(less.0) < quota(more.0));
        let room = |cumulative: i64| {
            let limits = Limits {
                net: Energy::from_kwh(900_000_000),
                cumulative: Energy::from_kwh(cumulative),
                back: BasisPoints::ONE,
            };
            let position = Position { net: Energy::from_kwh(450_000_000), ..Position::default() };
            sides.map(|(_, side)| available(account, side, &position, &limits).unwrap())
        };
        // Where only the cumulative limit binds, both sides have the same quota: not so in V4.
        let [a, b] = room(quota(less.0).kwh());
        assert_eq!((a, b), (quota(less.0), quota(less.0)));
    }
}

#[test]
fn v11_trading_risk() {
    let vector = vector("V11_trading_risk");
    let deals = |name: &str| -> Vec<Deal> {
        let rows = vector[name].as_array().unwrap().iter();
        rows.map(|row| Deal { quantity: energy(&row[0]), price: price(&row[1]) }).collect()
    };
    assert_eq!(vector["Q"], "20%");
    let haircut = BasisPoints::from_bp(2_000);
    let reference = price(&vector["settle_price"]);
    let risk = trading_risk(&deals("buy"), &deals("sell"), reference, haircut).unwrap();
    assert_eq!(risk.cost, fen(&vector["cost_fen"]));
    assert_eq!(risk.value, fen(&vector["value_fen"]));
    assert_eq!(risk.risk, fen(&vector["risk_fen"]));
}

fn fen(value: &Value) -> Money {
    Money::from_fen(int(value).into())
}

#[test]
fn v7_environmental_value_is_the_least_of_three() {
    let vector = vector("V7_gec_three_min");
    let items = vector["items"].as_array().unwrap();
    let contracted: Vec<Energy> = items.iter().map(|item| energy(&item["contract_kwh"])).collect();
    let shares = share_over_contracts(energy(&vector["gen_total_kwh"]), &contracted).unwrap();
    for (item, generated) in items.iter().zip(shares) {
        // The vector keeps fractions of a kWh; metered energy has none, so shares are whole.
        let exact = item["gen_share_kwh"].as_f64().unwrap();
        assert!((generated.kwh() as f64 - exact).abs() < 1.0, "{item}");
        let contracted = energy(&item["contract_kwh"]);
        let (used, carry) = (energy(&item["use_kwh"]), Energy::ZERO);
        let settled = green::settle(&Month { contracted, generated, used, carry }).unwrap();
        assert_eq!(settled.certificates, int(&item["settle_mwh"]));
        assert!((settled.carry.kwh() as f64 - item["carry_kwh"].as_f64().unwrap()).abs() < 1.0);
    }
}

#[test]
fn v8_allocation_and_obligation() {
    let vector = vector("V8_allocation");
    let tonnes = |name: &str| Allowances::from_t(int(&vector[name]));
    let output = Output {
        electricity: Energy::from_kwh(1_000 * int(&vector["gen_mwh"])),
        heat: Heat::default(),
    };
    let rule = AllocationRule {
        electricity: Benchmark::from_ten_thousandths_t(8_460),
        heat: Benchmark::default(),
        correction: BasisPoints::ONE,
    };
    let (allocated, verified) = (allocate(&output, &rule).unwrap(), tonnes("emission_t"));
    assert_eq!(allocated, tonnes("alloc_t"));
    let twenty = BasisPoints::from_bp(2_000);
    let cap = allocated.plus(share_of(verified, twenty).unwrap()).unwrap();
    assert_eq!(cap, tonnes("obligation_cap_t"));
    let due = obligation(verified, allocated, Relief::Capped(twenty)).unwrap();
    assert_eq!(due < verified, vector["cap_binds"].as_bool().unwrap());
    assert_eq!(due.minus(allocated), Ok(tonnes("gap_t")));
    assert_eq!(share_of(due, OFFSET_CAP), Ok(tonnes("ccer_cap_t")));
}

#[test]
fn v8b_price_bands_round_inwards() {
    let vector = vector("V8b_bands");
    let close = CarbonPrice::from_fen_per_t(int(&vector["prev_close_fen"]));
    for (name, width) in [("listing", Band::LISTED), ("block", Band::BLOCK)] {
        let band = Band::around(close, width).unwrap();
        assert_eq!(band.lowest.fen_per_t(), int(&vector[name][0]));
        assert_eq!(band.highest.fen_per_t(), int(&vector[name][1]));
    }
}

#[test]
fn v9_fee_of_both_sides() {
    let vector = vector("V9_fee");
    let rule = FeeRule { of_value_ppm: 300, ..FeeRule::FREE };
    for side in vector["both_sides_permille_0_3"].as_array().unwrap() {
        assert_eq!(rule.fee(Energy::ZERO, fen(&vector["trade_fen"])), Ok(fen(side)));
    }
}

/// The energy of V5 or V5b with the prices of V5.
fn spot(energy_of: &Value, metered: &str) -> (SpotEnergy, SpotPrices) {
    let prices = vector("V5_settlement");
    let (contract, contracted) = (price(&prices["Pc"]), energy(&energy_of["Qc"]));
    let prices = SpotPrices {
        day_ahead: price(&prices["Pda"]),
        real_time: price(&prices["Prt"]),
        reference: price(&prices["Pref"]),
    };
    let energy = SpotEnergy {
        contracted,
        contract_value: contract.value_of(contracted).unwrap(),
        day_ahead: Some(energy(&energy_of["Qda"])),
        metered: energy(&energy_of[metered]),
    };
    (energy, prices)
}

fn amounts(lines: &[Line]) -> Vec<Money> {
    lines.iter().map(|line| line.amount).collect()
}

#[test]
fn v5_both_settlement_methods() {
    let vector = vector("V5_settlement");
    let (energy, prices) = spot(&vector, "Qrt");
    let one = amounts(&settle_spot(&energy, &prices, Method::One).unwrap());
    let items = &vector["method1_items_fen"];
    assert_eq!(one, ["day_ahead", "cfd", "real_time_dev"].map(|item| fen(&items[item])));
    assert_eq!(Money::sum(one), Ok(fen(&items["total"])));
    let two = amounts(&settle_spot(&energy, &prices, Method::Two).unwrap());
    let items = &vector["method2_items_fen"];
    assert_eq!(two, ["contract", "day_ahead_dev", "real_time_dev"].map(|item| fen(&items[item])));
    assert_eq!(Money::sum(two), Ok(fen(&items["total"])));
}

#[test]
fn v5b_a_users_settlement() {
    let vector = vector("V5b_user");
    let (energy, prices) = spot(&vector, "Qact");
    let two = amounts(&settle_spot(&energy, &prices, Method::Two).unwrap());
    assert_eq!(two, ["contract", "da", "rt"].map(|item| fen(&vector["items_fen"][item])));
    assert_eq!(Money::sum(two), Ok(fen(&vector["total_fen"])));
}

#[test]
fn v6_free_band_of_three_percent() {
    let vector = vector("V6_fujian");
    let delivery = Delivery {
        contracted: energy(&vector["contract_kwh"]),
        metered: energy(&vector["actual_kwh"]),
    };
    let terms = FreeBand {
        free: BasisPoints::from_bp(300),
        share: BasisPoints::from_bp(500),
        charged: Charged::Both,
    };
    let charge = free_band(&delivery, price(&vector["price_milli"]), &terms).unwrap();
    assert_eq!(charge.quantity, energy(&vector["excess_kwh"]));
    assert_eq!(charge.amount, fen(&vector["charge_fen"]));
}

#[test]
fn v6b_clawback_from_a_user_with_too_few_contracts() {
    let vector = vector("V6b_anhui_user_undersigned");
    let delivery = Delivery {
        contracted: energy(&vector["contract_kwh"]),
        metered: energy(&vector["actual_kwh"]),
    };
    let spot = Price::from_milli_yuan_per_mwh(340_000);
    let contract = spot.plus(price(&vector["recover_price_milli"])).unwrap();
    let terms = Clawback {
        least: BasisPoints::from_bp(6_000),
        most: BasisPoints::from_bp(20_000),
        lacking: BasisPoints::ONE,
        excess: BasisPoints::ZERO,
    };
    let prices = MeanPrices { contract, spot };
    let charge = clawback(Account::User, &delivery, &prices, &terms);
    let charge = charge.unwrap();
    assert_eq!(charge.quantity, energy(&vector["dev_kwh"]));
    assert_eq!(charge.price, price(&vector["recover_price_milli"]));
    assert_eq!(charge.amount, fen(&vector["charge_fen"]));
}

#[test]
fn v10_quarter_hours_between_two_hours() {
    let vector = vector("V10_interp");
    let hours = ["t", "t1"].map(|name| Power::from_kw(int(&vector[name])));
    let points = quarter_hours(&hours).unwrap();
    for (point, expected) in points.iter().zip(vector["points"].as_array().unwrap()) {
        assert_eq!(point.power.kw() as f64, expected.as_f64().unwrap());
    }
}
