//! The Hebei South scenario is a market that works: strictly read, the same from the same seed,
//! and clearing in both stages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use duet_market::order::Side;
use duet_study::scenario::{
    MemberRole, MeterId, PeriodEnergy, Scenario, ScenarioError, Technology,
};
use duet_units::{Energy, Price};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/hebei-south")
}

fn scenario() -> Scenario {
    Scenario::load(&folder()).unwrap()
}

#[test]
fn the_south_grid_is_complete() {
    let scenario = scenario();
    let coal_kw: i64 = scenario
        .members
        .iter()
        .flat_map(|member| &member.units)
        .filter(|unit| unit.technology == Technology::Coal)
        .map(|unit| unit.capacity.kw())
        .sum();
    // The tracker's 70 operating units of the south grid.
    assert_eq!(coal_kw, 26_124_000);
    let roles = |role| scenario.members.iter().filter(|member| member.role == role).count();
    assert_eq!(roles(MemberRole::Generator), 28 + 8);
    assert_eq!((roles(MemberRole::Retailer), roles(MemberRole::LargeUser)), (4, 4));
    let rho = |dt: usize| scenario.members[dt - 1].units[0].conductivity.bp();
    assert_eq!(
        (1..=8).map(rho).collect::<Vec<_>>(),
        (0..8).map(|i| 6_500 + 500 * i).collect::<Vec<_>>()
    );
}

#[test]
fn a_supercritical_unit_costs_its_coal() {
    // 9,250 Btu/kWh x 1.05505585 kJ x 0.8407 at 900 yuan for 5,500 kcal/kg is 320.668 yuan/MWh,
    // and 10 of operation; on the tick of 0.01.
    let unit = &scenario().members[0].units[0];
    assert_eq!(unit.registered_cost, Price::from_milli_yuan_per_mwh(330_660));
    assert_eq!(unit.emission_factor.g_per_kwh(), 776);
}

#[test]
fn a_day_is_within_the_market_s_terms() {
    let scenario = scenario();
    for day in [0, 5, 40, u32::MAX] {
        let plan = scenario.day(day);
        assert!((1_500..=3_000).contains(&plan.orders.len()), "{}", plan.orders.len());
        for order in &plan.orders {
            let terms = scenario.market;
            assert!(terms.floor <= order.limit && order.limit <= terms.ceiling, "{order:?}");
            assert_eq!(order.limit.milli_yuan_per_mwh() % terms.tick.milli_yuan_per_mwh(), 0);
            assert_eq!(order.quantity.kwh() % terms.lot.kwh(), 0);
            assert!(order.quantity > Energy::ZERO && order.period < 24);
            assert_eq!(order.sells(), order.unit.is_some());
            if let Some(unit) = order.unit {
                let unit = scenario.unit(order.member, unit).unwrap();
                assert!(order.limit <= unit.registered_cost, "{order:?}");
            }
        }
        let periods: BTreeSet<u8> = plan.orders.iter().map(|order| order.period).collect();
        assert_eq!(periods.len(), 24);
    }
}

#[test]
fn the_same_day_is_drawn_twice_and_another_day_differs() {
    let (one, two) = (scenario(), scenario());
    assert_eq!(one.day(3), two.day(3));
    assert_ne!(one.day(3).orders, one.day(4).orders);
}

#[test]
fn simulated_meters_stay_near_the_schedule() {
    let scenario = scenario();
    let consumer = scenario.members.len() - 1;
    let schedule: Vec<PeriodEnergy> = (0..24)
        .flat_map(|period| {
            [(0, Some(0)), (consumer, None)].map(|(member, unit)| PeriodEnergy {
                meter: MeterId { member, unit },
                period,
                energy: Energy::from_kwh(if period == 0 { 0 } else { 1_000_000 }),
            })
        })
        .collect();
    let metered = scenario.metered(0, &schedule);
    assert_eq!(metered, scenario.metered(0, &schedule));
    for (reading, scheduled) in metered.iter().zip(&schedule) {
        let bound = if reading.meter.unit.is_some() { 10_000 } else { 30_000 };
        let deviation = reading.energy.kwh() - scheduled.energy.kwh();
        assert!(deviation.abs() <= if reading.period == 0 { 0 } else { bound });
    }
    assert_ne!(metered[2].energy, metered[4].energy);
}

/// A copy of the scenario in which `from` is replaced by `to` in `file`.
fn broken(file: &str, from: &str, to: &str) -> ScenarioError {
    let name = format!("duet-study-{}-{}", std::process::id(), from.len() * 1_000 + to.len());
    let dir = std::env::temp_dir().join(name);
    fs::create_dir_all(&dir).unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
    let text = fs::read_to_string(dir.join(file)).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(dir.join(file), text.replacen(from, to, 1)).unwrap();
    let error = Scenario::load(&dir).unwrap_err();
    fs::remove_dir_all(&dir).unwrap();
    error
}

#[test]
fn what_is_unknown_or_impossible_is_refused_with_field_value_and_rule() {
    let cases = [
        ("scenario.toml", "lot_kwh", "lots_kwh", "lots_kwh", "unknown field"),
        ("scenario.toml", "fund_share_bp = 5_000", "fund_share_bp = 10_001", "10001", "from 0 to"),
        ("scenario.toml", "= 437_280  ", "= 437_283  ", "437283", "multiple of the tick"),
        ("scenario.toml", "\"pro_rata\"", "\"random\"", "random", "unknown variant"),
        ("scenario.toml", "shape = \"wind_1\"", "shape = \"wind_9\"", "wind_9", "a column of"),
        ("scenario.toml", "share_bp = 6_200", "share_bp = 6_300", "10100", "add up to 10000"),
        ("scenario.toml", "\"SOLAR_2\"", "\"SOLAR_1\"", "SOLAR_1", "unique"),
        ("plants.csv", ",6500,1", ",16500,1", "conductivity_bp = 16500", "from 0 to 10000"),
        ("plants.csv", ",9250,923,I,", ",9250,923,IV,", "benchmark_class = IV", "I, II or III"),
        ("plants.csv", "segments", "segment", "segment", "unknown field"),
        ("load_shapes.csv", "\n7,", "\n8,", "hour = 8", "must be 7 here"),
        ("renewable_shapes.csv", "1,0,310,", "1,0,1310,", "wind_1 = 1310", "from 0 to 1000"),
    ];
    for (file, from, to, value, rule) in cases {
        let error = broken(file, from, to).to_string();
        assert!(error.contains(file) && error.contains(value) && error.contains(rule), "{error}");
    }
}

#[test]
fn a_whole_day_clears_in_both_stages() {
    let scenario = scenario();
    let plan = scenario.day(0);
    let (mut with_second_stage, mut offered, mut sold, mut partly_open) = (0, 0, 0, 0);
    for period in 0..24 {
        let (orders, clearing) = scenario.clear(&plan, period).unwrap();
        let price = clearing.first.price.expect("every hour clears");
        assert!(scenario.market.floor < price && price < scenario.market.ceiling, "{price:?}");
        for trade in &clearing.trades {
            assert!(trade.buyer_price <= orders[trade.buy].order.limit);
            assert!(orders[trade.sell].order.limit <= trade.seller_price);
        }
        let paid: i128 = clearing.trades.iter().map(|trade| trade.paid.fen()).sum();
        let received: i128 = clearing.trades.iter().map(|trade| trade.received.fen()).sum();
        let levied: i128 = clearing.levies.iter().map(|levy| levy.amount.fen()).sum();
        assert_eq!(paid + levied, received, "postings balance in hour {period}");
        with_second_stage += u32::from(clearing.second.is_some());

        let volume: i64 = clearing.trades.iter().map(|trade| trade.quantity.kwh()).sum();
        let sells = orders.iter().filter(|order| order.order.side == Side::Sell);
        offered += sells.map(|order| order.order.quantity.kwh()).sum::<i64>();
        sold += volume;
        let bought: i64 = orders
            .iter()
            .filter(|order| order.order.side == Side::Buy)
            .map(|order| order.order.quantity.kwh())
            .sum();
        partly_open += u32::from(volume < bought);
    }
    assert!(20 <= with_second_stage, "{with_second_stage}");
    assert_eq!(partly_open, 24, "some demand stays open in every hour");
    assert!(sold * 2 > offered && sold * 10 < offered * 8, "{sold} of {offered} kWh sold");
}
