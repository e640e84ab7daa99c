//! Joint clearing is feasible, certified nearly optimal, and its certificate cannot be fooled.

use std::path::Path;

use duet_study::joint::{
    AllowanceOffer, Buy, Case, Certificate, CertificateError, Period, Problem, Sell, Solution,
};
use duet_study::random::Random;

/// One period: a clean dear unit and a dirty cheap one, 100 kWh each, for 100 kWh.
fn two_units(cap: i128) -> Problem {
    Problem {
        periods: vec![Period {
            sells: vec![
                Sell { cost: 300_000, kwh: 100, net_factor: 1_000 },
                Sell { cost: 350_000, kwh: 100, net_factor: 0 },
            ],
            buys: vec![Buy { limit: 500_000, kwh: 100 }],
        }],
        cap,
        allowances: Vec::new(),
        mu_max: 100_000,
    }
}

#[test]
fn the_cap_is_used_to_the_gram_and_priced_by_the_switch() {
    // The dirty unit is 50 yuan/MWh cheaper and emits 1 t/MWh more: they switch at 50 yuan/t. Of
    // the 100 kg it would emit 40 are allowed, so it sells 40 kWh.
    let problem = two_units(40_000);
    let solution = problem.solve().unwrap();
    assert_eq!(solution.sold, [[40, 60]]);
    assert!((5_000..=5_001).contains(&solution.mu), "{}", solution.mu);
    let certificate = Certificate::of(&problem, &solution).unwrap();
    assert_eq!(certificate.net_emissions, 40_000);
    assert!(certificate.gap() >= 0 && certificate.relative_gap() < 1e-4);
}

#[test]
fn without_need_allowances_cost_nothing() {
    let problem = two_units(100_000);
    let solution = problem.solve().unwrap();
    assert_eq!((solution.mu, solution.sold), (0, vec![vec![100, 0]]));
}

#[test]
fn cheaper_allowances_from_outside_come_before_the_switch() {
    let mut problem = two_units(40_000);
    problem.allowances = vec![AllowanceOffer { price: 2_000, grams: 30_000 }];
    let solution = problem.solve().unwrap();
    assert_eq!(solution.sold, [[70, 30]]);
    assert_eq!(solution.allowances, [30_000]);
    assert!(Certificate::of(&problem, &solution).unwrap().gap() >= 0);
}

#[test]
fn an_impossible_cap_has_no_solution() {
    let mut problem = two_units(-1);
    assert_eq!(problem.solve(), None);
    problem.cap = 0;
    assert!(problem.solve().is_some());
}

#[test]
fn a_tampered_solution_is_refused_or_shows_its_gap() {
    let problem = two_units(40_000);
    let honest = problem.solve().unwrap();
    let of = |change: &dyn Fn(&mut Solution)| {
        let mut solution = honest.clone();
        change(&mut solution);
        Certificate::of(&problem, &solution)
    };
    assert_eq!(of(&|s| s.sold[0] = vec![41, 59]), Err(CertificateError::AboveCap(1_000)));
    assert_eq!(of(&|s| s.sold[0][0] -= 1), Err(CertificateError::Unbalanced(0)));
    assert_eq!(of(&|s| s.sold[0] = vec![-1, 101]), Err(CertificateError::OutOfBounds(0)));
    assert_eq!(of(&|s| s.mu = -1), Err(CertificateError::Allowances));
    assert_eq!(of(&|s| s.prices.clear()), Err(CertificateError::Shape));
    let worse = of(&|s| s.sold[0] = vec![20, 80]).unwrap();
    assert!(worse.gap() > Certificate::of(&problem, &honest).unwrap().gap());
}

#[test]
fn random_markets_are_certified_within_one_in_ten_thousand() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let mut period = || Period {
            sells: (0..8)
                .map(|_| Sell {
                    cost: random.between(200_000, 420_000),
                    kwh: random.between(1_000, 90_000),
                    net_factor: random.between(-50, 1_000),
                })
                .collect(),
            buys: (0..6)
                .map(|_| Buy {
                    limit: random.between(250_000, 600_000),
                    kwh: random.between(1_000, 90_000),
                })
                .collect(),
        };
        let periods: Vec<Period> = (0..4).map(|_| period()).collect();
        let free =
            Problem { periods, cap: i128::MAX / 4, allowances: Vec::new(), mu_max: 1_000_000 };
        let emitted = Certificate::of(&free, &free.solve().unwrap()).unwrap().net_emissions;
        let capped = Problem { cap: emitted * 7 / 10, ..free };
        let solution = capped.solve().unwrap();
        let certificate = Certificate::of(&capped, &solution).unwrap();
        assert!(certificate.gap() >= 0, "weak duality, seed {seed}");
        assert!(certificate.relative_gap() < 1e-4, "seed {seed}: {certificate:?}");
    }
}

#[test]
fn the_cases_on_file_are_cleared() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    for (name, units, periods) in [("rts-gmlc", 73, 24), ("pglib-ca", 610, 48)] {
        let result = Case::load(&scenarios.join(name)).unwrap().run().unwrap();
        assert_eq!((result.units, result.periods), (units, periods), "{name}");
        assert!(result.capped.relative_gap < 1e-5, "{name}: {}", result.capped.relative_gap);
        assert!(result.free.allowance_price < result.capped.allowance_price, "{name}");
        let saved = 1.0 - result.capped.net_emissions_t / result.free.net_emissions_t;
        assert!(0.05 < saved && saved < 0.15, "{name}: {saved}");
    }
}
