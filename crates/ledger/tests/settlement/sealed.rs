//! Sealed books run again to the same result, and to another one when they were changed.

use super::common::chain::Chain;
use super::common::market::*;
use duet_ledger::sealed::{Difference, ReplayError, SealedBook};
use duet_ledger::*;
use duet_units::{BasisPoints, DeliveryDay, Energy, Money};

const FORWARD: SessionId = SessionId(1);
const JOINT: SessionId = SessionId(2);

fn of(session: SessionId, action: Action) -> Action {
    if session != JOINT {
        return product_order(session, action);
    }
    let Action::SubmitOrder(request) = action else { panic!("not an order") };
    Action::SubmitOrder(OrderRequest { session, ..request })
}

/// A product of two days by uniform price and a joint session of the first of them, with a
/// withdrawn order, an unpaid buyer and a session that was halted; cleared.
pub(super) fn cleared() -> Chain {
    let mut chain = Chain::new();
    let half = BasisPoints::from_bp(5_000);
    let forward = SessionNotice { mode: Mode::Uniform(half), days: 2, ..notice(DAY) };
    let intervene = |intervention| Action::Intervene {
        session: JOINT,
        intervention,
        reason: "a meter is read again".to_owned(),
    };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(forward), "ok"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(50_000), 2), "ok"),
        (Who::Coal, of(FORWARD, sell(COAL, 0, 350, 20)), "ok"),
        (Who::Retail, of(FORWARD, buy(RETAIL, 0, 400, 12)), "ok"),
        (Who::Factory, of(FORWARD, buy(FACTORY, 0, 360, 5)), "ok"),
        (Who::Factory, of(FORWARD, buy(FACTORY, 2, 360, 5)), "ok"),
        (Who::Coal, of(JOINT, sell(COAL, 1, 300, 20)), "ok"),
        (Who::Wind, of(JOINT, sell(WIND, 1, 200, 5)), "ok"),
        (Who::Retail, of(JOINT, buy(RETAIL, 1, 500, 10)), "ok"),
        (Who::Factory, of(JOINT, buy(FACTORY, 1, 350, 10)), "ok"),
        (Who::Wind, of(JOINT, sell(WIND, 3, 100, 5)), "ok"),
        (Who::Regulator, intervene(Intervention::Halt), "ok"),
        (Who::Wind, Action::CancelOrder { order: OrderId(9) }, "ok"),
        (Who::Regulator, intervene(Intervention::Resume), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain
}

/// The same, with the factory's payment for the product failed, and settled.
pub(super) fn settled() -> Chain {
    let mut chain = cleared();
    let payments: Vec<_> = chain.state.payments().iter().map(|(id, p)| (*id, p.clone())).collect();
    for (id, payment) in payments {
        let fails = payment.session == FORWARD && payment.payer == Who::Factory.organisation();
        chain.done(Who::Bank, confirm(id.0, !fails));
    }
    chain.done(Who::Dispatcher, Action::IssueDispatch { session: JOINT });
    chain.pass_to(DAY.next().start().plus_ms(1));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, DAY, &[13, 15]), "ok"),
        (Who::WindMeter, meter(WIND, DAY, (0, 1), &[0, 4]), "ok"),
        (Who::WindMeter, whole_day_again(WIND, &[0, 6]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[12, 10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[1, 9]), "ok"),
        (Who::Exchange, Action::SettleSession { session: JOINT }, "ok"),
    ]);
    chain
}

fn whole_day_again(unit: UnitId, first: &[i64]) -> Action {
    let mut readings = first.to_vec();
    readings.resize(24, 0);
    meter(unit, DAY, (0, 2), &readings)
}

fn book(chain: &Chain, session: SessionId) -> SealedBook {
    SealedBook::of(&chain.state, session).unwrap()
}

#[test]
fn a_settled_day_runs_again_to_its_hash() {
    let chain = settled();
    let book = book(&chain, JOINT);
    assert_eq!(book.input.sessions.len(), 2, "the product covers the day");
    assert!(!book.result.lines.is_empty());
    let replay = book.replay().unwrap();
    assert_eq!(replay.differences, []);
    assert_eq!(replay.result, book.result);
    assert_eq!(Some(replay.result.hash), chain.state.sessions()[&JOINT].result_hash);
    let seal = &chain.state.seals()[&JOINT];
    assert_eq!((seal.book, seal.result), (replay.book, replay.result.hash));
    assert_eq!(usize::try_from(seal.lines), Ok(book.result.lines.len()));
}

#[test]
fn a_cleared_session_runs_again_to_its_hash() {
    let chain = cleared();
    for session in [FORWARD, JOINT] {
        let book = book(&chain, session);
        assert_eq!(book.input.sessions.len(), 1);
        assert!(!book.result.trades.is_empty());
        assert_eq!(book.replay().unwrap().differences, [], "{session}");
    }
    let forward = &chain.state.sessions()[&FORWARD];
    assert_eq!(forward.result_hash, Some(book(&chain, FORWARD).result.hash));
    assert_eq!(SealedBook::of(&Chain::new().state, FORWARD), None);
}

/// Two products of one day with the same orders, each of which runs again to its own hash.
#[test]
fn sessions_with_equal_trades_have_their_own_hashes() {
    let mut chain = Chain::new();
    let half = BasisPoints::from_bp(5_000);
    let product =
        || Action::OpenSession(SessionNotice { mode: Mode::Uniform(half), days: 2, ..notice(DAY) });
    let twins = [SessionId(1), SessionId(2)];
    chain.table(vec![
        (Who::Exchange, product(), "ok"),
        (Who::Exchange, product(), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
    ]);
    for session in twins {
        chain.done(Who::Coal, product_order(session, sell(COAL, 0, 350, 5)));
        chain.done(Who::Retail, product_order(session, buy(RETAIL, 0, 400, 5)));
    }
    chain.pass_to(gate_close(DAY));
    let books = twins.map(|session| book(&chain, session));
    let [one, other] = &books;
    assert_eq!(one.result.clearings[0].1, other.result.clearings[0].1);
    assert_eq!((one.result.trades.len(), other.result.trades.len()), (1, 1));
    assert_ne!(one.result.hash, other.result.hash);
    for (session, book) in twins.iter().zip(&books) {
        assert_eq!(book.replay().unwrap().differences, []);
        assert_eq!(chain.state.sessions()[session].result_hash, Some(book.result.hash));
    }
}

/// Two days of the same energy and no trade.
#[test]
fn days_that_come_to_the_same_have_their_own_hashes() {
    let mut chain = Chain::new();
    chain.table(vec![(Who::Exchange, open(DAY), "ok"), (Who::Exchange, open(DAY.next()), "ok")]);
    for (session, day) in [(1, DAY), (2, DAY.next())] {
        settle_wind_alone(&mut chain, (session, day), 2_000);
    }
    let books = [1, 2].map(|session| book(&chain, SessionId(session)));
    let lines = books.each_ref().map(|book| {
        let mut lines = book.result.lines.clone();
        lines.iter_mut().for_each(|line| line.session = SessionId(0));
        lines
    });
    assert!(!lines[0].is_empty());
    assert_eq!(lines[0], lines[1], "but for the session that they are of");
    assert_ne!(books[0].result.hash, books[1].result.hash);
    let seals = [1, 2].map(|session| chain.state.seals()[&SessionId(session)].result);
    assert_eq!(seals, [books[0].result.hash, books[1].result.hash]);
    for book in books {
        assert_eq!(book.replay().unwrap().differences, []);
    }
}

fn product_order(session: SessionId, action: Action) -> Action {
    let Action::SubmitOrder(request) = action else { panic!("not an order") };
    Action::SubmitOrder(OrderRequest { session, conductivity: BasisPoints::ZERO, ..request })
}

/// Dispatches, meters and settles a day on which the wind farm alone delivered.
fn settle_wind_alone(chain: &mut Chain, (session, day): (u32, DeliveryDay), kwh: i64) {
    let session = SessionId(session);
    chain.pass_to(gate_close(day).max(chain.time));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(day.next().start().plus_ms(1));
    let reading = Reading { energy: Energy::from_kwh(kwh), quality: Quality::Good };
    let report =
        MeterReport { unit: WIND, day, first_period: 0, version: 1, readings: vec![reading] };
    chain.done(Who::WindMeter, Action::ReportMeter(report));
    chain.others_used_nothing(day);
    chain.done(Who::Exchange, Action::SettleSession { session });
}

#[test]
fn one_changed_order_shows() {
    let chain = settled();
    let mut book = book(&chain, JOINT);
    let retail = &mut book.input.sessions[1].orders[2];
    assert_eq!(retail.quantity, mwh(10));
    retail.quantity = mwh(11);
    let replay = book.replay().unwrap();
    let kinds =
        |kind: fn(&Difference) -> bool| replay.differences.iter().filter(|d| kind(d)).count();
    assert_eq!(kinds(|d| matches!(d, Difference::Clearing { session: JOINT, period: 1, .. })), 1);
    assert!(kinds(|d| matches!(d, Difference::Trade { .. })) > 0);
    assert!(kinds(|d| matches!(d, Difference::Line { .. })) > 0);
    assert_eq!(kinds(|d| matches!(d, Difference::Hash { .. })), 1);
    assert_ne!(replay.book, chain.state.seals()[&JOINT].book);
}

#[test]
fn what_changes_no_result_still_breaks_the_seal() {
    let chain = settled();
    let seal = &chain.state.seals()[&JOINT];
    let mut book = book(&chain, JOINT);
    book.input.sessions[1].interventions[0].reason = "nothing happened".to_owned();
    let replay = book.replay().unwrap();
    assert_eq!(replay.differences, []);
    assert_ne!(replay.book, seal.book);
}

#[test]
fn readings_payments_and_carries_are_part_of_the_book() {
    let chain = settled();
    let original = book(&chain, JOINT);
    let mut changed = original.clone();
    changed.input.readings[0].record.energy = Energy::from_kwh(1);
    assert!(!changed.replay().unwrap().differences.is_empty());
    let mut changed = original.clone();
    let failed = changed.input.sessions[0].payments.iter_mut();
    failed.for_each(|payment| payment.state = PaymentState::Confirmed);
    assert!(!changed.replay().unwrap().differences.is_empty());
    let mut changed = original;
    changed.input.carries.push((WIND, (CertificateKind::Tradable, mwh(3))));
    let replay = changed.replay().unwrap();
    assert!(matches!(replay.differences[..], [Difference::Hash { .. }]), "three certificates more");
}

#[test]
fn a_book_that_contradicts_itself_is_an_error() {
    let chain = settled();
    let original = book(&chain, JOINT);
    let mut changed = original.clone();
    changed.input.units.clear();
    assert_eq!(changed.replay(), Err(ReplayError::Missing("a unit")));
    let mut changed = original.clone();
    changed.input.rules.clear();
    assert_eq!(changed.replay(), Err(ReplayError::Missing("a rule")));
    let mut changed = original.clone();
    changed.input.sessions[0].days = 0;
    assert!(matches!(changed.replay(), Err(ReplayError::Refused(_))));
    let mut changed = original.clone();
    changed.input.readings.pop();
    assert!(matches!(changed.replay(), Err(ReplayError::Refused(_))), "a reading is missing");
    let mut changed = original;
    changed.input.sessions[1].orders[0].quantity = Energy::MAX;
    assert!(changed.replay().is_err());
}

#[test]
fn interventions_are_logged_with_person_time_action_and_reason() {
    let chain = settled();
    let log: Vec<_> = chain.state.interventions().iter().collect();
    assert_eq!(log.len(), 2);
    let (number, halt) = log[0];
    assert_eq!((*number, halt.session, halt.intervention), (1, JOINT, Intervention::Halt));
    assert_eq!(
        (halt.by, halt.organisation),
        (Who::Regulator.public(), Who::Regulator.organisation())
    );
    assert_eq!((halt.time, halt.reason.as_str()), (gate_open(DAY), "a meter is read again"));
    assert_eq!(
        book(&chain, JOINT).input.sessions[1].interventions,
        [log[0].1.clone(), log[1].1.clone()]
    );
}

#[test]
fn certificates_of_a_day_depend_on_what_was_carried_into_it() {
    let mut chain = Chain::new();
    chain.table(vec![(Who::Exchange, open(DAY), "ok"), (Who::Exchange, open(DAY.next()), "ok")]);
    for (session, day, kwh) in [(1, DAY, 2_600), (2, DAY.next(), 1_400)] {
        settle_wind_alone(&mut chain, (session, day), kwh);
    }
    let book = book(&chain, JOINT);
    assert_eq!(book.input.carries, [(WIND, (CertificateKind::Tradable, Energy::from_kwh(600)))]);
    assert_eq!(book.replay().unwrap().differences, []);
    assert_eq!(chain.state.totals().unwrap().money, Money::ZERO);
}
