//! Bilateral contracts: two signatures over one hash.

use super::order::Entry;
use super::{Caller, Failure};
use crate::action::{ContractAction, ContractConfirmation, OrderRequest};
use crate::codec::Encode;
use crate::event::Event;
use crate::hash::{Digest, hash};
use crate::ids::{OrganisationId, ProposalId, SessionId, UnitId};
use crate::records::{
    AccountKind, ContractTerms, Counter, Order, OrderStatus, Proposal, ProposalState, Role, Roles,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{BasisPoints, Money, OverflowError};

const CONTRACT_DOMAIN: &[u8] = b"duet/contract/v1";
/// The most open proposals of one session.
const SESSION_PROPOSALS_MAX: usize = 10_000;
/// The most open proposals of one member in a session.
const OWN_PROPOSALS_MAX: usize = 256;

impl ContractTerms {
    /// What both parties sign.
    #[must_use]
    pub fn hash(&self) -> Digest {
        hash(CONTRACT_DOMAIN, &[&self.to_bytes()])
    }

    /// The orders of one party, one a point.
    fn requests(&self, unit: UnitId, side: Side) -> impl Iterator<Item = OrderRequest> {
        self.curve.iter().map(move |point| OrderRequest {
            session: self.session,
            unit,
            side,
            period: point.period,
            limit: self.price,
            quantity: point.energy,
            conductivity: BasisPoints::ZERO,
            reference: self.reference,
            time_in_force: TimeInForce::Gtc,
        })
    }

    /// What the buyer pays at once: for allowances and certificates.
    fn legs_cost(&self) -> Result<Money, OverflowError> {
        let overflow =
            OverflowError { operation: "price of what goes with a contract", unit: "fen" };
        let allowances = self.allowances.as_ref().map_or(Some(0), |leg| {
            i128::from(leg.allowances.t()).checked_mul(leg.price.fen_per_t().into())
        });
        let certificates = self
            .certificates
            .as_ref()
            .map_or(Some(0), |leg| i128::from(leg.count).checked_mul(leg.price.fen()));
        allowances
            .zip(certificates)
            .and_then(|(a, c)| a.checked_add(c))
            .map(Money::from_fen)
            .ok_or(overflow)
    }
}

impl State {
    pub(super) fn check_contract(
        &self,
        caller: &Caller,
        action: &ContractAction,
    ) -> Result<(), Refusal> {
        match action {
            ContractAction::Propose(terms) => self.check_contract_proposal(caller, terms).map(drop),
            ContractAction::Confirm(signed) => {
                self.check_contract_confirmation(caller, signed).map(drop)
            }
            ContractAction::Withdraw(id) => self.check_withdrawal(caller, *id).map(drop),
            ContractAction::Take(take) => self.check_listing_take(caller, take).map(drop),
        }
    }

    pub(super) fn apply_contract(
        &mut self,
        caller: Caller,
        action: &ContractAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            ContractAction::Propose(terms) => self.propose(caller, terms, events),
            ContractAction::Confirm(signed) => self.confirm_contract(caller, signed, events),
            ContractAction::Withdraw(id) => self.withdraw_proposal(caller, *id, events),
            ContractAction::Take(take) => self.take_listing(caller, take, events),
        }
    }

    /// Holds the orders of one party to every rule, each alone and all together.
    fn check_party(
        &self,
        caller: &Caller,
        terms: &ContractTerms,
        (unit, side): (UnitId, Side),
    ) -> Result<Vec<Order>, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let mut orders = Vec::with_capacity(terms.curve.len());
        let requests: Vec<OrderRequest> = terms.requests(unit, side).collect();
        for request in &requests {
            orders.push(self.check_order_as(caller, request, Entry::Contract)?);
        }
        let mut last = None;
        for point in &terms.curve {
            if last.is_some_and(|last| last >= point.period) {
                return Err(Rejection::BadCurve.of("period", point.period, 0));
            }
            last = Some(point.period);
        }
        if last.is_none() {
            return Err(Rejection::BadCurve.of("curve", 0, 1));
        }
        self.check_together(&requests)?;
        Ok(orders)
    }

    /// The party's money covers its orders and, if it buys, what goes with them.
    fn check_party_funds(
        &self,
        (organisation, side): (OrganisationId, Side),
        orders: &[Order],
        terms: &ContractTerms,
    ) -> Result<(), Refusal> {
        let mut due = Money::sum(orders.iter().map(|order| order.escrow))?;
        if side == Side::Buy {
            due = due.plus(terms.legs_cost()?)?;
        }
        let available = self.balance(organisation, AccountKind::Available);
        if side == Side::Buy && available < due {
            return Err(Rejection::InsufficientFunds.of("funds", available.fen(), due.fen()));
        }
        Ok(())
    }

    fn check_contract_proposal(
        &self,
        caller: &Caller,
        terms: &ContractTerms,
    ) -> Result<Vec<Order>, Refusal> {
        let orders = self.check_party(caller, terms, (terms.unit, terms.side))?;
        let other = self.units.get(terms.counterparty).filter(|u| u.owner != caller.organisation);
        if other.is_none() {
            return Err(Rejection::BadCounterparty.of("counterparty", terms.counterparty.0, 0));
        }
        self.check_proposals_left(caller.organisation, terms.session)?;
        check_leg_amounts(terms)?;
        self.check_party_funds((caller.organisation, terms.side), &orders, terms)?;
        if terms.side == Side::Sell {
            self.check_legs(caller, caller.organisation, terms, None)?;
        }
        Ok(orders)
    }

    /// Whether one more open proposal of a member fits into a session.
    fn check_proposals_left(
        &self,
        proposer: OrganisationId,
        session: SessionId,
    ) -> Result<(), Refusal> {
        let counts = [
            (self.members.proposals(session).count(), SESSION_PROPOSALS_MAX),
            (self.members.own_proposals(session, proposer).count(), OWN_PROPOSALS_MAX),
        ];
        for (count, most) in counts {
            if count >= most {
                let whole = |count| i64::try_from(count).unwrap_or(i64::MAX);
                return Err(Rejection::TooManyProposals.of("proposals", whole(count), whole(most)));
            }
        }
        Ok(())
    }

    /// Ends an open proposal.
    fn end_proposal(&mut self, id: ProposalId, state: ProposalState) {
        if let Some(row) = self.proposals.get_mut(id) {
            row.state = state;
            let (session, proposer) = (row.terms.session, row.proposer);
            self.members.end(session, proposer, id);
        }
    }

    /// Whether `seller` can hand over what goes with the contract; to itself means to anybody.
    fn check_legs(
        &self,
        caller: &Caller,
        seller: OrganisationId,
        terms: &ContractTerms,
        buyer: Option<OrganisationId>,
    ) -> Result<(), Refusal> {
        let seller = by_signature(caller, seller);
        if let Some(leg) = &terms.allowances {
            let free = self.carbon_account(seller.organisation).free;
            if leg.allowances > free {
                let (wanted, free) = (leg.allowances.t(), free.t());
                return Err(Rejection::InsufficientAllowances.of("allowances", wanted, free));
            }
            if let Some(buyer) = buyer {
                self.check_allowance_transfer(&seller, buyer, leg.allowances)?;
            }
        }
        if let Some(leg) = &terms.certificates {
            let to = buyer.or_else(|| self.units.get(terms.counterparty).map(|unit| unit.owner));
            let to = to.unwrap_or(seller.organisation);
            self.check_certificate_transfer(&seller, (leg.lot, leg.count), to)?;
        }
        Ok(())
    }

    fn propose(
        &mut self,
        caller: Caller,
        terms: &ContractTerms,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let orders = self.check_contract_proposal(&caller, terms)?;
        let first_order = self.progress().next_order;
        for order in orders {
            self.place(order, events)?;
        }
        let id = ProposalId(self.next_number(Counter::Proposal));
        let state = ProposalState::Proposed;
        let (hash, proposer) = (terms.hash(), caller.organisation);
        let to = self.units.get(terms.counterparty).map_or(proposer, |unit| unit.owner);
        let (terms, session) = (terms.clone(), terms.session);
        self.members.open(session, proposer, id);
        self.proposals.insert(id, Proposal { terms, hash, proposer, first_order, state });
        events.push(Event::ContractProposed { proposal: id, session, to });
        Ok(id.0)
    }

    fn open_proposal(&self, id: ProposalId) -> Result<&Proposal, Refusal> {
        let proposal =
            self.proposals.get(id).ok_or(Rejection::UnknownProposal.of("proposal", id.0, 0))?;
        if proposal.state == ProposalState::Proposed {
            Ok(proposal)
        } else {
            Err(Rejection::ProposalEnded.of("proposal", id.0, proposal.state.code()))
        }
    }

    fn check_contract_confirmation(
        &self,
        caller: &Caller,
        signed: &ContractConfirmation,
    ) -> Result<Vec<Order>, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let proposal = self.open_proposal(signed.proposal)?;
        let terms = &proposal.terms;
        let side = terms.side.opposite();
        let orders = self.check_party(caller, terms, (terms.counterparty, side))?;
        if signed.hash != proposal.hash {
            return Err(Rejection::HashDiffers.of("hash", 0, 0));
        }
        self.check_party_funds((caller.organisation, side), &orders, terms)?;
        let (seller, buyer) = match side {
            Side::Buy => (proposal.proposer, caller.organisation),
            Side::Sell => (caller.organisation, proposal.proposer),
        };
        if side == Side::Sell {
            let (cost, funds) = (terms.legs_cost()?, self.balance(buyer, AccountKind::Available));
            if funds < cost {
                return Err(Rejection::InsufficientFunds.of("funds", funds.fen(), cost.fen()));
            }
        }
        self.check_legs(caller, seller, terms, Some(buyer))?;
        Ok(orders)
    }

    fn confirm_contract(
        &mut self,
        caller: Caller,
        signed: &ContractConfirmation,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let orders = self.check_contract_confirmation(&caller, signed)?;
        let id = signed.proposal;
        let Some(proposal) = self.proposals.get(id).cloned() else {
            return Err(BrokenInvariant("a checked proposal is there").into());
        };
        let mut theirs = proposal.first_order;
        for order in orders {
            let (side, energy) = (order.side, order.quantity);
            let ours = self.place(order, events)?;
            let (buy, sell) = if side == Side::Buy { (ours, theirs) } else { (theirs, ours) };
            self.trade_now((buy, sell), energy, proposal.terms.price)?;
            theirs = theirs.next();
        }
        let (seller, buyer) = match proposal.terms.side {
            Side::Sell => (proposal.proposer, caller.organisation),
            Side::Buy => (caller.organisation, proposal.proposer),
        };
        self.hand_over_legs(caller, (seller, buyer), &proposal.terms, events)?;
        self.end_proposal(id, ProposalState::Confirmed);
        events.push(Event::ContractConfirmed { proposal: id, session: proposal.terms.session });
        Ok(id.0)
    }

    fn hand_over_legs(
        &mut self,
        caller: Caller,
        (seller, buyer): (OrganisationId, OrganisationId),
        terms: &ContractTerms,
        events: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let cost = terms.legs_cost().map_err(Refusal::from)?;
        let available = AccountKind::Available;
        self.post((buyer, available), (seller, available), cost)?;
        let seller = by_signature(&caller, seller);
        if let Some(leg) = &terms.allowances {
            self.hand_over_allowances(seller, buyer, leg.allowances, events)?;
            let parties = (seller.organisation, buyer);
            if self.is_sale(leg.price) {
                self.count_sale(parties, leg.allowances)?;
            } else {
                self.count_gift(parties, leg.allowances)?;
            }
            self.count_bought(buyer, leg.allowances)?;
        }
        if let Some(leg) = &terms.certificates {
            self.transfer_certificates(seller, (leg.lot, leg.count), buyer, events)?;
        }
        Ok(())
    }

    fn check_withdrawal(&self, caller: &Caller, id: ProposalId) -> Result<Proposal, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let proposal = self.open_proposal(id)?;
        let other = self.units.get(proposal.terms.counterparty).map(|unit| unit.owner);
        if proposal.proposer != caller.organisation && other != Some(caller.organisation) {
            return Err(Rejection::NotYours.of("proposal", id.0, 0));
        }
        Ok(proposal.clone())
    }

    fn withdraw_proposal(
        &mut self,
        caller: Caller,
        id: ProposalId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let proposal = self.check_withdrawal(&caller, id)?;
        let mut order = proposal.first_order;
        for _ in &proposal.terms.curve {
            self.release_order(order, OrderStatus::Cancelled, events)?;
            order = order.next();
        }
        self.end_proposal(id, ProposalState::Withdrawn);
        events.push(Event::ContractWithdrawn { proposal: id, session: proposal.terms.session });
        Ok(id.0)
    }

    /// Proposals that nobody confirmed end with their session.
    pub(super) fn expire_proposals(&mut self, session: SessionId) {
        let open: Vec<ProposalId> = self.members.proposals(session).collect();
        for id in open {
            self.end_proposal(id, ProposalState::Expired);
        }
    }
}

/// A party to a contract that both have signed, as the one who hands over.
fn by_signature(caller: &Caller, organisation: OrganisationId) -> Caller {
    Caller { organisation, roles: Roles::of(&[Role::Generator]), ..*caller }
}

fn check_leg_amounts(terms: &ContractTerms) -> Result<(), Refusal> {
    if let Some(leg) = &terms.allowances {
        let (count, price) = (leg.allowances.t(), leg.price.fen_per_t());
        if count <= 0 || price < 0 {
            return Err(Rejection::AmountNotPositive.of("allowances", count.min(price), 0));
        }
    }
    if let Some(leg) = &terms.certificates
        && (leg.count == 0 || leg.price <= Money::ZERO)
    {
        return Err(Rejection::AmountNotPositive.of("certificates", leg.price.fen(), 0));
    }
    terms.legs_cost()?;
    Ok(())
}
