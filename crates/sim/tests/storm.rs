//! Splits of the network that are shorter than a view leave the votes and certificates of one
//! block with some validators and not with others. The chain must not wait for ever.

mod support;

use duet_sim::{Plan, run};
use std::time::Duration;
use support::{RESULT, market};

const TRADING: Duration = Duration::from_secs(8);

/// Seeds 2011 and 2017 stood still for ever while validators judged blocks after voting for
/// them: two that had executed the checkpoint's height voted to finalize, two that had not to
/// nullify.
#[test]
fn a_day_goes_on_through_sixty_splits() {
    for seed in [2_011, 2_017] {
        let plan = Plan::calm(seed).with_storm(TRADING, 60);
        let outcome = run(&market(), &plan).unwrap_or_else(|error| panic!("{plan}: {error}"));

        assert_eq!(outcome.report.result_hash, RESULT, "{plan}");
        assert!(outcome.trading.holds(TRADING + Duration::from_secs(2)), "{plan}");
    }
}
