//! 710 to 716, and the rules of meter reports for batches.

use crate::common::chain::{Chain, change_row};
use crate::common::device::{batch, enrol, health, hourly, report, report_health};
use crate::common::market::{COAL, DAY, HOUR_MS, RETAIL, WIND, Who, mwh, open};
use duet_ledger::{
    Action, DeviceAction, EnrolDevice, Enrolment, Health, PeriodReading, PublicKey, UnitId,
};
use duet_units::{DeliveryDay, DeliveryPeriod, Resolution};
use std::collections::BTreeSet;

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    chain.table(vec![(Who::Exchange, open(DAY), "ok")]);
    chain.pass_to(DAY.start().plus_ms(2 * HOUR_MS));
    provoke_batches(&mut chain);
    provoke_enrolment(&mut chain);
    provoke_health(&mut chain);
    chain.provoked
}

/// A ladder: each line mends what the line before was refused for.
fn provoke_batches(chain: &mut Chain) {
    let channel = *chain.state.channel();
    let good = hourly(COAL, DAY, (0, 5), 10);
    let next_day = DeliveryDay::from_days(DAY.days() + 1);
    let bad = PeriodReading { energy: mwh(-1), ..hourly(UnitId(9), next_day, (5, 5), 0) };
    let quarter = DeliveryPeriod::new(DAY, Resolution::Quarter, 95).unwrap();
    let unsigned = |device: Who, readings: Vec<PeriodReading>| {
        let mut batch = batch(device, &channel, 1, readings);
        batch.signature[9] ^= 1;
        report(batch)
    };
    let one = |reading| unsigned(Who::CoalMeter, vec![good, reading]);
    let (coal, wind) = (Who::CoalMeter, Who::WindMeter);
    chain.table(vec![
        (Who::Bank, one(bad), "wrong-role"),
        (coal, one(bad), "unknown-session"),
        (coal, one(PeriodReading { period: quarter, ..bad }), "unknown-period"),
        (coal, one(PeriodReading { unit: UnitId(9), ..good }), "unknown-unit"),
        (coal, one(PeriodReading { unit: WIND, energy: mwh(-1), ..good }), "not-yours"),
        (wind, unsigned(coal, vec![good]), "not-yours"),
        (Who::Retail, unsigned(coal, vec![good]), "not-yours"),
        (coal, unsigned(wind, vec![good]), "not-your-device"),
        (coal, unsigned(coal, vec![]), "empty-report"),
        (coal, one(PeriodReading { energy: mwh(-1), ..good }), "bad-reading"),
        (coal, one(PeriodReading { energy: mwh(201), ..good }), "bad-reading"),
        (coal, one(hourly(COAL, DAY, (2, 5), 200)), "not-delivered"),
        (coal, one(good), "stale-version"),
        (coal, one(hourly(COAL, DAY, (0, 4), 10)), "stale-version"),
        (coal, one(hourly(COAL, DAY, (0, 6), 10)), "bad-device-signature"),
        (coal, report(batch(coal, &[7; 32], 1, vec![good])), "bad-device-signature"),
        (coal, report(batch(coal, &channel, 1, vec![good])), "ok"),
        (Who::Coal, report(batch(coal, &channel, 1, vec![good])), "stale-version"),
        (Who::Coal, report(batch(coal, &channel, 2, vec![hourly(COAL, DAY, (1, 1), 3)])), "ok"),
    ]);
    let mut settled = chain.clone();
    settled.pass_to(DAY.next().start());
    settled.others_used_nothing(DAY);
    settled.table(vec![
        (Who::Dispatcher, Action::IssueDispatch { session: duet_ledger::SessionId(1) }, "ok"),
        (Who::Exchange, Action::SettleSession { session: duet_ledger::SessionId(1) }, "ok"),
        (coal, unsigned(coal, vec![hourly(COAL, DAY, (0, 6), 10)]), "period-settled"),
    ]);
    chain.provoked.extend(settled.provoked);
}

fn provoke_enrolment(chain: &mut Chain) {
    // About half of all byte strings are the x-coordinate of a point; this one is none.
    let no_key = PublicKey::from_bytes([2; 32]);
    let no_point = Action::Device(DeviceAction::EnrolDevice(EnrolDevice {
        unit: COAL,
        device: no_key,
        label: String::new(),
    }));
    chain.table(vec![
        (Who::CoalMeter, enrol(UnitId(9), Who::WindMeter), "wrong-role"),
        (Who::Exchange, enrol(UnitId(9), Who::WindMeter), "wrong-role"),
        (Who::Coal, enrol(UnitId(9), Who::WindMeter), "unknown-unit"),
        (Who::Coal, enrol(RETAIL, Who::WindMeter), "not-yours"),
        (Who::Coal, no_point, "bad-device-key"),
        (Who::Coal, enrol(COAL, Who::WindMeter), "device-key-taken"),
        (Who::Coal, enrol(COAL, Who::Coal), "device-key-taken"),
        (Who::Coal, enrol(COAL, Who::CoalMeter), "device-unchanged"),
        (Who::Coal, enrol(COAL, Who::Stranger), "ok"),
    ]);
    let mut worn = chain.clone().with_rows(|rows| {
        let key = [vec![21], duet_ledger::Encode::to_bytes(&COAL)].concat();
        change_row::<Enrolment>(rows, &key, |row| row.changes = 1_000);
    });
    worn.table(vec![(Who::Coal, enrol(COAL, Who::CoalMeter), "too-many-devices")]);
    chain.provoked.extend(worn.provoked);
}

fn provoke_health(chain: &mut Chain) {
    let with = |change: &dyn Fn(&mut Health)| {
        let mut changed = health(5);
        change(&mut changed);
        report_health(changed)
    };
    let many = with(&|h| h.channels = vec![h.channels[0].clone(); 17]);
    chain.table(vec![
        (Who::Wind, many.clone(), "wrong-role"),
        (Who::WindMeter, many, "bad-health"),
        (Who::WindMeter, with(&|h| h.channels[0].name = String::new()), "bad-health"),
        (Who::WindMeter, with(&|h| h.channels[0].name = "x".repeat(33)), "bad-health"),
        (Who::WindMeter, with(&|h| h.alarms = 64), "bad-health"),
        (Who::WindMeter, report_health(health(5)), "ok"),
        (Who::WindMeter, report_health(health(5)), "stale-health"),
        (Who::WindMeter, report_health(health(4)), "stale-health"),
        (Who::WindMeter, report_health(health(6)), "ok"),
    ]);
}

#[test]
fn batches_enrolment_and_health_are_refused_by_the_first_rule_they_break() {
    provoke();
}
