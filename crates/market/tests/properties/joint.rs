//! Joint clearing: feasible, within its bound, and the best there is on small markets.

use duet_market::joint::certificate::{Infeasible, certify};
use duet_market::joint::{AllowanceOffer, Demand, Market, Period, Solution, Unit, solve};
use duet_units::{CarbonPrice, EmissionFactor, Emissions};
use proptest::prelude::*;

use crate::support::{kwh, price};

fn unit(cost: i64, quantity: i64, net_factor: i64) -> Unit {
    let benchmark = EmissionFactor::from_g_per_kwh(800);
    let emission_factor = EmissionFactor::from_g_per_kwh(800 + net_factor);
    Unit { cost: price(cost), quantity: kwh(quantity), emission_factor, benchmark }
}

fn demand(limit: i64, quantity: i64) -> Demand {
    Demand { limit: price(limit), quantity: kwh(quantity) }
}

pub(crate) fn market(periods: Vec<Period>, cap: i128) -> Market {
    let ceiling = CarbonPrice::from_fen_per_t(100_000);
    Market { periods, cap: Emissions::from_g(cap), offers: vec![], ceiling }
}

fn one_period() -> Period {
    // Coal is cheaper by 50 yuan/MWh and emits 500 g/kWh more: they are even at 100 yuan/t.
    let units = vec![unit(300_000, 100, 100), unit(350_000, 100, -400)];
    Period { units, demands: vec![demand(500_000, 100)] }
}

#[test]
fn a_budget_that_does_not_bind_costs_nothing() {
    let market = market(vec![one_period()], 10_000);
    let solution = solve(&market).unwrap().unwrap();
    assert_eq!(solution.carbon_price, CarbonPrice::ZERO);
    assert_eq!(solution.schedules[0].generated, [kwh(100), kwh(0)]);
    assert_eq!(certify(&market, &solution).unwrap().gap(), 0);
}

#[test]
fn a_binding_budget_is_used_to_the_last_swap() {
    // 100 kWh of coal emit 10,000 g; each kWh moved to the other unit saves 500 g.
    let market = market(vec![one_period()], 5_000);
    let solution = solve(&market).unwrap().unwrap();
    assert_eq!(solution.schedules[0].generated, [kwh(90), kwh(10)]);
    let certificate = certify(&market, &solution).unwrap();
    assert_eq!(certificate.emissions, Emissions::from_g(5_000));
    assert!((10_000..=10_001).contains(&solution.carbon_price.fen_per_t()));
    assert!(certificate.gap() * 100_000 < certificate.bound, "{certificate:?}");
}

#[test]
fn allowances_from_outside_are_bought_while_they_are_cheaper() {
    let price_of = |fen| {
        let offer = AllowanceOffer {
            price: CarbonPrice::from_fen_per_t(fen),
            quantity: Emissions::from_g(3_000),
        };
        let market = Market { offers: vec![offer], ..market(vec![one_period()], 5_000) };
        let solution = solve(&market).unwrap().unwrap();
        (certify(&market, &solution).unwrap().bought.g(), solution.schedules[0].generated[0])
    };
    assert_eq!(price_of(9_000), (3_000, kwh(96)));
    assert_eq!(price_of(11_000), (0, kwh(90)));
}

#[test]
fn a_budget_that_no_price_meets_has_no_solution() {
    let only_clean_is_needed = market(vec![one_period()], -40_001);
    assert_eq!(solve(&only_clean_is_needed), Ok(None));
    let ranges = Market { cap: Emissions::MAX, ..market(vec![], 0) };
    assert!(solve(&ranges).is_err());
}

#[test]
fn a_forged_schedule_is_refused() {
    let market = market(vec![one_period()], 5_000);
    let solution = solve(&market).unwrap().unwrap();
    let forge = |change: fn(&mut Solution)| {
        let mut forged = solution.clone();
        change(&mut forged);
        certify(&market, &forged).unwrap_err()
    };
    assert_eq!(forge(|s| s.schedules[0].generated[0] = kwh(91)), Infeasible::Balance(0));
    assert_eq!(forge(|s| s.schedules[0].consumed[0] = kwh(101)), Infeasible::Order(0));
    assert_eq!(forge(|s| s.schedules[0].generated = vec![kwh(95), kwh(5)]), Infeasible::Budget);
    assert_eq!(forge(|s| s.schedules.clear()), Infeasible::Shape);
}

pub(crate) fn periods() -> impl Strategy<Value = Vec<Period>> {
    let units = proptest::collection::vec((0..9_i64, 0..4_i64, -3..4_i64), 0..4);
    let demands = proptest::collection::vec((0..9_i64, 0..4_i64), 0..3);
    let period = (units, demands).prop_map(|(units, demands)| Period {
        units: units.into_iter().map(|(c, q, f)| unit(1_000 * c, q, 100 * f)).collect(),
        demands: demands.into_iter().map(|(b, q)| demand(1_000 * b, q)).collect(),
    });
    proptest::collection::vec(period, 1..3)
}

/// Worth and emissions of every schedule of a period, by trying all; the best worth for each
/// amount of emissions.
fn schedules(period: &Period) -> Vec<(i128, i128)> {
    let mut all = vec![(0_i64, 0_i128, 0_i128)]; // Surplus of generation, worth, emissions.
    for unit in &period.units {
        let net = unit.emission_factor.minus(unit.benchmark).unwrap().g_per_kwh();
        let steps = 0..=unit.quantity.kwh();
        all = all
            .iter()
            .flat_map(|(balance, worth, emitted)| {
                steps.clone().map(move |q| {
                    let cost = i128::from(100 * unit.cost.milli_yuan_per_mwh() * q);
                    (balance + q, worth - cost, emitted + i128::from(net * q))
                })
            })
            .collect();
    }
    for demand in &period.demands {
        let steps = 0..=demand.quantity.kwh();
        all = all
            .iter()
            .flat_map(|(balance, worth, emitted)| {
                steps.clone().map(move |q| {
                    (
                        balance - q,
                        worth + i128::from(100 * demand.limit.milli_yuan_per_mwh() * q),
                        *emitted,
                    )
                })
            })
            .collect();
        all.sort_unstable();
        all.dedup();
    }
    all.into_iter().filter(|s| s.0 == 0).map(|(_, worth, emitted)| (worth, emitted)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_best_schedule_lies_between_worth_and_bound(periods in periods(), cap in -1_000..1_500_i128) {
        let market = market(periods, cap);
        let mut all = vec![(0, 0)];
        for period in &market.periods {
            let of_period = schedules(period);
            all = all.iter().flat_map(|(w, e)| of_period.iter().map(move |(w2, e2)| (w + w2, e + e2))).collect();
            all.sort_unstable();
            all.dedup();
        }
        let best = all.into_iter().filter(|(_, e)| *e <= cap).map(|(worth, _)| worth).max();
        if let Some(solution) = solve(&market).unwrap() {
            let certificate = certify(&market, &solution).unwrap();
            prop_assert!(certificate.worth <= best.unwrap() && best.unwrap() <= certificate.bound);
            if solution.carbon_price.is_zero() {
                prop_assert_eq!(certificate.gap(), 0);
            }
        }
    }

    #[test]
    fn a_tighter_budget_never_lowers_the_price_of_carbon(periods in periods(), cap in 0..1_500_i128) {
        let price = |cap| {
            let solution = solve(&market(periods.clone(), cap)).unwrap();
            solution.map_or(CarbonPrice::MAX, |solution| solution.carbon_price)
        };
        prop_assert!(price(cap) <= price(cap - 100));

    }
}
