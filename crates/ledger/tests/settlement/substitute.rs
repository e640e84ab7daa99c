//! Estimates of the dispatcher in the place of readings that a meter does not report.

use super::common::chain::Chain;
use super::common::market::*;
use duet_ledger::*;

const SETTLE: Action = Action::SettleSession { session: SessionId(1) };

/// Coal sold 10 MWh of hour 0 to the retailer; every meter but coal's has reported, and a day more
/// has passed.
fn without_coal() -> Chain {
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
    chain.pass_to(DAY.next().next().start());
    chain.table(vec![
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[]), "ok"),
        (Who::Exchange, SETTLE, "missing-readings"),
    ]);
    chain
}

fn whole(first: i64) -> Action {
    let mut energies = [0; 24];
    energies[0] = first;
    substitute(COAL, DAY, 0, &energies)
}

/// The energy of coal in the line about its deviation.
fn deviation(chain: &Chain) -> Option<duet_units::Energy> {
    let mut lines = chain.state.lines().values();
    lines.find(|l| l.item == LineItem::Deviation && l.unit == COAL).map(|line| line.energy)
}

#[test]
fn a_silent_meter_is_estimated_and_the_day_settles() {
    let mut chain = without_coal();
    chain.table(vec![
        (Who::Dispatcher, whole(9), "ok"),
        // An estimate of the dispatcher gives way to another.
        (Who::Dispatcher, substitute(COAL, DAY, 0, &[8]), "ok"),
    ]);
    let order = chain.state.orders().values().find(|order| order.unit == COAL).unwrap();
    assert_eq!(order.status, OrderStatus::Delivered);
    let row = chain.state.readings()[&(COAL, DAY, 0)].clone();
    let estimate = (mwh(8), Quality::Estimated, MeterRecord::SUBSTITUTE);
    assert_eq!((row.energy, row.quality, row.version), estimate);
    let before = chain.available(Who::Coal);
    chain.done(Who::Exchange, SETTLE);
    assert_eq!(deviation(&chain), Some(mwh(-2)));
    assert!(chain.available(Who::Coal) > before, "the seller is paid");
    chain.table(vec![
        (Who::Dispatcher, whole(8), "period-settled"),
        (Who::CoalMeter, whole_day(COAL, DAY, &[10]), "period-settled"),
    ]);
}

#[test]
fn a_reading_of_the_device_replaces_a_substitute_and_is_not_replaced_by_one() {
    let mut chain = without_coal();
    chain.table(vec![
        (Who::Dispatcher, whole(8), "ok"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 1), &[11]), "ok"),
        (Who::Dispatcher, whole(8), "stale-version"),
        (Who::Dispatcher, substitute(COAL, DAY, 1, &[1]), "ok"),
        (Who::Exchange, SETTLE, "ok"),
    ]);
    assert_eq!(deviation(&chain), Some(mwh(1)), "as the meter says");
}

#[test]
fn who_signed_a_substitute_and_why_is_told() {
    let mut chain = without_coal();
    let transaction = chain.sign(Who::Dispatcher, whole(8));
    let outcome = chain.block(vec![transaction]);
    let told = outcome.events.iter().any(|event| {
        matches!(event, Event::ReadingsSubstituted { unit, day, first_period: 0, periods: 24, by, reason }
            if (*unit, *day, *by) == (COAL, DAY, Who::Dispatcher.public())
                && reason == "the meter does not answer")
    });
    assert!(told, "{:?}", outcome.events);
}
