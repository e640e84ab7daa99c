//! Statements.

use super::common::chain::Chain;
use super::common::market::*;
use duet_ledger::*;
use duet_units::{DeliveryDay, Energy, Money, Month};
use std::collections::BTreeSet;

fn july() -> Month {
    DAY.month()
}

fn objection(session: u32, place: u32) -> Action {
    let (session, reason) = (SessionId(session), String::new());
    let request = StatementObjection { month: july(), session, place, reason };
    Action::Statement(StatementAction::Object(request))
}

fn correction(place: u32, payer: Who, fen: i128) -> LineCorrection {
    let (session, payer) = (SessionId(1), payer.organisation());
    let (proved, objection, reason) = (None, None, String::new());
    let amount = Money::from_fen(fen);
    LineCorrection { session, place, proved, payer, amount, objection, reason }
}

fn correct(correction: LineCorrection) -> Action {
    Action::Statement(StatementAction::Correct(correction))
}

fn close(month: Month) -> Action {
    Action::Statement(StatementAction::CloseMonth(month))
}

fn month_reading(month: Month, kwh: i64) -> Action {
    let reading = MonthReading { unit: WIND, month, energy: Energy::from_kwh(kwh) };
    Action::Statement(StatementAction::ReportMonth(reading))
}

fn forged(chain: &Chain) -> ProvedLine {
    let line = chain.state.lines()[&(SessionId(1), 0)].clone();
    ProvedLine { line, path: Vec::new() }
}

/// A day with 10 MWh of wind that nobody bought: one line, of wind and the grid company.
fn settled() -> Chain {
    let mut chain = Chain::new();
    let session = SessionId(1);
    chain.done(Who::Exchange, open(DAY));
    chain.done(Who::Exchange, open(DAY.next()));
    chain.pass_to(gate_close(DAY));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(DAY.next().start().plus_ms(1));
    chain.done(Who::WindMeter, whole_day(WIND, DAY, &[10]));
    chain.others_used_nothing(DAY);
    chain.done(Who::Exchange, Action::SettleSession { session });
    chain
}

/// Meets every rejection of statements.
pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = settled();
    let line = forged(&chain);
    let dismiss = Action::Statement(StatementAction::Dismiss(ObjectionAnswer {
        objection: 1,
        reason: String::new(),
    }));
    chain.table(vec![
        (Who::Bank, objection(9, 9), "wrong-role"),
        (Who::Factory, objection(9, 9), "unknown-statement"),
        (Who::Wind, objection(9, 9), "not-for-objection"),
        (Who::WindMeter, month_reading(july(), 1), "not-delivered"),
        (Who::Exchange, close(july().plus(3)), "unknown-statement"),
        (Who::Exchange, close(july()), "closed-too-early"),
        (Who::Wind, correct(correction(9, Who::Coal, 0)), "wrong-role"),
        (Who::Exchange, correct(correction(9, Who::Coal, 0)), "amount-not-positive"),
        (Who::Exchange, correct(correction(9, Who::Coal, 1)), "unknown-line"),
        (Who::Exchange, correct(correction(0, Who::Coal, 1)), "not-a-party"),
        (Who::Exchange, dismiss, "unknown-objection"),
    ]);
    chain.pass_to(DeliveryDay::parse("2026-08-07").unwrap().start());
    chain.table(vec![
        (Who::Wind, objection(9, 9), "unknown-line"),
        (Who::Wind, objection(1, 9), "unknown-line"),
        (Who::WindMeter, month_reading(july().plus(-1), 1), "unknown-statement"),
        (Who::WindMeter, month_reading(july(), -1), "bad-reading"),
    ]);
    for _ in 0..100 {
        chain.done(Who::Wind, objection(1, 0));
    }
    chain.table(vec![(Who::Wind, objection(1, 0), "too-many-objections")]);
    chain.pass_to(DeliveryDay::parse("2026-08-11").unwrap().start());
    chain.table(vec![(Who::Exchange, close(july()), "days-open")]);
    let session = SessionId(2);
    chain.others_used_nothing(DAY.next());
    chain.table(vec![
        (Who::Dispatcher, Action::IssueDispatch { session }, "ok"),
        (Who::Exchange, Action::SettleSession { session }, "ok"),
        (Who::Exchange, close(july()), "ok"),
        (Who::Exchange, close(july()), "month-closed"),
        (Who::WindMeter, month_reading(july(), 1), "month-closed"),
    ]);
    let mut forgotten = chain.clone().with_rows(|rows| rows.retain(|key, _| key[0] != 14));
    let proved = LineCorrection { proved: Some(line), ..correction(0, Who::Wind, 1) };
    let mut wrong = proved.clone();
    wrong.proved.as_mut().unwrap().line.amount = Money::ZERO;
    forgotten.table(vec![
        (Who::Exchange, correct(wrong), "line-not-proved"),
        (Who::Exchange, correct(proved), "ok"),
    ]);
    chain.pass_to(DeliveryDay::parse("2027-08-01").unwrap().start());
    chain.table(vec![(Who::Exchange, correct(correction(0, Who::Wind, 1)), "too-long-ago")]);
    chain.provoked.extend(forgotten.provoked);
    chain.provoked
}
