//! The continuous phase after a call: the official example V3, and its beginning and end.

use super::common::chain::{Chain, change_row};
use super::common::market::*;
use super::{cancel, shown, status, trades};
use duet_ledger::*;
use duet_units::{BasisPoints, ClockTime, Money};

/// The table of sessions.
const SESSIONS: u8 = 7;
const MINUTE_MS: i64 = 60_000;

fn until() -> ClockTime {
    gate_close(DAY).plus_ms(HOUR_MS)
}

/// A session whose continuous phase lasts for an hour after the call; with `n1` participants the
/// price of the call leads.
fn market(n1: u16) -> Chain {
    let terms = |n1| ContinuousTerms { until: until(), n1, freeze_ms: 300_000 };
    let lead = 10;
    let mode = Mode::Continuous(terms(lead));
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(SessionNotice { mode, ..notice(DAY) }), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(1_000_000), 2), "ok"),
    ]);
    chain.with_rows(|rows| {
        let key = [SESSIONS, 0, 0, 0, 1];
        change_row(rows, &key, |row: &mut Session| row.mode = Mode::Continuous(terms(n1)));
    })
}

fn order((unit, side): (UnitId, Side), period: u8, limit: i64, quantity: i64) -> Action {
    let conductivity = BasisPoints::ZERO;
    let plain = request((unit, side), period, limit, quantity);
    Action::SubmitOrder(OrderRequest { conductivity, ..plain })
}

/// In hours 0 to 2 the call trades 1 MWh at 430, 370 and 400; then a bid of 420 meets an ask of 380.
fn after_three_calls(n1: u16) -> Chain {
    let mut chain = market(n1);
    for (period, price) in (0..).zip([430, 370, 400]) {
        chain.done(Who::Coal, order((COAL, Side::Sell), period, price, 1));
        chain.done(Who::Factory, order((FACTORY, Side::Buy), period, price, 1));
    }
    chain.pass_to(gate_close(DAY));
    for period in 0..3 {
        chain.done(Who::Wind, order((WIND, Side::Sell), period, 380, 2));
        chain.done(Who::Retail, order((RETAIL, Side::Buy), period, 420, 1));
    }
    chain
}

fn prices(chain: &Chain) -> Vec<i64> {
    trades(chain).into_iter().map(|(_, _, price, _)| price).collect()
}

#[test]
fn v3_trades_at_the_median_of_the_last_price_bid_and_ask() {
    let mut chain = after_three_calls(2);
    assert_eq!(prices(&chain), [430, 370, 400, 420, 380, 400]);
    // What it traded at leads the next: 1 MWh still stands at 380.
    chain.done(Who::Factory, order((FACTORY, Side::Buy), 0, 500, 1));
    assert_eq!(prices(&chain)[6], 420);
}

#[test]
fn with_few_participants_in_the_call_the_first_price_is_the_mean_of_bid_and_ask() {
    let mut chain = after_three_calls(3);
    assert_eq!(prices(&chain), [430, 370, 400, 400, 400, 400]);
    chain.done(Who::Factory, order((FACTORY, Side::Buy), 0, 390, 1));
    assert_eq!(prices(&chain)[6], 390);
}

#[test]
fn what_the_call_leaves_stays_in_the_book_until_the_phase_ends() {
    let mut chain = market(2);
    chain.table(vec![
        (Who::Coal, order((COAL, Side::Sell), 0, 300, 10), "ok"),
        (Who::Factory, order((FACTORY, Side::Buy), 0, 400, 4), "ok"),
        (Who::Retail, order((RETAIL, Side::Buy), 0, 200, 1), "ok"),
    ]);
    let outcome = chain.pass_to(gate_close(DAY));
    let called = Event::CallCleared { session: SessionId(1), trades: 1, volume: mwh(4) };
    assert_eq!(outcome.events, [called]);
    assert_eq!(chain.state.sessions()[&SessionId(1)].phase, Phase::Continuous);
    assert_eq!(status(&chain, 1), (OrderStatus::Pending, 4));
    assert_eq!(status(&chain, 2), (OrderStatus::Matched, 4));
    let depth = chain.state.depth(SessionId(1), 0);
    assert_eq!((shown(&depth.bids), shown(&depth.asks)), (vec![(200, 1, 1)], vec![(300, 6, 1)]));
    assert_eq!(chain.restored().depth(SessionId(1), 0), depth);
    assert_eq!(chain.escrow(Who::Factory), yuan(1_200));
    chain.table(vec![
        (Who::Factory, order((FACTORY, Side::Buy), 0, 310, 2), "ok"),
        (Who::Coal, cancel(1), "ok"),
    ]);
    assert_eq!(status(&chain, 1), (OrderStatus::Matched, 6));
    chain.pass_to(until());
    assert_eq!(chain.state.sessions()[&SessionId(1)].phase, Phase::Cleared);
    assert_eq!(status(&chain, 3), (OrderStatus::Expired, 0));
    let payments: Vec<_> = chain.state.payments().values().map(|p| p.amount).collect();
    assert_eq!(payments, [yuan(1_800)]);
    assert_eq!(chain.escrow(Who::Retail), Money::ZERO);
    chain.done(Who::Bank, confirm(1, true));
    let book = sealed::SealedBook::of(&chain.state, SessionId(1)).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}

#[test]
fn no_order_is_withdrawn_in_the_last_minutes_before_the_call() {
    let mut chain = market(2);
    chain.table(vec![
        (Who::Coal, order((COAL, Side::Sell), 0, 300, 1), "ok"),
        (Who::Coal, order((COAL, Side::Sell), 0, 310, 1), "ok"),
        (Who::Coal, order((COAL, Side::Sell), 0, 320, 1), "ok"),
    ]);
    chain.time = gate_close(DAY).plus_ms(-5 * MINUTE_MS - 1);
    chain.done(Who::Coal, cancel(1));
    chain.time = gate_close(DAY).plus_ms(-5 * MINUTE_MS);
    chain.table(vec![(Who::Coal, cancel(2), "cancellation-closed")]);
    chain.pass_to(gate_close(DAY));
    chain.done(Who::Coal, cancel(2));
    chain.pass_to(until());
    chain.table(vec![(Who::Coal, cancel(3), "gate-closed")]);
    let book = sealed::SealedBook::of(&chain.state, SessionId(1)).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}

#[test]
fn a_phase_ends_after_its_call_and_before_delivery() {
    let mut chain = Chain::new();
    let n1 = 10;
    let phase = |until, n1| {
        let mode = Mode::Continuous(ContinuousTerms { until, n1, freeze_ms: 0 });
        Action::OpenSession(SessionNotice { mode, ..notice(DAY) })
    };
    chain.table(vec![
        (Who::Exchange, phase(gate_close(DAY), n1), "bad-terms"),
        (Who::Exchange, phase(DAY.start().plus_ms(1), n1), "bad-terms"),
        (Who::Exchange, phase(DAY.start(), n1 + 1), "terms-differ"),
        (Who::Exchange, phase(DAY.start(), n1), "ok"),
    ]);
}
