//! 480 to 485: curves, orders over several periods, orders with a minimum; and every limit on a
//! sum, which their parts keep one by one.

use super::limit;
use crate::common::chain::Chain;
use crate::common::market::*;
use duet_ledger::*;
use duet_units::{BasisPoints, Energy, Money};
use std::collections::BTreeSet;

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
    let (session, conductivity) = (SessionId(1), BasisPoints::ZERO);
    let periods = periods.iter().map(of).collect();
    StepCurve { session, unit, side, conductivity, reference: 0, periods }
}

fn steps(unit_side: (UnitId, Side), periods: Periods<'_>) -> Action {
    Action::Auction(AuctionAction::SubmitCurve(curve(unit_side, periods)))
}

fn linked((unit, side): (UnitId, Side), limit: i64, points: &[(u8, i64)]) -> Action {
    let point = |(period, energy): &(u8, i64)| CurvePoint { period: *period, energy: mwh(*energy) };
    Action::Auction(AuctionAction::SubmitLinked(LinkedRequest {
        session: SessionId(1),
        unit,
        side,
        limit: yuan_per_mwh(limit),
        curve: points.iter().map(point).collect(),
        reference: 0,
    }))
}

fn plain((unit, side): (UnitId, Side), period: u8, limit: i64, quantity: i64) -> OrderRequest {
    let conductivity = BasisPoints::ZERO;
    OrderRequest { conductivity, ..request((unit, side), period, limit, quantity) }
}

fn minimum(order: OrderRequest, least: i64) -> Action {
    let minimum = mwh(least);
    Action::Auction(AuctionAction::SubmitMinimum(MinimumRequest { order, minimum }))
}

fn withdraw(linked: u64) -> Action {
    Action::Auction(AuctionAction::WithdrawLinked(LinkedOrderId(linked)))
}

fn opened(mode: Mode) -> Action {
    Action::OpenSession(SessionNotice { mode, ..notice(DAY) })
}

const SELLS: (UnitId, Side) = (COAL, Side::Sell);
const BUYS: (UnitId, Side) = (FACTORY, Side::Buy);

fn provoke_curves() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let long: Vec<(i64, i64)> = (0..21).map(|n| (300 + n, 1)).collect();
    let of = |periods: u8| (0..periods).map(|period| (period, &long[..17])).collect::<Vec<_>>();
    chain.table(vec![
        (Who::Bank, steps(SELLS, &[]), "wrong-role"),
        (Who::Coal, steps(SELLS, &[]), "bad-step-curve"),
        (Who::Coal, steps(SELLS, &[(0, &[(300, 1)])]), "unknown-session"),
        (Who::Exchange, opened(Mode::Call), "ok"),
        (Who::Coal, steps(SELLS, &[(24, &[(300, 1)])]), "unknown-period"),
        (Who::Coal, steps(BUYS, &[(0, &[(300, 1)])]), "not-yours"),
        // The lowest number of all that is wrong with any of its steps.
        (
            Who::Coal,
            steps(SELLS, &[(0, &[(300, 0), (1_001, 1)]), (1, &[])]),
            "quantity-not-positive",
        ),
        (Who::Coal, steps(SELLS, &[(0, &[(300, 1), (1_001, 1)]), (1, &[])]), "outside-band"),
        (Who::Coal, steps(SELLS, &[(0, &[(300, 60), (310, 41)])]), "over-capacity"),
        (Who::Coal, steps(SELLS, &[(0, &[(300, 1)]), (1, &[])]), "bad-step-curve"),
        (Who::Coal, steps(SELLS, &[(1, &[(300, 1)]), (1, &[(310, 1)])]), "bad-step-curve"),
        (Who::Coal, steps(SELLS, &[(0, &[(300, 1), (300, 1)])]), "bad-step-curve"),
        (Who::Coal, steps(SELLS, &[(0, &long)]), "bad-step-curve"),
        (Who::Coal, steps(SELLS, &of(24)), "bad-step-curve"),
        (Who::Coal, steps(SELLS, &of(23)), "ok"),
        (Who::Factory, steps(BUYS, &[(0, &[(300, 1), (301, 1)])]), "bad-step-curve"),
        (Who::Factory, steps(BUYS, &[(0, &[(300, 1), (299, 1)])]), "insufficient-funds"),
        (Who::Bank, deposit(Who::Factory, yuan(598), 1), "ok"),
        (Who::Factory, steps(BUYS, &[(0, &[(300, 1), (299, 1)])]), "insufficient-funds"),
        (Who::Bank, deposit(Who::Factory, yuan(1), 2), "ok"),
        (Who::Factory, steps(BUYS, &[(0, &[(300, 1), (299, 1)])]), "ok"),
    ]);
    assert_eq!(chain.available(Who::Factory), Money::ZERO);
    chain.provoked
}

fn provoke_linked() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, opened(Mode::Call), "ok"),
        (Who::Bank, linked(BUYS, 300, &[]), "wrong-role"),
        (Who::Factory, linked(BUYS, 300, &[]), "bad-linked-curve"),
        (Who::Factory, linked(BUYS, 300, &[(1, 0), (0, 1)]), "quantity-not-positive"),
        (Who::Factory, linked(BUYS, 300, &[(1, 1), (0, 1)]), "bad-linked-curve"),
        (Who::Factory, linked(BUYS, 300, &[(0, 61)]), "over-capacity"),
        (Who::Factory, linked(BUYS, 300, &[(0, 30), (0, 31)]), "over-capacity"),
        (Who::Factory, linked(BUYS, 300, &[(0, 1), (1, 1)]), "insufficient-funds"),
        // 300, and 100 for prices below zero.
        (Who::Bank, deposit(Who::Factory, yuan(799), 1), "ok"),
        (Who::Factory, linked(BUYS, 300, &[(0, 1), (1, 1)]), "insufficient-funds"),
        (Who::Bank, deposit(Who::Factory, yuan(1), 2), "ok"),
        (Who::Factory, linked(BUYS, 300, &[(0, 1), (1, 1)]), "ok"),
        (Who::Factory, Action::CancelOrder { order: OrderId(2) }, "part-of-linked"),
        (Who::Bank, withdraw(1), "wrong-role"),
        (Who::Factory, withdraw(2), "unknown-linked"),
        (Who::Coal, withdraw(1), "not-yours"),
        (Who::Factory, withdraw(1), "ok"),
        (Who::Factory, withdraw(1), "order-not-pending"),
        (Who::Coal, minimum(plain(SELLS, 0, 300, 5), 0), "bad-minimum"),
        (Who::Coal, minimum(plain(SELLS, 0, 300, 5), 6), "bad-minimum"),
        (Who::Coal, minimum(plain(SELLS, 0, 1_001, 5), 6), "outside-band"),
        (Who::Coal, minimum(plain(SELLS, 0, 300, 5), 5), "ok"),
    ]);
    for _ in 1..20 {
        chain.done(Who::Coal, linked(SELLS, 300, &[(0, 1)]));
    }
    // Withdrawn ones count for their owner.
    chain.table(vec![
        (Who::Coal, linked(SELLS, 300, &[(0, 1)]), "too-many-conditions"),
        (Who::Coal, Action::CancelOrder { order: OrderId(3) }, "ok"),
        (Who::Coal, minimum(plain(SELLS, 0, 300, 5), 6), "too-many-conditions"),
        (Who::Wind, linked((WIND, Side::Sell), 300, &[(0, 1)]), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Factory, linked(BUYS, 300, &[]), "bad-linked-curve"),
        (Who::Factory, linked(BUYS, 300, &[(0, 1)]), "gate-closed"),
        (Who::Coal, withdraw(2), "gate-closed"),
    ]);
    chain.provoked
}

/// Which modes take what.
fn provoke_modes() -> BTreeSet<&'static str> {
    let half = BasisPoints::from_bp(5_000);
    let freeze_ms = 300_000;
    let continuous = Mode::Continuous(ContinuousTerms {
        until: gate_close(DAY).plus_ms(HOUR_MS),
        n1: 10,
        freeze_ms,
    });
    let listing = Mode::Listing(ListingTerms { sharing: Sharing::Time, listers: None });
    let mut provoked = BTreeSet::new();
    for (mode, takes_curve, takes_linked) in [
        (Mode::Joint, true, false),
        (Mode::Pairwise(half), true, false),
        (Mode::Uniform(half), true, true),
        (Mode::Call, true, true),
        (continuous, true, false),
        (Mode::Rolling, false, false),
        (listing, false, false),
        (Mode::Bilateral, false, false),
    ] {
        let mut chain = Chain::new();
        let answer = |takes| if takes { "ok" } else { "wrong-mode" };
        chain.table(vec![
            (Who::Exchange, opened(mode), "ok"),
            (Who::Coal, steps(SELLS, &[(0, &[(300, 1), (310, 1)])]), answer(takes_curve)),
            (Who::Coal, linked(SELLS, 300, &[(1, 1), (2, 1)]), answer(takes_linked)),
            (Who::Coal, minimum(plain(SELLS, 3, 300, 2), 1), answer(takes_linked)),
        ]);
        provoked.extend(chain.provoked);
    }
    provoked
}

/// 40 + 40 MWh of a month's 100, 60 of an hour, and so on: each part alone would pass.
fn provoke_sums() -> BTreeSet<&'static str> {
    let mut chain = limit::with_own_load(Chain::new());
    let both: Periods<'_> = &[(0, &[(300, 40), (310, 40)]), (1, &[(300, 21)])];
    let tight = limit::some();
    let wide = MemberLimits { net: mwh(500), ..limit::some() };
    let hourly = MemberLimits { cumulative: mwh(500), ..wide };
    let loose = MemberLimits { hourly: None, ..hourly };
    let position = |most: i64| {
        let limits =
            SessionLimits { volume: mwh(1_000), share: BasisPoints::ONE, position: mwh(most) };
        let session = SessionId(1);
        Action::Limit(LimitAction::SetSession(SetSessionLimits { session, limits }))
    };
    chain.table(vec![
        (Who::Exchange, opened(Mode::Call), "ok"),
        (Who::Bank, deposit(Who::Coal, yuan(1_000_000), 1), "ok"),
        (Who::Coal, Action::SubmitOrder(plain(BUYS, 1, 300, 1)), "ok"),
        (Who::Coal, steps(SELLS, both), "own-side"),
        (Who::Coal, Action::CancelOrder { order: OrderId(1) }, "ok"),
        (Who::Exchange, limit::limits(Who::Coal, tight), "ok"),
        (Who::Coal, steps(SELLS, both), "over-net-limit"),
        (Who::Exchange, limit::limits(Who::Coal, wide), "ok"),
        (Who::Coal, linked(SELLS, 300, &[(0, 50), (1, 50), (2, 21)]), "over-cumulative"),
        (Who::Exchange, limit::limits(Who::Coal, hourly), "ok"),
        (Who::Coal, steps(SELLS, both), "over-hourly"),
        (Who::Exchange, limit::limits(Who::Coal, loose), "ok"),
        (Who::Exchange, position(100), "ok"),
        (Who::Coal, steps(SELLS, both), "over-position"),
        (Who::Exchange, position(101), "ok"),
        (Who::Coal, steps(SELLS, both), "ok"),
    ]);
    chain.provoked.extend(provoke_guarantee());
    chain.provoked.extend(provoke_contract());
    chain.provoked
}

/// A contract is held to sums, too: two hours of 51 MWh are above 100.
fn provoke_contract() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let point = |period| CurvePoint { period, energy: mwh(51) };
    let terms = ContractTerms {
        session: SessionId(1),
        unit: COAL,
        counterparty: FACTORY,
        side: Side::Sell,
        price: yuan_per_mwh(300),
        curve: vec![point(0), point(1)],
        allowances: None,
        certificates: None,
        reference: 0,
    };
    let propose = |terms| Action::Contract(ContractAction::Propose(terms));
    let less = ContractTerms { curve: vec![point(0)], ..terms.clone() };
    chain.table(vec![
        (Who::Exchange, opened(Mode::Bilateral), "ok"),
        (Who::Exchange, limit::limits(Who::Coal, limit::some()), "ok"),
        (Who::Coal, propose(terms), "over-net-limit"),
        (Who::Coal, propose(less), "ok"),
    ]);
    chain.provoked
}

/// Beside the settlement risk of 10,000 yuan, 80 % of 4,687.50 cover 10 MWh at 375 yuan/MWh, not
/// 11.
fn provoke_guarantee() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let notice = SessionNotice { rule: GUARANTEE_RULE, mode: Mode::Call, ..notice(DAY) };
    let pledge = Action::Limit(LimitAction::Pledge(Money::from_fen(1_468_750)));
    let buys = (RETAIL, Side::Buy);
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(notice), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Retail, pledge, "ok"),
        (Who::Retail, linked(buys, 300, &[(0, 6), (1, 5)]), "guarantee-too-low"),
        (Who::Retail, linked(buys, 300, &[(0, 5), (1, 5)]), "ok"),
    ]);
    chain.provoked
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let all = [provoke_curves(), provoke_linked(), provoke_modes(), provoke_sums()];
    all.into_iter().flatten().collect()
}

#[test]
fn extremes_are_refused_and_do_not_panic() {
    let mut chain = Chain::new();
    chain.done(Who::Exchange, opened(Mode::Call));
    let kwh = |kwh| CurvePoint { period: 0, energy: Energy::from_kwh(kwh) };
    for extreme in [i64::MAX, i64::MIN] {
        let request = LinkedRequest {
            session: SessionId(1),
            unit: COAL,
            side: Side::Sell,
            limit: duet_units::Price::from_milli_yuan_per_mwh(extreme),
            curve: vec![kwh(extreme), CurvePoint { period: 1, ..kwh(extreme) }],
            reference: u64::MAX,
        };
        let action = Action::Auction(AuctionAction::SubmitLinked(request));
        assert!(chain.send(Who::Coal, action).is_err());
        let mut steep = curve(SELLS, &[(0, &[(300, 1), (310, 1)])]);
        steep.conductivity = BasisPoints::from_bp(extreme);
        for step in &mut steep.periods[0].steps {
            step.quantity = Energy::from_kwh(extreme);
        }
        let action = Action::Auction(AuctionAction::SubmitCurve(steep));
        assert!(chain.send(Who::Coal, action).is_err());
    }
}

#[test]
fn parts_that_pass_alone_are_refused_together() {
    provoke();
}
