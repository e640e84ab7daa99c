//! Carbon credits: issued once for an outside id, transferred, retired once for a year.

use super::super::{Caller, Failure};
use super::terms::TRADERS;
use crate::action::{CreditIssue, CreditRetirement, CreditTransfer};
use crate::event::Event;
use crate::hash::{Digest, hash};
use crate::ids::{CreditLotId, OrganisationId};
use crate::records::{Counter, CreditLot, Obligation, ObligationState, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::allowance::compliance::share_of;
use duet_units::Allowances;

const OUTSIDE_DOMAIN: &[u8] = b"duet/outside-id/v1";
/// The most credits of one issue.
const ISSUE_MAX: u64 = 10_000_000_000;

/// What the ledger keeps of an outside id.
fn outside_hash(id: &str) -> Digest {
    hash(OUTSIDE_DOMAIN, &[id.as_bytes()])
}

impl State {
    pub(super) fn check_credit_issue(
        &self,
        caller: &Caller,
        request: &CreditIssue,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Registry])?;
        let CreditIssue { organisation, count, .. } = *request;
        if count == 0 {
            return Err(Rejection::AmountNotPositive.of("count", count, 0));
        }
        if self.organisations.get(organisation).is_none() {
            return Err(Rejection::UnknownOrganisation.of("organisation", organisation.0, 0));
        }
        if count > ISSUE_MAX {
            return Err(Rejection::AmountTooLarge.of("count", count, ISSUE_MAX));
        }
        if self.outside_ids.get(outside_hash(&request.outside_id)).is_some() {
            return Err(Rejection::OutsideIdUsed.of("outside id", 0, 0));
        }
        let last = self.counters.get(Counter::Credit).copied().unwrap_or(0);
        if last.checked_add(count).is_none() {
            return Err(Rejection::OutOfRange.of("credits", last, u64::MAX));
        }
        Ok(())
    }

    pub(super) fn issue_credits(
        &mut self,
        caller: Caller,
        request: &CreditIssue,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_credit_issue(&caller, request)?;
        let CreditIssue { organisation: owner, count, .. } = *request;
        let last = self.counters.get(Counter::Credit).copied().unwrap_or(0);
        self.counters.insert(Counter::Credit, last.saturating_add(count));
        self.outside_ids.insert(outside_hash(&request.outside_id), ());
        let lot = self.add_credits(CreditLot {
            project: request.project.clone(),
            vintage: request.vintage,
            first: last.saturating_add(1),
            count,
            owner,
            retired_for: None,
        });
        events.push(Event::CreditsIssued { lot, owner, count });
        Ok(lot.0)
    }

    fn add_credits(&mut self, lot: CreditLot) -> CreditLotId {
        let id = CreditLotId(self.next_number(Counter::CreditLot));
        self.credits.insert(id, lot);
        id
    }

    /// Takes the first `count` credits of a run out as a run of their own, unless that is all.
    fn split_credits(&mut self, id: CreditLotId, lot: &CreditLot, count: u64) -> CreditLotId {
        if count == lot.count {
            return id;
        }
        if let Some(row) = self.credits.get_mut(id) {
            row.first = row.first.saturating_add(count);
            row.count = row.count.saturating_sub(count);
        }
        self.add_credits(CreditLot { count, ..lot.clone() })
    }

    /// What concerns owner and amount, which come before whether there is such a run.
    fn check_credit_claim(
        &self,
        caller: &Caller,
        (id, count): (CreditLotId, u64),
    ) -> Result<(), Refusal> {
        caller.needs(&TRADERS)?;
        if self.credits.get(id).is_some_and(|lot| lot.owner != caller.organisation) {
            return Err(Rejection::NotYours.of("lot", id.0, 0));
        }
        if count == 0 {
            return Err(Rejection::AmountNotPositive.of("count", count, 0));
        }
        Ok(())
    }

    fn live_credits(&self, id: CreditLotId, count: u64) -> Result<CreditLot, Refusal> {
        let lot = self.credits.get(id).ok_or(Rejection::UnknownCredit.of("lot", id.0, 0))?;
        if lot.retired_for.is_some() {
            return Err(Rejection::CreditEnded.of("lot", id.0, 0));
        }
        if count > lot.count {
            return Err(Rejection::TooManyCredits.of("count", count, lot.count));
        }
        Ok(lot.clone())
    }

    pub(super) fn check_credit_transfer(
        &self,
        caller: &Caller,
        request: &CreditTransfer,
    ) -> Result<CreditLot, Refusal> {
        let CreditTransfer { lot, count, to } = *request;
        self.check_credit_claim(caller, (lot, count))?;
        if self.organisations.get(to).is_none() {
            return Err(Rejection::UnknownOrganisation.of("to", to.0, 0));
        }
        if to == caller.organisation {
            return Err(Rejection::SameAccount.of("to", to.0, 0));
        }
        self.live_credits(lot, count)
    }

    pub(super) fn transfer_credits(
        &mut self,
        caller: Caller,
        request: &CreditTransfer,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let lot = self.check_credit_transfer(&caller, request)?;
        let CreditTransfer { count, to, .. } = *request;
        let moved = self.split_credits(request.lot, &lot, count);
        if let Some(row) = self.credits.get_mut(moved) {
            row.owner = to;
        }
        events.push(Event::CreditsTransferred { lot: moved, to, count });
        Ok(moved.0)
    }

    /// Returns the run, and the year as it is after the retirement.
    pub(super) fn check_credit_retirement(
        &self,
        caller: &Caller,
        request: &CreditRetirement,
    ) -> Result<(CreditLot, Obligation), Refusal> {
        let CreditRetirement { lot, count, year } = *request;
        self.check_credit_claim(caller, (lot, count))?;
        let mut row = self.check_coverable(year, caller.organisation)?;
        let tonnes = Allowances::from_t(i64::try_from(count).unwrap_or(i64::MAX));
        let outstanding = row.outstanding();
        if tonnes > outstanding {
            return Err(Rejection::ExceedsDue.of("count", count, outstanding.t()));
        }
        // What is to be given back of the issue ahead is no obligation from emissions.
        let obliged = row.due.minus(row.over_issued)?;
        let cap = share_of(obliged, self.period(year)?.offset_cap)?;
        let offset = row.offset.plus(tonnes)?;
        if offset > cap {
            return Err(Rejection::ExceedsOffsetCap.of("credits", offset.t(), cap.t()));
        }
        let lot = self.live_credits(lot, count)?;
        if row.state == ObligationState::Closed {
            return Err(Rejection::PeriodClosed.of("year", year, 0));
        }
        row.offset = offset;
        Ok((lot, row))
    }

    pub(super) fn retire_credits(
        &mut self,
        caller: Caller,
        request: &CreditRetirement,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (lot, row) = self.check_credit_retirement(&caller, request)?;
        let CreditRetirement { count, year, .. } = *request;
        let owner: OrganisationId = caller.organisation;
        let retired = self.split_credits(request.lot, &lot, count);
        if let Some(row) = self.credits.get_mut(retired) {
            row.retired_for = Some(year);
        }
        self.obligations.insert((year, owner), row);
        events.push(Event::CreditsRetired { lot: retired, owner, year, count });
        Ok(retired.0)
    }
}
