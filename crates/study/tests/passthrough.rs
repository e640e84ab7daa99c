//! Measured pass-through behaves as economics says, on the Hebei South fleet.

use std::path::Path;

use duet_study::passthrough::{Basis, EstimateOptions, Fleet, PassThrough, SweepPoint};
use duet_study::scenario::Scenario;

fn study() -> PassThrough {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/hebei-south");
    let scenario = Scenario::load(&folder).unwrap();
    PassThrough::run(&scenario, 0, &EstimateOptions { days: 14, seed: 1 }).unwrap()
}

fn line(study: &PassThrough, basis: Basis, fleet: Fleet, yuan_per_t: f64) -> Vec<SweepPoint> {
    let mut points = study.points.clone();
    points.retain(|p| {
        p.basis == basis && p.fleet == fleet && (p.carbon_price - yuan_per_t).abs() < 1e-9
    });
    points
}

#[test]
fn pass_through_rises_with_conductivity_and_stays_below_it() {
    let study = study();
    for fleet in [Fleet::CoalOnly, Fleet::WithWindAndSun] {
        let points = line(&study, Basis::Full, fleet, 55.0);
        assert_eq!(points.len(), 11);
        assert!(points.windows(2).all(|w| w[0].kappa < w[1].kappa), "{fleet:?}");
        // Demand that can do without bears a part of the cost by leaving.
        assert!(points.iter().skip(1).all(|p| p.kappa.unwrap() * 1e4 < p.rho_bp as f64));
        assert!(points.windows(2).all(|w| w[1].emissions_kt <= w[0].emissions_kt), "{fleet:?}");
    }
}

#[test]
fn free_allocation_by_output_nearly_removes_pass_through() {
    let study = study();
    for point in line(&study, Basis::NetOfBenchmark, Fleet::WithWindAndSun, 55.0) {
        assert!(point.kappa.unwrap().abs() < 0.1, "{point:?}");
    }
}

#[test]
fn a_high_carbon_price_meets_the_ceiling() {
    let study = study();
    let hours = |yuan_per_t| {
        line(&study, Basis::Full, Fleet::CoalOnly, yuan_per_t).last().unwrap().hours_at_cap
    };
    assert_eq!(hours(55.0), 0);
    assert!(hours(200.0) > 0);
}

#[test]
fn the_estimate_is_an_interval_and_the_same_from_the_same_seed() {
    let (one, two) = (study(), study());
    assert_eq!(one.estimates.len(), 4);
    for (a, b) in one.estimates.iter().zip(&two.estimates) {
        assert!(a.kappa_low < a.kappa && a.kappa < a.kappa_high);
        assert_eq!((a.kappa, a.kappa_low), (b.kappa, b.kappa_low));
    }
    let html = &one.files()[0].1;
    assert_eq!(html.matches("<svg").count(), 3);
    assert!(!html.contains(">passthrough.") && !html.contains("NaN"));
}
