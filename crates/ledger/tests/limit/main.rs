//! Quotas by the official example, and what has been used of them.

#[path = "../common/mod.rs"]
mod common;

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
