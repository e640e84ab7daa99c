//! Energy certificates: issued from metered renewable energy, transferred once, ended once.
//!
//! `issued -> [offered] -> transferred -> retired`, each step at most once; a CCER project or a
//! dispute freezes, which stops every step but expiry. Owner and state of a run change only in
//! this folder.

mod claim;
mod freeze;
mod green;
mod issue;
mod offer;
mod project;

pub use claim::YearUse;

use super::{Caller, Failure};
use crate::action::CertificateAction;
use crate::event::Event;
use crate::ids::{CertificateLotId, OrganisationId};
use crate::records::{CertificateKind, CertificateLot, CertificateState, Retirement, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;

impl State {
    pub(super) fn check_certificate(
        &self,
        caller: &Caller,
        action: &CertificateAction,
    ) -> Result<(), Refusal> {
        match action {
            CertificateAction::Offer(request) => self.check_offer(caller, request).map(drop),
            CertificateAction::Take(request) => self.check_offer_take(caller, request).map(drop),
            CertificateAction::Withdraw(request) => self.check_withdraw(caller, request).map(drop),
            CertificateAction::Claim(request) => self.check_claim(caller, request).map(drop),
            CertificateAction::Freeze(request) => self.check_freeze(caller, request),
            CertificateAction::SetKind(request) => self.check_kind(caller, request),
            CertificateAction::RegisterProject(request) => self.check_project(caller, request),
            CertificateAction::WithdrawProject(request) => {
                self.check_project_withdrawal(caller, request).map(drop)
            }
            CertificateAction::RegisterReductions(request) => {
                self.check_reductions(caller, request).map(drop)
            }
            CertificateAction::ProposeGreen(terms) => self.check_green(caller, terms).map(drop),
            CertificateAction::ConfirmGreen(request) => {
                self.check_green_confirmation(caller, request)
            }
            CertificateAction::WithdrawGreen(request) => {
                self.check_green_withdrawal(caller, request)
            }
            CertificateAction::SettleGreen(request) => {
                self.check_green_settlement(caller, request).map(drop)
            }
        }
    }

    pub(super) fn apply_certificate(
        &mut self,
        caller: Caller,
        action: &CertificateAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            CertificateAction::Offer(request) => self.offer(caller, request, events),
            CertificateAction::Take(request) => self.take_offer(caller, request, events),
            CertificateAction::Withdraw(request) => self.withdraw_offer(caller, request, events),
            CertificateAction::Claim(request) => self.claim(caller, request, events),
            CertificateAction::Freeze(request) => self.freeze(caller, request, events),
            CertificateAction::SetKind(request) => self.set_kind(caller, request, events),
            CertificateAction::RegisterProject(request) => {
                self.register_project(caller, request, events)
            }
            CertificateAction::WithdrawProject(request) => {
                self.withdraw_project(caller, request, events)
            }
            CertificateAction::RegisterReductions(request) => {
                self.register_reductions(caller, request, events)
            }
            CertificateAction::ProposeGreen(terms) => self.propose_green(caller, terms, events),
            CertificateAction::ConfirmGreen(request) => self.confirm_green(caller, request, events),
            CertificateAction::WithdrawGreen(request) => {
                self.withdraw_green(caller, request, events)
            }
            CertificateAction::SettleGreen(request) => self.settle_green(caller, request, events),
        }
    }

    fn add_lot(&mut self, lot: CertificateLot) -> CertificateLotId {
        let mut progress = self.progress();
        let id = progress.next_lot;
        progress.next_lot = id.next();
        self.progress.insert((), progress);
        self.lot_index.insert(id, &lot);
        self.lots.insert(id, lot);
        id
    }

    /// Takes the first `count` certificates of a run out as a run of their own, unless that is the
    /// whole run.
    fn split_lot(
        &mut self,
        id: CertificateLotId,
        lot: &CertificateLot,
        count: u64,
    ) -> CertificateLotId {
        if count == lot.count {
            return id;
        }
        if let Some(row) = self.lots.get_mut(id) {
            row.first = row.first.saturating_add(count);
            row.count = row.count.saturating_sub(count);
            self.lot_index.insert(id, row);
        }
        self.add_lot(CertificateLot { count, ..lot.clone() })
    }

    /// Moves certificates to their second and last owner.
    fn move_lot(
        &mut self,
        (id, count): (CertificateLotId, u64),
        lot: &CertificateLot,
        to: OrganisationId,
    ) -> CertificateLotId {
        let (moved, height) = (self.split_lot(id, lot, count), self.height());
        if let Some(row) = self.lots.get_mut(moved) {
            row.owner = to;
            row.state = CertificateState::Transferred;
            row.offer = None;
            row.transferred = Some(height);
        }
        moved
    }

    /// Ends a whole run, and the offer that it may be in.
    fn end_lot(
        &mut self,
        id: CertificateLotId,
        state: CertificateState,
        retirement: Option<Retirement>,
        events: &mut Vec<Event>,
    ) {
        let height = self.height();
        let Some(row) = self.lots.get_mut(id) else { return };
        row.state = state;
        row.retirement = retirement;
        row.ended = Some(height);
        let offer = row.offer.take();
        self.lot_index.end(id, row);
        if let Some(offer) = offer.filter(|offer| self.offers.remove(*offer).is_some()) {
            events.push(Event::CertificateOfferEnded { offer });
        }
    }

    /// What concerns owner and amount, which come before whether there is such a run.
    fn check_own(
        &self,
        caller: &Caller,
        (id, count): (CertificateLotId, u64),
    ) -> Result<(), Refusal> {
        if self.lots.get(id).is_some_and(|lot| lot.owner != caller.organisation) {
            return Err(Rejection::NotYours.of("lot", id.0, 0));
        }
        if count == 0 {
            return Err(Rejection::AmountNotPositive.of("count", count, 0));
        }
        Ok(())
    }

    fn live_lot(&self, id: CertificateLotId) -> Result<&CertificateLot, Refusal> {
        let lot = self.lots.get(id).ok_or(Rejection::UnknownCertificate.of("lot", id.0, 0))?;
        // What has expired may wait for a block or two to be retired.
        if !lot.state.is_live() || self.time() >= lot.expiry().start() {
            return Err(Rejection::CertificateEnded.of("lot", id.0, 0));
        }
        Ok(lot)
    }

    /// Refuses a run that is frozen or offered.
    fn check_loose(id: CertificateLotId, lot: &CertificateLot) -> Result<(), Refusal> {
        if lot.is_frozen() {
            return Err(Rejection::CertificateFrozen.of("lot", id.0, 0));
        }
        if let Some(offer) = lot.offer {
            return Err(Rejection::CertificateOffered.of("lot", id.0, i128::from(offer.0)));
        }
        Ok(())
    }

    /// Refuses what cannot be sold or given away.
    fn check_sale(&self, (id, count): (CertificateLotId, u64)) -> Result<&CertificateLot, Refusal> {
        let lot = self.live_lot(id)?;
        if lot.state == CertificateState::Transferred {
            return Err(Rejection::AlreadyTransferred.of("lot", id.0, 0));
        }
        if count > lot.count {
            return Err(Rejection::TooManyCertificates.of("count", count, lot.count));
        }
        if lot.kind != CertificateKind::Tradable {
            return Err(Rejection::NotTradable.of("lot", id.0, lot.kind.code()));
        }
        Self::check_loose(id, lot)?;
        self.check_unreserved(lot, count)?;
        Ok(lot)
    }

    /// Refuses an organisation that is unknown or the caller's own.
    fn check_other(
        &self,
        caller: &Caller,
        field: &'static str,
        other: OrganisationId,
    ) -> Result<(), Refusal> {
        if self.organisations.get(other).is_none() {
            return Err(Rejection::UnknownOrganisation.of(field, other.0, 0));
        }
        if other == caller.organisation {
            return Err(Rejection::SameAccount.of(field, other.0, 0));
        }
        Ok(())
    }

    pub(super) fn check_certificate_transfer(
        &self,
        caller: &Caller,
        (id, count): (CertificateLotId, u64),
        to: OrganisationId,
    ) -> Result<CertificateLot, Refusal> {
        caller.needs(&[Role::Generator])?;
        self.check_own(caller, (id, count))?;
        self.check_other(caller, "to", to)?;
        self.check_sale((id, count)).cloned()
    }

    pub(super) fn transfer_certificates(
        &mut self,
        caller: Caller,
        (id, count): (CertificateLotId, u64),
        to: OrganisationId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let lot = self.check_certificate_transfer(&caller, (id, count), to)?;
        let moved = self.move_lot((id, count), &lot, to);
        events.push(Event::CertificatesTransferred { lot: moved, to, count });
        Ok(moved.0)
    }
}
