//! Quotas by the official example, and what has been used of them.

#[path = "../common/mod.rs"]
mod common;
mod direction;

use common::chain::Chain;
use common::market::*;
use duet_ledger::*;
use duet_market::quota::Position;
use duet_units::{BasisPoints, Energy};

fn order(session: u32, (unit, side): (UnitId, Side), quantity: i64) -> Action {
    let limit = if side == Side::Sell { 300 } else { 400 };
    let plain = request((unit, side), 0, limit, quantity);
    let conductivity = BasisPoints::ZERO;
    Action::SubmitOrder(OrderRequest { session: SessionId(session), conductivity, ..plain })
}

fn position(chain: &Chain, who: Who) -> [i64; 4] {
    let of = |of: &Position| {
        [of.net, of.cumulative, of.open_enlarging, of.open_reducing]
            .map(|energy: Energy| energy.kwh() / 1_000)
    };
    of(&chain.state.month_position(who.organisation(), DAY.month()).unwrap())
}

/// A product of `days` days: coal sells to the retailer, who pays.
fn product(days: u16) -> Chain {
    let mut chain = Chain::new();
    let notice = SessionNotice { mode: Mode::Call, days, ..notice(DAY) };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(notice), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1), "ok"),
        (Who::Coal, order(1, (COAL, Side::Sell), 10), "ok"),
        (Who::Retail, order(1, (RETAIL, Side::Buy), 6), "ok"),
    ]);
    chain
}

#[test]
fn open_orders_count_until_the_gate_closes_and_trades_for_ever() {
    let mut chain = product(3);
    assert_eq!(position(&chain, Who::Coal), [0, 30, 30, 0]);
    assert_eq!(position(&chain, Who::Retail), [0, 18, 18, 0]);
    assert_eq!(
        chain.restored().month_position(Who::Coal.organisation(), DAY.month()),
        chain.state.month_position(Who::Coal.organisation(), DAY.month())
    );
    chain.pass_to(gate_close(DAY));
    assert_eq!(position(&chain, Who::Coal), [18, 18, 0, 0], "6 MWh on three days; 4 are released");
    assert_eq!(position(&chain, Who::Retail), [18, 18, 0, 0], "a user counts what it buys");
    let restored = chain.restored();
    assert_eq!(restored.traded_of(Who::Coal.organisation(), DAY.month()).net, mwh(18));
}

#[test]
fn a_default_and_a_session_called_off_give_the_quota_back() {
    let mut chain = product(3);
    chain.pass_to(gate_close(DAY));
    chain.done(Who::Bank, confirm(1, false));
    assert_eq!(position(&chain, Who::Coal), [0; 4]);
    assert_eq!(position(&chain, Who::Retail), [0; 4]);
    let mut chain = product(3);
    let session = SessionId(1);
    let (intervention, reason) = (Intervention::Void, String::new());
    chain.done(Who::Exchange, Action::Intervene { session, intervention, reason });
    assert_eq!(position(&chain, Who::Coal), [0; 4]);
}

#[test]
fn a_product_counts_in_each_month_with_its_days_there() {
    let chain = {
        let mut chain = product(40);
        chain.pass_to(gate_close(DAY));
        chain
    };
    let month = DAY.month();
    let next = month.plus(1);
    let days = i64::from(next.first_day().days() - DAY.days());
    let coal = Who::Coal.organisation();
    assert_eq!(chain.state.traded_of(coal, month).net, mwh(6 * days));
    assert_eq!(chain.state.traded_of(coal, next).net, mwh(6 * (40 - days)));
    assert_eq!(chain.state.months_of(coal).into_iter().collect::<Vec<_>>(), [month, next]);
}

fn guarded(day: duet_units::DeliveryDay) -> Action {
    Action::OpenSession(SessionNotice { rule: GUARANTEE_RULE, ..notice(day) })
}

fn risk(chain: &Chain, who: Who) -> Option<[i128; 4]> {
    let row = chain.state.settlement_risk(who.organisation()).unwrap()?;
    Some([row.overdue, row.billed, row.unbilled, row.risk].map(duet_units::Money::fen))
}

/// The factory, without money, uses 24 times `hourly` MWh on the first day, at 300 yuan/MWh.
fn used(hourly: i64) -> Chain {
    let mut chain = Chain::new();
    let session = SessionId(1);
    chain.done(Who::Exchange, open(DAY));
    chain.pass_to(gate_close(DAY));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(DAY.next().start().plus_ms(1));
    chain.done(Who::FactoryMeter, meter(FACTORY, DAY, (0, 1), &[hourly; 24]));
    chain.others_used_nothing(DAY);
    chain.done(Who::Exchange, Action::SettleSession { session });
    assert_eq!(risk(&chain, Who::Factory), None, "no rule asks for a guarantee");
    chain.done(Who::Exchange, guarded(DAY.next().next()));
    chain
}

#[test]
fn the_settlement_risk_is_what_is_overdue_and_three_days_of_use() {
    let chain = used(1);
    let overdue = 24 * 300 * 100;
    // 24 MWh a day for three days at the rule's 400 yuan/MWh.
    assert_eq!(risk(&chain, Who::Factory), Some([overdue, 0, 0, overdue + 72 * 400 * 100]));
    assert_eq!(risk(&chain, Who::Coal), Some([0, 0, 0, 1_000_000]), "10,000 yuan at least");
    let restored = chain.restored();
    let factory = Who::Factory.organisation();
    assert_eq!(restored.settlement_risk(factory), chain.state.settlement_risk(factory));
    assert_eq!(
        chain.state.guarantee_needed(factory).unwrap().fen(),
        overdue + 72 * 400 * 100,
        "it has no orders"
    );
}

#[test]
fn the_settlement_risk_takes_from_the_headroom() {
    let mut chain = used(1);
    let day = DAY.next().next();
    let plain = request((FACTORY, Side::Buy), 0, 400, 10);
    let order = Action::SubmitOrder(OrderRequest { session: SessionId(2), ..plain });
    // 28,800 yuan of risk once the debt is paid, and 4,687.50 for the order.
    let pledge = |fen: i128| Action::Limit(LimitAction::Pledge(duet_units::Money::from_fen(fen)));
    chain.time = gate_open(day);
    chain.table(vec![
        (Who::Bank, deposit(Who::Factory, yuan(7_200 + 60_000), 1), "ok"),
        (Who::Factory, pledge(3_348_749), "ok"),
        (Who::Factory, order.clone(), "guarantee-too-low"),
        (Who::Factory, pledge(1), "ok"),
        (Who::Factory, order, "ok"),
    ]);
    let sold = request((WIND, Side::Sell), 0, 400, 10);
    let sold = OrderRequest { session: SessionId(2), conductivity: BasisPoints::ZERO, ..sold };
    chain.table(vec![
        (Who::Bank, deposit(Who::Wind, yuan(20_000), 2), "ok"),
        (Who::Wind, pledge(1_468_750), "ok"),
        (Who::Wind, Action::SubmitOrder(sold), "ok"),
    ]);
    chain.pass_to(gate_close(day));
    assert_eq!(risk(&chain, Who::Factory), Some([0, 400_000, 0, 2_880_000]), "billed is held");
}
