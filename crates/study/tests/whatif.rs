//! A book cleared again under other terms.

use std::path::Path;

use duet_market::game::Design;
use duet_study::scenario::Scenario;
use duet_study::whatif::{
    Book, BookOrder, BookRationing, BookSide, BookTerms, Change, Recorded, WhatIf,
};
use duet_units::{BasisPoints, CarbonPrice, Price};

fn buy(limit: i64, kwh: i64) -> BookOrder {
    BookOrder {
        period: 0,
        side: BookSide::Buy,
        limit_milli_yuan_per_mwh: limit,
        quantity_kwh: kwh,
        conductivity_bp: 0,
        registered_cost_milli_yuan_per_mwh: 0,
        emission_factor_g_per_kwh: 0,
        benchmark_g_per_kwh: 0,
    }
}

fn sell(limit: i64, kwh: i64, factor: i64) -> BookOrder {
    BookOrder {
        side: BookSide::Sell,
        conductivity_bp: 10_000,
        registered_cost_milli_yuan_per_mwh: limit,
        emission_factor_g_per_kwh: factor,
        benchmark_g_per_kwh: 800,
        ..buy(limit, kwh)
    }
}

/// Coal at 300 with 1,000 g/kWh, gas at 340 with 400 g/kWh, 100,000 kWh of each and of demand;
/// carbon at 50 yuan/t.
fn book() -> Book {
    Book {
        name: "two units".to_owned(),
        periods: 24,
        terms: BookTerms {
            carbon_price_fen_per_t: 5_000,
            ceiling_milli_yuan_per_mwh: 600_000,
            price_numerator: 0,
            price_denominator: 1,
            rationing: BookRationing::ProRata,
            second_stage: Design::None,
            compensation_cap_milli_yuan_per_mwh: 0,
            fund_share_bp: 0,
        },
        orders: vec![
            buy(500_000, 100_000),
            sell(300_000, 100_000, 1_000),
            sell(340_000, 100_000, 400),
        ],
        recorded: Vec::new(),
    }
}

fn run(change: Change) -> WhatIf {
    WhatIf::run(&book(), &change).unwrap()
}

#[test]
fn a_carbon_price_above_the_switch_moves_the_energy_to_gas() {
    // At 50 yuan/t coal asks 350 and gas 360; at 100 yuan/t coal asks 400 and gas 380.
    let change =
        Change { carbon_price: Some(CarbonPrice::from_fen_per_t(10_000)), ..Change::default() };
    let study = run(change);
    let (before, after) = (study.before.periods[0], study.after.periods[0]);
    assert_eq!((before.price, before.volume_kwh), (Some(350_000), 100_000));
    assert_eq!((before.emissions_g, before.net_emissions_g), (100_000_000, 20_000_000));
    assert_eq!((after.price, after.volume_kwh), (Some(380_000), 100_000));
    assert_eq!((after.emissions_g, after.net_emissions_g), (40_000_000, -40_000_000));
    // Coal passes on 50 of 50 before; after, 380 against 300 without carbon, over gas's 40.
    assert_eq!((before.kappa_bp, after.kappa_bp), (Some(10_000), Some(20_000)));
    assert_eq!(study.after.periods[1].price, None);
}

#[test]
fn without_conductivity_the_carbon_price_changes_nothing() {
    let change = Change {
        carbon_price: Some(CarbonPrice::from_fen_per_t(10_000)),
        conductivity: Some(BasisPoints::ZERO),
        ..Change::default()
    };
    let after = run(change).after.periods[0];
    assert_eq!((after.price, after.kappa_bp), (Some(300_000), Some(0)));
}

#[test]
fn the_ceiling_cuts_offers_and_demand_can_shrink() {
    let change = Change {
        carbon_price: Some(CarbonPrice::from_fen_per_t(40_000)),
        demand: BasisPoints::from_bp(2_500),
        ..Change::default()
    };
    // Coal at 300 + 400 is cut to 600; gas asks 340 + 160.
    let study = run(change);
    assert_eq!(study.after.periods[0].offers_cut, 1);
    assert_eq!((study.before.demand_kwh, study.after.demand_kwh), (100_000, 25_000));
    assert_eq!(study.after.periods[0].volume_kwh, 25_000);
}

#[test]
fn a_budget_is_kept_at_the_least_price_of_allowances_and_proved() {
    // 20 t above the benchmarks; all gas is at -40 t: a sixth of the 60 t between them is 10 t.
    // Each kWh moved from coal to gas saves 600 g and costs 0.04 yuan: 66.67 yuan/t.
    let study = run(Change { cut: BasisPoints::from_bp(1_667), ..Change::default() });
    let joint = study.budgeted.unwrap();
    assert_eq!(joint.budget_g, 20_000_000 - 60_000_000 * 1_667 / 10_000);
    assert!(joint.net_emissions_g <= joint.budget_g);
    assert!(joint.budget_g - joint.net_emissions_g < 600, "less than a swapped kWh is left");
    assert!((6_666..=6_667).contains(&joint.carbon_price_fen_per_t), "{joint:?}");
    assert_eq!(joint.volumes_kwh[0], 100_000);
    assert!(joint.worth <= joint.bound && joint.relative_gap() < 1e-5, "{joint:?}");
}

#[test]
fn a_budget_of_what_cannot_be_avoided_is_still_kept() {
    let study = run(Change { cut: BasisPoints::ONE, ..Change::default() });
    let joint = study.budgeted.unwrap();
    assert_eq!((joint.budget_g, joint.net_emissions_g), (-40_000_000, -40_000_000));
    assert_eq!(joint.volumes_kwh[0], 100_000);
}

#[test]
fn what_the_node_recorded_is_compared() {
    let recorded = |price| Recorded {
        period: 0,
        price_milli_yuan_per_mwh: Some(price),
        volume_kwh: 100_000,
        second_volume_kwh: 0,
    };
    let with = |price| {
        let book = Book { recorded: vec![recorded(price)], ..book() };
        let study = WhatIf::run(&book, &Change::default()).unwrap();
        (study.periods_recorded, study.periods_reproduced)
    };
    assert_eq!((with(350_000), with(350_001)), ((1, 1), (1, 0)));
}

#[test]
fn impossible_books_and_changes_are_refused() {
    let refused = |book: Book| WhatIf::run(&book, &Change::default()).unwrap_err().to_string();
    let with = |change: fn(&mut BookOrder)| {
        let mut book = book();
        change(&mut book.orders[1]);
        refused(book)
    };
    assert!(with(|order| order.period = 24).contains("order 1"));
    assert!(with(|order| order.quantity_kwh = -1).contains("quantity"));
    assert!(with(|order| order.conductivity_bp = 10_001).contains("conductivity"));
    assert!(refused(Book { periods: 25, ..book() }).contains("24 or 96"));
    let change = Change { conductivity: Some(BasisPoints::from_bp(-1)), ..Change::default() };
    assert!(WhatIf::run(&book(), &change).is_err());
}

#[test]
fn a_scenarios_day_comes_to_its_own_clearings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/hebei-south");
    let scenario = Scenario::load(&folder).unwrap();
    let book = Book::of_scenario(&scenario, 0);
    let change =
        Change { carbon_price: Some(CarbonPrice::from_fen_per_t(15_000)), ..Change::default() };
    let study = WhatIf::run(&book, &change).unwrap();
    let plan = scenario.day(0);
    for (period, cleared) in (0..).zip(&study.before.periods) {
        let (_, joint) = scenario.clear(&plan, period).unwrap();
        assert_eq!(cleared.price, joint.first.price.map(Price::milli_yuan_per_mwh));
        assert_eq!(cleared.volume_kwh, joint.first.volume.kwh());
        let second = joint.second.map_or(0, |second| second.volume.kwh());
        assert_eq!(cleared.second_volume_kwh, second);
    }
    assert!(study.before.mean_price() < study.after.mean_price());
    assert!(study.after.emissions_g().0 < study.before.emissions_g().0);
    let joint = study.budgeted.as_ref().unwrap();
    assert!(joint.net_emissions_g <= joint.budget_g && joint.relative_gap() < 1e-6);
    let files = study.files();
    let rows = files[1].1.lines().count();
    assert_eq!((files.len(), rows), (3, 25));
    assert!(files[0].1.contains("<svg"));
    assert_eq!(files, WhatIf::run(&book, &change).unwrap().files());
}
