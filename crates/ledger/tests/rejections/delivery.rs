//! 601 to 706: dispatch, meters, settlement.

use crate::common::chain::Chain;
use crate::common::market::{
    COAL, DAY, FACTORY, HOUR_MS, RETAIL, WIND, Who, acknowledge, buy, confirm, deposit, gate_close,
    meter, open, sell, substitute, whole_day, yuan,
};
use duet_ledger::{Action, MeterReport, Quality, Reading, SessionId, UnitId};
use duet_units::{DeliveryDay, Energy};
use std::collections::BTreeSet;

/// A session with a trade of coal, cleared and paid.
fn paid() -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(10_000), 1), "ok"),
        (Who::Coal, sell(COAL, 0, 300, 10), "ok"),
        (Who::Retail, buy(RETAIL, 0, 500, 10), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) }, "payments-open"),
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Exchange, Action::SettleSession { session: SessionId(1) }, "wrong-phase"),
        (Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) }, "ok"),
        (Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) }, "wrong-phase"),
    ]);
    chain
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = paid();
    chain.table(vec![
        (Who::Coal, acknowledge(9, true), "wrong-role"),
        (Who::CoalMeter, acknowledge(9, true), "unknown-dispatch"),
        (Who::WindMeter, acknowledge(1, true), "not-your-device"),
        (Who::CoalMeter, acknowledge(1, true), "ok"),
        (Who::WindMeter, acknowledge(1, true), "not-your-device"),
        (Who::CoalMeter, acknowledge(1, false), "dispatch-not-issued"),
    ]);
    provoke_meters(&mut chain);
    let mut late = paid();
    late.pass_to(DAY.next().start());
    late.table(vec![(Who::CoalMeter, acknowledge(1, true), "dispatch-expired")]);
    chain.provoked.extend(late.provoked);
    chain.provoked.extend(provoke_substitutes());
    chain.provoked
}

/// A ladder of reports, then settlement.
fn provoke_meters(chain: &mut Chain) {
    chain.pass_to(DAY.start().plus_ms(2 * HOUR_MS));
    chain.done(Who::CoalMeter, meter(COAL, DAY, (0, 5), &[10]));
    let other_day = DeliveryDay::from_days(DAY.days() + 1);
    chain.table(vec![
        (Who::Coal, meter(UnitId(9), other_day, (24, 5), &[-1]), "wrong-role"),
        (Who::CoalMeter, meter(UnitId(9), other_day, (24, 5), &[-1]), "unknown-session"),
        (Who::CoalMeter, meter(UnitId(9), DAY, (24, 5), &[-1]), "unknown-unit"),
        (Who::CoalMeter, meter(WIND, DAY, (24, 5), &[-1]), "not-your-device"),
        (Who::CoalMeter, meter(COAL, DAY, (24, 5), &[-1]), "empty-report"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 5), &[]), "empty-report"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 5), &[0; 25]), "empty-report"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 5), &[0; 300]), "empty-report"),
        (Who::CoalMeter, meter(COAL, DAY, (u8::MAX, 5), &[0]), "empty-report"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 5), &[0, 0, -1]), "bad-reading"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 5), &[0, 0, 201]), "bad-reading"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 5), &[0, 0, 200]), "not-delivered"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 5), &[0, 200]), "stale-version"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 0), &[0]), "stale-version"),
        (Who::CoalMeter, meter(COAL, DAY, (0, u16::MAX), &[9]), "ok"),
        (Who::CoalMeter, meter(COAL, DAY, (0, u16::MAX), &[9]), "stale-version"),
    ]);
    for energy in [i64::MIN, i64::MAX] {
        let readings = vec![Reading { energy: Energy::from_kwh(energy), quality: Quality::Good }];
        let report = MeterReport { unit: COAL, day: DAY, first_period: 1, version: 1, readings };
        assert_eq!(chain.send(Who::CoalMeter, Action::ReportMeter(report)), Err("bad-reading"));
    }
    let settle = || Action::SettleSession { session: SessionId(1) };
    chain.pass_to(DAY.next().start());
    chain.table(vec![
        (Who::Coal, settle(), "wrong-role"),
        (Who::Exchange, settle(), "missing-readings"),
        (Who::CoalMeter, meter(COAL, DAY, (1, 1), &[0; 23]), "ok"),
        (Who::Exchange, settle(), "missing-readings"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[10]), "ok"),
        // A point of consumption without a contract, too.
        (Who::Exchange, settle(), "missing-readings"),
        (Who::FactoryMeter, meter(FACTORY, DAY, (0, 0), &[0]), "stale-version"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[]), "ok"),
        (Who::Exchange, settle(), "ok"),
        (Who::Exchange, settle(), "wrong-phase"),
        (Who::CoalMeter, meter(COAL, DAY, (1, 1), &[0]), "stale-version"),
        (Who::CoalMeter, meter(COAL, DAY, (1, 2), &[0]), "period-settled"),
    ]);
}

/// A ladder of substitutes.
fn provoke_substitutes() -> BTreeSet<&'static str> {
    let mut chain = paid();
    let other_day = DeliveryDay::from_days(DAY.days() + 1);
    let all = |unit, day, energies: &[i64]| substitute(unit, day, 0, energies);
    chain.pass_to(DAY.next().start());
    chain.table(vec![
        (Who::CoalMeter, meter(COAL, DAY, (0, 1), &[10]), "ok"),
        (Who::CoalMeter, all(UnitId(9), other_day, &[]), "wrong-role"),
        (Who::Exchange, all(UnitId(9), other_day, &[]), "wrong-role"),
        (Who::Dispatcher, all(UnitId(9), other_day, &[]), "unknown-session"),
        (Who::Dispatcher, all(UnitId(9), DAY, &[]), "unknown-unit"),
        (Who::Dispatcher, all(COAL, DAY, &[]), "empty-report"),
        (Who::Dispatcher, all(COAL, DAY, &[-1; 25]), "empty-report"),
        (Who::Dispatcher, substitute(COAL, DAY, u8::MAX, &[0, 0]), "empty-report"),
        (Who::Dispatcher, all(COAL, DAY, &[0, -1]), "bad-reading"),
        (Who::Dispatcher, all(COAL, DAY, &[0, 201]), "bad-reading"),
        (Who::Dispatcher, all(COAL, DAY, &[0, 200]), "stale-version"),
        (Who::Dispatcher, substitute(COAL, DAY, 1, &[200]), "substitute-too-early"),
    ]);
    chain.pass_to(DAY.next().next().start().plus_ms(-1));
    chain.table(vec![(Who::Dispatcher, substitute(COAL, DAY, 1, &[200]), "substitute-too-early")]);
    chain.provoked
}

#[test]
fn dispatch_meters_and_settlement_happen_in_order_and_once() {
    provoke();
}
