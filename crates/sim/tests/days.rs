//! A market day ends the same whatever one validator, or the network, does to it.
//!
//! Every run checks all blocks, roots, receipts and sums of all four validators before it ends
//! well; what is asserted here is that the day is the one of the calm run, and that the fault
//! struck when it was meant to.

mod support;

use duet_sim::{Outcome, Plan, run};
use std::time::Duration;
use support::{RESULT, market};

/// Within the trading of the small market on calm links.
const ORDERS_PLACED: Duration = Duration::from_millis(8_300);

fn day(plan: &Plan) -> Outcome {
    let outcome = run(&market(), plan).unwrap_or_else(|error| panic!("{plan}: {error}"));

    assert_eq!(outcome.report.result_hash, RESULT, "{plan}");
    outcome
}

#[test]
fn the_same_seed_gives_the_same_run_and_any_seed_the_same_day() {
    let (first, again, other) = (day(&Plan::calm(1)), day(&Plan::calm(1)), day(&Plan::calm(2)));

    assert_eq!(first.fingerprint, again.fingerprint);
    assert_eq!((first.height, first.lasted), (again.height, again.lasted));
    assert_ne!(first.fingerprint, other.fingerprint);
}

#[test]
fn a_validator_that_crashes_while_orders_are_placed_comes_back_and_agrees() {
    for (seed, validator) in [(3, 1), (4, 2), (5, 3)] {
        let down = Duration::from_millis(1_500);
        let outcome = day(&Plan::calm(seed).with_crash(validator, ORDERS_PLACED, down));

        assert!(outcome.trading.holds(ORDERS_PLACED), "seed {seed}: {:?}", outcome.trading);
        assert_eq!((outcome.crashes, outcome.recovered.len()), (1, 1), "seed {seed}");
    }
}

#[test]
fn halves_that_do_not_hear_each_other_wait_and_go_on_after_the_heal() {
    for seed in [6, 7] {
        let lasting = Duration::from_secs(10);
        let outcome = day(&Plan::calm(seed).with_partition(ORDERS_PLACED, lasting));

        assert!(
            outcome.trading.holds(ORDERS_PLACED + lasting),
            "seed {seed}: {:?}",
            outcome.trading
        );
    }
}

#[test]
fn a_day_goes_on_with_a_fifth_of_all_messages_lost() {
    for seed in [8, 9] {
        let outcome = day(&Plan::calm(seed).with_loss(20));

        assert!(Duration::from_secs(30) < outcome.lasted, "seed {seed}: nothing seems lost");
    }
}
