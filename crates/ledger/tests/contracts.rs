//! Bilateral contracts and listings.

mod common;

use common::chain::Chain;
use common::market::*;
use duet_ledger::*;
use duet_units::{Allowances, BasisPoints, CarbonPrice, ClockTime, Energy};

fn at(mode: Mode) -> SessionNotice {
    SessionNotice { mode, ..notice(DAY) }
}

fn terms_of(
    side: Side,
    (unit, counterparty): (UnitId, UnitId),
    curve: &[(u8, i64)],
) -> ContractTerms {
    let point = |(period, energy): &(u8, i64)| CurvePoint { period: *period, energy: mwh(*energy) };
    ContractTerms {
        session: SessionId(1),
        unit,
        counterparty,
        side,
        price: yuan_per_mwh(350),
        curve: curve.iter().map(point).collect(),
        allowances: None,
        certificates: None,
        reference: 0,
    }
}

fn propose(terms: &ContractTerms) -> Action {
    Action::Contract(ContractAction::Propose(terms.clone()))
}

fn sign(proposal: u64, hash: Digest) -> Action {
    let proposal = ProposalId(proposal);
    Action::Contract(ContractAction::Confirm(ContractConfirmation { proposal, hash }))
}

fn withdraw(proposal: u64) -> Action {
    Action::Contract(ContractAction::Withdraw(ProposalId(proposal)))
}

fn take(listing: u64, unit: UnitId, quantity: i64) -> Action {
    let (listing, quantity) = (OrderId(listing), mwh(quantity));
    Action::Contract(ContractAction::Take(ListingTake { listing, unit, quantity, reference: 0 }))
}

fn list(unit: UnitId, side: Side, limit: i64, quantity: i64) -> Action {
    let conductivity = BasisPoints::ZERO;
    Action::SubmitOrder(OrderRequest { conductivity, ..request((unit, side), 0, limit, quantity) })
}

/// A bilateral session 1 for two days with the joint sessions of these days, and money.
fn bilateral() -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (
            Who::Exchange,
            Action::OpenSession(SessionNotice { days: 2, ..at(Mode::Bilateral) }),
            "ok",
        ),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Coal, yuan(1_000), 2), "ok"),
    ]);
    chain
}

#[test]
fn a_contract_stands_once_both_have_signed_its_hash() {
    let mut chain = bilateral();
    let terms = terms_of(Side::Sell, (COAL, RETAIL), &[(0, 10), (5, 4)]);
    let mut other = terms.hash();
    other[0] ^= 1;
    chain.table(vec![
        (Who::Coal, sell(COAL, 0, 300, 1), "bad-conductivity"),
        (Who::Coal, list(COAL, Side::Sell, 300, 1), "wrong-mode"),
        (Who::Coal, propose(&terms), "ok"),
        (Who::Factory, sign(1, terms.hash()), "not-yours"),
        (Who::Retail, sign(2, terms.hash()), "unknown-proposal"),
        (Who::Retail, sign(1, other), "hash-differs"),
        (Who::Retail, sign(1, terms.hash()), "ok"),
        (Who::Retail, sign(1, terms.hash()), "proposal-ended"),
        (Who::Coal, withdraw(1), "proposal-ended"),
        (Who::Coal, Action::CancelOrder { order: OrderId(1) }, "wrong-mode"),
    ]);
    let trades: Vec<_> = chain
        .state
        .trades()
        .values()
        .map(|t| (t.period, t.buy.0, t.sell.0, t.quantity, t.paid))
        .collect();
    assert_eq!(trades, [(0, 3, 1, mwh(10), yuan(3_500)), (5, 4, 2, mwh(4), yuan(1_400))]);
    // Both days.
    assert_eq!(chain.escrow(Who::Retail), yuan(9_800));
    let restored = chain.restored();
    assert_eq!(restored.proposals(), chain.state.proposals());
    chain.pass_to(gate_close(DAY));
    let payments: Vec<_> = chain.state.payments().values().map(|p| p.amount).collect();
    assert_eq!(payments, [yuan(9_800)]);
    let clearing = &chain.state.clearings()[&(SessionId(1), 5)];
    assert_eq!((clearing.price, clearing.volume), (Some(yuan_per_mwh(350)), mwh(4)));
}

#[test]
fn what_goes_with_a_contract_changes_hands_in_the_same_transaction_or_not_at_all() {
    let mut chain = bilateral();
    let leg = AllowanceLeg {
        allowances: Allowances::from_t(9),
        price: CarbonPrice::from_fen_per_t(10_000),
    };
    let mut terms = terms_of(Side::Sell, (COAL, RETAIL), &[(0, 10)]);
    terms.allowances = Some(leg);
    let allocate = Action::AllocateAllowances {
        organisation: Who::Coal.organisation(),
        allowances: Allowances::from_t(10),
        reference: 1,
    };
    let spend = Action::TransferAllowances {
        to: Who::Wind.organisation(),
        allowances: Allowances::from_t(2),
    };
    chain.table(vec![
        (Who::Coal, propose(&terms), "insufficient-allowances"),
        (Who::Registry, allocate, "ok"),
        (Who::Coal, propose(&terms), "ok"),
        (Who::Coal, spend, "ok"),
        (Who::Retail, sign(1, terms.hash()), "insufficient-allowances"),
        (Who::Coal, withdraw(1), "ok"),
    ]);
    assert_eq!(chain.state.trades().len(), 0);
    terms.allowances =
        Some(AllowanceLeg { allowances: Allowances::from_t(8), ..terms.allowances.unwrap() });
    chain.table(vec![
        (Who::Coal, propose(&terms), "ok"),
        (Who::Retail, sign(2, terms.hash()), "ok"),
    ]);
    let free = |who: Who| chain.state.carbon()[&who.organisation()].free.t();
    assert_eq!((free(Who::Coal), free(Who::Retail)), (0, 8));
    // 8 t at 100 yuan at once, 10 MWh at 350 on two days held.
    assert_eq!(chain.available(Who::Coal), yuan(1_800));
    assert_eq!(chain.escrow(Who::Retail), yuan(7_000));
    assert_eq!(chain.available(Who::Retail), yuan(92_200));
    // Allowances bought with a contract are bought today, too.
    let give = Action::TransferAllowances {
        to: Who::Wind.organisation(),
        allowances: Allowances::from_t(1),
    };
    assert_eq!(chain.send(Who::Retail, give), Err("bought-today"));
}

#[test]
fn a_buyer_can_propose_and_what_nobody_signs_ends_with_the_session() {
    let mut chain = bilateral();
    let terms = terms_of(Side::Buy, (RETAIL, WIND), &[(1, 2)]);
    chain.done(Who::Retail, propose(&terms));
    assert_eq!(chain.escrow(Who::Retail), yuan(1_400));
    chain.done(Who::Wind, withdraw(1));
    assert_eq!(chain.escrow(Who::Retail), yuan(0), "the other party declined");
    chain.done(Who::Retail, propose(&terms));
    chain.pass_to(gate_close(DAY));
    assert_eq!(chain.state.proposals()[&ProposalId(2)].state, ProposalState::Expired);
    assert_eq!(chain.state.orders()[&OrderId(2)].status, OrderStatus::Expired);
    assert_eq!(chain.escrow(Who::Retail), yuan(0));
    chain.table(vec![(Who::Wind, sign(2, terms.hash()), "proposal-ended")]);
}

#[test]
fn calling_a_session_off_takes_its_contracts_back() {
    let mut chain = bilateral();
    let terms = terms_of(Side::Sell, (COAL, RETAIL), &[(0, 10)]);
    let void = Action::Intervene {
        session: SessionId(1),
        intervention: Intervention::Void,
        reason: String::from("line fault"),
    };
    chain.table(vec![
        (Who::Coal, propose(&terms), "ok"),
        (Who::Retail, sign(1, terms.hash()), "ok"),
        (Who::Exchange, void, "ok"),
    ]);
    assert_eq!(chain.available(Who::Retail), yuan(100_000));
    assert!(chain.state.trades().is_empty());
    assert!(chain.state.orders().values().all(|order| order.status == OrderStatus::Expired));
    // The units are free again.
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(at(Mode::Bilateral)), "ok"),
        (Who::Coal, propose(&ContractTerms { session: SessionId(3), ..terms }), "ok"),
    ]);
}

fn listing(sharing: Sharing, listers: Option<Side>) -> Chain {
    let mut chain = Chain::new();
    let mode = Mode::Listing(ListingTerms { sharing, listers });
    let notice = SessionNotice { rule: sharing_rule(sharing), ..at(mode) };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(notice), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(100_000), 2), "ok"),
    ]);
    chain
}

fn traded(chain: &Chain) -> Vec<(u64, u64, Energy)> {
    chain.state.trades().values().map(|t| (t.buy.0, t.sell.0, t.quantity)).collect()
}

#[test]
fn by_time_a_take_is_certain_and_at_most_what_is_left() {
    let mut chain = listing(Sharing::Time, Some(Side::Sell));
    chain.table(vec![
        (Who::Retail, list(RETAIL, Side::Buy, 350, 1), "role-fixed"),
        (Who::Coal, list(COAL, Side::Sell, 350, 10), "ok"),
        (Who::Retail, take(1, RETAIL, 6), "ok"),
        (Who::Factory, take(1, FACTORY, 5), "listing-taken"),
        (Who::Factory, take(1, FACTORY, 4), "ok"),
        (Who::Factory, take(3, FACTORY, 1), "not-listed"),
        (Who::Coal, Action::CancelOrder { order: OrderId(1) }, "listing-taken"),
        (Who::Factory, Action::CancelOrder { order: OrderId(3) }, "ok"),
        (Who::Factory, take(1, FACTORY, 3), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    assert_eq!(traded(&chain), [(2, 1, mwh(6)), (4, 1, mwh(3))]);
    let payments: Vec<_> = chain.state.payments().values().map(|p| p.amount).collect();
    assert_eq!(payments, [yuan(2_100), yuan(1_050)]);
}

#[test]
fn pro_rata_takers_share_what_is_listed() {
    let mut chain = listing(Sharing::ProRata, None);
    chain.table(vec![
        (Who::Coal, list(COAL, Side::Sell, 350, 10), "ok"),
        (Who::Retail, take(1, RETAIL, 12), "ok"),
        (Who::Factory, take(1, FACTORY, 8), "ok"),
        (Who::Retail, list(RETAIL, Side::Buy, 350, 1), "role-fixed"),
        (Who::Wind, list(WIND, Side::Sell, 340, 1), "ok"),
        (Who::Coal, take(5, COAL, 1), "not-listed"),
    ]);
    chain.pass_to(gate_close(DAY));
    assert_eq!(traded(&chain), [(2, 1, mwh(6)), (3, 1, mwh(4))]);
    assert_eq!(chain.state.orders()[&OrderId(4)].status, OrderStatus::Expired);
    assert_eq!(chain.escrow(Who::Retail), yuan(2_100), "the rest is released");
}

#[test]
fn buyers_may_list_and_clean_energy_is_first_in_its_window() {
    let mut chain = listing(Sharing::Windows, None);
    chain.table(vec![
        (Who::Retail, list(RETAIL, Side::Buy, 400, 10), "ok"),
        (Who::Coal, take(1, COAL, 10), "ok"),
        (Who::Wind, take(1, WIND, 6), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    assert_eq!(traded(&chain), [(1, 2, mwh(4)), (1, 3, mwh(6))]);
}

#[test]
fn a_later_window_waits() {
    let mut chain = listing(Sharing::Windows, None);
    chain.table(vec![
        (Who::Retail, list(RETAIL, Side::Buy, 400, 10), "ok"),
        (Who::Coal, take(1, COAL, 7), "ok"),
    ]);
    let later = chain.state.sessions()[&SessionId(1)].gate_open.unix_ms() + 900_000;
    chain.pass_to(ClockTime::from_unix_ms(later));
    chain.done(Who::Wind, take(1, WIND, 6));
    chain.pass_to(gate_close(DAY));
    assert_eq!(traded(&chain), [(1, 2, mwh(7)), (1, 3, mwh(3))]);
}
