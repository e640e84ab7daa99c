//! 420 to 429: bilateral contracts and listings.

use crate::common::chain::Chain;
use crate::common::market::{
    COAL, DAY, FACTORY, RETAIL, WIND, Who, deposit, mwh, notice, open, request, yuan, yuan_per_mwh,
};
use duet_ledger::{
    Action, ContractAction, ContractConfirmation, ContractTerms, CurvePoint, ListingTake,
    ListingTerms, Mode, OrderId, OrderRequest, ProposalId, SessionId, SessionNotice, Sharing, Side,
    UnitId,
};
use duet_units::BasisPoints;
use std::collections::BTreeSet;

fn terms(curve: &[u8]) -> ContractTerms {
    let point = |period: &u8| CurvePoint { period: *period, energy: mwh(1) };
    ContractTerms {
        session: SessionId(1),
        unit: COAL,
        counterparty: RETAIL,
        side: Side::Sell,
        price: yuan_per_mwh(350),
        curve: curve.iter().map(point).collect(),
        allowances: None,
        certificates: None,
        reference: 0,
    }
}

fn propose(terms: ContractTerms) -> Action {
    Action::Contract(ContractAction::Propose(terms))
}

fn listed(unit: UnitId, side: Side) -> Action {
    let plain = request((unit, side), 0, 350, 2);
    let conductivity = BasisPoints::ZERO;
    Action::SubmitOrder(OrderRequest { session: SessionId(2), conductivity, ..plain })
}

fn take(listing: u64, unit: UnitId, quantity: i64) -> Action {
    let (listing, quantity) = (OrderId(listing), mwh(quantity));
    Action::Contract(ContractAction::Take(ListingTake { listing, unit, quantity, reference: 0 }))
}

fn sign(proposal: u64, hash: [u8; 32]) -> Action {
    let proposal = ProposalId(proposal);
    Action::Contract(ContractAction::Confirm(ContractConfirmation { proposal, hash }))
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let sharing = ListingTerms { sharing: Sharing::Time, listers: Some(Side::Sell) };
    let with = |mode| Action::OpenSession(SessionNotice { mode, ..notice(DAY) });
    let hash = terms(&[0]).hash();
    chain.table(vec![
        (Who::Exchange, with(Mode::Bilateral), "ok"),
        (Who::Exchange, with(Mode::Listing(sharing)), "ok"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(1_000), 2), "ok"),
        (Who::Bank, propose(terms(&[0])), "wrong-role"),
        (Who::Coal, propose(ContractTerms { session: SessionId(3), ..terms(&[0]) }), "wrong-mode"),
        (Who::Coal, propose(terms(&[])), "bad-curve"),
        (Who::Coal, propose(terms(&[1, 1])), "bad-curve"),
        (
            Who::Coal,
            propose(ContractTerms { counterparty: COAL, ..terms(&[0]) }),
            "bad-counterparty",
        ),
        (
            Who::Coal,
            propose(ContractTerms { counterparty: UnitId(99), ..terms(&[0]) }),
            "bad-counterparty",
        ),
        (Who::Coal, propose(terms(&[0])), "ok"),
        (Who::Retail, sign(2, hash), "unknown-proposal"),
        (Who::Factory, sign(1, hash), "not-yours"),
        (Who::Retail, sign(1, [0; 32]), "hash-differs"),
        (Who::Factory, Action::Contract(ContractAction::Withdraw(ProposalId(1))), "not-yours"),
        (Who::Retail, sign(1, hash), "ok"),
        (Who::Retail, sign(1, hash), "proposal-ended"),
        (Who::Retail, listed(RETAIL, Side::Buy), "role-fixed"),
        (Who::Wind, listed(WIND, Side::Sell), "ok"),
        (Who::Retail, take(9, RETAIL, 1), "not-listed"),
        (Who::Retail, take(1, RETAIL, 1), "not-listed"),
        (Who::Factory, take(3, FACTORY, 3), "listing-taken"),
        (Who::Factory, take(3, FACTORY, 2), "ok"),
    ]);
    chain.provoked
}

#[test]
fn contracts_and_takes_are_refused_for_their_first_fault() {
    provoke();
}

#[test]
fn a_member_has_a_limit_of_open_proposals_in_a_session() {
    provoke_limit();
}

/// 429, after a member's share of open proposals; those taken back, and those of others, do not
/// count.
pub(crate) fn provoke_limit() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let notice = SessionNotice { mode: Mode::Bilateral, ..notice(DAY) };
    chain.done(Who::Exchange, Action::OpenSession(notice));
    let withdraw = |id| Action::Contract(ContractAction::Withdraw(ProposalId(id)));
    let by_wind = ContractTerms { unit: WIND, ..terms(&[0]) };
    let spread = |place: u64| terms(&[u8::try_from(place % 24).unwrap()]);
    for place in 0..256 {
        chain.done(Who::Coal, propose(spread(place)));
    }
    chain.table(vec![
        (Who::Coal, propose(terms(&[0])), "too-many-proposals"),
        (Who::Wind, propose(by_wind), "ok"),
        (Who::Coal, withdraw(1), "ok"),
        (Who::Retail, withdraw(2), "ok"),
        (Who::Coal, propose(terms(&[0])), "ok"),
    ]);
    chain = chain.with_rows(|_| {});
    chain.table(vec![
        (Who::Coal, propose(terms(&[0])), "ok"),
        (Who::Coal, propose(terms(&[0])), "too-many-proposals"),
    ]);
    chain.provoked
}
