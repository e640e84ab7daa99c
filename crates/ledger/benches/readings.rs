//! How many signed readings the ledger admits in a second on one core: a signature for each
//! against a signature for each batch, in one run.
//!
//! `cargo bench -p duet-ledger --bench readings`. Counted: the stateless check of every
//! transaction with its signature, and applying the blocks with the rows that they change.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::chain::Chain;
use common::device::{batch, report};
use common::market::{DAY, Who, genesis, notice};
use duet_ledger::{
    Action, BATCH_MAX, Body, MAX_BLOCK_TRANSACTIONS, MeterReport, PeriodReading, Quality, Reading,
    ReadingFlags, State, Transaction, Unit, UnitId, Unsigned, admission,
};
use duet_units::{ClockTime, DeliveryPeriod, Energy, Resolution};
use std::time::{Duration, Instant};

/// One plant's units behind one gateway, a day of quarter-hours each.
const UNITS: u32 = 128;
const ROUNDS: usize = 5;

fn main() {
    let state = over();
    let readings = readings();
    let singles: Vec<Action> = readings.iter().map(single).collect();
    let channel = *state.channel();
    let batches = (1..)
        .zip(readings.chunks(BATCH_MAX))
        .map(|(sequence, part)| report(batch(Who::CoalMeter, &channel, sequence, part.to_vec())));
    let (singles, batches) = (signed(&state, singles), signed(&state, batches.collect()));
    let count = readings.len();
    let one = best(&state, &singles, count);
    let many = best(&state, &batches, count);
    let rate = |spent: Duration| u128::from(count as u64) * 1_000_000_000 / spent.as_nanos();
    println!("readings={count} one core, best of {ROUNDS} rounds");
    println!("one signature a reading:        {:>9} readings/s", rate(one));
    println!("one signature a batch of {BATCH_MAX}:   {:>9} readings/s", rate(many));
    println!("batches admit {}.{} times as many", one.as_nanos() / many.as_nanos(), {
        one.as_nanos() * 10 / many.as_nanos() % 10
    });
}

/// A market whose delivery day is over.
fn over() -> State {
    let mut genesis = genesis();
    let unit = |n: u32| Unit { name: format!("COAL_{n}"), ..genesis.units[0].clone() };
    let units = (4..4 + UNITS).map(unit).collect::<Vec<_>>();
    genesis.units.extend(units);
    let mut chain = Chain::founded_on(genesis);
    let mut notice = notice(DAY);
    notice.terms.resolution = Resolution::Quarter;
    chain.done(Who::Exchange, Action::OpenSession(notice));
    chain.pass_to(DAY.next().start());
    chain.state
}

fn readings() -> Vec<PeriodReading> {
    let reading = |n: u32| PeriodReading {
        unit: UnitId(4 + n / 96),
        period: DeliveryPeriod::new(DAY, Resolution::Quarter, (n % 96) as u8).unwrap(),
        version: 1,
        energy: Energy::from_kwh(i64::from(n % 1_000)),
        flags: ReadingFlags::GOOD,
        source_time: ClockTime::from_unix_ms(7),
    };
    (0..UNITS * 96).map(reading).collect()
}

fn single(reading: &PeriodReading) -> Action {
    Action::ReportMeter(MeterReport {
        unit: reading.unit,
        day: DAY,
        first_period: reading.period.index(),
        version: 1,
        readings: vec![Reading { energy: reading.energy, quality: Quality::Good }],
    })
}

fn signed(state: &State, actions: Vec<Action>) -> Vec<Vec<u8>> {
    let (channel, signer) = (*state.channel(), Who::CoalMeter.public());
    let key = Who::CoalMeter.key();
    let sign = |(nonce, action)| Unsigned { channel, signer, nonce, action }.sign(&key);
    (1..).zip(actions).map(sign).map(|t| t.bytes().to_vec()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn best(state: &State, transactions: &[Vec<u8>], readings: usize) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut state = state.clone();
        let start = Instant::now();
        admit(&mut state, transactions);
        best = best.min(start.elapsed());
        assert_eq!(state.readings().len(), readings, "every reading was taken");
    }
    best
}

fn admit(state: &mut State, transactions: &[Vec<u8>]) {
    let channel = *state.channel();
    for part in transactions.chunks(MAX_BLOCK_TRANSACTIONS) {
        let read = |bytes: &Vec<u8>| admission::stateless(bytes, &channel, true).unwrap();
        let transactions: Vec<Transaction> = part.iter().map(read).collect();
        let height = state.height() + 1;
        state.apply(height, state.time(), &Body { transactions }).unwrap();
        state.take_delta();
    }
}
