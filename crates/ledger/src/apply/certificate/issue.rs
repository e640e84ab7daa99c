//! The issue of certificates from settled days, and their expiry.

use crate::action::RetirementPurpose;
use crate::event::Event;
use crate::ids::UnitId;
use crate::records::{
    CertificateKind, CertificateLot, CertificateState, CertifiedUnit, Retirement, UnitMonth,
};
use crate::state::{BrokenInvariant, State};
use duet_market::certificate::ENERGY_OF_ONE;
use duet_units::{DeliveryDay, Energy};
use std::collections::BTreeMap;

/// How many months of energy are kept: certificates can be claimed for the two calendar years
/// that follow the one of production.
const MONTHS_KEPT: i32 = 48;
/// The most runs that one block retires because they have expired; the rest waits for the next.
const EXPIRIES_MAX: usize = 256;

impl State {
    /// Books the energy of a settled day by unit and month, and issues a certificate for each
    /// whole MWh of a unit that gets them; the rest is carried to its next day. Returns the unit
    /// and count of each run, in order.
    pub(in crate::apply) fn issue_certificates(
        &mut self,
        day: DeliveryDay,
        metered: &BTreeMap<(UnitId, u8), Energy>,
        events: &mut Vec<Event>,
    ) -> Result<Vec<(UnitId, u64)>, BrokenInvariant> {
        let mut sums: BTreeMap<UnitId, Energy> = BTreeMap::new();
        for ((unit, _), energy) in metered {
            let sum = sums.entry(*unit).or_default();
            *sum = sum.plus(*energy)?;
        }
        let mut issued = Vec::new();
        for (unit, energy) in sums {
            if !self.book_energy(unit, day, energy)? {
                continue;
            }
            let count = self.issue(unit, day, energy, events)?;
            if count > 0 {
                issued.push((unit, count));
            }
        }
        Ok(issued)
    }

    /// Adds a day to the month of a unit. A day counts once: of one that is there already, nothing
    /// is booked, and the answer is no.
    fn book_energy(
        &mut self,
        unit: UnitId,
        day: DeliveryDay,
        energy: Energy,
    ) -> Result<bool, BrokenInvariant> {
        let month = day.month();
        let place = day.days().saturating_sub(month.first_day().days());
        let bit = u32::try_from(place).ok().and_then(|place| 1_u32.checked_shl(place));
        let bit = bit.ok_or(BrokenInvariant("a month has at most 31 days"))?;
        let nothing =
            UnitMonth { energy: Energy::ZERO, self_used: Energy::ZERO, days: 0, claimed: 0 };
        let mut row = self.unit_months.get((unit, month)).cloned().unwrap_or(nothing);
        if row.days & bit != 0 {
            return Ok(false);
        }
        row.days |= bit;
        row.energy = row.energy.plus(energy)?;
        if self.kind_of(unit) == CertificateKind::SelfUse {
            row.self_used = row.self_used.plus(energy)?;
        }
        self.unit_months.insert((unit, month), row);
        let old = month.plus(-MONTHS_KEPT);
        let rows = self.unit_months.rows().range(..=(unit, old)).rev();
        let gone: Vec<_> = rows.take_while(|((of, _), _)| *of == unit).map(|(k, _)| *k).collect();
        for key in gone {
            self.unit_months.remove(key);
        }
        Ok(true)
    }

    /// What a unit's energy gets.
    pub(super) fn kind_of(&self, unit: UnitId) -> CertificateKind {
        let renewable = || self.units.get(unit).is_some_and(|row| row.technology.is_renewable());
        match self.certified.get(unit) {
            Some(row) => row.kind,
            None if renewable() => CertificateKind::Tradable,
            None => CertificateKind::Uncertified,
        }
    }

    pub(super) fn certified_unit(&self, unit: UnitId) -> CertifiedUnit {
        self.certified.get(unit).cloned().unwrap_or(CertifiedUnit {
            kind: self.kind_of(unit),
            metered: Energy::ZERO,
            issued: 0,
            carry: Energy::ZERO,
        })
    }

    /// Issues what a day's energy completes, and returns how many.
    fn issue(
        &mut self,
        unit: UnitId,
        day: DeliveryDay,
        energy: Energy,
        events: &mut Vec<Event>,
    ) -> Result<u64, BrokenInvariant> {
        let mut row = self.certified_unit(unit);
        let Some(owner) = self.units.get(unit).map(|unit| unit.owner) else { return Ok(0) };
        if row.kind == CertificateKind::Uncertified {
            return Ok(0);
        }
        let (count, carry) = duet_market::certificate::issue(energy, row.carry)?;
        let count = u64::try_from(count).map_err(|_| BrokenInvariant("certificates issued"))?;
        row.metered = row.metered.plus(energy)?;
        row.issued = row.issued.checked_add(count).ok_or(BrokenInvariant("certificates"))?;
        row.carry = carry;
        let certified = i128::from(row.issued)
            .checked_mul(ENERGY_OF_ONE.kwh().into())
            .and_then(|energy| energy.checked_add(carry.kwh().into()));
        if certified != Some(row.metered.kwh().into()) {
            return Err(BrokenInvariant("what is issued and carried was metered"));
        }
        let kind = row.kind;
        self.certified.insert(unit, row);
        if count == 0 {
            return Ok(0);
        }
        let mut progress = self.progress();
        let first = progress.next_certificate;
        progress.next_certificate =
            first.checked_add(count).ok_or(BrokenInvariant("certificate numbers"))?;
        self.progress.insert((), progress);
        let project = self.projects.rows().iter().find(|(_, project)| project.holds(unit, day));
        let project = project.map(|(id, _)| *id);
        let lot = self.add_lot(CertificateLot {
            unit,
            day,
            first,
            count,
            owner,
            kind,
            state: CertificateState::Issued,
            offer: None,
            project,
            disputed: false,
            retirement: None,
            carry,
            issued: self.height(),
            transferred: None,
            ended: None,
        });
        events.push(Event::CertificatesIssued { lot, unit, count });
        Ok(count)
    }

    /// Retires what has expired, frozen or not: a freeze makes nothing valid for longer.
    pub(in crate::apply) fn expire_certificates(&mut self, events: &mut Vec<Event>) {
        for _ in 0..EXPIRIES_MAX {
            let Some(lot) = self.lot_index.oldest() else { return };
            let Some(row) = self.lots.get(lot) else { return };
            if self.time() < row.expiry().start() {
                return;
            }
            let count = row.count;
            let retirement = Retirement {
                purpose: RetirementPurpose::Expiry,
                beneficiary: String::new(),
                organisation: None,
                year: row.day.month().year(),
            };
            self.end_lot(lot, CertificateState::Retired, Some(retirement), events);
            events.push(Event::CertificatesExpired { lot, count });
        }
    }
}
