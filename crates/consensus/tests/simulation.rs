//! Four validators (f = 1) agree on every block whatever one of them, or the network, does.

mod support;

use duet_consensus::simulation::{Fault, Link, Outcome, Scenario, keys, run};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{Log, config};

const HEIGHT: u64 = 40;

/// Slow enough that a fault after three seconds comes before the last height.
const WAN: Link =
    Link { latency: Duration::from_millis(30), jitter: Duration::from_millis(5), loss_percent: 0 };

fn scenario(seed: u64) -> Scenario {
    Scenario {
        seed,
        config: config(),
        keys: keys(4),
        link: WAN,
        faults: Vec::new(),
        height: HEIGHT,
        time_limit: Duration::from_secs(300),
    }
}

/// Runs until every application itself, not only its engine, has every block, and compares them.
fn agree(scenario: &Scenario) -> Outcome<Vec<Log>> {
    let height = scenario.height;
    let done = move |logs: &[Log]| logs.iter().all(|log| height <= log.height());
    let outcome = run(scenario, async |_, _| Log::default(), done)
        .unwrap_or_else(|error| panic!("seed {}: {error}", scenario.seed));

    assert_eq!(outcome.digests.len() as u64, height, "seed {}", scenario.seed);
    for log in &outcome.kept {
        assert_eq!(log.digests()[..outcome.digests.len()], outcome.digests);
    }
    outcome
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let first = agree(&scenario(1));
    let again = agree(&scenario(1));
    let other = agree(&scenario(2));

    assert_eq!(first.fingerprint, again.fingerprint);
    assert_eq!(first.digests, again.digests);
    assert_ne!(first.fingerprint, other.fingerprint);
}

#[test]
fn a_validator_that_crashed_gets_every_block_again() {
    for seed in 0..3 {
        let faults = vec![
            (Duration::from_millis(3_000), Fault::Crash(0)),
            (Duration::from_millis(4_200), Fault::Restart(0)),
        ];
        let outcome = agree(&Scenario { faults, height: 80, ..scenario(seed) });

        assert_eq!(outcome.crashes, 1);
    }
}

#[test]
fn a_crashed_validator_is_dead() {
    let lives: Arc<Mutex<Vec<Log>>> = Arc::default();
    let faults = vec![
        (Duration::from_millis(3_000), Fault::Crash(2)),
        (Duration::from_millis(4_000), Fault::Restart(2)),
    ];
    let born = lives.clone();
    let build = move |_, index| {
        let (born, log) = (born.clone(), Log::default());
        async move {
            if index == 2 {
                born.lock().unwrap().push(log.clone());
            }
            log
        }
    };
    let scenario = Scenario { faults, height: 80, ..scenario(4) };
    run(&scenario, build, |_| true).unwrap();

    let heights: Vec<_> = lives.lock().unwrap().iter().map(Log::height).collect();
    assert!(matches!(heights[..], [1..70, (80..)]), "{heights:?}");
}

#[test]
fn the_chain_goes_on_after_all_crash_together() {
    let crash = (0..4).map(|index| (Duration::from_millis(3_000), Fault::Crash(index)));
    let restart = (0..4).map(|index| (Duration::from_millis(3_500), Fault::Restart(index)));
    let outcome =
        agree(&Scenario { faults: crash.chain(restart).collect(), height: 80, ..scenario(5) });

    assert_eq!(outcome.crashes, 4);
}

#[test]
fn halves_wait_for_each_other_and_agree_after_the_heal() {
    for seed in 0..2 {
        let faults = vec![
            (Duration::from_millis(3_000), Fault::Partition(vec![0, 1])),
            (Duration::from_secs(23), Fault::Heal),
        ];
        agree(&Scenario { faults, height: 80, ..scenario(seed) });
    }
}

#[test]
fn agreement_survives_a_fifth_of_all_messages_lost() {
    let link = Link {
        latency: Duration::from_millis(50),
        jitter: Duration::from_millis(40),
        loss_percent: 20,
    };
    for seed in 0..2 {
        agree(&Scenario { link, ..scenario(seed) });
    }
}

#[test]
fn one_validator_alone_is_a_chain() {
    agree(&Scenario { keys: keys(1), ..scenario(3) });
}
