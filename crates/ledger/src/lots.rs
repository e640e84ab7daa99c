//! Where the runs of certificates are: an index derived from their rows.

use crate::ids::{CertificateLotId, UnitId};
use crate::records::CertificateLot;
use duet_units::DeliveryDay;
use std::collections::{BTreeMap, BTreeSet};

/// Finds runs by the numbers in them, and live ones by unit and by age.
#[derive(Clone, Debug)]
pub(crate) struct LotIndex {
    numbers: BTreeMap<u64, CertificateLotId>,
    units: BTreeSet<(UnitId, DeliveryDay, CertificateLotId)>,
    days: BTreeSet<(DeliveryDay, CertificateLotId)>,
}

impl LotIndex {
    /// No runs.
    pub(crate) const fn new() -> Self {
        Self { numbers: BTreeMap::new(), units: BTreeSet::new(), days: BTreeSet::new() }
    }

    /// Takes a run in.
    pub(crate) fn insert(&mut self, id: CertificateLotId, lot: &CertificateLot) {
        self.numbers.insert(lot.first, id);
        if lot.state.is_live() {
            self.units.insert((lot.unit, lot.day, id));
            self.days.insert((lot.day, id));
        }
    }

    /// Takes a run out of the live ones.
    pub(crate) fn end(&mut self, id: CertificateLotId, lot: &CertificateLot) {
        self.units.remove(&(lot.unit, lot.day, id));
        self.days.remove(&(lot.day, id));
    }

    /// The run whose numbers begin at `certificate` or before it.
    pub(crate) fn holder(&self, certificate: u64) -> Option<CertificateLotId> {
        self.numbers.range(..=certificate).next_back().map(|(_, id)| *id)
    }

    /// The live runs of a unit's days, from the earliest.
    pub(crate) fn of_unit(
        &self,
        unit: UnitId,
        (from, to): (DeliveryDay, DeliveryDay),
    ) -> impl Iterator<Item = CertificateLotId> {
        let first = (unit, from, CertificateLotId(0));
        let last = (unit, to, CertificateLotId(u64::MAX));
        let some = (from <= to).then(|| self.units.range(first..=last));
        some.into_iter().flatten().map(|(_, _, id)| *id)
    }

    /// The live run of the earliest day.
    pub(crate) fn oldest(&self) -> Option<CertificateLotId> {
        self.days.first().map(|(_, id)| *id)
    }
}

impl<'a> FromIterator<(&'a CertificateLotId, &'a CertificateLot)> for LotIndex {
    fn from_iter<T: IntoIterator<Item = (&'a CertificateLotId, &'a CertificateLot)>>(
        lots: T,
    ) -> Self {
        let mut index = Self::new();
        for (id, lot) in lots {
            index.insert(*id, lot);
        }
        index
    }
}
