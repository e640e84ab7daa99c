//! The price of allowances from the last close.

use super::*;
use crate::common::carbon::{allocate, carbon_market, list, take};
use duet_ledger::sealed::SealedBook;
use duet_units::{CarbonPrice, ClockTime};

fn by_last_close(day: DeliveryDay) -> SessionNotice {
    let mut notice = notice(day);
    notice.terms.carbon_reference = CarbonReference::LastClose;
    notice.terms.carbon_price = CarbonPrice::from_fen_per_t(0);
    notice
}

fn price_of(chain: &Chain, session: SessionId) -> i64 {
    chain.state.sessions()[&session].terms.carbon_price.fen_per_t()
}

/// The session of a day, its gate open from `from` until the day before it ends.
fn from(day: DeliveryDay, from: ClockTime) -> SessionNotice {
    SessionNotice { gate_open: from, gate_close: day.start(), ..by_last_close(day) }
}

fn announce(chain: &mut Chain, notice: SessionNotice) -> SessionId {
    let session = chain.done(Who::Exchange, Action::OpenSession(notice));
    SessionId(u32::try_from(session).unwrap())
}

#[test]
fn a_session_takes_the_close_of_the_last_day_that_ended_when_its_gate_opens() {
    let mut chain = carbon_market();
    let now = chain.time;
    // Today's deals make tomorrow's close.
    chain.done(Who::Coal, list(Side::Sell, 1_000, 9_800));
    chain.done(Who::Retail, take(Side::Buy, 1_000, 9_800));
    let today = announce(&mut chain, from(DAY, now));
    assert_eq!(price_of(&chain, today), 9_749, "the close before today");
    let tomorrow = announce(&mut chain, from(DAY.next(), DAY.start()));
    assert_eq!(price_of(&chain, tomorrow), 0, "not before the gate opens");
    // The first block of the new day opens the gate before it turns the market's day.
    let outcome = chain.pass_to(DAY.start());
    assert_eq!(price_of(&chain, tomorrow), 9_800);
    let taken =
        Event::CarbonPriceTaken { session: tomorrow, price: CarbonPrice::from_fen_per_t(9_800) };
    assert!(outcome.events.contains(&taken), "{:?}", outcome.events);
    let later = chain.time;
    let third = announce(&mut chain, from(DAY.next().next(), later));
    assert_eq!(price_of(&chain, third), 9_800, "of the day's row, once it has turned");
    assert_eq!(price_of(&chain, today), 9_749, "a session's price stays");
}

#[test]
fn offers_reckon_with_it_and_a_sealed_book_holds_it() {
    let mut chain = carbon_market();
    let now = chain.time;
    let session = announce(&mut chain, from(DAY, now));
    chain.done(Who::Coal, sell(COAL, 0, 300, 20));
    chain.done(Who::Retail, buy(RETAIL, 0, 500, 10));
    // 300 and 1 t/MWh at 97.49 yuan/t.
    let order = chain.state.orders().values().next().unwrap();
    assert_eq!(order.effective.milli_yuan_per_mwh(), 397_490);
    chain.pass_to(DAY.start());
    let book = SealedBook::of(&chain.state, session).unwrap();
    assert_eq!(book.input.sessions[0].terms.carbon_price.fen_per_t(), 9_749);
    assert!(!book.result.trades.is_empty());
    assert_eq!(book.replay().unwrap().differences, []);
}

#[test]
fn without_a_close_or_beside_a_price_it_is_refused() {
    let mut chain = Chain::new();
    let named = |mut notice: SessionNotice| {
        notice.terms.carbon_price = CarbonPrice::from_fen_per_t(1);
        Action::OpenSession(notice)
    };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(by_last_close(DAY)), "no-close"),
        (Who::Exchange, named(notice(DAY)), "ok"),
    ]);
    let mut chain = carbon_market();
    let now = chain.time;
    chain.table(vec![
        (Who::Exchange, named(from(DAY, now)), "no-close"),
        (Who::Exchange, Action::OpenSession(from(DAY, now)), "ok"),
        (Who::Registry, allocate(Who::Wind, 1, 9), "ok"),
    ]);
}
