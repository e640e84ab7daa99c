//! Curves, orders over several periods, and orders with a minimum.

#[path = "../common/mod.rs"]
mod common;

mod generated;

use common::chain::Chain;
use common::market::*;
use duet_ledger::sealed::SealedBook;
use duet_ledger::*;
use duet_units::{BasisPoints, Energy, Money, Power};

const SESSION: SessionId = SessionId(1);

fn opened(mode: Mode, days: u16) -> Action {
    Action::OpenSession(SessionNotice { mode, days, ..notice(DAY) })
}

/// An order of session 1 without carbon.
fn plain(unit_side: (UnitId, Side), period: u8, limit: i64, quantity: i64) -> OrderRequest {
    let conductivity = BasisPoints::ZERO;
    OrderRequest { conductivity, ..request(unit_side, period, limit, quantity) }
}

fn order(unit_side: (UnitId, Side), period: u8, limit: i64, quantity: i64) -> Action {
    Action::SubmitOrder(plain(unit_side, period, limit, quantity))
}

/// Periods with their steps: limit in yuan/MWh and MWh.
type Periods<'a> = &'a [(u8, &'a [(i64, i64)])];

fn curve((unit, side): (UnitId, Side), periods: Periods<'_>) -> StepCurve {
    let step = |(limit, quantity): &(i64, i64)| CurveStep {
        limit: yuan_per_mwh(*limit),
        quantity: mwh(*quantity),
    };
    let of = |(period, steps): &(u8, &[(i64, i64)])| PeriodSteps {
        period: *period,
        steps: steps.iter().map(step).collect(),
    };
    let (conductivity, reference) = (BasisPoints::ZERO, 7);
    let periods = periods.iter().map(of).collect();
    StepCurve { session: SESSION, unit, side, conductivity, reference, periods }
}

fn submit_curve(curve: StepCurve) -> Action {
    Action::Auction(AuctionAction::SubmitCurve(curve))
}

/// Periods with their MWh, at a mean limit in yuan/MWh.
fn linked((unit, side): (UnitId, Side), limit: i64, points: &[(u8, i64)]) -> Action {
    let point = |(period, energy): &(u8, i64)| CurvePoint { period: *period, energy: mwh(*energy) };
    Action::Auction(AuctionAction::SubmitLinked(LinkedRequest {
        session: SESSION,
        unit,
        side,
        limit: yuan_per_mwh(limit),
        curve: points.iter().map(point).collect(),
        reference: 9,
    }))
}

fn minimum(order: OrderRequest, least: i64) -> Action {
    let minimum = mwh(least);
    Action::Auction(AuctionAction::SubmitMinimum(MinimumRequest { order, minimum }))
}

fn withdraw(linked: u64) -> Action {
    Action::Auction(AuctionAction::WithdrawLinked(LinkedOrderId(linked)))
}

/// A session with money for its buyers.
fn market(mode: Mode, days: u16) -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, opened(mode, days), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(1_000_000), 2), "ok"),
    ]);
    chain
}

const COAL_SELLS: (UnitId, Side) = (COAL, Side::Sell);
const RETAIL_BUYS: (UnitId, Side) = (RETAIL, Side::Buy);
const FACTORY_BUYS: (UnitId, Side) = (FACTORY, Side::Buy);

/// Coal's curve; 8 MWh of the retailer in hour 0; 5 MWh each of hours 0 and 1 for the factory.
fn two_hours(mode: Mode, limit: i64) -> Chain {
    let mut chain = market(mode, 1);
    let steps: Periods<'_> = &[(0, &[(300, 10), (320, 10)]), (1, &[(280, 10), (310, 10)])];
    chain.table(vec![
        (Who::Coal, submit_curve(curve(COAL_SELLS, steps)), "ok"),
        (Who::Retail, order(RETAIL_BUYS, 0, 400, 8), "ok"),
        (Who::Factory, linked(FACTORY_BUYS, limit, &[(0, 5), (1, 5)]), "ok"),
    ]);
    chain
}

fn state(chain: &Chain, id: u64) -> LinkedState {
    chain.state.linked_orders()[&LinkedOrderId(id)].state
}

fn status(chain: &Chain, order: u64) -> (OrderStatus, i64) {
    let row = &chain.state.orders()[&OrderId(order)];
    (row.status, row.filled.kwh() / 1_000)
}

fn prices(chain: &Chain) -> Vec<Option<i64>> {
    let rows = chain.state.clearings().range((SESSION, 0)..(SESSION, 3));
    rows.map(|(_, row)| row.price.map(|price| price.milli_yuan_per_mwh() / 1_000)).collect()
}

/// The book of the session runs again to the same result.
fn assert_replays(chain: &Chain) {
    let book = SealedBook::of(&chain.state, SESSION).unwrap();
    let replay = book.replay().unwrap();
    assert_eq!(replay.differences, []);
    assert_eq!(replay.result.hash, chain.state.sessions()[&SESSION].result_hash.unwrap());
}

#[test]
fn a_curve_is_one_order_a_step() {
    let chain = two_hours(Mode::Call, 300);
    let rows: Vec<_> = chain
        .state
        .orders()
        .values()
        .take(4)
        .map(|row| (row.sequence, row.period, row.limit, row.quantity, row.reference))
        .collect();
    let row = |n, period, limit, energy| (n, period, yuan_per_mwh(limit), mwh(energy), 7);
    assert_eq!(
        rows,
        [row(0, 0, 300, 10), row(1, 0, 320, 10), row(2, 1, 280, 10), row(3, 1, 310, 10)]
    );
    assert_eq!(chain.restored().orders(), chain.state.orders());
}

/// 250 curves of 400 orders each, of a plant that is large enough.
#[test]
fn a_member_has_its_share_of_the_orders_of_a_session() {
    let mut chain = Chain::new();
    chain.genesis.units[0].capacity = Power::from_kw(10_000_000);
    chain.state = State::genesis(&chain.genesis).unwrap();
    let rows = chain.state.take_delta();
    chain.rows = rows.into_iter().map(|(key, row)| (key, row.unwrap())).collect();
    chain.done(Who::Exchange, opened(Mode::Call, 1));
    let steps: Vec<(i64, i64)> = (200..220).map(|limit| (limit, 1)).collect();
    let periods: Vec<(u8, &[(i64, i64)])> = (0..20).map(|period| (period, &steps[..])).collect();
    let all = curve((COAL, Side::Sell), &periods);
    for _ in 0..5 {
        let block = (0..50).map(|_| chain.sign(Who::Coal, submit_curve(all.clone()))).collect();
        chain.block(block);
    }
    assert_eq!(chain.state.orders().len(), 100_000);
    let one = |pair| submit_curve(curve(pair, &[(0, &[(300, 1)])]));
    chain.table(vec![
        (Who::Coal, one((COAL, Side::Sell)), "too-many-orders"),
        (Who::Coal, Action::CancelOrder { order: OrderId(1) }, "ok"),
        (Who::Coal, one((COAL, Side::Sell)), "too-many-orders"),
        (Who::Wind, one((WIND, Side::Sell)), "ok"),
    ]);
    chain = chain.with_rows(|_| {});
    chain.table(vec![(Who::Coal, one((COAL, Side::Sell)), "too-many-orders")]);
}

#[test]
fn steps_are_withdrawn_one_by_one() {
    let mut chain = two_hours(Mode::Call, 300);
    chain.done(Who::Coal, Action::CancelOrder { order: OrderId(2) });
    assert_eq!(status(&chain, 2), (OrderStatus::Cancelled, 0));
    assert_eq!(status(&chain, 1), (OrderStatus::Pending, 0));
}

#[test]
fn a_linked_order_trades_at_its_mean_above_its_limit_in_one_hour() {
    let mut chain = two_hours(Mode::Call, 300);
    // 10 MWh at the limit and, because prices reach down to -100, that much more.
    assert_eq!(chain.escrow(Who::Factory), yuan(10 * 400));
    chain.pass_to(gate_close(DAY));
    // 13 MWh of hour 0 reach coal's second step; hour 1 is priced at the first.
    assert_eq!(prices(&chain), [Some(320), Some(280), None]);
    assert_eq!(state(&chain, 1), LinkedState::Accepted);
    assert_eq!(status(&chain, 6), (OrderStatus::Matched, 5));
    assert_eq!(status(&chain, 7), (OrderStatus::Matched, 5));
    assert_eq!(status(&chain, 2), (OrderStatus::Matched, 3));
    assert_eq!(chain.escrow(Who::Factory), yuan(3_000), "the mean is 300");
    assert_eq!(chain.state.marginal_orders(SESSION, 0), [Some(OrderId(5)), Some(OrderId(2))]);
    assert_eq!(chain.state.marginal_orders(SESSION, 1), [None, Some(OrderId(3))]);
    let at = |yuan| PriceInterval { lowest: yuan_per_mwh(yuan), highest: yuan_per_mwh(yuan) };
    assert_eq!(chain.state.intervals()[&(SESSION, 0)], at(320));
    assert_eq!(chain.state.intervals()[&(SESSION, 1)], at(280));
    assert_replays(&chain);
}

#[test]
fn a_linked_order_that_would_lose_is_rejected_and_the_rest_clears_without_it() {
    let mut chain = two_hours(Mode::Call, 299);
    chain.pass_to(gate_close(DAY));
    assert_eq!(state(&chain, 1), LinkedState::AtALoss);
    // 8 MWh alone: between 300 and the next step or the bid.
    assert_eq!(prices(&chain), [Some(300), None, None]);
    assert_eq!(status(&chain, 6), (OrderStatus::Expired, 0));
    assert_eq!(
        (chain.escrow(Who::Factory), chain.available(Who::Factory)),
        (yuan(0), yuan(1_000_000))
    );
    assert_replays(&chain);
}

#[test]
fn the_uniform_price_is_that_of_the_last_pair_of_single_orders() {
    let mut chain = two_hours(Mode::Uniform(BasisPoints::from_bp(5_000)), 400);
    chain.pass_to(gate_close(DAY));
    // Hour 0: the bid of 400 and the second step; hour 1 has no bid but the linked one.
    assert_eq!(prices(&chain), [Some(360), Some(280), None]);
    assert_eq!(state(&chain, 1), LinkedState::Accepted);
    assert_eq!(chain.escrow(Who::Factory), yuan(5 * 360 + 5 * 280));
    assert_replays(&chain);
}

#[test]
fn what_cannot_be_filled_whole_is_not_filled() {
    let mut chain = two_hours(Mode::Call, 300);
    chain.done(Who::Retail, linked(RETAIL_BUYS, 900, &[(1, 60), (2, 1)]));
    chain.pass_to(gate_close(DAY));
    assert_eq!(state(&chain, 2), LinkedState::NotFilled);
    assert_eq!(state(&chain, 1), LinkedState::Accepted);
    assert_replays(&chain);
}

#[test]
fn a_linked_order_is_withdrawn_as_a_whole_and_its_energy_is_free_again() {
    let mut chain = two_hours(Mode::Call, 300);
    chain.table(vec![
        (Who::Factory, order(FACTORY_BUYS, 0, 400, 56), "over-capacity"),
        (Who::Factory, Action::CancelOrder { order: OrderId(7) }, "part-of-linked"),
        (Who::Retail, withdraw(1), "not-yours"),
        (Who::Factory, withdraw(1), "ok"),
        (Who::Factory, withdraw(1), "order-not-pending"),
        (Who::Factory, order(FACTORY_BUYS, 0, 400, 56), "ok"),
    ]);
    assert_eq!(state(&chain, 1), LinkedState::Withdrawn);
    assert_eq!(chain.escrow(Who::Factory), yuan(56 * 400));
    chain.pass_to(gate_close(DAY));
    assert_eq!(state(&chain, 1), LinkedState::Withdrawn);
    assert_replays(&chain);
}

#[test]
fn a_session_that_is_called_off_ends_its_linked_orders() {
    let mut chain = two_hours(Mode::Call, 300);
    let (session, reason) = (SESSION, "test".to_owned());
    let intervention = Intervention::Void;
    chain.done(Who::Regulator, Action::Intervene { session, intervention, reason });
    assert_eq!(state(&chain, 1), LinkedState::Expired);
    assert_eq!(chain.available(Who::Factory), yuan(1_000_000));
}

#[test]
fn an_order_is_filled_to_its_minimum_or_not_at_all() {
    // 9 MWh for two bids of 10 at one price, pro rata.
    for (least, filled) in [(4, [5, 4]), (6, [9, 0])] {
        let mut chain = market(Mode::Call, 1);
        chain.table(vec![
            (Who::Coal, order(COAL_SELLS, 0, 200, 9), "ok"),
            (Who::Retail, order(RETAIL_BUYS, 0, 300, 10), "ok"),
            (Who::Factory, minimum(plain(FACTORY_BUYS, 0, 300, 10), least), "ok"),
        ]);
        assert_eq!(chain.state.minimums()[&OrderId(3)], mwh(least));
        chain.pass_to(gate_close(DAY));
        let fills = [status(&chain, 2).1, status(&chain, 3).1];
        let kwh = |order| chain.state.orders()[&OrderId(order)].filled.kwh();
        assert_eq!(kwh(2) + kwh(3), 9_000);
        if least == 6 {
            assert_eq!(fills, filled);
        } else {
            assert_eq!([kwh(2), kwh(3)], [4_500, 4_500]);
        }
        assert_replays(&chain);
    }
}

#[test]
fn the_money_of_a_product_of_several_days_is_held_for_all_of_them() {
    let mut chain = market(Mode::Call, 3);
    chain.table(vec![
        (Who::Coal, submit_curve(curve(COAL_SELLS, &[(0, &[(300, 10)]), (1, &[(300, 10)])])), "ok"),
        (Who::Factory, linked(FACTORY_BUYS, 310, &[(0, 5), (1, 5)]), "ok"),
    ]);
    assert_eq!(chain.escrow(Who::Factory), yuan(3 * 10 * 410));
    chain.pass_to(gate_close(DAY));
    assert_eq!(chain.escrow(Who::Factory), yuan(3 * 10 * 300));
    assert_replays(&chain);
}

#[test]
fn prices_below_zero_do_not_leave_a_buyer_short() {
    let mut chain = market(Mode::Call, 1);
    // Hour 0 costs 100, hour 1 pays 100: the mean is nothing, but hour 0 is paid for at once.
    chain.table(vec![
        (Who::Coal, order(COAL_SELLS, 0, 100, 5), "ok"),
        (Who::Wind, order((WIND, Side::Sell), 1, -100, 10), "ok"),
        (Who::Factory, linked(FACTORY_BUYS, 0, &[(0, 5), (1, 5)]), "ok"),
    ]);
    assert_eq!(chain.escrow(Who::Factory), yuan(1_000));
    chain.pass_to(gate_close(DAY));
    assert_eq!(state(&chain, 1), LinkedState::Accepted);
    assert_eq!(chain.escrow(Who::Factory), yuan(500));
    assert!(Money::ZERO <= chain.available(Who::Factory));
}

#[test]
fn a_curve_of_the_joint_session_carries_its_conductivity() {
    let mut chain = market(Mode::Joint, 1);
    let mut offer = curve(COAL_SELLS, &[(0, &[(300, 10), (310, 10)])]);
    offer.conductivity = BasisPoints::ONE;
    chain.done(Who::Coal, submit_curve(offer));
    // 1 t/MWh at 100 yuan/t.
    let rows = chain.state.orders().values();
    let asks: Vec<_> = rows.map(|row| row.effective).collect();
    assert_eq!(asks, [yuan_per_mwh(400), yuan_per_mwh(410)]);
}

#[test]
fn the_rows_of_an_old_session_go_with_it() {
    let mut chain = two_hours(Mode::Call, 300);
    let least = minimum(plain(RETAIL_BUYS, 1, 300, 10), 1);
    chain.done(Who::Retail, least);
    let (session, reason) = (SESSION, "test".to_owned());
    let intervention = Intervention::Void;
    chain.done(Who::Regulator, Action::Intervene { session, intervention, reason });
    for number in 2..7 {
        chain.done(Who::Exchange, opened(Mode::Call, 1));
        let (session, reason) = (SessionId(number), "test".to_owned());
        chain.done(Who::Regulator, Action::Intervene { session, intervention, reason });
    }
    assert!(chain.state.linked_orders().is_empty() && chain.state.links().is_empty());
    assert!(chain.state.minimums().is_empty());
}

#[test]
fn the_largest_curve_fits_a_transaction_and_a_block() {
    let mut chain = market(Mode::Call, 1);
    let steps: Vec<(i64, i64)> = (0..16).map(|n| (300 + n, 1)).collect();
    let periods: Vec<(u8, &[(i64, i64)])> = (0..24).map(|period| (period, &steps[..])).collect();
    let whole = curve(COAL_SELLS, &periods);
    assert_eq!(chain.done(Who::Coal, submit_curve(whole)), 1);
    assert_eq!(chain.state.orders().len(), 16 * 24);
    let total: Energy = Energy::sum(chain.state.orders().values().map(|row| row.quantity)).unwrap();
    assert_eq!(total, mwh(16 * 24));
}
