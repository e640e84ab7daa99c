//! Monthly statements: sums of lines, objections, corrections, the end of a month.

use super::common::chain::Chain;
use super::common::market::*;
use super::sealed::settled;
use duet_ledger::*;
use duet_units::{DeliveryDay, Energy, Month};

const JOINT: SessionId = SessionId(2);

fn month() -> Month {
    DAY.month()
}

fn day(text: &str) -> DeliveryDay {
    DeliveryDay::parse(text).unwrap()
}

fn object(place: u32) -> Action {
    Action::Statement(StatementAction::Object(StatementObjection {
        month: month(),
        session: JOINT,
        place,
        reason: "the meter was changed".to_owned(),
    }))
}

fn correction(place: u32, payer: Who, fen: i64, objection: Option<u64>) -> LineCorrection {
    LineCorrection {
        session: JOINT,
        place,
        proved: None,
        payer: payer.organisation(),
        amount: duet_units::Money::from_fen(fen.into()),
        objection,
        reason: "read again".to_owned(),
    }
}

fn correct(correction: LineCorrection) -> Action {
    Action::Statement(StatementAction::Correct(correction))
}

fn close() -> Action {
    Action::Statement(StatementAction::CloseMonth(month()))
}

/// Settles the second day of the forward product, which has no joint session yet, with nothing
/// delivered: the month cannot be closed before.
fn settle_second_day(chain: &mut Chain) {
    let (day, session) = (DAY.next(), SessionId(3));
    let notice = SessionNotice { gate_open: day.start(), gate_close: day.start(), ..notice(day) };
    chain.done(Who::Exchange, Action::OpenSession(notice));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    for (unit, meter) in METERS {
        chain.done(meter, whole_day(unit, day, &[]));
    }
    chain.done(Who::Exchange, Action::SettleSession { session });
}

/// The first line about a deviation of coal, and its place.
fn deviation(chain: &Chain) -> (u32, StatementLine) {
    let lines = chain.state.lines().iter();
    let mut fitting = lines.filter(|(_, l)| l.item == LineItem::Deviation && l.unit == COAL);
    fitting.next().map(|((_, place), line)| (*place, line.clone())).unwrap()
}

#[test]
fn a_statement_sums_the_lines_of_its_organisation() {
    let chain = settled();
    for who in [Who::Coal, Who::Wind, Who::Retail, Who::Factory, Who::Dispatcher] {
        let organisation = who.organisation();
        let ours: Vec<&StatementLine> = chain
            .state
            .lines()
            .values()
            .filter(|line| line.payer == organisation || line.payee == organisation)
            .collect();
        let row = &chain.state.months()[&(month(), organisation)];
        assert_eq!(usize::try_from(row.lines), Ok(ours.len()), "{who:?}");
        for sum in &row.items {
            let of = |line: &&&StatementLine| line.item == sum.item;
            let fen = |party: fn(&StatementLine) -> OrganisationId| -> i128 {
                let lines = ours.iter().filter(of).filter(|line| party(line) == organisation);
                lines.map(|line| line.amount.fen()).sum()
            };
            assert_eq!(sum.paid.fen(), fen(|line| line.payer), "{who:?} {:?}", sum.item);
            assert_eq!(sum.received.fen(), fen(|line| line.payee), "{who:?} {:?}", sum.item);
            assert_eq!(usize::try_from(sum.lines), Ok(ours.iter().filter(of).count()));
        }
    }
}

#[test]
fn working_days_leave_weekends_out() {
    // August 2026 begins on a Saturday.
    let july = day("2026-07-06").month();
    let of = |n| working_day(july, n).to_string();
    assert_eq!(
        [of(1), of(5), of(6), of(8)],
        ["2026-08-03", "2026-08-07", "2026-08-10", "2026-08-12"]
    );
}

#[test]
fn objections_are_taken_in_their_time_and_answered() {
    let mut chain = settled();
    let (place, line) = deviation(&chain);
    let state = |chain: &Chain| {
        let row = &chain.state.months()[&(month(), Who::Coal.organisation())];
        row.state(month(), chain.time)
    };
    assert_eq!(state(&chain), StatementState::Draft);
    assert_eq!(chain.send(Who::Coal, object(place)), Err("not-for-objection"));
    chain.pass_to(day("2026-08-07").start());
    assert_eq!(state(&chain), StatementState::Objection);
    chain.table(vec![
        (Who::Coal, object(place), "ok"),
        (Who::Wind, object(place), "unknown-line"),
        (Who::Exchange, close(), "closed-too-early"),
        (Who::Exchange, correct(correction(place, Who::Wind, 100, None)), "not-a-party"),
        (Who::Exchange, correct(correction(place, Who::Coal, 100, Some(1))), "ok"),
        (Who::Exchange, correct(correction(place, Who::Coal, 100, Some(1))), "unknown-objection"),
    ]);
    let objection = &chain.state.objections()[&1];
    assert_eq!(
        (objection.state, objection.answer.as_str()),
        (ObjectionState::Corrected, "read again")
    );
    let later = &chain.state.later_lines()[&1];
    assert_eq!(
        (later.line.payer, later.line.payee),
        (Who::Coal.organisation(), Who::Dispatcher.organisation())
    );
    assert_eq!(
        (later.line.item, later.place, later.objection),
        (LineItem::Correction, Some(place), Some(1))
    );
    assert_eq!(chain.state.lines()[&(JOINT, place)], line, "the old line stays as it was");
    // The correction is in the statement of the month in which it was made.
    let august = &chain.state.months()[&(month().plus(1), Who::Coal.organisation())];
    assert_eq!((august.lines, august.items[0].paid.fen()), (1, 100));
    chain.pass_to(day("2026-08-10").next().start());
    settle_second_day(&mut chain);
    chain.table(vec![
        (Who::Coal, object(place), "not-for-objection"),
        (Who::Exchange, close(), "ok"),
        (Who::Exchange, close(), "month-closed"),
    ]);
    assert_eq!(state(&chain), StatementState::Final);
}

#[test]
fn a_month_becomes_final_by_the_calendar_alone() {
    let chain = settled();
    let row = &chain.state.months()[&(month(), Who::Coal.organisation())];
    let final_from = day("2026-08-12").next().start();
    assert_eq!(row.state(month(), final_from.plus_ms(-1)), StatementState::Objection);
    assert_eq!(row.state(month(), final_from), StatementState::Final);
}

#[test]
fn a_dismissed_objection_moves_no_money() {
    let mut chain = settled();
    let (place, _) = deviation(&chain);
    chain.pass_to(day("2026-08-07").start());
    chain.done(Who::Coal, object(place));
    let before = chain.available(Who::Coal);
    let dismiss = |objection| {
        let reason = "the reading stands".to_owned();
        Action::Statement(StatementAction::Dismiss(ObjectionAnswer { objection, reason }))
    };
    chain.table(vec![
        (Who::Coal, dismiss(1), "wrong-role"),
        (Who::Exchange, dismiss(1), "ok"),
        (Who::Exchange, dismiss(1), "unknown-objection"),
    ]);
    assert_eq!(chain.available(Who::Coal), before);
    assert_eq!(chain.state.objections()[&1].state, ObjectionState::Dismissed);
}

#[test]
fn a_line_whose_rows_are_gone_is_corrected_by_its_proof() {
    let mut chain = settled();
    let (place, line) = deviation(&chain);
    let leaves: Vec<Vec<u8>> = chain.state.lines().values().map(Encode::to_bytes).collect();
    let path = merkle_path(&leaves, usize::try_from(place).unwrap()).unwrap();
    for session in 3..8 {
        chain.pass_to(chain.time.plus_ms(1));
        let later = DeliveryDay::from_days(DAY.days() + 10);
        let notice = SessionNotice { gate_open: chain.time, ..notice(later) };
        chain.done(Who::Exchange, Action::OpenSession(notice));
        let (intervention, reason) = (Intervention::Void, String::new());
        let session = SessionId(session);
        chain.done(Who::Exchange, Action::Intervene { session, intervention, reason });
    }
    let notice =
        SessionNotice { gate_open: chain.time, ..notice(DeliveryDay::from_days(DAY.days() + 9)) };
    chain.done(Who::Exchange, Action::OpenSession(notice));
    assert!(chain.state.lines().is_empty(), "the day is forgotten");
    let proved = |line: &StatementLine| LineCorrection {
        proved: Some(ProvedLine { line: line.clone(), path: path.clone() }),
        ..correction(place, Who::Coal, 5, None)
    };
    let forged = StatementLine { amount: yuan(1), ..line };
    chain.table(vec![
        (Who::Exchange, correct(correction(place, Who::Coal, 5, None)), "line-not-proved"),
        (Who::Exchange, correct(proved(&forged)), "line-not-proved"),
        (Who::Exchange, correct(proved(&line)), "ok"),
    ]);
    // Twelve months later it can still be corrected, a month after that no more.
    chain.pass_to(day("2027-07-31").start());
    chain.done(Who::Exchange, correct(proved(&line)));
    chain.pass_to(day("2027-08-01").start());
    assert_eq!(chain.send(Who::Exchange, correct(proved(&line))), Err("too-long-ago"));
}

#[test]
fn a_month_is_trued_up_to_its_meter() {
    let mut chain = settled();
    let report = |mwh: i64| {
        let energy = Energy::from_kwh(mwh * 1_000);
        let reading = MonthReading { unit: COAL, month: month(), energy };
        Action::Statement(StatementAction::ReportMonth(reading))
    };
    let metered = chain.state.meter_months()[&(month(), COAL)].clone();
    assert_eq!(metered.metered, mwh(28));
    assert_eq!(chain.send(Who::CoalMeter, report(30)), Err("not-delivered"));
    chain.pass_to(day("2026-08-11").start());
    settle_second_day(&mut chain);
    // Twice 100 MW over the 744 hours of July.
    let most = 2 * 100 * 744;
    chain.table(vec![
        (Who::WindMeter, report(30), "not-your-device"),
        (Who::CoalMeter, report(-1), "bad-reading"),
        (Who::CoalMeter, report(most + 1), "bad-reading"),
        (Who::CoalMeter, report(most), "ok"),
        (Who::CoalMeter, report(30), "ok"),
    ]);
    let before = chain.available(Who::Coal);
    chain.done(Who::Exchange, close());
    let line = &chain.state.later_lines()[&1].line;
    assert_eq!((line.item, line.energy), (LineItem::TrueUp, mwh(2)));
    // 2 MWh at the month's price, weighted by what was metered.
    let price = metered.value / 28_000;
    assert_eq!(line.price.unwrap().milli_yuan_per_mwh(), i64::try_from(price).unwrap());
    assert_eq!(line.amount.fen(), (2_000 * price + 5_000) / 10_000);
    assert_eq!(chain.available(Who::Coal).fen(), before.fen() + line.amount.fen());
    assert_eq!(chain.send(Who::CoalMeter, report(31)), Err("month-closed"));
}

#[test]
fn no_month_reading_and_no_correction_is_too_large_for_the_sums_of_a_statement() {
    let mut chain = settled();
    let (place, _) = deviation(&chain);
    chain.pass_to(day("2026-08-11").start());
    settle_second_day(&mut chain);
    let report = |unit| {
        let energy = Energy::from_kwh(i64::MAX);
        let reading = MonthReading { unit, month: month(), energy };
        Action::Statement(StatementAction::ReportMonth(reading))
    };
    let pays = |fen: i128| {
        let amount = duet_units::Money::from_fen(fen);
        correct(LineCorrection { amount, ..correction(place, Who::Coal, 1, None) })
    };
    let most = 1_000_000_000_000_000;
    chain.table(vec![
        (Who::CoalMeter, report(COAL), "bad-reading"),
        (Who::RetailMeter, report(RETAIL), "bad-reading"),
        (Who::Exchange, pays(i128::MAX), "amount-too-large"),
        (Who::Exchange, pays(most + 1), "amount-too-large"),
        (Who::Exchange, pays(most), "ok"),
        (Who::Exchange, close(), "ok"),
    ]);
}
