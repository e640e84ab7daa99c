//! 301 to 305 and 401 to 412, 502: orders and their withdrawal.

use crate::common::chain::{Chain, change_row};
use crate::common::market::{
    COAL, DAY, FACTORY, HOUR_MS, RETAIL, WIND, Who, buy, deposit, gate_close, notice, open,
    request, sell, yuan, yuan_per_mwh,
};
use duet_ledger::{
    Action, ContinuousTerms, Intervention, Mode, OrderId, OrderRequest, Session, SessionId,
    SessionNotice, Side, TimeInForce, Unit, UnitId,
};
use duet_units::{BasisPoints, DeliveryDay, Energy, Price};
use std::collections::BTreeSet;

const UNITS: u8 = 5;
const SESSIONS: u8 = 7;

fn intervene(session: u32, intervention: Intervention) -> Action {
    let (session, reason) = (SessionId(session), "a test".to_owned());
    Action::Intervene { session, intervention, reason }
}

/// Four sessions: 1 open, 2 announced, 3 halted, 4 called off.
fn four_sessions() -> Chain {
    let mut chain = Chain::new();
    let on = |days: i32| DeliveryDay::from_days(DAY.days() + days);
    let early = |days| SessionNotice { gate_open: notice(DAY).gate_open, ..notice(on(days)) };
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Exchange, open(on(1)), "ok"),
        (Who::Exchange, Action::OpenSession(early(2)), "ok"),
        (Who::Exchange, Action::OpenSession(early(3)), "ok"),
        (Who::Regulator, intervene(3, Intervention::Halt), "ok"),
        (Who::Exchange, intervene(4, Intervention::Void), "ok"),
    ]);
    chain
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = four_sessions();
    let mut request = OrderRequest {
        session: SessionId(9),
        unit: UnitId(9),
        side: Side::Buy,
        period: 24,
        limit: Price::from_milli_yuan_per_mwh(2_000_001),
        quantity: Energy::from_kwh(-1),
        conductivity: BasisPoints::from_bp(-1),
        reference: 0,
        time_in_force: TimeInForce::Gtc,
    };
    let mut step = |who, expected: &str, mend: fn(&mut OrderRequest)| {
        mend(&mut request);
        let answer = chain.send(who, Action::SubmitOrder(request.clone()));
        assert_eq!(answer.err().unwrap_or("ok"), expected, "{request:?}");
    };
    step(Who::Stranger, "unknown-identity", |_| ());
    step(Who::CoalMeter, "wrong-role", |_| ());
    step(Who::Coal, "unknown-session", |_| ());
    step(Who::Coal, "unknown-period", |r| r.session = SessionId(2));
    step(Who::Coal, "gate-not-open", |r| r.period = 23);
    step(Who::Coal, "gate-closed", |r| r.session = SessionId(4));
    step(Who::Coal, "session-halted", |r| r.session = SessionId(3));
    step(Who::Coal, "unknown-unit", |r| r.session = SessionId(1));
    step(Who::Coal, "not-yours", |r| r.unit = WIND);
    step(Who::Coal, "wrong-side", |r| r.unit = COAL);
    step(Who::Coal, "quantity-not-positive", |r| r.side = Side::Sell);
    step(Who::Coal, "off-lot", |r| r.quantity = Energy::from_kwh(100_001));
    step(Who::Coal, "over-capacity", |r| r.quantity = Energy::from_kwh(101_000));
    step(Who::Coal, "off-tick", |r| r.quantity = Energy::from_kwh(100_000));
    step(Who::Coal, "outside-band", |r| r.limit = yuan_per_mwh(1_001));
    step(Who::Coal, "bad-conductivity", |r| r.limit = yuan_per_mwh(1_000));
    step(Who::Coal, "ok", |r| r.conductivity = BasisPoints::ONE);
    // What is left for a buyer is the money, and that its orders carry no carbon.
    step(Who::Retail, "bad-conductivity", |r| (r.unit, r.side) = (RETAIL, Side::Buy));
    step(Who::Retail, "insufficient-funds", |r| r.conductivity = BasisPoints::ZERO);
    provoke_withdrawals(&mut chain);
    chain.provoked
}

fn provoke_withdrawals(chain: &mut Chain) {
    let cancel = |order| Action::CancelOrder { order: OrderId(order) };
    chain.table(vec![
        (Who::Bank, cancel(9), "wrong-role"),
        (Who::Wind, cancel(9), "unknown-order"),
        (Who::Wind, cancel(0), "unknown-order"),
        (Who::Wind, cancel(u64::MAX), "unknown-order"),
        (Who::Wind, cancel(1), "not-yours"),
        (Who::Coal, cancel(1), "ok"),
        (Who::Wind, cancel(1), "not-yours"),
        (Who::Coal, cancel(1), "order-not-pending"),
        (Who::Coal, sell(COAL, 0, 300, 1), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Coal, cancel(1), "gate-closed"),
        (Who::Coal, cancel(2), "gate-closed"),
        (Who::Coal, sell(COAL, 0, 300, 1), "gate-closed"),
    ]);
}

/// The limit of orders, which takes too long to reach one by one.
pub(crate) fn provoke_limits() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    chain.done(Who::Exchange, open(DAY));
    let mut chain = chain.with_rows(|rows| {
        let key = [SESSIONS, 0, 0, 0, 1];
        change_row(rows, &key, |session: &mut Session| session.orders = 999_999);
    });
    chain.table(vec![
        (Who::Factory, buy(FACTORY, 0, 1, 1), "insufficient-funds"),
        (Who::Coal, sell(COAL, 0, 300, 1), "ok"),
        (Who::Factory, buy(FACTORY, 0, 1, 1), "too-many-orders"),
        (Who::Coal, sell(COAL, 0, 300, 1), "too-many-orders"),
    ]);
    chain.provoked
}

/// What only a session that matches on arrival, or only another, refuses.
pub(crate) fn provoke_on_arrival() -> BTreeSet<&'static str> {
    let mut chain = Chain::new().with_rows(|rows| {
        let key = [UNITS, 0, 0, 0, 1];
        change_row(rows, &key, |unit: &mut Unit| unit.owner = Who::Retail.organisation());
    });
    let rolling = SessionNotice { mode: Mode::Rolling, ..notice(DAY) };
    let n1 = 10;
    let terms = ContinuousTerms { until: DAY.start(), n1, freeze_ms: u32::MAX };
    let called = SessionNotice { mode: Mode::Continuous(terms), ..notice(DAY) };
    let order = |session, unit_side, time_in_force| {
        let (session, conductivity) = (SessionId(session), BasisPoints::ZERO);
        let plain = request(unit_side, 0, 300, 1);
        Action::SubmitOrder(OrderRequest { session, conductivity, time_in_force, ..plain })
    };
    let (wind, retail) = ((WIND, Side::Sell), (RETAIL, Side::Buy));
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(rolling), "ok"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Retail, order(1, wind, TimeInForce::Gtc), "ok"),
        (Who::Retail, order(1, retail, TimeInForce::Gtc), "self-trade"),
        (Who::Retail, order(2, retail, TimeInForce::Fok), "bad-time-in-force"),
        (Who::Retail, order(2, retail, TimeInForce::Gtc), "insufficient-funds"),
        (Who::Exchange, Action::OpenSession(called), "ok"),
        (Who::Coal, order(3, (COAL, Side::Sell), TimeInForce::Gtc), "ok"),
        (Who::Coal, Action::CancelOrder { order: OrderId(2) }, "cancellation-closed"),
    ]);
    chain.provoked
}

#[test]
fn an_order_is_refused_for_its_first_fault() {
    provoke();
    provoke_on_arrival();
    provoke_limits();
}

#[test]
fn extreme_integers_are_refused_by_name() {
    let mut chain = four_sessions();
    let quantity = |kwh| OrderRequest { quantity: Energy::from_kwh(kwh), ..good() };
    let limit = |m| OrderRequest { limit: Price::from_milli_yuan_per_mwh(m), ..good() };
    let conductivity = |bp| OrderRequest { conductivity: BasisPoints::from_bp(bp), ..good() };
    fn good() -> OrderRequest {
        request((COAL, Side::Sell), 0, 300, 1)
    }
    let most = i64::MAX / 1_000 * 1_000;
    let lines = [
        (quantity(i64::MIN), "quantity-not-positive"),
        (quantity(-1_000), "quantity-not-positive"),
        (quantity(0), "quantity-not-positive"),
        (quantity(1), "off-lot"),
        (quantity(i64::MAX), "off-lot"),
        (quantity(most), "over-capacity"),
        (limit(i64::MIN), "off-tick"),
        (limit(i64::MAX), "off-tick"),
        (limit(-most), "outside-band"),
        (limit(most), "outside-band"),
        (limit(-101_000), "outside-band"),
        (limit(-100_000), "ok"),
        (conductivity(i64::MIN), "bad-conductivity"),
        (conductivity(i64::MAX), "bad-conductivity"),
        (conductivity(10_001), "bad-conductivity"),
        (OrderRequest { session: SessionId(0), ..good() }, "unknown-session"),
        (OrderRequest { session: SessionId(u32::MAX), ..good() }, "unknown-session"),
        (OrderRequest { unit: UnitId(u32::MAX), ..good() }, "unknown-unit"),
        (OrderRequest { period: u8::MAX, ..good() }, "unknown-period"),
        (OrderRequest { reference: u64::MAX, ..good() }, "ok"),
    ];
    for (request, expected) in lines {
        let answer = chain.send(Who::Coal, Action::SubmitOrder(request.clone()));
        assert_eq!(answer.err().unwrap_or("ok"), expected, "{request:?}");
    }
}

#[test]
fn the_orders_of_a_period_stay_within_the_capacity() {
    let mut chain = four_sessions();
    chain.table(vec![
        (Who::Wind, sell(WIND, 0, 100, 30), "ok"),
        (Who::Wind, sell(WIND, 0, 100, 21), "over-capacity"),
        (Who::Wind, sell(WIND, 1, 100, 50), "ok"),
        (Who::Wind, sell(WIND, 0, 100, 20), "ok"),
        (Who::Wind, sell(WIND, 0, 100, 1), "over-capacity"),
        (Who::Wind, Action::CancelOrder { order: OrderId(1) }, "ok"),
        (Who::Wind, sell(WIND, 0, 100, 31), "over-capacity"),
        (Who::Wind, sell(WIND, 0, 100, 30), "ok"),
    ]);
}

#[test]
fn money_is_spent_once() {
    let mut chain = four_sessions();
    let one_fen = duet_units::Money::from_fen(1);
    chain.table(vec![
        (Who::Bank, deposit(Who::Factory, yuan(1_000).minus(one_fen).unwrap(), 1), "ok"),
        (Who::Factory, buy(FACTORY, 0, 100, 10), "insufficient-funds"),
        (Who::Bank, deposit(Who::Factory, one_fen, 2), "ok"),
        (Who::Factory, buy(FACTORY, 0, 100, 10), "ok"),
        (Who::Factory, buy(FACTORY, 1, 1, 1), "insufficient-funds"),
        (Who::Factory, buy(FACTORY, 1, 0, 1), "ok"),
        (Who::Factory, Action::CancelOrder { order: OrderId(1) }, "ok"),
        (Who::Factory, buy(FACTORY, 1, 1, 1), "ok"),
    ]);
}

#[test]
fn between_resumption_and_clearing_the_gate_is_closed() {
    let mut chain = four_sessions();
    chain.done(Who::Coal, sell(COAL, 0, 300, 1));
    chain.done(Who::Regulator, intervene(1, Intervention::Halt));
    chain.pass_to(gate_close(DAY).plus_ms(HOUR_MS));
    let transactions = vec![
        chain.sign(Who::Exchange, intervene(1, Intervention::Resume)),
        chain.sign(Who::Coal, sell(COAL, 0, 300, 1)),
        chain.sign(Who::Coal, Action::CancelOrder { order: OrderId(1) }),
        chain.sign(Who::Wind, Action::CancelOrder { order: OrderId(1) }),
    ];
    let outcome = chain.block(transactions);
    let codes: Vec<u16> = outcome.receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [0, 304, 304, 304]);
}
