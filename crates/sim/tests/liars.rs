//! One validator of four that cheats changes nothing.

mod support;

use duet_sim::{Misdeed, Outcome, Plan, run};
use support::{RESULT, market};

fn day_with(misdeed: Misdeed) -> Outcome {
    let plan = Plan::calm(11).with_liar(misdeed);
    let outcome = run(&market(), &plan).unwrap_or_else(|error| panic!("{plan}: {error}"));

    assert!(1 < outcome.lies, "{plan}");
    assert_eq!(outcome.report.result_hash, RESULT, "{plan}");
    outcome
}

#[test]
fn a_forged_transaction_is_not_voted_for() {
    day_with(Misdeed::ForgedTransaction);
}

#[test]
fn a_replayed_transaction_acts_once() {
    let outcome = day_with(Misdeed::Replay);

    assert!(0 < outcome.replays_refused);
}

#[test]
fn a_wrong_state_root_is_not_voted_for() {
    day_with(Misdeed::WrongRoot);
}

#[test]
fn a_time_far_ahead_closes_no_gate() {
    day_with(Misdeed::FarFuture);
}

#[test]
fn time_does_not_go_back() {
    day_with(Misdeed::Past);
}
