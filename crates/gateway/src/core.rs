//! The gateway without its sockets: values in, readings and commands out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use duet_ledger::{Dispatch, DispatchId, DispatchState};
use duet_units::ClockTime;

use crate::batch::BATCH_MAX;
use crate::clock;
use crate::device::Device;
use crate::dispatch::{Due, Follower, Image, SetpointRule};
use crate::field::{CommandFailure, FieldEvent, Value};
use crate::outbox::{Backlog, Outbox, OutboxError};
use crate::point_map::{EnergyPoint, Gateway, PointMap};
use crate::reading::{
    CheckpointError, Meter, MeterRule, PeriodReading, RegisterRule, Sample, Step,
};
use crate::uplink::ONE_WAY_READINGS;

/// The most readings that one meter keeps while the outbox is full: a day of quarter-hours.
const WAITING_MAX: usize = 96;

/// How many days readings of a unit that is not enrolled yet are kept, and the pause before the
/// ledger is asked about them again.
const ENROLMENT_DAYS: i32 = 8;
const ENROLMENT_PAUSE_MS: i64 = 60_000;

/// How often the position of every meter is kept, in milliseconds: less than the shortest usual
/// gap, so that a power cut alone makes no estimate.
const KEEP_EVERY_MS: i64 = 240_000;

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The outbox cannot be used.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// A meter's position in the outbox cannot be read.
    #[error("unit {unit}")]
    Checkpoint {
        /// The unit.
        unit: u32,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
}

/// What has come from the field since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values of all kinds.
    pub values: u64,
    /// Energy values that moved a meter, or told where it stands.
    pub counted: u64,
    /// Energy values that were seen before.
    pub duplicates: u64,
    /// Energy values older than what is known.
    pub late: u64,
    /// Energy values that were marked, or could not be.
    pub doubtful: u64,
    /// Values that came before the clock was set.
    pub before_clock: u64,
}

/// The state of a gateway.
#[derive(Debug)]
pub struct Core {
    gateway: Gateway,
    device: Device,
    batch_readings: usize,
    meters: BTreeMap<Arc<str>, Meter>,
    /// Readings that the outbox had no room for.
    waiting: BTreeMap<u32, Vec<PeriodReading>>,
    image: Image,
    follower: Follower,
    answered: BTreeSet<DispatchId>,
    outbox: Outbox,
    links: BTreeMap<Arc<str>, bool>,
    sealed_at: ClockTime,
    kept_at: ClockTime,
    counts: Counts,
}

impl Core {
    /// A gateway that goes on where it was stopped.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if its outbox cannot be used.
    pub fn open(map: &PointMap, device: Device) -> Result<Self, StartError> {
        let outbox = Outbox::open(&map.gateway.data, map.gateway.backlog as usize)?;
        let mut meters = BTreeMap::new();
        let iec104 = map.iec104.iter().flat_map(|s| s.energy.iter().map(|p| rule(map, p)));
        let modbus = map.modbus.iter().flat_map(|s| s.energy.iter().map(|p| rule(map, p)));
        for (name, rule) in iec104.chain(modbus) {
            let unit = rule.unit;
            let meter = match outbox.checkpoint(unit) {
                Some(checkpoint) => Meter::restore(rule, checkpoint)
                    .map_err(|source| StartError::Checkpoint { unit, source })?,
                None => Meter::new(rule),
            };
            meters.insert(name, meter);
        }
        let one_way = map.one_way.is_some();
        // A station that has not answered yet is one that does not answer.
        let names = map.iec104.iter().map(|s| &s.name).chain(map.modbus.iter().map(|s| &s.name));
        let links = names.map(|name| (Arc::from(name.as_str()), false)).collect();
        Ok(Self {
            gateway: map.gateway.clone(),
            device,
            batch_readings: if one_way { ONE_WAY_READINGS } else { BATCH_MAX },
            meters,
            waiting: BTreeMap::new(),
            image: Image::default(),
            follower: Follower::new(SetpointRule::of(map)),
            answered: BTreeSet::new(),
            outbox,
            links,
            sealed_at: ClockTime::default(),
            kept_at: ClockTime::default(),
            counts: Counts::default(),
        })
    }

    /// Takes a value from the field. Before the clock is set nothing can be given to a period; the
    /// registers keep the energy until then.
    pub fn take(&mut self, event: FieldEvent) {
        if let Value::Link(up) = event.value {
            self.links.insert(event.name, up);
            return;
        }
        self.counts.values += 1;
        if !clock::is_set(event.at) {
            self.counts.before_clock += 1;
            return;
        }
        let Value::Energy(raw) = event.value else {
            self.image.take(event);
            return;
        };
        let Some(meter) = self.meters.get_mut(&event.name) else { return };
        let sample = Sample { raw, at: event.at, flags: event.flags };
        match meter.take(&sample) {
            Step::First | Step::Advance { .. } | Step::Reset { .. } => self.counts.counted += 1,
            Step::Duplicate => self.counts.duplicates += 1,
            Step::Late => self.counts.late += 1,
            Step::Suspect => self.counts.doubtful += 1,
        }
    }

    /// What has to be done once a second: periods that have ended go into the outbox, old readings
    /// are sealed, all of it becomes durable. Returns the commands that are due.
    ///
    /// # Errors
    ///
    /// Returns [`OutboxError`] if the outbox cannot be written; the gateway must then stop, because
    /// it can no longer keep what it reads.
    pub fn tick(&mut self, now: ClockTime) -> Result<Vec<Due>, OutboxError> {
        if !clock::is_set(now) {
            return Ok(Vec::new());
        }
        for meter in self.meters.values_mut() {
            let unit = meter.unit();
            let mut readings = self.waiting.remove(&unit).unwrap_or_default();
            readings.extend(meter.close(now));
            if !readings.is_empty() && !self.outbox.put(unit, meter.checkpoint(), &readings)? {
                readings.truncate(WAITING_MAX);
                self.waiting.insert(unit, readings);
            }
        }
        if now >= self.kept_at.plus_ms(KEEP_EVERY_MS) {
            self.kept_at = now;
            self.keep()?;
        }
        if now >= self.sealed_at.plus_ms(i64::from(self.gateway.seal_after_s) * 1_000) {
            self.sealed_at = now;
            while self.outbox.seal(&self.device, now, self.batch_readings)? {}
        }
        self.outbox.commit()?;
        Ok(self.follower.due(&self.image, now))
    }

    /// Keeps the position of every meter, so that the next start goes on from here.
    ///
    /// # Errors
    ///
    /// As [`Core::tick`].
    pub fn keep(&mut self) -> Result<(), OutboxError> {
        for meter in self.meters.values() {
            // A position must not get ahead of readings that are not in the outbox yet.
            if !self.waiting.contains_key(&meter.unit()) {
                self.outbox.put(meter.unit(), meter.checkpoint(), &[])?;
            }
        }
        self.outbox.commit()
    }

    /// Takes the dispatches that are final, oldest first, and queues an answer to each that the
    /// ledger has none for.
    ///
    /// # Errors
    ///
    /// As [`Core::tick`].
    pub fn consider(
        &mut self,
        dispatches: &[(DispatchId, Dispatch)],
        now: ClockTime,
    ) -> Result<(), OutboxError> {
        for (id, dispatch) in dispatches {
            // Those of past days and of other gateways' units concern nobody here any more.
            if dispatch.day < now.day() || dispatch.state == DispatchState::Refused {
                continue;
            }
            let answer = self.follower.consider(*id, dispatch, now);
            let known = dispatch.state == DispatchState::Accepted || !self.answered.insert(*id);
            if !known && answer.cause != crate::dispatch::Cause::UnknownUnit.code() {
                self.outbox.answer(answer)?;
            }
        }
        self.outbox.commit()
    }

    /// Takes what came of the command of this number.
    pub fn outcome(&mut self, unit: u32, number: u64, outcome: Result<(), CommandFailure>) {
        self.follower.outcome(unit, number, outcome);
    }

    /// Takes back readings that the ledger will take when their unit is enrolled, and seals nothing
    /// for a minute, so that it is not asked about them all the time. Returns how many are too old
    /// to be worth it.
    ///
    /// # Errors
    ///
    /// As [`Core::tick`].
    pub fn put_back(
        &mut self,
        mut readings: Vec<PeriodReading>,
        now: ClockTime,
    ) -> Result<usize, OutboxError> {
        let all = readings.len();
        readings.retain(|r| r.period.day().days() + ENROLMENT_DAYS >= now.day().days());
        let old = all - readings.len();
        if !readings.is_empty() {
            self.sealed_at = now.plus_ms(ENROLMENT_PAUSE_MS);
            self.outbox.put_back(readings)?;
        }
        Ok(old)
    }

    /// What waits for the ledger.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// What waits for the ledger, to strike off what is final.
    pub const fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// How the gateway stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let blocked = self.follower.blocked().map(|(unit, cause)| (unit, cause.to_string()));
        Standing {
            counts: self.counts,
            backlog: self.outbox.backlog(),
            stations_up: self.links.values().filter(|up| **up).count(),
            stations_down: self.links.values().filter(|up| !**up).count(),
            blocked: blocked.collect(),
        }
    }
}

/// How a gateway stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What has come from the field.
    pub counts: Counts,
    /// What waits for the ledger.
    pub backlog: Backlog,
    /// Stations that answer.
    pub stations_up: usize,
    /// Stations that do not answer.
    pub stations_down: usize,
    /// Units that do not follow their dispatch, and why.
    pub blocked: Vec<(u32, String)>,
}

fn rule<A>(map: &PointMap, point: &EnergyPoint<A>) -> (Arc<str>, MeterRule) {
    let register = RegisterRule {
        rollover: point.rollover,
        wh_per_count: point.wh_per_count,
        max_kw: point.max_kw,
    };
    let rule = MeterRule {
        unit: point.unit,
        register,
        resolution: map.gateway.resolution.resolution(),
        gap_ms: i64::from(point.gap_s) * 1_000,
        close_after_ms: i64::from(map.gateway.close_after_s) * 1_000,
    };
    (point.name.as_str().into(), rule)
}
