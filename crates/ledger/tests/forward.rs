//! Sessions ahead of the joint one: other modes, products of several days, and the day's
//! settlement, which takes in the contracts of all of them.

mod common;

use common::chain::Chain;
use common::market::*;
use common::random::Random;
use duet_ledger::*;
use duet_units::{BasisPoints, DeliveryDay, Money, Power, Resolution};

const HALF: BasisPoints = BasisPoints::from_bp(5_000);

fn second_day() -> DeliveryDay {
    DAY.next()
}

fn forward(mode: Mode, days: u16) -> Action {
    Action::OpenSession(SessionNotice { mode, days, ..notice(DAY) })
}

/// An order without carbon, as sessions ahead of the joint one have it.
fn order(session: u32, unit_side: (UnitId, Side), limit: i64, quantity: i64) -> Action {
    let conductivity = BasisPoints::ZERO;
    let plain = request(unit_side, 0, limit, quantity);
    Action::SubmitOrder(OrderRequest { session: SessionId(session), conductivity, ..plain })
}

/// Session 1 sells 10 MWh of hour 0 on two days, coal to retailer at (300 + 400) / 2; sessions 2
/// and 3 are the joint ones of these days; in session 2 wind sells 5 MWh at (200 + 500) / 2.
fn two_days() -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, forward(Mode::Uniform(HALF), 2), "ok"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Exchange, open(second_day()), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Coal, sell(COAL, 0, 300, 10), "bad-conductivity"),
        (Who::Coal, order(1, (COAL, Side::Sell), 300, 10), "ok"),
        (Who::Retail, order(1, (RETAIL, Side::Buy), 400, 10), "ok"),
        (Who::Wind, order(2, (WIND, Side::Sell), 200, 5), "ok"),
        (Who::Retail, order(2, (RETAIL, Side::Buy), 500, 5), "ok"),
    ]);
    chain
}

fn settle(session: u32) -> Action {
    Action::SettleSession { session: SessionId(session) }
}

fn dispatch(session: u32) -> Action {
    Action::IssueDispatch { session: SessionId(session) }
}

fn deliver(chain: &mut Chain, day: DeliveryDay, wind: i64) {
    chain.pass_to(day.next().start().plus_ms(1));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, day, &[10]), "ok"),
        (Who::WindMeter, whole_day(WIND, day, &[wind]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, day, &[10 + wind]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, day, &[]), "ok"),
    ]);
}

#[test]
fn an_order_of_two_days_holds_the_money_of_both() {
    let chain = two_days();
    // 400 * 10 * 2 and 500 * 5.
    assert_eq!(chain.escrow(Who::Retail), yuan(10_500));
}

#[test]
fn contracts_of_all_sessions_are_dispatched_paid_and_settled_day_by_day() {
    let mut chain = two_days();
    chain.pass_to(gate_close(DAY));
    let trades: Vec<_> =
        chain.state.trades().values().map(|t| (t.session.0, t.buyer_price, t.paid)).collect();
    let expected = [(1, yuan_per_mwh(350), yuan(3_500)), (2, yuan_per_mwh(350), yuan(1_750))];
    assert_eq!(trades, expected);
    let payments: Vec<_> = chain.state.payments().values().map(|p| p.amount).collect();
    assert_eq!(payments, [yuan(7_000), yuan(1_750)], "both days of the first, one of the second");
    chain.table(vec![
        (Who::Dispatcher, dispatch(1), "wrong-phase"),
        (Who::Bank, confirm(2, true), "ok"),
        (Who::Dispatcher, dispatch(2), "payments-open"),
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Dispatcher, dispatch(2), "ok"),
    ]);
    let first: Vec<_> =
        chain.state.dispatches().values().map(|d| (d.unit, d.setpoints[0])).collect();
    assert_eq!(first, [(COAL, Power::from_kw(10_000)), (WIND, Power::from_kw(5_000))]);
    deliver(&mut chain, DAY, 5);
    chain.done(Who::Exchange, settle(2));
    let lines: Vec<_> =
        chain.state.lines().values().map(|l| (l.item, l.trade.unwrap().0, l.amount)).collect();
    let contract = LineItem::Contract;
    assert_eq!(lines, [(contract, 1, yuan(3_500)), (contract, 2, yuan(1_750))]);
    assert_eq!(chain.trust(), yuan(3_500), "the second day of the first session");
    assert_eq!(chain.available(Who::Coal), yuan(3_500));
    let ahead = &chain.state.sessions()[&SessionId(1)];
    assert_eq!((ahead.phase, ahead.settled_days), (Phase::Cleared, 1));
    chain.pass_to(gate_close(second_day()));
    chain.done(Who::Dispatcher, dispatch(3));
    deliver(&mut chain, second_day(), 0);
    chain.done(Who::Exchange, settle(3));
    assert_eq!(chain.trust(), Money::ZERO);
    assert_eq!(chain.available(Who::Coal), yuan(7_000));
    assert_eq!(chain.state.sessions()[&SessionId(1)].phase, Phase::Settled);
    assert_eq!(chain.state.orders()[&OrderId(1)].status, OrderStatus::Settled);
}

/// A joint session without trading, for a day that has begun.
fn for_settlement(day: DeliveryDay) -> SessionNotice {
    SessionNotice { gate_open: day.start(), gate_close: day.start(), ..notice(day) }
}

#[test]
fn contracts_of_a_day_whose_joint_session_was_called_off_are_settled_after_all() {
    let mut chain = two_days();
    let intervene = |intervention| Action::Intervene {
        session: SessionId(2),
        intervention,
        reason: "no data".to_owned(),
    };
    let open = |notice: SessionNotice| Action::OpenSession(notice);
    chain.done(Who::Exchange, intervene(Intervention::Halt));
    chain.pass_to(DAY.start().plus_ms(-1));
    chain.table(vec![
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Exchange, intervene(Intervention::Void), "ok"),
        (Who::Exchange, open(for_settlement(DAY)), "gate-in-past"),
    ]);
    chain.pass_to(DAY.start());
    let none = DeliveryDay::from_days(DAY.days() - 1);
    let mode = Mode::Call;
    let late = SessionNotice { gate_close: DAY.start().plus_ms(1), ..for_settlement(DAY) };
    chain.table(vec![
        (Who::Exchange, open(SessionNotice { mode, ..for_settlement(DAY) }), "gate-in-past"),
        (Who::Exchange, open(late), "gate-in-past"),
        (Who::Exchange, open(for_settlement(none)), "gate-in-past"),
        (Who::Exchange, open(for_settlement(DAY)), "ok"),
        (Who::Exchange, open(for_settlement(DAY)), "day-taken"),
        (Who::Wind, order(4, (WIND, Side::Sell), 200, 5), "gate-closed"),
        (Who::Dispatcher, dispatch(4), "ok"),
    ]);
    deliver(&mut chain, DAY, 0);
    chain.done(Who::Exchange, settle(4));
    assert_eq!(chain.available(Who::Coal), yuan(3_500));
    chain.pass_to(gate_close(second_day()).max(chain.time));
    chain.done(Who::Dispatcher, dispatch(3));
    deliver(&mut chain, second_day(), 0);
    chain.done(Who::Exchange, settle(3));
    assert_eq!(chain.trust(), Money::ZERO);
    assert_eq!(chain.available(Who::Coal), yuan(7_000));
    assert_eq!(chain.state.sessions()[&SessionId(1)].phase, Phase::Settled);
    let again = open(for_settlement(DAY));
    assert_eq!(chain.send(Who::Exchange, again), Err("gate-in-past"), "nothing is left to settle");
}

#[test]
fn a_month_stays_open_while_contracts_of_its_days_have_no_joint_session() {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, forward(Mode::Call, 1), "ok"),
        (Who::Exchange, open(second_day()), "ok"),
    ]);
    chain.pass_to(gate_close(second_day()));
    chain.done(Who::Dispatcher, dispatch(2));
    chain.pass_to(second_day().next().start().plus_ms(1));
    chain.done(Who::WindMeter, whole_day(WIND, second_day(), &[10]));
    chain.others_used_nothing(second_day());
    chain.done(Who::Exchange, settle(2));
    let close = || Action::Statement(StatementAction::CloseMonth(DAY.month()));
    chain.pass_to(DeliveryDay::parse("2026-08-11").unwrap().start());
    chain.table(vec![
        (Who::Exchange, close(), "days-open"),
        (Who::Exchange, Action::OpenSession(for_settlement(DAY)), "ok"),
        (Who::Exchange, close(), "days-open"),
        (Who::Dispatcher, dispatch(3), "ok"),
    ]);
    chain.others_used_nothing(DAY);
    chain.done(Who::Exchange, settle(3));
    chain.done(Who::Exchange, close());
}

#[test]
fn a_unit_cannot_sell_the_same_capacity_twice_nor_buy_back_what_it_does_not_hold() {
    let mut chain = Chain::new();
    let most = chain.state.units()[&WIND].capacity.kw() / 1_000;
    chain.table(vec![
        (Who::Exchange, forward(Mode::Call, 2), "ok"),
        (Who::Exchange, forward(Mode::Call, 1), "ok"),
        (Who::Wind, order(2, (WIND, Side::Buy), 100, 1), "over-capacity"),
        (Who::Wind, order(1, (WIND, Side::Sell), 100, most - 3), "ok"),
        (Who::Wind, order(2, (WIND, Side::Sell), 100, 4), "over-capacity"),
        (Who::Wind, order(2, (WIND, Side::Sell), 100, 3), "ok"),
        (Who::Wind, order(2, (WIND, Side::Buy), 100, 1), "over-capacity"),
    ]);
}

/// Coal sells 10 MWh of hour 0 in session 1 and buys 4 MWh of it back in session 2, before a joint
/// session of these periods.
fn bought_back(resolution: Resolution) -> Chain {
    let mut chain = Chain::new();
    let late = SessionNotice {
        mode: Mode::Pairwise(HALF),
        gate_close: gate_close(DAY).plus_ms(HOUR_MS),
        ..notice(DAY)
    };
    let joint = SessionNotice { terms: SessionTerms { resolution, ..terms() }, ..notice(DAY) };
    chain.table(vec![
        (Who::Exchange, forward(Mode::Call, 1), "ok"),
        (Who::Exchange, Action::OpenSession(late), "ok"),
        (Who::Exchange, Action::OpenSession(joint), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Coal, yuan(100_000), 2), "ok"),
        (Who::Coal, order(1, (COAL, Side::Sell), 300, 10), "ok"),
        (Who::Retail, order(1, (RETAIL, Side::Buy), 400, 10), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Coal, order(2, (COAL, Side::Buy), 260, 4), "ok"),
        (Who::Coal, order(2, (COAL, Side::Buy), 260, 7), "over-capacity"),
        (Who::Coal, order(2, (COAL, Side::Sell), 260, 1), "both-directions"),
        (Who::Wind, order(2, (WIND, Side::Sell), 240, 4), "ok"),
    ]);
    chain.pass_to(gate_close(DAY).plus_ms(HOUR_MS));
    let last = chain.state.trades().values().next_back().unwrap();
    assert_eq!((last.buyer_price, last.paid), (yuan_per_mwh(250), yuan(1_000)));
    chain
}

/// Products that overlap at random, each against a count of every day by itself.
#[test]
fn a_product_of_many_days_is_held_to_the_fullest_of_them() {
    let mut chain = Chain::new();
    let mut random = Random(5);
    let most = chain.state.units()[&WIND].capacity.kw() / 1_000;
    let mut sold = [0_i64; 40];
    for session in 1..=24 {
        let (first, days) = (random.between(0, 29), random.between(1, 10));
        let product = SessionNotice {
            mode: Mode::Call,
            day: DeliveryDay::from_days(DAY.days() + i32::try_from(first).unwrap()),
            days: u16::try_from(days).unwrap(),
            ..notice(DAY)
        };
        chain.done(Who::Exchange, Action::OpenSession(product));
        let first = usize::try_from(first).unwrap();
        let covered = &mut sold[first..first + usize::try_from(days).unwrap()];
        let free = most - covered.iter().max().unwrap();
        let sale = |quantity| order(session, (WIND, Side::Sell), 100, quantity);
        chain.table(vec![(Who::Wind, sale(free + 1), "over-capacity")]);
        let wanted = random.between(1, 30).min(free);
        if wanted > 0 {
            chain.done(Who::Wind, sale(wanted));
            covered.iter_mut().for_each(|day| *day += wanted);
        }
    }
    assert!(sold.contains(&most), "some day is full: {sold:?}");
}

#[test]
fn a_generator_buys_back_what_it_sold_in_an_earlier_session() {
    for (resolution, busy) in [(Resolution::Hour, 1), (Resolution::Quarter, 4)] {
        let mut chain = bought_back(resolution);
        chain.table(vec![
            (Who::Bank, confirm(1, true), "ok"),
            (Who::Bank, confirm(2, true), "ok"),
            (Who::Dispatcher, dispatch(3), "ok"),
        ]);
        let setpoints = |kw: i64| {
            let mut setpoints = vec![Power::from_kw(kw); busy];
            setpoints.resize(resolution.periods().into(), Power::ZERO);
            setpoints
        };
        let rows: Vec<_> =
            chain.state.dispatches().values().map(|d| (d.unit, d.setpoints.clone())).collect();
        assert_eq!(rows, [(COAL, setpoints(6_000)), (WIND, setpoints(4_000))]);
    }
}

#[test]
fn a_plant_whose_sale_is_in_default_is_not_told_to_draw_power() {
    for resolution in [Resolution::Hour, Resolution::Quarter] {
        let mut chain = bought_back(resolution);
        chain.table(vec![
            (Who::Bank, confirm(1, false), "ok"),
            (Who::Bank, confirm(2, true), "ok"),
            (Who::Dispatcher, dispatch(3), "ok"),
        ]);
        let first: Vec<_> =
            chain.state.dispatches().values().map(|d| (d.unit, d.setpoints[0])).collect();
        assert_eq!(first, [(COAL, Power::ZERO), (WIND, Power::from_kw(4_000))]);
    }
}

/// The Shandong rules count open orders as done until they are released (4.4.17(2)), in whichever
/// session they stand.
#[test]
fn what_is_held_is_bought_back_once_over_all_sessions() {
    let mut chain = Chain::new();
    let late = |mode| {
        let gate_close = gate_close(DAY).plus_ms(HOUR_MS);
        Action::OpenSession(SessionNotice { mode, gate_close, ..notice(DAY) })
    };
    let quarters = SessionTerms { resolution: duet_units::Resolution::Quarter, ..terms() };
    let gate_close = gate_close(DAY);
    let by_quarter = SessionNotice {
        mode: Mode::Call,
        terms: quarters.clone(),
        gate_close: gate_close.plus_ms(HOUR_MS),
        ..notice(DAY)
    };
    let joint = SessionNotice { terms: quarters, ..notice(DAY) };
    chain.table(vec![
        (Who::Exchange, forward(Mode::Call, 1), "ok"),
        (Who::Exchange, late(Mode::Pairwise(HALF)), "ok"),
        (Who::Exchange, late(Mode::Call), "ok"),
        (Who::Exchange, Action::OpenSession(by_quarter), "ok"),
        (Who::Exchange, Action::OpenSession(joint), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Coal, yuan(100_000), 2), "ok"),
        (Who::Coal, order(1, (COAL, Side::Sell), 300, 10), "ok"),
        (Who::Retail, order(1, (RETAIL, Side::Buy), 400, 10), "ok"),
    ]);
    chain.pass_to(gate_close);
    chain.table(vec![
        (Who::Coal, order(2, (COAL, Side::Buy), 260, 6), "ok"),
        (Who::Coal, order(3, (COAL, Side::Buy), 260, 5), "over-capacity"),
        (Who::Coal, order(3, (COAL, Side::Buy), 260, 4), "ok"),
        (Who::Coal, order(4, (COAL, Side::Buy), 260, 1), "over-capacity"),
        (Who::Coal, Action::CancelOrder { order: OrderId(3) }, "ok"),
        // A quarter of the 4 MWh that are left of the hour.
        (Who::Coal, order(4, (COAL, Side::Buy), 260, 2), "over-capacity"),
        (Who::Coal, order(4, (COAL, Side::Buy), 260, 1), "ok"),
    ]);
}

#[test]
fn every_session_of_a_day_is_over_before_its_dispatch_and_none_begins_after() {
    let mut chain = Chain::new();
    let late = SessionNotice {
        mode: Mode::Call,
        gate_close: gate_close(DAY).plus_ms(HOUR_MS),
        ..notice(DAY)
    };
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Exchange, Action::OpenSession(late.clone()), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![(Who::Dispatcher, dispatch(1), "sessions-open")]);
    chain.pass_to(gate_close(DAY).plus_ms(HOUR_MS));
    let (gate_open, gate_close) = (chain.state.time(), DAY.start());
    let after = SessionNotice { gate_open, gate_close, ..late };
    chain.table(vec![
        (Who::Dispatcher, dispatch(1), "ok"),
        (Who::Exchange, Action::OpenSession(after), "day-dispatched"),
    ]);
}

#[test]
fn a_day_is_not_settled_in_longer_periods_than_it_is_traded_in() {
    let mut chain = Chain::new();
    let resolution = Resolution::Quarter;
    let quarters = SessionTerms { resolution, ..terms() };
    let ahead = SessionNotice { mode: Mode::Call, terms: quarters.clone(), ..notice(DAY) };
    let next = SessionNotice { terms: quarters, ..notice(DAY.next()) };
    let late = SessionNotice { day: DAY.next(), ..ahead.clone() };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(ahead), "ok"),
        (Who::Exchange, open(DAY), "bad-terms"),
        (Who::Exchange, Action::OpenSession(next), "ok"),
        (Who::Exchange, Action::OpenSession(late), "ok"),
        (Who::Exchange, forward(Mode::Call, 2), "ok"),
    ]);
}

#[test]
fn a_product_has_at_least_one_day_and_at_most_a_year() {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, forward(Mode::Call, 0), "bad-terms"),
        (Who::Exchange, forward(Mode::Call, 367), "bad-terms"),
        (Who::Exchange, forward(Mode::Joint, 2), "bad-terms"),
        (Who::Exchange, forward(Mode::Uniform(BasisPoints::from_bp(10_001)), 1), "bad-terms"),
        (Who::Exchange, forward(Mode::Pairwise(BasisPoints::from_bp(-1)), 1), "bad-terms"),
        (Who::Exchange, forward(Mode::Call, 366), "ok"),
    ]);
}
