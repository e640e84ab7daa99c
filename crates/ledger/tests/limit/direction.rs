//! One direction per organisation, period and session, in every mode (Shandong 4.4.17(5)).

use super::common::chain::{Chain, change_row};
use super::common::market::*;
use duet_ledger::*;
use duet_units::BasisPoints;

/// The table of units.
const UNITS: u8 = 5;

/// The modes but listings, where each has one side for the whole session, and contracts.
fn modes() -> [Mode; 6] {
    let half = BasisPoints::from_bp(5_000);
    let phase = ContinuousTerms { until: DAY.start(), n1: 10, freeze_ms: 0 };
    [
        Mode::Joint,
        Mode::Uniform(half),
        Mode::Pairwise(half),
        Mode::Call,
        Mode::Continuous(phase),
        Mode::Rolling,
    ]
}

/// Two sessions of `mode`. The coal plant's owner has a wind park and a factory, too.
fn both_sides(mode: Mode) -> Chain {
    let mut chain = Chain::new().with_rows(|rows| {
        for unit in [WIND, FACTORY] {
            let key = [&[UNITS][..], &unit.0.to_be_bytes()].concat();
            change_row(rows, &key, |row: &mut Unit| row.owner = Who::Coal.organisation());
        }
    });
    let notice = |mode, day| Action::OpenSession(SessionNotice { mode, ..notice(day) });
    chain.table(vec![
        (Who::Exchange, notice(mode, DAY), "ok"),
        (Who::Exchange, notice(if mode.is_joint() { Mode::Call } else { mode }, DAY), "ok"),
        (Who::Bank, deposit(Who::Coal, yuan(1_000_000), 1), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000_000), 2), "ok"),
    ]);
    chain
}

fn order(session: u32, period: u8, unit_side: (UnitId, Side), limit: i64) -> Action {
    let (session, conductivity) = (SessionId(session), BasisPoints::ZERO);
    Action::SubmitOrder(OrderRequest {
        session,
        conductivity,
        ..request(unit_side, period, limit, 2)
    })
}

#[test]
fn an_organisation_buys_or_sells_in_a_period_whichever_of_its_units_it_is() {
    let (sells, buys) = ((COAL, Side::Sell), (FACTORY, Side::Buy));
    for mode in modes() {
        let mut chain = both_sides(mode);
        chain.table(vec![
            (Who::Coal, order(1, 0, sells, 300), "ok"),
            // Far from meeting it.
            (Who::Coal, order(1, 0, buys, 250), "own-side"),
            (Who::Coal, order(1, 0, (WIND, Side::Sell), 310), "ok"),
            // Another period, another session, another organisation.
            (Who::Coal, order(1, 1, buys, 310), "ok"),
            (Who::Coal, order(1, 1, sells, 320), "own-side"),
            (Who::Coal, order(2, 0, buys, 310), "ok"),
            (Who::Retail, order(1, 0, (RETAIL, Side::Buy), 260), "ok"),
            // What is withdrawn does not count; nothing of period 0 is left of its owner's.
            (Who::Coal, Action::CancelOrder { order: OrderId(1) }, "ok"),
            (Who::Coal, order(1, 0, buys, 250), "own-side"),
            (Who::Coal, Action::CancelOrder { order: OrderId(2) }, "ok"),
            (Who::Coal, order(1, 0, buys, 250), "ok"),
            (Who::Coal, order(1, 0, sells, 320), "own-side"),
        ]);
        assert_eq!(chain.restored().orders(), chain.state.orders());
    }
}

#[test]
fn what_traded_binds_as_what_is_open() {
    let mut chain = both_sides(Mode::Rolling);
    chain.table(vec![
        (Who::Coal, order(1, 0, (COAL, Side::Sell), 300), "ok"),
        (Who::Retail, order(1, 0, (RETAIL, Side::Buy), 300), "ok"),
        (Who::Coal, order(1, 0, (FACTORY, Side::Buy), 300), "own-side"),
        (Who::Coal, order(1, 0, (COAL, Side::Buy), 300), "both-directions"),
        (Who::Coal, order(1, 0, (WIND, Side::Buy), 300), "over-capacity"),
        (Who::Coal, order(2, 0, (COAL, Side::Buy), 300), "ok"),
    ]);
    assert_eq!(chain.state.trades().len(), 1);
}

#[test]
fn curves_and_linked_orders_keep_to_the_direction_of_their_organisation() {
    let mut chain = both_sides(Mode::Call);
    let steps = |limit| vec![CurveStep { limit: yuan_per_mwh(limit), quantity: mwh(1) }];
    let curve = |unit, side, periods: [u8; 2]| {
        let of = |period| PeriodSteps { period, steps: steps(300) };
        Action::Auction(AuctionAction::SubmitCurve(StepCurve {
            session: SessionId(1),
            unit,
            side,
            conductivity: BasisPoints::ZERO,
            reference: 0,
            periods: periods.map(of).to_vec(),
        }))
    };
    let linked = |unit, side, periods: [u8; 2]| {
        let point = |period| CurvePoint { period, energy: mwh(1) };
        Action::Auction(AuctionAction::SubmitLinked(LinkedRequest {
            session: SessionId(1),
            unit,
            side,
            limit: yuan_per_mwh(300),
            curve: periods.map(point).to_vec(),
            reference: 0,
        }))
    };
    chain.table(vec![
        (Who::Coal, order(1, 1, (FACTORY, Side::Buy), 300), "ok"),
        (Who::Coal, curve(COAL, Side::Sell, [0, 1]), "own-side"),
        (Who::Coal, linked(COAL, Side::Sell, [1, 2]), "own-side"),
        (Who::Coal, curve(COAL, Side::Sell, [2, 3]), "ok"),
        (Who::Coal, linked(WIND, Side::Sell, [3, 4]), "ok"),
        (Who::Coal, linked(FACTORY, Side::Buy, [4, 5]), "own-side"),
        (Who::Coal, linked(FACTORY, Side::Buy, [5, 6]), "ok"),
    ]);
}

#[test]
fn a_party_to_a_contract_keeps_to_the_direction_of_its_organisation() {
    let mut chain = both_sides(Mode::Bilateral);
    let terms = |unit, counterparty, period, side| ContractTerms {
        session: SessionId(1),
        unit,
        counterparty,
        side,
        price: yuan_per_mwh(300),
        curve: vec![CurvePoint { period, energy: mwh(1) }],
        allowances: None,
        certificates: None,
        reference: 0,
    };
    let propose = |terms: &ContractTerms| Action::Contract(ContractAction::Propose(terms.clone()));
    let sells = terms(COAL, RETAIL, 0, Side::Sell);
    chain.table(vec![
        (Who::Coal, propose(&sells), "ok"),
        (Who::Coal, propose(&terms(FACTORY, RETAIL, 0, Side::Buy)), "own-side"),
        (Who::Coal, propose(&terms(FACTORY, RETAIL, 1, Side::Buy)), "ok"),
    ]);
}
