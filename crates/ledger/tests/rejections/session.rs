//! 306 to 311: notices and interventions.

use crate::common::chain::Chain;
use crate::common::market::{
    COAL, DAY, HOUR_MS, RETAIL, Who, confirm, deposit, gate_close, gate_open, notice, open,
    request, yuan, yuan_per_mwh,
};
use duet_ledger::{
    Action, Intervention, Mode, OrderRequest, SessionId, SessionNotice, SessionTerms, Side,
};
use duet_units::{BasisPoints, CarbonPrice, ClockTime, DeliveryDay, Energy, Price};
use std::collections::BTreeSet;

fn on(days: i32) -> DeliveryDay {
    DeliveryDay::from_days(DAY.days() + days)
}

fn intervene(session: u32, intervention: Intervention) -> Action {
    Action::Intervene { session: SessionId(session), intervention, reason: String::new() }
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    chain.done(Who::Exchange, open(DAY));
    // A ladder: at the limit of sessions, an hour in the past, with bad terms, on a taken day.
    for days in 1..64 {
        chain.done(Who::Exchange, open(on(days)));
    }
    let bad = SessionTerms { tick: Price::ZERO, ..notice(DAY).terms };
    let past = gate_open(DAY).plus_ms(-HOUR_MS);
    let worst = SessionNotice { gate_open: past, terms: bad, ..notice(DAY) };
    let in_time = SessionNotice { gate_open: gate_open(DAY), ..worst.clone() };
    chain.table(vec![
        (Who::Coal, Action::OpenSession(worst.clone()), "wrong-role"),
        (Who::Regulator, Action::OpenSession(worst.clone()), "wrong-role"),
        (Who::Exchange, Action::OpenSession(worst), "gate-in-past"),
        (Who::Exchange, Action::OpenSession(in_time), "bad-terms"),
        (Who::Exchange, open(DAY), "too-many-sessions"),
        (Who::Exchange, intervene(64, Intervention::Void), "ok"),
        (Who::Exchange, open(DAY), "day-taken"),
        (Who::Exchange, open(on(63)), "ok"),
    ]);
    chain.table(vec![
        (Who::Coal, intervene(99, Intervention::Halt), "wrong-role"),
        (Who::Exchange, intervene(99, Intervention::Halt), "unknown-session"),
        (Who::Exchange, intervene(2, Intervention::Halt), "wrong-phase"),
        (Who::Exchange, intervene(1, Intervention::Resume), "wrong-phase"),
        (Who::Exchange, intervene(64, Intervention::Void), "wrong-phase"),
        (Who::Dispatcher, Action::IssueDispatch { session: SessionId(99) }, "unknown-session"),
        (Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) }, "wrong-phase"),
        (Who::Exchange, Action::IssueDispatch { session: SessionId(1) }, "wrong-role"),
        (Who::Exchange, Action::SettleSession { session: SessionId(99) }, "unknown-session"),
        (Who::Exchange, Action::SettleSession { session: SessionId(1) }, "wrong-phase"),
        (Who::Dispatcher, Action::SettleSession { session: SessionId(1) }, "wrong-role"),
    ]);
    chain.provoked
}

/// 311, 413 and 606: sessions that share a delivery day.
pub(crate) fn provoke_sharing() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let ahead = SessionNotice { mode: Mode::Call, ..notice(DAY) };
    let late = SessionNotice { gate_close: gate_close(DAY).plus_ms(HOUR_MS), ..ahead.clone() };
    let dispatch = || Action::IssueDispatch { session: SessionId(3) };
    let order = |session: u32, side: Side| {
        let conductivity = BasisPoints::ZERO;
        let plain = request((COAL, side), 0, 300, 1);
        Action::SubmitOrder(OrderRequest { session: SessionId(session), conductivity, ..plain })
    };
    let bid = || {
        let conductivity = BasisPoints::ZERO;
        Action::SubmitOrder(OrderRequest {
            conductivity,
            ..request((RETAIL, Side::Buy), 0, 300, 1)
        })
    };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(ahead), "ok"),
        (Who::Exchange, Action::OpenSession(late.clone()), "ok"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000), 1), "ok"),
        (Who::Bank, deposit(Who::Coal, yuan(1_000), 2), "ok"),
        (Who::Coal, order(1, Side::Sell), "ok"),
        (Who::Retail, bid(), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Coal, order(2, Side::Buy), "ok"),
        (Who::Coal, order(2, Side::Sell), "both-directions"),
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Dispatcher, dispatch(), "sessions-open"),
    ]);
    chain.pass_to(gate_close(DAY).plus_ms(HOUR_MS));
    let (gate_open, gate_close) = (chain.state.time(), DAY.start());
    chain.table(vec![
        (Who::Dispatcher, dispatch(), "ok"),
        (
            Who::Exchange,
            Action::OpenSession(SessionNotice { gate_open, gate_close, ..late }),
            "day-dispatched",
        ),
    ]);
    chain.provoked
}

#[test]
fn a_notice_is_refused_for_its_first_fault() {
    provoke();
}

#[test]
fn a_gate_opens_from_now_on_and_closes_before_the_day() {
    let mut chain = Chain::new();
    let (now, start) = (gate_open(DAY), DAY.start());
    let far = ClockTime::from_unix_ms;
    let lines = [
        (now.plus_ms(-1), start, "gate-in-past"),
        (now, now, "gate-in-past"),
        (now.plus_ms(1), now, "gate-in-past"),
        (now, start.plus_ms(1), "gate-in-past"),
        (far(i64::MIN), far(i64::MAX), "gate-in-past"),
        (far(i64::MIN), start, "gate-in-past"),
        (now, far(i64::MAX), "gate-in-past"),
        (far(i64::MAX), far(i64::MIN), "gate-in-past"),
        (now, start, "ok"),
    ];
    for (gate_open, gate_close, expected) in lines {
        let notice = SessionNotice { gate_open, gate_close, ..notice(DAY) };
        let answer = chain.send(Who::Exchange, Action::OpenSession(notice));
        assert_eq!(answer.err().unwrap_or("ok"), expected, "{gate_open:?} {gate_close:?}");
    }
    for days in [i32::MIN, -1, 0] {
        let day = DeliveryDay::from_days(days);
        let past = SessionNotice { day, ..notice(DAY) };
        assert_eq!(chain.send(Who::Exchange, Action::OpenSession(past)), Err("gate-in-past"));
    }
    let last = SessionNotice { day: DeliveryDay::from_days(i32::MAX), ..notice(DAY) };
    chain.done(Who::Exchange, Action::OpenSession(last));
}

#[test]
fn terms_have_limits() {
    let mut chain = Chain::new();
    let wrong: [fn(&mut SessionTerms); 20] = [
        |t| t.floor = yuan_per_mwh(1_001),
        |t| t.floor = yuan_per_mwh(-1_000_001),
        |t| t.floor = Price::from_milli_yuan_per_mwh(i64::MIN),
        |t| t.ceiling = yuan_per_mwh(-101),
        |t| t.ceiling = Price::MAX,
        |t| t.tick = Price::ZERO,
        |t| t.tick = yuan_per_mwh(-1),
        |t| t.lot = Energy::ZERO,
        |t| t.lot = Energy::from_kwh(-1_000),
        |t| t.lot = Energy::MAX,
        |t| t.reference_price = Price::MAX,
        |t| t.reference_price = Price::from_milli_yuan_per_mwh(i64::MIN),
        |t| t.carbon_price = CarbonPrice::from_fen_per_t(-1),
        |t| t.carbon_price = CarbonPrice::MAX,
        |t| t.price_denominator = 0,
        |t| t.price_numerator = 3,
        |t| t.compensation_cap = yuan_per_mwh(-1),
        |t| t.compensation_cap = Price::MAX,
        |t| t.fund_share = BasisPoints::from_bp(10_001),
        |t| t.fund_share = BasisPoints::from_bp(-1),
    ];
    for (place, change) in wrong.into_iter().enumerate() {
        let mut notice = notice(DAY);
        change(&mut notice.terms);
        let answer = chain.send(Who::Exchange, Action::OpenSession(notice));
        assert_eq!(answer, Err("bad-terms"), "change {place}");
    }
}
