//! Readings that the dispatcher puts in the place of missing ones, so that a silent meter does not
//! hold up the settlement of its day.

use super::order::period_energy;
use super::{Caller, Failure};
use crate::action::{Quality, ReadingSubstitution};
use crate::event::Event;
use crate::ids::SessionId;
use crate::records::{MeterRecord, OrderStatus, Phase, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_units::{ClockTime, DeliveryDay};

/// From when on readings of `day` can be substituted: its devices have the whole next day.
fn substituted_from(day: DeliveryDay) -> ClockTime {
    day.next().next().start()
}

impl State {
    /// Returns the joint session of the day.
    pub(super) fn check_substitution(
        &self,
        caller: &Caller,
        request: &ReadingSubstitution,
    ) -> Result<SessionId, Refusal> {
        caller.needs(&[Role::Dispatcher])?;
        let day = request.day;
        let (id, session) = self.joint_session(day)?;
        let unit = self.units.get(request.unit);
        let unit = unit.ok_or(Rejection::UnknownUnit.of("unit", request.unit.0, 0))?;
        let resolution = session.terms.resolution;
        let (count, periods) = (request.energies.len(), resolution.periods());
        let end = usize::from(request.first_period).saturating_add(count);
        if count == 0 || end > usize::from(periods) {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            return Err(Rejection::EmptyReport.of("readings", count, periods));
        }
        let most = period_energy(unit, resolution).kwh().saturating_mul(2);
        for energy in request.energies.iter().map(|energy| energy.kwh()) {
            if energy < 0 || energy > most {
                return Err(Rejection::BadReading.of("energy", energy, most));
            }
        }
        for (period, _) in (request.first_period..).zip(&request.energies) {
            let known = self.readings.get((request.unit, day, period));
            if let Some(row) = known.filter(|row| row.version > MeterRecord::SUBSTITUTE) {
                return Err(Rejection::StaleVersion.of("version", 0, row.version));
            }
        }
        if session.phase == Phase::Settled {
            return Err(Rejection::PeriodSettled.of("day", day.days(), 0));
        }
        let from = substituted_from(day);
        if caller.time < from {
            let (time, from) = (caller.time.unix_ms(), from.unix_ms());
            return Err(Rejection::SubstituteTooEarly.of("time", time, from));
        }
        Ok(id)
    }

    pub(super) fn substitute_readings(
        &mut self,
        caller: Caller,
        request: &ReadingSubstitution,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let session = self.check_substitution(&caller, request)?;
        let (unit, day, first_period) = (request.unit, request.day, request.first_period);
        for (period, energy) in (first_period..).zip(&request.energies) {
            let (quality, version) = (Quality::Estimated, MeterRecord::SUBSTITUTE);
            let row = MeterRecord { energy: *energy, quality, version };
            self.readings.insert((unit, day, period), row);
            let only = Some((unit, period));
            self.move_orders(session, only, OrderStatus::Dispatched, OrderStatus::Delivered);
        }
        let periods = u8::try_from(request.energies.len()).unwrap_or(u8::MAX);
        let (by, reason) = (caller.signer, request.reason.clone());
        events.push(Event::ReadingsSubstituted { unit, day, first_period, periods, by, reason });
        Ok(u64::from(unit.0))
    }
}
