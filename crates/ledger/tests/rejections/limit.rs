//! 450 to 458, 510 and 511: limits before trading, and guarantees.

use crate::common::chain::Chain;
use crate::common::market::*;
use duet_ledger::*;
use duet_units::{BasisPoints, Energy, Money, Month};
use std::collections::BTreeSet;

pub(crate) fn limits(who: Who, limits: MemberLimits) -> Action {
    let (organisation, month) = (who.organisation(), DAY.month());
    Action::Limit(LimitAction::Set(SetLimits { organisation, month, limits }))
}

/// 100 MWh net, 120 MWh in all, half to be traded back, 60 MWh in one hour.
pub(crate) fn some() -> MemberLimits {
    let back = BasisPoints::from_bp(5_000);
    MemberLimits { net: mwh(100), cumulative: mwh(120), back, hourly: Some(mwh(60)) }
}

fn session_limits(session: u32, limits: SessionLimits) -> Action {
    let session = SessionId(session);
    Action::Limit(LimitAction::SetSession(SetSessionLimits { session, limits }))
}

fn pledge(amount: Money) -> Action {
    Action::Limit(LimitAction::Pledge(amount))
}

fn release(amount: Money) -> Action {
    Action::Limit(LimitAction::Release(amount))
}

fn order(session: u32, period: u8, (unit, side): (UnitId, Side), quantity: i64) -> Action {
    let limit = if side == Side::Sell { 300 } else { 400 };
    let plain = request((unit, side), period, limit, quantity);
    let conductivity = BasisPoints::ZERO;
    Action::SubmitOrder(OrderRequest { session: SessionId(session), conductivity, ..plain })
}

fn forward(days: u16) -> Action {
    Action::OpenSession(SessionNotice { mode: Mode::Call, days, ..notice(DAY) })
}

fn setting(chain: &mut Chain) {
    let bad = MemberLimits { net: Energy::from_kwh(-1), ..some() };
    let share = MemberLimits { back: BasisPoints::from_bp(10_001), ..some() };
    let month = DAY.month().plus(14);
    let far = |organisation, limits| {
        Action::Limit(LimitAction::Set(SetLimits { organisation, month, limits }))
    };
    let stranger = Who::Stranger.organisation();
    let volume = SessionLimits { volume: mwh(-1), share: BasisPoints::ONE, position: mwh(1) };
    chain.table(vec![
        (Who::Coal, far(stranger, bad.clone()), "wrong-role"),
        (Who::Exchange, far(stranger, bad), "bad-limits"),
        (Who::Exchange, far(stranger, share), "bad-limits"),
        (Who::Exchange, far(stranger, some()), "month-out-of-range"),
        (Who::Exchange, limits(Who::Stranger, some()), "unknown-organisation"),
        (Who::Regulator, session_limits(99, volume.clone()), "wrong-role"),
        (Who::Exchange, session_limits(99, volume.clone()), "unknown-session"),
        (Who::Exchange, session_limits(1, volume), "bad-limits"),
    ]);
    let past = DAY.month().plus(-1);
    let passed = SetLimits { organisation: stranger, month: past, limits: some() };
    let passed = Action::Limit(LimitAction::Set(passed));
    assert_eq!(chain.send(Who::Exchange, passed), Err("month-out-of-range"));
    assert_eq!(Month::parse("2026-07"), Some(DAY.month()));
}

/// Both kinds of units for the coal plant's owner, so that it could trade with itself.
pub(crate) fn with_own_load(chain: Chain) -> Chain {
    let key = [vec![5], [0, 0, 0, 3].to_vec()].concat();
    chain.with_rows(|rows| {
        crate::common::chain::change_row::<Unit>(rows, &key, |unit| {
            unit.owner = Who::Coal.organisation();
        });
    })
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = with_own_load(Chain::new());
    chain.done(Who::Exchange, forward(2));
    setting(&mut chain);
    let small =
        SessionLimits { volume: mwh(1_000), share: BasisPoints::from_bp(500), position: mwh(60) };
    chain.table(vec![
        (Who::Bank, deposit(Who::Coal, yuan(100_000), 1), "ok"),
        (Who::Exchange, limits(Who::Coal, some()), "ok"),
        // Two days: 40 a day are 80 of 100 net; then 10 more, and no more.
        (Who::Coal, order(1, 0, (COAL, Side::Sell), 40), "ok"),
        (Who::Coal, order(1, 0, (FACTORY, Side::Buy), 1), "own-side"),
        (Who::Coal, order(1, 1, (COAL, Side::Sell), 11), "over-net-limit"),
        (Who::Coal, order(1, 0, (COAL, Side::Sell), 10), "ok"),
        (Who::Coal, order(1, 1, (COAL, Side::Sell), 1), "over-net-limit"),
        (Who::Coal, Action::CancelOrder { order: OrderId(1) }, "ok"),
        (Who::Coal, order(1, 0, (COAL, Side::Sell), 40), "ok"),
        // A wider month leaves the hour: 50 of 60.
        (Who::Exchange, limits(Who::Coal, MemberLimits { net: mwh(500), ..some() }), "ok"),
        (Who::Coal, order(1, 0, (COAL, Side::Sell), 11), "over-cumulative"),
    ]);
    let wide = MemberLimits { net: mwh(500), cumulative: mwh(500), ..some() };
    let position = SessionLimits { position: mwh(101), ..small };
    let whole = SessionLimits { position: mwh(500), volume: mwh(1_010), ..small };
    let share = BasisPoints::from_bp(1_000);
    chain.table(vec![
        (Who::Exchange, limits(Who::Coal, wide), "ok"),
        (Who::Coal, order(1, 0, (COAL, Side::Sell), 11), "over-hourly"),
        (Who::Exchange, session_limits(1, position), "ok"),
        (Who::Coal, order(1, 1, (COAL, Side::Sell), 1), "over-position"),
        (Who::Exchange, session_limits(1, SessionLimits { share, ..whole.clone() }), "ok"),
        (Who::Coal, order(1, 1, (COAL, Side::Sell), 1), "over-market-share"),
        (
            Who::Exchange,
            session_limits(1, SessionLimits { volume: mwh(1_020), share, ..whole }),
            "ok",
        ),
        (Who::Coal, order(1, 1, (COAL, Side::Sell), 1), "ok"),
    ]);
    chain.provoked.extend(provoke_buy_back());
    chain.provoked.extend(provoke_guarantee());
    chain.provoked
}

/// Coal holds 40 MWh of a day, of which half may be bought back.
fn provoke_buy_back() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let later = SessionNotice { gate_close: gate_close(DAY).plus_ms(HOUR_MS), ..notice(DAY) };
    chain.table(vec![
        (Who::Exchange, forward(1), "ok"),
        (Who::Exchange, Action::OpenSession(SessionNotice { mode: Mode::Call, ..later }), "ok"),
        (Who::Bank, deposit(Who::Coal, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 2), "ok"),
        (Who::Exchange, limits(Who::Coal, some()), "ok"),
        (Who::Coal, order(1, 0, (COAL, Side::Sell), 40), "ok"),
        (Who::Retail, order(1, 0, (RETAIL, Side::Buy), 40), "ok"),
        (Who::Coal, order(2, 0, (COAL, Side::Buy), 1), "over-capacity"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Coal, order(2, 0, (COAL, Side::Buy), 21), "over-buy-back"),
        (Who::Coal, order(2, 0, (COAL, Side::Buy), 20), "ok"),
        (
            Who::Exchange,
            session_limits(
                1,
                SessionLimits { volume: mwh(1), share: BasisPoints::ONE, position: mwh(1) },
            ),
            "wrong-phase",
        ),
    ]);
    chain.provoked
}

/// The rule asks for a guarantee of which 80 % count, at 300 yuan/MWh and 25 % more.
fn provoke_guarantee() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let notice = SessionNotice { rule: GUARANTEE_RULE, ..notice(DAY) };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(notice), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Retail, buy(RETAIL, 0, 400, 1), "guarantee-too-low"),
        (Who::Bank, pledge(yuan(1)), "wrong-role"),
        (Who::Retail, pledge(Money::ZERO), "amount-not-positive"),
        (Who::Retail, pledge(yuan(100_001)), "insufficient-funds"),
        // The settlement risk of 10,000 yuan, and for 10 MWh at 375 yuan/MWh 3,750 yuan, 80 % of
        // 4,687.50.
        (Who::Retail, pledge(Money::from_fen(1_468_749)), "ok"),
        (Who::Retail, buy(RETAIL, 0, 400, 10), "guarantee-too-low"),
        (Who::Retail, pledge(Money::from_fen(1)), "ok"),
        (Who::Retail, buy(RETAIL, 0, 400, 10), "ok"),
        (Who::Retail, buy(RETAIL, 1, 400, 1), "guarantee-too-low"),
        (Who::Regulator, release(yuan(1)), "wrong-role"),
        (Who::Retail, release(Money::ZERO), "amount-not-positive"),
        (Who::Retail, release(Money::from_fen(1)), "guarantee-needed"),
        (Who::Retail, Action::CancelOrder { order: OrderId(1) }, "ok"),
        (Who::Retail, release(Money::from_fen(468_751)), "guarantee-needed"),
        (Who::Retail, release(Money::from_fen(468_750)), "ok"),
    ]);
    assert_eq!(chain.available(Who::Retail), yuan(90_000));
    chain.provoked
}

#[test]
fn an_order_is_refused_for_the_limit_that_it_breaks() {
    provoke();
}
