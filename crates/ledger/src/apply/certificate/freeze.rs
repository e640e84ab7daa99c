//! Disputes over certificates, and the register of what a unit's energy gets.

use super::{Caller, Failure};
use crate::action::{FreezeCertificates, SetCertificateKind};
use crate::event::Event;
use crate::records::Role;
use crate::rejection::{Refusal, Rejection};
use crate::state::State;

impl State {
    pub(super) fn check_freeze(
        &self,
        caller: &Caller,
        request: &FreezeCertificates,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Registry, Role::Regulator])?;
        if self.live_lot(request.lot)?.disputed == request.frozen {
            return Err(Rejection::FreezeUnchanged.of("lot", request.lot.0, 0));
        }
        Ok(())
    }

    pub(super) fn freeze(
        &mut self,
        caller: Caller,
        request: &FreezeCertificates,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_freeze(&caller, request)?;
        let (lot, frozen) = (request.lot, request.frozen);
        if let Some(row) = self.lots.get_mut(lot) {
            row.disputed = frozen;
        }
        let (by, reason) = (caller.signer, request.reason.clone());
        events.push(Event::CertificatesFrozen { lot, frozen, by, reason });
        Ok(lot.0)
    }

    pub(super) fn check_kind(
        &self,
        caller: &Caller,
        request: &SetCertificateKind,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Registry])?;
        self.check_renewable(request.unit)
    }

    /// Refuses a unit that is unknown or whose energy is not renewable.
    pub(super) fn check_renewable(&self, unit: crate::ids::UnitId) -> Result<(), Refusal> {
        let row = self.units.get(unit).ok_or(Rejection::UnknownUnit.of("unit", unit.0, 0))?;
        if row.technology.is_renewable() {
            Ok(())
        } else {
            Err(Rejection::NotRenewable.of("unit", unit.0, row.technology.code()))
        }
    }

    pub(super) fn set_kind(
        &mut self,
        caller: Caller,
        request: &SetCertificateKind,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_kind(&caller, request)?;
        let (unit, kind) = (request.unit, request.kind);
        let mut row = self.certified_unit(unit);
        row.kind = kind;
        self.certified.insert(unit, row);
        events.push(Event::CertificateKindSet { unit, kind });
        Ok(u64::from(unit.0))
    }
}
