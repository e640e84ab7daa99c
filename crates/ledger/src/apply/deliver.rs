//! Dispatch of what was paid for, and meter readings of what was delivered.

use super::order::period_energy;
use super::{Caller, Failure};
use crate::action::{Acknowledgement, MeterReport};
use crate::event::Event;
use crate::ids::{SessionId, UnitId};
use crate::records::{
    Dispatch, DispatchState, MeterRecord, OrderStatus, Phase, Role, Session, Unit,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_units::{DeliveryDay, DeliveryPeriod, Energy, Power};
use std::collections::BTreeMap;

/// What each unit owes, or is owed, in each period of a day.
type Contracts = BTreeMap<(UnitId, u8), Energy>;

impl State {
    pub(super) fn check_dispatch(
        &self,
        caller: &Caller,
        id: SessionId,
    ) -> Result<(Session, Contracts), Refusal> {
        caller.needs(&[Role::Dispatcher])?;
        let session =
            self.sessions.get(id).ok_or(Rejection::UnknownSession.of("session", id.0, 0))?;
        if session.phase != Phase::Cleared || session.dispatched || !session.mode.is_joint() {
            return Err(Rejection::WrongPhase.of("session", id.0, session.phase.code()));
        }
        for (id, _) in self.covering(session.day) {
            if !self.payments_resolved(id) {
                return Err(Rejection::PaymentsOpen.of("session", id.0, 0));
            }
        }
        for (id, other) in self.covering(session.day) {
            if other.phase < Phase::Cleared {
                return Err(Rejection::SessionsOpen.of("session", id.0, other.phase.code()));
            }
        }
        let contracts = self
            .contracts(session.day, session.terms.resolution)
            .map_err(|broken| Rejection::OutOfRange.of(broken.0, 0, 0))?;
        Ok((session.clone(), contracts))
    }

    /// Instructs every generating unit that sold, in whatever session for the day, one setpoint a
    /// period: the energy it owes over the length of the period. Where a default, or the kWh that
    /// do not divide by four, leave it less than it bought back, it is to stand still.
    pub(super) fn issue_dispatch(
        &mut self,
        caller: Caller,
        id: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (session, contracts) = self.check_dispatch(&caller, id)?;
        let periods = session.terms.resolution.periods();
        let hour_parts = i64::from(periods).checked_div(24).unwrap_or(1);
        let mut schedules: BTreeMap<UnitId, Vec<Power>> = BTreeMap::new();
        for ((unit, period), energy) in contracts {
            let generates = self.units.get(unit).is_some_and(|u| !u.technology.consumes());
            if !generates {
                continue;
            }
            let setpoints =
                schedules.entry(unit).or_insert_with(|| vec![Power::ZERO; usize::from(periods)]);
            if let Some(setpoint) = setpoints.get_mut(usize::from(period)) {
                let energy = energy.max(Energy::ZERO);
                *setpoint = Power::from_kw(energy.kwh().saturating_mul(hour_parts));
            }
        }
        for (unit, setpoints) in schedules {
            let mut progress = self.progress();
            let dispatch = progress.next_dispatch;
            progress.next_dispatch = dispatch.next();
            self.progress.insert((), progress);
            let row = Dispatch {
                session: id,
                unit,
                day: session.day,
                setpoints,
                issued_at: caller.time,
                state: DispatchState::Issued,
                cause: 0,
            };
            self.dispatches.insert(dispatch, row);
            events.push(Event::DispatchIssued { dispatch, session: id, unit });
        }
        let covering: Vec<SessionId> = self.covering(session.day).map(|(id, _)| id).collect();
        for id in covering {
            if let Some(row) = self.sessions.get_mut(id) {
                row.dispatched = true;
            }
            self.move_orders(id, None, OrderStatus::Paid, OrderStatus::Dispatched);
        }
        self.deliver_metered(id, session.day);
        Ok(u64::from(id.0))
    }

    /// Delivers what was metered before a late dispatch.
    pub(super) fn deliver_metered(&mut self, id: SessionId, day: DeliveryDay) {
        let metered: Vec<(UnitId, u8)> = self
            .readings
            .rows()
            .keys()
            .filter(|(_, of, _)| *of == day)
            .map(|(unit, _, period)| (*unit, *period))
            .collect();
        for only in metered {
            self.move_orders(id, Some(only), OrderStatus::Dispatched, OrderStatus::Delivered);
        }
    }

    /// Moves the orders of a session, or of one unit and period of it, from one status to another.
    pub(super) fn move_orders(
        &mut self,
        session: SessionId,
        only: Option<(UnitId, u8)>,
        from: OrderStatus,
        to: OrderStatus,
    ) {
        let ids = match only {
            Some((_, period)) => self.books.get(&(session, period)).cloned().unwrap_or_default(),
            None => self.session_orders(session),
        };
        for id in ids {
            let moves = self.orders.get(id).is_some_and(|order| {
                order.status == from && only.is_none_or(|(unit, _)| order.unit == unit)
            });
            if moves && let Some(order) = self.orders.get_mut(id) {
                order.status = to;
            }
        }
    }

    pub(super) fn check_acknowledgement(
        &self,
        caller: &Caller,
        answer: &Acknowledgement,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Device])?;
        let id = answer.dispatch;
        let dispatch =
            self.dispatches.get(id).ok_or(Rejection::UnknownDispatch.of("dispatch", id.0, 0))?;
        self.device_of(caller, dispatch.unit)?;
        if dispatch.state != DispatchState::Issued {
            return Err(Rejection::DispatchNotIssued.of("dispatch", id.0, 0));
        }
        let end = dispatch.day.next().start();
        if caller.time >= end {
            return Err(Rejection::DispatchExpired.of(
                "time",
                caller.time.unix_ms(),
                end.unix_ms(),
            ));
        }
        Ok(())
    }

    pub(super) fn acknowledge(
        &mut self,
        caller: Caller,
        answer: &Acknowledgement,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_acknowledgement(&caller, answer)?;
        let (dispatch, accepted) = (answer.dispatch, answer.accepted);
        if let Some(row) = self.dispatches.get_mut(dispatch) {
            row.state = if accepted { DispatchState::Accepted } else { DispatchState::Refused };
            row.cause = answer.cause;
        }
        events.push(Event::DispatchAcknowledged { dispatch, accepted });
        Ok(dispatch.0)
    }

    pub(super) fn device_of(&self, caller: &Caller, id: UnitId) -> Result<&Unit, Refusal> {
        let unit = self.units.get(id).ok_or(Rejection::UnknownUnit.of("unit", id.0, 0))?;
        if unit.device == caller.signer {
            Ok(unit)
        } else {
            Err(Rejection::NotYourDevice.of("unit", id.0, 0))
        }
    }

    /// The joint session that a day's readings belong to, settled or not.
    pub(super) fn session_of_day(&self, day: DeliveryDay) -> Option<(SessionId, &Session)> {
        self.sessions
            .rows()
            .iter()
            .rev()
            .find(|(_, session)| {
                session.mode.is_joint() && session.day == day && session.phase != Phase::Void
            })
            .map(|(id, session)| (*id, session))
    }

    pub(super) fn check_report(
        &self,
        caller: &Caller,
        report: &MeterReport,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Device])?;
        let (_, session) = self.session_of_day(report.day).ok_or(Rejection::UnknownSession.of(
            "day",
            report.day.days(),
            0,
        ))?;
        let unit = self.device_of(caller, report.unit)?;
        let resolution = session.terms.resolution;
        let count = u8::try_from(report.readings.len()).unwrap_or(u8::MAX);
        let end = report.first_period.checked_add(count).filter(|e| *e <= resolution.periods());
        let Some(last) = end.filter(|_| count > 0).and_then(|end| end.checked_sub(1)) else {
            return Err(Rejection::EmptyReport.of("readings", count, resolution.periods()));
        };
        let most = period_energy(unit, resolution).kwh().saturating_mul(2);
        for reading in &report.readings {
            let energy = reading.energy.kwh();
            if energy < 0 || energy > most {
                return Err(Rejection::BadReading.of("energy", energy, most));
            }
        }
        let over = DeliveryPeriod::new(report.day, resolution, last).map(DeliveryPeriod::end);
        if over.is_none_or(|over| over > caller.time) {
            let bound = over.map_or(0, duet_units::ClockTime::unix_ms);
            return Err(Rejection::NotDelivered.of("time", caller.time.unix_ms(), bound));
        }
        for period in report.first_period..=last {
            let known = self.readings.get((report.unit, report.day, period));
            let known = known.map_or(MeterRecord::SUBSTITUTE, |row| row.version);
            if known >= report.version {
                return Err(Rejection::StaleVersion.of("version", report.version, known));
            }
        }
        if session.phase == Phase::Settled {
            return Err(Rejection::PeriodSettled.of("day", report.day.days(), 0));
        }
        Ok(())
    }

    pub(super) fn report_meter(
        &mut self,
        caller: Caller,
        report: &MeterReport,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_report(&caller, report)?;
        let session = self.session_of_day(report.day).map(|(id, _)| id);
        let mut period = report.first_period;
        for reading in &report.readings {
            let row = MeterRecord {
                energy: reading.energy,
                quality: reading.quality,
                version: report.version,
            };
            self.readings.insert((report.unit, report.day, period), row);
            if let Some(id) = session {
                let only = Some((report.unit, period));
                self.move_orders(id, only, OrderStatus::Dispatched, OrderStatus::Delivered);
            }
            period = period.saturating_add(1);
        }
        let periods = u8::try_from(report.readings.len()).unwrap_or(u8::MAX);
        let (unit, day, first_period) = (report.unit, report.day, report.first_period);
        events.push(Event::MeterReported { unit, day, first_period, periods });
        Ok(u64::from(report.unit.0))
    }
}
