//! Allowances: allocated, transferred, surrendered once, and traded.

mod bidding;
mod block;
mod credit;
mod day;
mod deal;
mod listing;
mod period;
mod terms;
mod verify;
mod year;

use super::{Caller, Failure};
use crate::action::CarbonAction;
use crate::event::Event;
use crate::ids::OrganisationId;
use crate::records::{CarbonAccount, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_units::Allowances;

/// The most allowances of one allocation: 10 billion tonnes, a year of the whole country.
const ALLOCATION_MAX_T: i64 = 10_000_000_000;

impl State {
    pub(super) fn carbon_account(&self, organisation: OrganisationId) -> CarbonAccount {
        self.carbon.get(organisation).cloned().unwrap_or(CarbonAccount::EMPTY)
    }

    pub(super) fn check_carbon(
        &self,
        caller: &Caller,
        action: &CarbonAction,
    ) -> Result<(), Refusal> {
        match action {
            CarbonAction::AnnounceTerms(notice) => self.check_carbon_terms(caller, notice),
            CarbonAction::List(listing) => self.check_listing(caller, listing),
            CarbonAction::Take(take) => self.check_take(caller, take).map(drop),
            CarbonAction::Withdraw(request) => {
                self.check_carbon_withdrawal(caller, request.order).map(drop)
            }
            CarbonAction::ProposeBlock(proposal) => self.check_proposal(caller, proposal),
            CarbonAction::ConfirmBlock(request) => {
                self.check_confirmation(caller, request).map(drop)
            }
            CarbonAction::OpenBidding(notice) => self.check_bidding(caller, notice),
            CarbonAction::Bid(bid) => self.check_bid(caller, bid).map(drop),
            action => self.check_compliance(caller, action),
        }
    }

    pub(super) fn apply_carbon(
        &mut self,
        caller: Caller,
        action: &CarbonAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            CarbonAction::AnnounceTerms(notice) => self.announce_carbon_terms(caller, notice),
            CarbonAction::List(listing) => self.list(caller, listing, events),
            CarbonAction::Take(take) => self.take(caller, take, events),
            CarbonAction::Withdraw(request) => {
                self.withdraw_carbon_order(caller, request.order, events)
            }
            CarbonAction::ProposeBlock(proposal) => self.propose_block(caller, proposal, events),
            CarbonAction::ConfirmBlock(request) => self.confirm_block(caller, request, events),
            CarbonAction::OpenBidding(notice) => self.open_bidding(caller, notice, events),
            CarbonAction::Bid(bid) => self.bid(caller, bid, events),
            action => self.apply_compliance(caller, action, events),
        }
    }

    pub(super) fn check_allocation(
        &self,
        caller: &Caller,
        (organisation, allowances, reference): (OrganisationId, Allowances, u64),
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Registry])?;
        if allowances <= Allowances::ZERO {
            return Err(Rejection::AmountNotPositive.of("allowances", allowances.t(), 0));
        }
        if self.organisations.get(organisation).is_none() {
            return Err(Rejection::UnknownOrganisation.of("organisation", organisation.0, 0));
        }
        if allowances.t() > ALLOCATION_MAX_T {
            let value = allowances.t();
            return Err(Rejection::AmountTooLarge.of("allowances", value, ALLOCATION_MAX_T));
        }
        self.check_reference(caller, reference)?;
        self.progress().allocated.plus(allowances)?;
        Ok(())
    }

    pub(super) fn allocate(
        &mut self,
        caller: Caller,
        request: (OrganisationId, Allowances, u64),
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_allocation(&caller, request)?;
        let (organisation, allowances, reference) = request;
        let mut account = self.carbon_account(organisation);
        account.free = account.free.plus(allowances).map_err(Refusal::from)?;
        let mut progress = self.progress();
        progress.allocated = progress.allocated.plus(allowances).map_err(Refusal::from)?;
        self.carbon.insert(organisation, account);
        self.progress.insert((), progress);
        self.references.insert((caller.organisation, reference), ());
        events.push(Event::AllowancesAllocated { organisation, allowances });
        Ok(u64::from(organisation.0))
    }

    pub(super) fn check_allowance_transfer(
        &self,
        caller: &Caller,
        to: OrganisationId,
        allowances: Allowances,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        if allowances <= Allowances::ZERO {
            return Err(Rejection::AmountNotPositive.of("allowances", allowances.t(), 0));
        }
        if self.organisations.get(to).is_none() {
            return Err(Rejection::UnknownOrganisation.of("to", to.0, 0));
        }
        let free = self.carbon_account(caller.organisation).free;
        if allowances > free {
            return Err(Rejection::InsufficientAllowances.of(
                "allowances",
                allowances.t(),
                free.t(),
            ));
        }
        if to == caller.organisation {
            return Err(Rejection::SameAccount.of("to", to.0, 0));
        }
        self.check_not_bought_today(caller, allowances)?;
        self.carbon_account(to).free.plus(allowances)?;
        Ok(())
    }

    pub(super) fn transfer_allowances(
        &mut self,
        caller: Caller,
        to: OrganisationId,
        allowances: Allowances,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.hand_over_allowances(caller, to, allowances, events)?;
        self.count_gift((caller.organisation, to), allowances)?;
        Ok(u64::from(to.0))
    }

    /// Moves allowances; whoever asks for it counts them as sold or as given.
    pub(super) fn hand_over_allowances(
        &mut self,
        caller: Caller,
        to: OrganisationId,
        allowances: Allowances,
        events: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        self.check_allowance_transfer(&caller, to, allowances)?;
        let from = caller.organisation;
        let (mut giver, mut taker) = (self.carbon_account(from), self.carbon_account(to));
        giver.free = giver.free.minus(allowances).map_err(Refusal::from)?;
        taker.free = taker.free.plus(allowances).map_err(Refusal::from)?;
        self.carbon.insert(from, giver);
        self.carbon.insert(to, taker);
        events.push(Event::AllowancesTransferred { from, to, allowances });
        Ok(())
    }

    /// Returns the account as it is after the surrender.
    pub(super) fn check_surrender(
        &self,
        caller: &Caller,
        allowances: Allowances,
    ) -> Result<CarbonAccount, Refusal> {
        caller.needs(&[Role::Generator])?;
        if allowances <= Allowances::ZERO {
            return Err(Rejection::AmountNotPositive.of("allowances", allowances.t(), 0));
        }
        let mut account = self.carbon_account(caller.organisation);
        if allowances > account.free {
            return Err(Rejection::InsufficientAllowances.of(
                "allowances",
                allowances.t(),
                account.free.t(),
            ));
        }
        // A started tonne obliges to a whole allowance.
        let (tonnes, rest) = account.emissions.tonnes_and_rest();
        let obliged = tonnes.saturating_add(i128::from(!rest.is_zero()));
        let surrendered = account.surrendered.plus(allowances)?;
        if i128::from(surrendered.t()) > obliged {
            return Err(Rejection::ExceedsObligation.of("allowances", allowances.t(), obliged));
        }
        account.free = account.free.minus(allowances)?;
        account.surrendered = surrendered;
        Ok(account)
    }

    pub(super) fn surrender(
        &mut self,
        caller: Caller,
        allowances: Allowances,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let account = self.check_surrender(&caller, allowances)?;
        let organisation = caller.organisation;
        self.carbon.insert(organisation, account);
        events.push(Event::AllowancesSurrendered { organisation, allowances });
        Ok(u64::from(organisation.0))
    }
}
