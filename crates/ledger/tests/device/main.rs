//! Devices: signed batches of readings, enrolment, health.

#[path = "../common/mod.rs"]
mod common;

use common::chain::Chain;
use common::device::{batch, day_of, enrol, health, hourly, report, report_health};
use common::market::{
    COAL, DAY, HOUR_MS, RETAIL, Who, buy, confirm, deposit, gate_close, genesis, meter, open, sell,
    whole_day, yuan,
};
use duet_ledger::{
    Action, Decode, Encode, Event, MAX_TRANSACTION_BYTES, OrderStatus, PeriodReading, Quality,
    ReadingFlags, ReportBatch, SessionId, Transaction, UnitId,
};
use duet_units::{DeliveryDay, DeliveryPeriod, Energy, Resolution};

/// A day on which coal sold 10 MWh to the retailer, dispatched and over.
fn delivered() -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(10_000), 1), "ok"),
        (Who::Coal, sell(COAL, 0, 300, 10), "ok"),
        (Who::Retail, buy(RETAIL, 0, 500, 10), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) }, "ok"),
    ]);
    chain.pass_to(DAY.next().start());
    chain
}

fn settle(chain: &mut Chain) {
    chain.others_used_nothing(DAY);
    chain.done(Who::Exchange, Action::SettleSession { session: SessionId(1) });
}

#[test]
fn a_batch_settles_as_the_same_meter_reports_do() {
    let (mut single, mut batched) = (delivered(), delivered());
    single.done(Who::CoalMeter, whole_day(COAL, DAY, &[9]));
    single.done(Who::RetailMeter, whole_day(RETAIL, DAY, &[11]));
    let channel = *batched.state.channel();
    let coal = batch(Who::CoalMeter, &channel, 1, day_of(COAL, &[9]));
    assert_eq!(batched.done(Who::CoalMeter, report(coal)), 24);
    let statuses = |chain: &Chain| -> Vec<OrderStatus> {
        chain.state.orders().values().map(|order| order.status).collect()
    };
    assert_eq!(statuses(&batched), [OrderStatus::Delivered, OrderStatus::Dispatched]);
    let retail = batch(Who::RetailMeter, &channel, 1, day_of(RETAIL, &[11]));
    batched.done(Who::Retail, report(retail));
    assert_eq!(batched.state.readings(), single.state.readings());
    assert_eq!(statuses(&batched), statuses(&single));
    settle(&mut single);
    settle(&mut batched);
    assert_eq!(batched.state.lines(), single.state.lines());
    assert_eq!(batched.state.balances(), single.state.balances());
    assert!(!single.state.lines().is_empty());
}

#[test]
fn one_gateway_reports_for_all_units_that_are_enrolled_so() {
    let mut genesis = genesis();
    let second = duet_ledger::Unit { name: "COAL_2".to_owned(), ..genesis.units[0].clone() };
    genesis.units.push(duet_ledger::Unit { device: Who::Stranger.public(), ..second });
    let mut chain = Chain::founded_on(genesis);
    let (channel, other) = (*chain.state.channel(), UnitId(4));
    chain.table(vec![(Who::Exchange, open(DAY), "ok")]);
    chain.pass_to(DAY.start().plus_ms(HOUR_MS));
    let both = || vec![hourly(COAL, DAY, (0, 1), 1), hourly(other, DAY, (0, 1), 2)];
    let sent = report(batch(Who::CoalMeter, &channel, 1, both()));
    assert_eq!(chain.send(Who::CoalMeter, sent.clone()), Err("not-your-device"));
    chain.done(Who::Coal, enrol(other, Who::CoalMeter));
    assert_eq!(chain.done(Who::CoalMeter, sent), 2);
    let energies: Vec<i64> = chain.state.readings().values().map(|r| r.energy.kwh()).collect();
    assert_eq!(energies, [1_000, 2_000]);
    let device = &chain.state.devices()[&Who::CoalMeter.public()];
    assert_eq!((device.batches, device.readings, device.last_sequence), (1, 2, 1));
}

#[test]
fn a_batch_with_one_bad_reading_leaves_no_reading_behind() {
    let mut chain = delivered();
    let channel = *chain.state.channel();
    let mut readings = day_of(COAL, &[9]);
    readings[23].energy = Energy::from_kwh(-1);
    let bad = report(batch(Who::CoalMeter, &channel, 1, readings));
    assert_eq!(chain.send(Who::CoalMeter, bad), Err("bad-reading"));
    assert!(chain.state.readings().is_empty());
    assert!(chain.state.devices().is_empty());
}

#[test]
fn a_correction_counts_over_what_it_corrects_also_within_its_batch() {
    let mut chain = delivered();
    let channel = *chain.state.channel();
    let readings = vec![hourly(COAL, DAY, (0, 1), 9), hourly(COAL, DAY, (0, 2), 8)];
    chain.done(Who::CoalMeter, report(batch(Who::CoalMeter, &channel, 3, readings)));
    let late = vec![hourly(COAL, DAY, (1, 1), 7)];
    chain.done(Who::CoalMeter, report(batch(Who::CoalMeter, &channel, 2, late)));
    let row = &chain.state.readings()[&(COAL, DAY, 0)];
    assert_eq!((row.energy.kwh(), row.version), (8_000, 2));
    assert_eq!(chain.state.devices()[&Who::CoalMeter.public()].last_sequence, 3);
    assert_eq!(
        chain.send(Who::CoalMeter, meter(COAL, DAY, (0, 2), &[1])),
        Err("stale-version"),
        "batches and reports count versions together"
    );
}

#[test]
fn a_batch_tells_one_fact_for_each_run_of_periods() {
    let mut chain = delivered();
    let channel = *chain.state.channel();
    let readings = [3, 4, 7].map(|index| hourly(COAL, DAY, (index, 1), 1)).to_vec();
    let sent = batch(Who::CoalMeter, &channel, 1, readings);
    let transaction = chain.sign(Who::CoalMeter, report(sent));
    let events = chain.block(vec![transaction]).events;
    let metered = |first_period, periods| Event::MeterReported {
        unit: COAL,
        day: DAY,
        first_period,
        periods,
    };
    let device = Who::CoalMeter.public();
    let whole = Event::BatchReported { device, sequence: 1, readings: 3 };
    assert_eq!(events, [metered(3, 2), metered(7, 1), whole]);
}

#[test]
fn a_full_batch_fits_a_transaction_and_one_more_reading_is_no_batch() {
    let mut chain = Chain::new();
    let channel = *chain.state.channel();
    let reading = |n: u16| {
        let day = DeliveryDay::from_days(DAY.days() + i32::from(n / 96));
        let index = u8::try_from(n % 96).unwrap();
        let period = DeliveryPeriod::new(day, Resolution::Quarter, index).unwrap();
        PeriodReading { period, ..hourly(COAL, DAY, (0, 1), 1) }
    };
    let full = |count| batch(Who::CoalMeter, &channel, 1, (0..count).map(reading).collect());
    let transaction = chain.sign(Who::CoalMeter, report(full(256)));
    assert!(transaction.bytes().len() <= MAX_TRANSACTION_BYTES);
    assert!(Transaction::from_bytes(transaction.bytes()).is_ok());
    let bytes = full(257).to_bytes();
    assert!(ReportBatch::decode(&mut &bytes[..]).is_err());
}

#[test]
fn the_worst_flag_decides_how_good_a_reading_is() {
    for (bits, quality) in [
        (0, Quality::Good),
        (1, Quality::Estimated),
        (1 << 5, Quality::Estimated),
        (1 << 5 | 1 << 1, Quality::Estimated),
        (1 << 1, Quality::Questionable),
        (1 << 2, Quality::Questionable),
        (1 << 3, Quality::Questionable),
        (1 << 4, Quality::Questionable),
        (1 << 6, Quality::Questionable),
        (1 << 7, Quality::Questionable),
    ] {
        assert_eq!(ReadingFlags::from_bits(bits).unwrap().quality(), quality, "{bits}");
    }
    assert_eq!(ReadingFlags::from_bits(1 << 8), None);
}

#[test]
fn a_new_device_speaks_for_the_unit_and_the_old_one_is_forgotten() {
    let mut chain = delivered();
    let channel = *chain.state.channel();
    let by = |device, period| {
        report(batch(device, &channel, 1, vec![hourly(COAL, DAY, (period, 1), 1)]))
    };
    chain.done(Who::CoalMeter, by(Who::CoalMeter, 0));
    assert_eq!(chain.send(Who::Stranger, by(Who::Stranger, 1)), Err("unknown-identity"));
    chain.done(Who::Coal, enrol(COAL, Who::Stranger));
    chain.done(Who::Coal, by(Who::Stranger, 1));
    assert_eq!(chain.send(Who::CoalMeter, by(Who::CoalMeter, 2)), Err("unknown-identity"));
    assert_eq!(chain.send(Who::Coal, by(Who::CoalMeter, 2)), Err("not-your-device"));
    let old = Who::CoalMeter.public();
    assert!(!chain.state.identities().contains_key(&old));
    assert!(!chain.state.devices().contains_key(&old));
    let row = &chain.state.enrolments()[&COAL];
    assert_eq!((row.since, row.changes), (chain.time, 1));
    // It keeps its nonce, so that what it signed before cannot count again should it come back.
    let nonce = chain.state.nonce(old);
    assert!(nonce > 0);
    chain.done(Who::Coal, enrol(COAL, Who::CoalMeter));
    assert_eq!(chain.state.nonce(old), nonce);
    assert_eq!(chain.restored().identities(), chain.state.identities());
}

#[test]
fn a_device_of_another_unit_stays_when_it_loses_one() {
    let mut genesis = genesis();
    genesis.units.push(duet_ledger::Unit { name: "C2".to_owned(), ..genesis.units[0].clone() });
    let mut chain = Chain::founded_on(genesis);
    chain.done(Who::Coal, enrol(UnitId(4), Who::Stranger));
    assert!(chain.state.identities().contains_key(&Who::CoalMeter.public()));
    chain.done(Who::Coal, enrol(UnitId(4), Who::CoalMeter));
    assert!(!chain.state.identities().contains_key(&Who::Stranger.public()));
}

#[test]
fn the_last_health_of_a_device_is_kept() {
    let mut chain = delivered();
    chain.done(Who::CoalMeter, report_health(health(5)));
    let mut worse = health(6);
    worse.channels[0].value = Some(91_000);
    chain.done(Who::CoalMeter, report_health(worse.clone()));
    let row = &chain.state.devices()[&Who::CoalMeter.public()];
    assert_eq!((row.health.as_ref(), row.seen_at), (Some(&worse), chain.time));
    assert_eq!(chain.restored().devices(), chain.state.devices());
}
