//! Sessions whose orders match on arrival.

#[path = "../common/mod.rs"]
mod common;

mod call;
mod naive;

use common::chain::{Chain, change_row};
use common::market::*;
use duet_ledger::*;
use duet_units::{BasisPoints, Money};

/// The table of units.
const UNITS: u8 = 5;

fn rolling(days: u16) -> Action {
    Action::OpenSession(SessionNotice { mode: Mode::Rolling, days, ..notice(DAY) })
}

/// An order of session 1, hour 0, without carbon.
fn plain(unit_side: (UnitId, Side), limit: i64, quantity: i64) -> OrderRequest {
    let conductivity = BasisPoints::ZERO;
    OrderRequest { conductivity, ..request(unit_side, 0, limit, quantity) }
}

fn order(unit_side: (UnitId, Side), limit: i64, quantity: i64) -> Action {
    Action::SubmitOrder(plain(unit_side, limit, quantity))
}

fn at_once(
    time_in_force: TimeInForce,
    unit_side: (UnitId, Side),
    limit: i64,
    quantity: i64,
) -> Action {
    Action::SubmitOrder(OrderRequest { time_in_force, ..plain(unit_side, limit, quantity) })
}

const fn cancel(order: u64) -> Action {
    Action::CancelOrder { order: OrderId(order) }
}

/// A rolling session in which buyers have money; the wind park belongs to the retailer.
fn market(days: u16) -> Chain {
    let mut chain = Chain::new().with_rows(|rows| {
        let key = [UNITS, 0, 0, 0, 1];
        change_row(rows, &key, |unit: &mut Unit| unit.owner = Who::Retail.organisation());
    });
    chain.table(vec![
        (Who::Exchange, rolling(days), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(1_000_000), 2), "ok"),
    ]);
    chain
}

fn status(chain: &Chain, order: u64) -> (OrderStatus, i64) {
    let row = &chain.state.orders()[&OrderId(order)];
    (row.status, row.filled.kwh() / 1_000)
}

/// Buy and sell order, yuan/MWh, MWh of each trade.
fn trades(chain: &Chain) -> Vec<(u64, u64, i64, i64)> {
    let row = |t: &Trade| {
        let price = t.buyer_price.milli_yuan_per_mwh() / 1_000;
        (t.buy.0, t.sell.0, price, t.quantity.kwh() / 1_000)
    };
    chain.state.trades().values().map(row).collect()
}

fn shown(levels: &[DepthLevel]) -> Vec<(i64, i64, u32)> {
    let row =
        |l: &DepthLevel| (l.price.milli_yuan_per_mwh() / 1_000, l.quantity.kwh() / 1_000, l.orders);
    levels.iter().map(row).collect()
}

#[test]
fn an_order_trades_at_the_price_of_the_order_in_the_book_the_earlier_first() {
    let mut chain = market(1);
    chain.table(vec![
        (Who::Coal, order((COAL, Side::Sell), 320, 5), "ok"),
        (Who::Coal, order((COAL, Side::Sell), 300, 4), "ok"),
        (Who::Coal, order((COAL, Side::Sell), 300, 6), "ok"),
        (Who::Factory, order((FACTORY, Side::Buy), 310, 7), "ok"),
    ]);
    assert_eq!(trades(&chain), [(4, 2, 300, 4), (4, 3, 300, 3)]);
    assert_eq!(status(&chain, 2), (OrderStatus::Matched, 4));
    assert_eq!(status(&chain, 3), (OrderStatus::Pending, 3));
    assert_eq!(status(&chain, 4), (OrderStatus::Matched, 7));
    assert_eq!(chain.escrow(Who::Factory), yuan(2_100), "what it owes, not what it offered");
    chain.table(vec![
        (Who::Factory, order((FACTORY, Side::Buy), 330, 10), "ok"),
        (Who::Coal, order((COAL, Side::Sell), 200, 1), "ok"),
    ]);
    // 3 of order 3, 5 of order 1, and of the 2 that stand at 330 one more.
    assert_eq!(trades(&chain)[2..], [(5, 3, 300, 3), (5, 1, 320, 5), (5, 6, 330, 1)]);
    assert_eq!(status(&chain, 5), (OrderStatus::Pending, 9));
    let owed = 2_100 + 900 + 1_600 + 330;
    assert_eq!(chain.escrow(Who::Factory), yuan(owed + 330), "and 1 MWh is open at its limit");
}

#[test]
fn the_book_shows_five_levels_of_each_side() {
    let mut chain = market(1);
    for limit in [300, 305, 310, 315, 320, 325, 310] {
        chain.done(Who::Coal, order((COAL, Side::Sell), limit, 2));
    }
    chain.done(Who::Factory, order((FACTORY, Side::Buy), 290, 1));
    chain.done(Who::Factory, order((FACTORY, Side::Buy), 295, 3));
    let depth = chain.state.depth(SessionId(1), 0);
    assert_eq!(
        shown(&depth.asks),
        [(300, 2, 1), (305, 2, 1), (310, 4, 2), (315, 2, 1), (320, 2, 1)]
    );
    assert_eq!(shown(&depth.bids), [(295, 3, 1), (290, 1, 1)]);
    assert_eq!(chain.state.depth(SessionId(1), 1), Depth::default());
    assert_eq!(chain.restored().depth(SessionId(1), 0), depth);
}

#[test]
fn what_is_not_filled_at_once_is_released() {
    let mut chain = market(1);
    let buy = (FACTORY, Side::Buy);
    chain.table(vec![
        (Who::Coal, order((COAL, Side::Sell), 300, 5), "ok"),
        (Who::Factory, at_once(TimeInForce::Fok, buy, 300, 6), "ok"),
        (Who::Factory, at_once(TimeInForce::Fok, buy, 300, 2), "ok"),
        (Who::Factory, at_once(TimeInForce::Ioc, buy, 299, 2), "ok"),
        (Who::Factory, at_once(TimeInForce::Ioc, buy, 310, 9), "ok"),
    ]);
    assert_eq!(status(&chain, 2), (OrderStatus::Expired, 0));
    assert_eq!(status(&chain, 3), (OrderStatus::Matched, 2));
    assert_eq!(status(&chain, 4), (OrderStatus::Expired, 0));
    assert_eq!(status(&chain, 5), (OrderStatus::Matched, 3));
    assert_eq!(chain.escrow(Who::Factory), yuan(1_500));
    assert_eq!(chain.state.depth(SessionId(1), 0), Depth::default());
}

#[test]
fn an_organisation_does_not_trade_with_itself() {
    let mut chain = market(1);
    chain.table(vec![
        (Who::Retail, order((WIND, Side::Sell), 300, 5), "ok"),
        (Who::Coal, order((COAL, Side::Sell), 290, 5), "ok"),
        (Who::Retail, order((RETAIL, Side::Buy), 300, 1), "self-trade"),
        // It would meet the coal plant's only; but its owner sells in this hour.
        (Who::Retail, order((RETAIL, Side::Buy), 299, 1), "own-side"),
        (Who::Retail, cancel(1), "ok"),
        (Who::Retail, order((RETAIL, Side::Buy), 299, 1), "ok"),
        (Who::Retail, order((WIND, Side::Sell), 310, 5), "own-side"),
        (Who::Factory, order((FACTORY, Side::Buy), 300, 5), "ok"),
    ]);
    assert_eq!(trades(&chain), [(3, 2, 290, 1), (4, 2, 290, 4)]);
    chain.done(Who::Exchange, open(DAY));
    let late = OrderRequest {
        session: SessionId(2),
        time_in_force: TimeInForce::Ioc,
        ..request((COAL, Side::Sell), 0, 300, 1)
    };
    chain.table(vec![(Who::Coal, Action::SubmitOrder(late), "bad-time-in-force")]);
}

#[test]
fn at_the_gate_the_rest_is_released_and_payments_are_proposed() {
    let mut chain = market(2);
    chain.table(vec![
        (Who::Coal, order((COAL, Side::Sell), 300, 5), "ok"),
        (Who::Factory, order((FACTORY, Side::Buy), 310, 8), "ok"),
        (Who::Retail, order((RETAIL, Side::Buy), 100, 1), "ok"),
    ]);
    assert_eq!(chain.escrow(Who::Factory), yuan((1_500 + 930) * 2), "for both days");
    let outcome = chain.pass_to(gate_close(DAY));
    assert_eq!(status(&chain, 2), (OrderStatus::Matched, 5));
    assert_eq!(status(&chain, 3), (OrderStatus::Expired, 0));
    let payments: Vec<_> = chain.state.payments().values().map(|p| p.amount).collect();
    assert_eq!(payments, [yuan(3_000)]);
    let (session, first, second) = (SessionId(1), mwh(5), mwh(0));
    let cleared = Event::SessionCleared { session, trades: 1, first, second };
    assert!(outcome.events.contains(&cleared), "{:?}", outcome.events);
    let clearing = &chain.state.clearings()[&(SessionId(1), 0)];
    assert_eq!((clearing.price, clearing.volume), (Some(yuan_per_mwh(300)), mwh(5)));
    chain.done(Who::Bank, confirm(1, true));
    assert_eq!(status(&chain, 1).0, OrderStatus::Paid);
    assert_eq!(chain.trust(), yuan(3_000));
}

#[test]
fn a_session_called_off_gives_everything_back() {
    let mut chain = market(1);
    let (session, reason) = (SessionId(1), "a test".to_owned());
    chain.table(vec![
        (Who::Coal, order((COAL, Side::Sell), 300, 5), "ok"),
        (Who::Factory, order((FACTORY, Side::Buy), 310, 8), "ok"),
        (
            Who::Regulator,
            Action::Intervene { session, intervention: Intervention::Void, reason },
            "ok",
        ),
    ]);
    assert_eq!(chain.available(Who::Factory), yuan(1_000_000));
    assert_eq!(chain.escrow(Who::Factory), Money::ZERO);
    assert!(chain.state.trades().is_empty());
    assert_eq!(status(&chain, 1), (OrderStatus::Expired, 0));
    chain.table(vec![
        (Who::Exchange, rolling(1), "ok"),
        // Its capacity is free again.
        (
            Who::Coal,
            Action::SubmitOrder(OrderRequest {
                session: SessionId(2),
                ..plain((COAL, Side::Sell), 300, 100)
            }),
            "ok",
        ),
    ]);
}

#[test]
fn a_halted_book_stands_and_goes_on() {
    let mut chain = market(1);
    let intervene = |intervention| {
        let (session, reason) = (SessionId(1), "a test".to_owned());
        Action::Intervene { session, intervention, reason }
    };
    chain.table(vec![
        (Who::Coal, order((COAL, Side::Sell), 300, 5), "ok"),
        (Who::Coal, order((COAL, Side::Sell), 301, 5), "ok"),
        (Who::Exchange, intervene(Intervention::Halt), "ok"),
        (Who::Factory, order((FACTORY, Side::Buy), 310, 8), "session-halted"),
        (Who::Coal, cancel(1), "ok"),
        (Who::Exchange, intervene(Intervention::Resume), "ok"),
        (Who::Factory, order((FACTORY, Side::Buy), 310, 8), "ok"),
    ]);
    assert_eq!(trades(&chain), [(3, 2, 301, 5)]);
}

#[test]
fn prices_below_zero_are_not_held_and_owed_by_no_buyer() {
    let mut chain = market(1);
    chain.table(vec![
        (Who::Factory, order((FACTORY, Side::Buy), -20, 2), "ok"),
        (Who::Coal, order((COAL, Side::Sell), -50, 3), "ok"),
        (Who::Factory, order((FACTORY, Side::Buy), 10, 2), "ok"),
    ]);
    assert_eq!(trades(&chain), [(1, 2, -20, 2), (3, 2, -50, 1)]);
    assert_eq!(chain.escrow(Who::Factory), yuan(10), "1 MWh is open at 10");
}
