//! Block agreements: one party proposes, the other confirms the same proposal.

use super::super::{Caller, Failure};
use super::deal::NewDeal;
use super::terms::{Intent, TRADERS};
use crate::action::{BlockConfirmation, BlockProposal};
use crate::event::Event;
use crate::records::{CarbonMode, CarbonOrder};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::allowance::listed::BLOCK_FROM;

impl State {
    pub(super) fn check_proposal(
        &self,
        caller: &Caller,
        proposal: &BlockProposal,
    ) -> Result<(), Refusal> {
        caller.needs(&TRADERS)?;
        let BlockProposal { side, counterparty, allowances, price } = *proposal;
        let intent = Intent { side, allowances, price };
        if self.organisations.get(counterparty).is_none() {
            self.check_buyers_means(caller, intent)?;
            let number = counterparty.0;
            return Err(Rejection::UnknownOrganisation.of("counterparty", number, 0));
        }
        self.check_means(caller, intent)?;
        if counterparty == caller.organisation {
            return Err(Rejection::SameAccount.of("counterparty", counterparty.0, 0));
        }
        let terms = &self.market()?.terms;
        self.check_hours(caller, &[&terms.block])?;
        if allowances < BLOCK_FROM {
            return Err(Rejection::BlockSize.of("allowances", allowances.t(), BLOCK_FROM.t()));
        }
        self.check_band(price, terms.block_band)?;
        self.check_same_day(caller, intent)?;
        self.check_room(caller)
    }

    /// The rules on quantity and money, which come before whether the other party is known.
    fn check_buyers_means(&self, caller: &Caller, intent: Intent) -> Result<(), Refusal> {
        match self.check_means(caller, intent) {
            Err(refusal) if refusal.rejection < Rejection::UnknownOrganisation => Err(refusal),
            _ => Ok(()),
        }
    }

    pub(super) fn propose_block(
        &mut self,
        caller: Caller,
        proposal: &BlockProposal,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_proposal(&caller, proposal)?;
        let order = CarbonOrder {
            owner: caller.organisation,
            side: proposal.side,
            allowances: proposal.allowances,
            price: proposal.price,
            counterparty: Some(proposal.counterparty),
            bidding: None,
        };
        self.accept_order(order, events)
    }

    pub(super) fn check_confirmation(
        &self,
        caller: &Caller,
        request: &BlockConfirmation,
    ) -> Result<CarbonOrder, Refusal> {
        caller.needs(&TRADERS)?;
        let order = self.carbon_orders.get(request.order);
        if order.is_some_and(|order| order.counterparty != Some(caller.organisation)) {
            return Err(Rejection::NotYours.of("order", request.order.0, 0));
        }
        let order = order.ok_or(Rejection::UnknownOrder.of("order", request.order.0, 0))?;
        let intent = Intent { side: order.side.opposite(), ..order.intent() };
        self.check_means(caller, intent)?;
        self.check_hours(caller, &[&self.market()?.terms.block])?;
        self.check_same_day(caller, intent)?;
        if request.proposal != order.proposal_hash(&self.channel, request.order) {
            return Err(Rejection::WrongProposal.of("proposal", 0, 0));
        }
        Ok(order.clone())
    }

    /// Returns the number of the deal.
    pub(super) fn confirm_block(
        &mut self,
        caller: Caller,
        request: &BlockConfirmation,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let order = self.check_confirmation(&caller, request)?;
        self.draw_on(request.order, order.allowances)?;
        let (seller, buyer) = NewDeal::parties(order.side, order.owner, caller.organisation);
        let deal = NewDeal {
            mode: CarbonMode::Block,
            order: request.order,
            seller,
            buyer,
            allowances: order.allowances,
            price: order.price,
        };
        Ok(self.deal(deal, events)?.0)
    }
}
