//! Energy certificates: issued from metered renewable energy, transferred once, retired once.

use super::{Caller, Failure};
use crate::event::Event;
use crate::ids::{CertificateLotId, OrganisationId, UnitId};
use crate::records::{CertificateLot, CertificateState, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_units::{DeliveryDay, Energy};
use std::collections::BTreeMap;

impl State {
    /// Issues one certificate for each whole MWh of a renewable unit's metered energy; the rest is
    /// carried to its next day. Returns the unit and count of each run, in order.
    pub(super) fn issue_certificates(
        &mut self,
        day: DeliveryDay,
        metered: &BTreeMap<(UnitId, u8), Energy>,
        events: &mut Vec<Event>,
    ) -> Result<Vec<(UnitId, u64)>, BrokenInvariant> {
        let mut sums: BTreeMap<UnitId, Energy> = BTreeMap::new();
        for ((unit, _), energy) in metered {
            if self.units.get(*unit).is_some_and(|u| u.technology.is_renewable()) {
                let sum = sums.entry(*unit).or_default();
                *sum = sum.plus(*energy)?;
            }
        }
        let mut issued = Vec::new();
        for (unit, energy) in sums {
            let carry = self.carries.get(unit).copied().unwrap_or_default();
            let (count, rest) = duet_market::certificate::issue(energy, carry)?;
            self.carries.insert(unit, rest);
            let count = u64::try_from(count).map_err(|_| BrokenInvariant("certificates issued"))?;
            let Some(owner) = self.units.get(unit).map(|row| row.owner) else { continue };
            if count == 0 {
                continue;
            }
            let mut progress = self.progress();
            let first = progress.next_certificate;
            progress.next_certificate =
                first.checked_add(count).ok_or(BrokenInvariant("certificate numbers"))?;
            self.progress.insert((), progress);
            let lot = self.add_lot(CertificateLot {
                unit,
                day,
                first,
                count,
                owner,
                state: CertificateState::Issued,
                beneficiary: String::new(),
                carry: rest,
            });
            issued.push((unit, count));
            events.push(Event::CertificatesIssued { lot, unit, count });
        }
        Ok(issued)
    }

    fn add_lot(&mut self, lot: CertificateLot) -> CertificateLotId {
        let mut progress = self.progress();
        let id = progress.next_lot;
        progress.next_lot = id.next();
        self.progress.insert((), progress);
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
        }
        self.add_lot(CertificateLot { count, ..lot.clone() })
    }

    /// What concerns owner and amount, which come before whether there is such a run.
    fn check_claim(
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
        if lot.state == CertificateState::Retired {
            return Err(Rejection::CertificateEnded.of("lot", id.0, 0));
        }
        Ok(lot)
    }

    pub(super) fn check_certificate_transfer(
        &self,
        caller: &Caller,
        (id, count): (CertificateLotId, u64),
        to: OrganisationId,
    ) -> Result<CertificateLot, Refusal> {
        caller.needs(&[Role::Generator])?;
        self.check_claim(caller, (id, count))?;
        if self.organisations.get(to).is_none() {
            return Err(Rejection::UnknownOrganisation.of("to", to.0, 0));
        }
        if to == caller.organisation {
            return Err(Rejection::SameAccount.of("to", to.0, 0));
        }
        let lot = self.live_lot(id)?;
        if lot.state == CertificateState::Transferred {
            return Err(Rejection::AlreadyTransferred.of("lot", id.0, 0));
        }
        if count > lot.count {
            return Err(Rejection::TooManyCertificates.of("count", count, lot.count));
        }
        Ok(lot.clone())
    }

    pub(super) fn transfer_certificates(
        &mut self,
        caller: Caller,
        (id, count): (CertificateLotId, u64),
        to: OrganisationId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let lot = self.check_certificate_transfer(&caller, (id, count), to)?;
        let moved = self.split_lot(id, &lot, count);
        if let Some(row) = self.lots.get_mut(moved) {
            row.owner = to;
            row.state = CertificateState::Transferred;
        }
        events.push(Event::CertificatesTransferred { lot: moved, to, count });
        Ok(moved.0)
    }

    pub(super) fn check_retirement(
        &self,
        caller: &Caller,
        (id, count): (CertificateLotId, u64),
    ) -> Result<CertificateLot, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        self.check_claim(caller, (id, count))?;
        let lot = self.live_lot(id)?;
        if count > lot.count {
            return Err(Rejection::TooManyCertificates.of("count", count, lot.count));
        }
        Ok(lot.clone())
    }

    pub(super) fn retire_certificates(
        &mut self,
        caller: Caller,
        (id, count): (CertificateLotId, u64),
        beneficiary: &str,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let lot = self.check_retirement(&caller, (id, count))?;
        let retired = self.split_lot(id, &lot, count);
        if let Some(row) = self.lots.get_mut(retired) {
            row.state = CertificateState::Retired;
            beneficiary.clone_into(&mut row.beneficiary);
        }
        events.push(Event::CertificatesRetired { lot: retired, count });
        Ok(retired.0)
    }
}
