//! Signed batches of readings, enrolment of devices, and their health.

use super::order::period_energy;
use super::{Caller, Failure};
use crate::action::device::{BATCH_MAX, DeviceAction, EnrolDevice, Health, ReportBatch};
use crate::event::Event;
use crate::ids::{SessionId, UnitId};
use crate::records::{
    Device, Enrolment, Identity, MeterRecord, OrderStatus, Phase, Role, Roles, Session, Unit,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_units::{DeliveryDay, Energy};
use ed25519_zebra::VerificationKey;
use std::collections::{BTreeMap, BTreeSet};

/// How often the device of a unit may be changed: more than twice a month over forty years. Every
/// key leaves its last nonce behind, for ever.
const CHANGES_MAX: u32 = 1_000;

/// The days of a batch with their sessions: a handful, so that no reading looks for its own.
type Sessions<'a> = BTreeMap<DeliveryDay, (SessionId, &'a Session)>;

impl State {
    pub(super) fn check_device(
        &self,
        caller: &Caller,
        action: &DeviceAction,
    ) -> Result<(), Refusal> {
        match action {
            DeviceAction::ReportBatch(batch) => self.check_batch(caller, batch),
            DeviceAction::EnrolDevice(enrolment) => self.check_enrolment(caller, enrolment),
            DeviceAction::ReportHealth(health) => self.check_health(caller, health),
        }
    }

    pub(super) fn apply_device(
        &mut self,
        caller: Caller,
        action: &DeviceAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            DeviceAction::ReportBatch(batch) => self.report_batch(caller, batch, events),
            DeviceAction::EnrolDevice(enrolment) => self.enrol_device(caller, enrolment, events),
            DeviceAction::ReportHealth(health) => self.report_health(caller, health, events),
        }
    }

    /// The rules of a meter report for every reading, rule by rule, so that the lowest number that
    /// any reading breaks is the one reported; the signature, which costs most, is the last.
    fn check_batch(&self, caller: &Caller, batch: &ReportBatch) -> Result<(), Refusal> {
        caller.needs(&[Role::Device, Role::Generator, Role::Retailer, Role::LargeUser])?;
        let sessions = self.sessions_of(batch)?;
        let units = self.units_of(caller, batch)?;
        if batch.readings.is_empty() || batch.readings.len() > BATCH_MAX {
            let count = i64::try_from(batch.readings.len()).unwrap_or(i64::MAX);
            return Err(Rejection::EmptyReport.of("readings", count, 256));
        }
        for reading in &batch.readings {
            let energy = reading.energy.kwh();
            let most = units
                .get(&reading.unit)
                .map_or(Energy::ZERO, |unit| period_energy(unit, reading.period.resolution()));
            let most = most.kwh().saturating_mul(2);
            if energy < 0 || energy > most {
                return Err(Rejection::BadReading.of("energy", energy, most));
            }
        }
        if let Some(early) = batch.readings.iter().find(|r| r.period.end() > caller.time) {
            let end = early.period.end().unix_ms();
            return Err(Rejection::NotDelivered.of("time", caller.time.unix_ms(), end));
        }
        self.check_versions(batch)?;
        for (day, (_, session)) in &sessions {
            if session.phase == Phase::Settled {
                return Err(Rejection::PeriodSettled.of("day", day.days(), 0));
            }
        }
        let header = batch.header(&self.channel);
        if header.is_signed(&batch.signature) {
            Ok(())
        } else {
            Err(Rejection::BadDeviceSignature.of("signature", 0, 0))
        }
    }

    fn sessions_of(&self, batch: &ReportBatch) -> Result<Sessions<'_>, Refusal> {
        let mut sessions = Sessions::new();
        for reading in &batch.readings {
            let day = reading.period.day();
            if sessions.contains_key(&day) {
                continue;
            }
            let unknown = || Rejection::UnknownSession.of("day", day.days(), 0);
            sessions.insert(day, self.session_of_day(day).ok_or_else(unknown)?);
        }
        for reading in &batch.readings {
            let period = reading.period;
            let fits = |(_, session): &(SessionId, &Session)| {
                session.terms.resolution == period.resolution()
            };
            if !sessions.get(&period.day()).is_some_and(fits) {
                return Err(Rejection::UnknownPeriod.of("period", period.index(), 0));
            }
        }
        Ok(sessions)
    }

    /// The units of a batch: all of the caller's organisation, all with the device that signed.
    fn units_of(
        &self,
        caller: &Caller,
        batch: &ReportBatch,
    ) -> Result<BTreeMap<UnitId, &Unit>, Refusal> {
        let mut units = BTreeMap::new();
        for reading in &batch.readings {
            let id = reading.unit;
            if let std::collections::btree_map::Entry::Vacant(place) = units.entry(id) {
                let unit = self.units.get(id);
                place.insert(unit.ok_or_else(|| Rejection::UnknownUnit.of("unit", id.0, 0))?);
            }
        }
        if let Some((id, unit)) = units.iter().find(|(_, u)| u.owner != caller.organisation) {
            return Err(Rejection::NotYours.of("unit", id.0, unit.owner.0));
        }
        if let Some((id, _)) = units.iter().find(|(_, unit)| unit.device != batch.device) {
            return Err(Rejection::NotYourDevice.of("unit", id.0, 0));
        }
        Ok(units)
    }

    /// Versions rise over what is recorded, and within the batch.
    fn check_versions(&self, batch: &ReportBatch) -> Result<(), Refusal> {
        let mut within = BTreeMap::new();
        for reading in &batch.readings {
            let key = (reading.unit, reading.period.day(), reading.period.index());
            let recorded = self.readings.get(key).map_or(MeterRecord::SUBSTITUTE, |r| r.version);
            let last = within.insert(key, reading.version).map_or(recorded, |v| v.max(recorded));
            if last >= reading.version {
                return Err(Rejection::StaleVersion.of("version", reading.version, last));
            }
        }
        Ok(())
    }

    fn report_batch(
        &mut self,
        caller: Caller,
        batch: &ReportBatch,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_batch(&caller, batch)?;
        let mut delivered: BTreeMap<(SessionId, u8), BTreeSet<UnitId>> = BTreeMap::new();
        let mut session = None;
        for reading in &batch.readings {
            let (day, index) = (reading.period.day(), reading.period.index());
            let row = MeterRecord {
                energy: reading.energy,
                quality: reading.flags.quality(),
                version: reading.version,
            };
            self.readings.insert((reading.unit, day, index), row);
            // Readings come in runs of one day.
            if session.is_none_or(|(of, _)| of != day) {
                session = self.session_of_day(day).map(|(id, _)| (day, id));
            }
            if let Some((_, id)) = session {
                delivered.entry((id, index)).or_default().insert(reading.unit);
            }
        }
        for ((id, period), units) in delivered {
            self.deliver_orders(id, period, &units);
        }
        metered(batch, events);
        let (device, sequence) = (batch.device, batch.sequence);
        let readings = u16::try_from(batch.readings.len()).unwrap_or(u16::MAX);
        events.push(Event::BatchReported { device, sequence, readings });
        self.change_device(caller, batch.device, |row| {
            row.batches = row.batches.saturating_add(1);
            row.readings = row.readings.saturating_add(readings.into());
            row.last_sequence = row.last_sequence.max(sequence);
        });
        Ok(u64::from(readings))
    }

    /// Moves the dispatched orders of some units in one period on, in one walk over its book.
    fn deliver_orders(&mut self, session: SessionId, period: u8, units: &BTreeSet<UnitId>) {
        let Some(book) = self.books.get(&(session, period)) else { return };
        for id in book {
            let moves = self.orders.get(*id).is_some_and(|order| {
                order.status == OrderStatus::Dispatched && units.contains(&order.unit)
            });
            if moves && let Some(order) = self.orders.get_mut(*id) {
                order.status = OrderStatus::Delivered;
            }
        }
    }

    fn change_device(
        &mut self,
        caller: Caller,
        device: crate::PublicKey,
        change: impl FnOnce(&mut Device),
    ) {
        let mut row = self.devices.get(device).cloned().unwrap_or(Device {
            batches: 0,
            readings: 0,
            last_sequence: 0,
            seen_at: caller.time,
            health: None,
        });
        row.seen_at = caller.time;
        change(&mut row);
        self.devices.insert(device, row);
    }

    fn check_enrolment(&self, caller: &Caller, enrolment: &EnrolDevice) -> Result<(), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let id = enrolment.unit;
        let unit = self.units.get(id).ok_or(Rejection::UnknownUnit.of("unit", id.0, 0))?;
        if unit.owner != caller.organisation {
            return Err(Rejection::NotYours.of("unit", id.0, unit.owner.0));
        }
        let key = enrolment.device;
        if VerificationKey::try_from(*key.bytes()).is_err() {
            return Err(Rejection::BadDeviceKey.of("device", 0, 0));
        }
        let free = self.identities.get(key).is_none_or(|known| {
            known.organisation == unit.owner && known.roles == Roles::of(&[Role::Device])
        });
        if !free {
            return Err(Rejection::DeviceKeyTaken.of("device", 0, 0));
        }
        if unit.device == key {
            return Err(Rejection::DeviceUnchanged.of("device", 0, 0));
        }
        let changes = self.enrolments.get(id).map_or(0, |row| row.changes);
        if changes >= CHANGES_MAX {
            return Err(Rejection::TooManyDevices.of("unit", changes, CHANGES_MAX));
        }
        Ok(())
    }

    /// The new device speaks for the unit from here on. A device that no unit has any more is
    /// forgotten, but for its nonce: what it signed must not count again.
    fn enrol_device(
        &mut self,
        caller: Caller,
        enrolment: &EnrolDevice,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_enrolment(&caller, enrolment)?;
        let (id, device) = (enrolment.unit, enrolment.device);
        let before = self.units.get(id).map(|unit| unit.device);
        if let Some(unit) = self.units.get_mut(id) {
            unit.device = device;
        }
        let identity = Identity {
            organisation: caller.organisation,
            roles: Roles::of(&[Role::Device]),
            label: enrolment.label.clone(),
        };
        self.identities.insert(device, identity);
        let changes = self.enrolments.get(id).map_or(0, |row| row.changes).saturating_add(1);
        self.enrolments.insert(id, Enrolment { since: caller.time, changes });
        if let Some(old) = before.filter(|old| self.units.rows().values().all(|u| u.device != *old))
        {
            let only_device = Roles::of(&[Role::Device]);
            if self.identities.get(old).is_some_and(|known| known.roles == only_device) {
                self.identities.remove(old);
            }
            self.devices.remove(old);
        }
        events.push(Event::DeviceEnrolled { unit: id, device });
        Ok(id.0.into())
    }

    fn check_health(&self, caller: &Caller, health: &Health) -> Result<(), Refusal> {
        caller.needs(&[Role::Device])?;
        let channels = health.channels.len();
        let named = |name: &str| !name.is_empty() && name.len() <= Health::NAME_MAX;
        let known = Health::ALARMS.iter().fold(0, |all, (bit, _)| all | bit);
        if channels > Health::CHANNELS_MAX
            || !health.channels.iter().all(|channel| named(&channel.name))
            || health.alarms & !known != 0
        {
            let count = i64::try_from(channels).unwrap_or(i64::MAX);
            return Err(Rejection::BadHealth.of("channels", count, 16));
        }
        let last = self.devices.get(caller.signer).and_then(|row| row.health.as_ref());
        if let Some(last) = last.filter(|last| last.sampled_at >= health.sampled_at) {
            let (at, bound) = (health.sampled_at.unix_ms(), last.sampled_at.unix_ms());
            return Err(Rejection::StaleHealth.of("sampled_at", at, bound));
        }
        Ok(())
    }

    fn report_health(
        &mut self,
        caller: Caller,
        health: &Health,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_health(&caller, health)?;
        self.change_device(caller, caller.signer, |row| row.health = Some(health.clone()));
        let (device, alarms) = (caller.signer, health.alarms);
        events.push(Event::HealthReported { device, alarms });
        Ok(0)
    }
}

/// One fact for each run of consecutive periods of one unit and day.
fn metered(batch: &ReportBatch, events: &mut Vec<Event>) {
    let follows = |a: &crate::PeriodReading, b: &crate::PeriodReading| {
        a.unit == b.unit
            && a.period.day() == b.period.day()
            && a.period.index().checked_add(1) == Some(b.period.index())
    };
    for run in batch.readings.chunk_by(follows) {
        let Some(first) = run.first() else { continue };
        events.push(Event::MeterReported {
            unit: first.unit,
            day: first.period.day(),
            first_period: first.period.index(),
            periods: u8::try_from(run.len()).unwrap_or(u8::MAX),
        });
    }
}
