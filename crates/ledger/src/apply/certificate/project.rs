//! CCER projects: the same energy is a certificate or a reduction, never both.

use super::{Caller, Failure};
use crate::action::{RegisterProject, RegisterReductions, WithdrawProject};
use crate::event::Event;
use crate::ids::{CcerProjectId, CertificateLotId};
use crate::records::{CcerProject, CertificateState, Counter, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_units::{Allowances, DeliveryDay, Month};

/// The most projects on a channel.
const PROJECTS_MAX: usize = 4_096;
/// The longest crediting period: 20 years.
const PERIOD_MAX_DAYS: i32 = 7_305;
/// The most reductions of one registration: 10 billion tonnes.
const REDUCTIONS_MAX_T: i64 = 10_000_000_000;

/// The last day of a month.
pub(super) fn last_day(month: Month) -> DeliveryDay {
    DeliveryDay::from_days(month.plus(1).first_day().days().saturating_sub(1))
}

impl State {
    pub(super) fn check_project(
        &self,
        caller: &Caller,
        request: &RegisterProject,
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Registry])?;
        let (unit, from, to) = (request.unit, request.from, request.to);
        if self.units.get(unit).is_none() {
            return Err(Rejection::UnknownUnit.of("unit", unit.0, 0));
        }
        self.check_reference(caller, request.reference)?;
        self.check_renewable(unit)?;
        let days = to.days().saturating_sub(from.days());
        if !(0..PERIOD_MAX_DAYS).contains(&days) {
            return Err(Rejection::BadPeriod.of("days", days, PERIOD_MAX_DAYS));
        }
        let projects = self.projects.rows();
        let overlaps = |p: &CcerProject| p.unit == unit && p.from <= to && from <= p.to;
        if let Some((other, _)) = projects.iter().find(|(_, project)| overlaps(project)) {
            return Err(Rejection::ProjectOverlaps.of("unit", unit.0, i128::from(other.0)));
        }
        if projects.len() >= PROJECTS_MAX {
            return Err(Rejection::TableFull.of("projects", 0, 0));
        }
        Ok(())
    }

    pub(super) fn register_project(
        &mut self,
        caller: Caller,
        request: &RegisterProject,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_project(&caller, request)?;
        let project = CcerProjectId(self.next_number(Counter::CcerProject));
        let (unit, from, to) = (request.unit, request.from, request.to);
        self.references.insert((caller.organisation, request.reference), ());
        let (registered, reductions) = (None, Allowances::ZERO);
        self.projects.insert(project, CcerProject { unit, from, to, registered, reductions });
        let lots: Vec<CertificateLotId> = self.lot_index.of_unit(unit, (from, to)).collect();
        let mut frozen = 0_u64;
        for lot in lots {
            if let Some(row) = self.lots.get_mut(lot) {
                row.project = Some(project);
                frozen = frozen.saturating_add(row.count);
            }
        }
        events.push(Event::ProjectRegistered { project, unit, frozen });
        Ok(project.0)
    }

    fn known_project(&self, id: CcerProjectId) -> Result<&CcerProject, Refusal> {
        self.projects.get(id).ok_or(Rejection::UnknownProject.of("project", id.0, 0))
    }

    pub(super) fn check_project_withdrawal(
        &self,
        caller: &Caller,
        request: &WithdrawProject,
    ) -> Result<CcerProject, Refusal> {
        caller.needs(&[Role::Registry])?;
        let project = self.known_project(request.project)?;
        if project.registered.is_some_and(|month| month >= project.to.month()) {
            return Err(Rejection::ProjectClosed.of("project", request.project.0, 0));
        }
        Ok(project.clone())
    }

    /// Ends a project behind the months whose reductions are registered; if there are none, it
    /// never was.
    pub(super) fn withdraw_project(
        &mut self,
        caller: Caller,
        request: &WithdrawProject,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let row = self.check_project_withdrawal(&caller, request)?;
        let project = request.project;
        match row.registered {
            None => drop(self.projects.remove(project)),
            Some(month) => {
                let to = last_day(month);
                self.projects.insert(project, CcerProject { to, ..row });
            }
        }
        let lots: Vec<CertificateLotId> =
            self.lot_index.of_unit(row.unit, (row.from, row.to)).collect();
        let mut freed = 0_u64;
        for lot in lots {
            if let Some(lot) = self.lots.get_mut(lot) {
                lot.project = None;
                freed = freed.saturating_add(lot.count);
            }
        }
        events.push(Event::ProjectWithdrawn { project, freed });
        Ok(project.0)
    }

    /// Returns the project and the first month that the reductions come from.
    pub(super) fn check_reductions(
        &self,
        caller: &Caller,
        request: &RegisterReductions,
    ) -> Result<(CcerProject, Month), Refusal> {
        caller.needs(&[Role::Registry])?;
        let reductions = request.reductions.t();
        if reductions <= 0 {
            return Err(Rejection::AmountNotPositive.of("reductions", reductions, 0));
        }
        if reductions > REDUCTIONS_MAX_T {
            return Err(Rejection::AmountTooLarge.of("reductions", reductions, REDUCTIONS_MAX_T));
        }
        self.check_reference(caller, request.reference)?;
        let project = self.known_project(request.project)?;
        let (first, to) = (project.from.month(), request.to);
        let from = project.registered.map_or(first, |month| month.plus(1));
        if to < from || to > project.to.month() {
            return Err(Rejection::ProjectClosed.of("to", to.months(), from.months()));
        }
        let months = self.unit_months.rows().range((project.unit, from)..=(project.unit, to));
        let claimed = months.fold(0_u64, |sum, (_, month)| sum.saturating_add(month.claimed));
        if claimed > 0 {
            return Err(Rejection::EnergyClaimed.of("to", to.months(), i128::from(claimed)));
        }
        self.check_month_over(to)?;
        project.reductions.plus(request.reductions)?;
        Ok((project.clone(), from))
    }

    /// Refuses a month whose energy is not all settled; days settle under joint sessions.
    pub(super) fn check_month_over(&self, month: Month) -> Result<(), Refusal> {
        let end = month.plus(1).start();
        let open = self.sessions.rows().values().any(|session| {
            session.mode.is_joint() && session.phase.is_live() && session.day.month() <= month
        });
        if open || self.time() < end {
            return Err(Rejection::MonthOpen.of("month", month.months(), end.unix_ms()));
        }
        Ok(())
    }

    pub(super) fn register_reductions(
        &mut self,
        caller: Caller,
        request: &RegisterReductions,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (mut row, from) = self.check_reductions(&caller, request)?;
        let (project, to, reductions) = (request.project, request.to, request.reductions);
        self.references.insert((caller.organisation, request.reference), ());
        let days = (from.first_day().max(row.from), last_day(to).min(row.to));
        let lots: Vec<CertificateLotId> = self.lot_index.of_unit(row.unit, days).collect();
        let mut cancelled = 0_u64;
        for lot in lots {
            let count = self.lots.get(lot).map_or(0, |row| row.count);
            self.end_lot(lot, CertificateState::Cancelled, None, events);
            events.push(Event::CertificatesCancelled { lot, count });
            cancelled = cancelled.saturating_add(count);
        }
        row.registered = Some(to);
        row.reductions =
            row.reductions.plus(reductions).map_err(crate::rejection::Refusal::from)?;
        self.projects.insert(project, row);
        events.push(Event::ReductionsRegistered { project, to, reductions, cancelled });
        Ok(project.0)
    }
}
