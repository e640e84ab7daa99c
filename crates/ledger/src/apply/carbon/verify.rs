//! Issue ahead, verification with true-up, surrender for a year, and its closure.

use super::super::{Caller, Failure};
use super::period::first_day;
use crate::action::{Cover, PeriodClosure, PreIssue, UnitOutput, Verification};
use crate::event::Event;
use crate::ids::OrganisationId;
use crate::records::{
    BenchmarkClass, CarbonAccount, CompliancePeriod, Obligation, ObligationState, Role, Technology,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::allowance::compliance::{Heat, Output, allocate, obligation, share_of};
use duet_units::{Allowances, BasisPoints, Emissions, Energy, OverflowError};

/// The most heat of a unit in a year: ten billion GJ.
const HEAT_MAX_GJ: i64 = 10_000_000_000;
/// The most electricity of a unit in a year: 1e15 kWh.
const ELECTRICITY_MAX_KWH: i64 = 1_000_000_000_000_000;
/// The highest product of correction factors: 2.
const CORRECTION_MAX_BP: i64 = 20_000;

/// The free allocation of coal units and of gas units.
type ByFuel = (Allowances, Allowances);

/// What a verification comes to.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    row: Obligation,
    account: CarbonAccount,
    /// What is issued; the rest of the true-up is withdrawn.
    issued: Allowances,
}

impl State {
    /// What every action of the registry about a year of an organisation is held to first.
    fn check_subject(
        &self,
        caller: &Caller,
        (year, organisation): (u16, OrganisationId),
        reference: Option<u64>,
    ) -> Result<&CompliancePeriod, Refusal> {
        caller.needs(&[Role::Registry])?;
        if self.organisations.get(organisation).is_none() {
            return Err(Rejection::UnknownOrganisation.of("organisation", organisation.0, 0));
        }
        if let Some(reference) = reference {
            self.check_reference(caller, reference)?;
        }
        self.period(year)
    }

    /// Returns the free allocation of verified outputs, each unit rounded once.
    fn allocation_of(
        &self,
        period: &CompliancePeriod,
        organisation: OrganisationId,
        outputs: &[UnitOutput],
    ) -> Result<ByFuel, Refusal> {
        let bad = |output: &UnitOutput| Rejection::BadOutput.of("unit", output.unit.0, 0);
        let (mut coal, mut gas) = (Allowances::ZERO, Allowances::ZERO);
        let mut last = None;
        for output in outputs {
            let unit = self.units.get(output.unit).filter(|unit| unit.owner == organisation);
            let unit = unit.filter(|_| last < Some(output.unit)).ok_or(bad(output))?;
            last = Some(output.unit);
            let is_gas = output.class == BenchmarkClass::Gas;
            let fuel = if is_gas { Technology::Gas } else { Technology::Coal };
            let rule = period.rule(output.class, output.correction).ok_or(bad(output))?;
            if unit.technology != fuel || !is_in_range(output) {
                return Err(bad(output));
            }
            let supplied =
                Output { electricity: output.electricity, heat: Heat::from_gj(output.heat) };
            let sum = if is_gas { &mut gas } else { &mut coal };
            *sum = sum.plus(allocate(&supplied, &rule)?)?;
        }
        Ok((coal, gas))
    }

    /// Returns how much is issued ahead.
    pub(super) fn check_pre_issue(
        &self,
        caller: &Caller,
        request: &PreIssue,
    ) -> Result<Allowances, Refusal> {
        let PreIssue { year, organisation, outputs, reference } = request;
        let period = self.check_subject(caller, (*year, *organisation), Some(*reference))?;
        let (coal, gas) = self.allocation_of(period, *organisation, outputs)?;
        let row = self.obligation(*year, *organisation);
        if row.state != ObligationState::Running || !row.pre_issued.is_zero() {
            return Err(Rejection::AlreadyAllocated.of("year", *year, 0));
        }
        let issued = share_of(coal.plus(gas)?, period.pre_issued)?;
        self.progress().allocated.plus(issued)?;
        self.carbon_account(*organisation).held()?.plus(issued)?;
        Ok(issued)
    }

    pub(super) fn pre_issue(
        &mut self,
        caller: Caller,
        request: &PreIssue,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let issued = self.check_pre_issue(&caller, request)?;
        let organisation = request.organisation;
        let mut account = self.carbon_account(organisation);
        account.free = account.free.plus(issued).map_err(Refusal::from)?;
        let row = self.obligation(request.year, organisation);
        self.carbon.insert(organisation, account);
        self.count_issued(issued)?;
        let row = Obligation { pre_issued: issued, ..row };
        self.obligations.insert((request.year, organisation), row);
        self.references.insert((caller.organisation, request.reference), ());
        events.push(Event::AllowancesAllocated { organisation, allowances: issued });
        Ok(u64::from(organisation.0))
    }

    /// Counts allowances that were issued.
    fn count_issued(&mut self, issued: Allowances) -> Result<(), Refusal> {
        let allocated = self.progress().allocated.plus(issued)?;
        self.change_progress(|progress| progress.allocated = allocated);
        Ok(())
    }

    pub(super) fn check_verification(
        &self,
        caller: &Caller,
        request: &Verification,
    ) -> Result<Verified, Refusal> {
        let Verification { year, organisation, outputs, reference, .. } = request;
        let period = self.check_subject(caller, (*year, *organisation), Some(*reference))?;
        let by_fuel = self.allocation_of(period, *organisation, outputs)?;
        let row = self.obligation(*year, *organisation);
        let coal = tonnes(row.coal.emissions.plus(request.coal_correction)?)?;
        let gas = tonnes(row.gas.emissions.plus(request.gas_correction)?)?;
        if row.state != ObligationState::Running {
            return Err(Rejection::AlreadyAllocated.of("year", *year, 0));
        }
        let (today, end) = (caller.time.day(), first_day(year.saturating_add(1)));
        if today < end {
            return Err(Rejection::PeriodNotOver.of("day", today.days(), end.days()));
        }
        let due = obligation(coal, by_fuel.0, period.coal_relief())?.plus(obligation(
            gas,
            by_fuel.1,
            period.gas_relief(),
        )?)?;
        let allocated = by_fuel.0.plus(by_fuel.1)?;
        let row = Obligation { allocated, verified: coal.plus(gas)?, due, ..row };
        Ok(self.true_up(*organisation, row)?)
    }

    /// Issues what was not issued ahead, or withdraws what was issued too much: from the free
    /// allowances first, and what they do not hold is due on top. What the organisation
    /// surrendered before and no year has counted, counts for this one.
    fn true_up(
        &self,
        organisation: OrganisationId,
        row: Obligation,
    ) -> Result<Verified, OverflowError> {
        let mut account = self.carbon_account(organisation);
        let change = row.allocated.minus(row.pre_issued)?;
        let issued = change.max(Allowances::ZERO);
        let excess = issued.minus(change)?;
        let withdrawn = excess.min(account.free);
        account.free = account.free.plus(issued)?.minus(withdrawn)?;
        account.expired = account.expired.plus(withdrawn)?;
        account.held()?;
        self.progress().allocated.plus(issued)?;
        let over_issued = excess.minus(withdrawn)?;
        let due = row.due.plus(over_issued)?;
        let counted = self.obligations.rows().iter().filter(|((_, of), _)| *of == organisation);
        let counted = Allowances::sum(counted.map(|(_, row)| row.surrendered))?;
        let ahead = account.surrendered.minus(counted)?.max(Allowances::ZERO);
        let state = ObligationState::Verified;
        let row = Obligation { due, over_issued, surrendered: ahead.min(due), state, ..row };
        Ok(Verified { row, account, issued })
    }

    pub(super) fn verify(
        &mut self,
        caller: Caller,
        request: &Verification,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let Verified { row, account, issued } = self.check_verification(&caller, request)?;
        let (year, organisation) = (request.year, request.organisation);
        self.count_issued(issued)?;
        self.references.insert((caller.organisation, request.reference), ());
        self.carbon.insert(organisation, account);
        let Obligation { verified, allocated, due, .. } = row;
        self.obligations.insert((year, organisation), row);
        events.push(Event::EmissionsVerified { year, organisation, verified, allocated, due });
        Ok(u64::from(organisation.0))
    }

    /// The row of a year that can still be covered.
    pub(super) fn check_coverable(
        &self,
        year: u16,
        organisation: OrganisationId,
    ) -> Result<Obligation, Refusal> {
        self.period(year)?;
        let row = self.obligation(year, organisation);
        if row.state == ObligationState::Running {
            return Err(Rejection::NotVerified.of("year", year, 0));
        }
        Ok(row)
    }

    pub(super) fn check_cover(
        &self,
        caller: &Caller,
        request: &Cover,
    ) -> Result<(CarbonAccount, Obligation), Refusal> {
        caller.needs(&[Role::Generator])?;
        let Cover { year, allowances } = *request;
        if allowances <= Allowances::ZERO {
            return Err(Rejection::AmountNotPositive.of("allowances", allowances.t(), 0));
        }
        let mut account = self.carbon_account(caller.organisation);
        if allowances > account.free {
            let (value, bound) = (allowances.t(), account.free.t());
            return Err(Rejection::InsufficientAllowances.of("allowances", value, bound));
        }
        let mut row = self.check_coverable(year, caller.organisation)?;
        let outstanding = row.outstanding();
        if allowances > outstanding {
            let (value, bound) = (allowances.t(), outstanding.t());
            return Err(Rejection::ExceedsDue.of("allowances", value, bound));
        }
        if row.state == ObligationState::Closed {
            return Err(Rejection::PeriodClosed.of("year", year, 0));
        }
        account.free = account.free.minus(allowances)?;
        account.surrendered = account.surrendered.plus(allowances)?;
        row.surrendered = row.surrendered.plus(allowances)?;
        Ok((account, row))
    }

    pub(super) fn cover(
        &mut self,
        caller: Caller,
        request: &Cover,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (account, row) = self.check_cover(&caller, request)?;
        let organisation = caller.organisation;
        self.carbon.insert(organisation, account);
        self.obligations.insert((request.year, organisation), row);
        let allowances = request.allowances;
        events.push(Event::AllowancesSurrendered { organisation, allowances });
        Ok(u64::from(request.year))
    }

    /// Returns account and year as they are after the closure, and what expires.
    pub(super) fn check_closure(
        &self,
        caller: &Caller,
        request: &PeriodClosure,
    ) -> Result<(CarbonAccount, Obligation, Allowances), Refusal> {
        let PeriodClosure { year, organisation } = *request;
        let period = self.check_subject(caller, (year, organisation), None)?;
        let today = caller.time.day();
        if today <= period.due_day {
            let (today, due) = (today.days(), period.due_day.days());
            return Err(Rejection::PeriodNotOver.of("day", today, due));
        }
        let row = self.check_coverable(year, organisation)?;
        if row.state == ObligationState::Closed {
            return Err(Rejection::PeriodClosed.of("year", year, 0));
        }
        let mut account = self.carbon_account(organisation);
        // What was issued for later years is no surplus of this one.
        let rows = self.obligations.rows().iter();
        let later = rows.filter(|((of_year, of), _)| *of == organisation && *of_year > year);
        let later = Allowances::sum(later.map(|(_, row)| row.allocated.max(row.pre_issued)))?;
        let surplus = account.free.minus(later)?.max(Allowances::ZERO);
        let banked = period.bankable(surplus, account.sold_for_banking()?)?;
        let expired = surplus.minus(banked)?;
        account.free = account.free.minus(expired)?;
        account.expired = account.expired.plus(expired)?;
        (account.net_sales, account.given) = (Allowances::ZERO, Allowances::ZERO);
        let row = Obligation { banked, state: ObligationState::Closed, ..row };
        Ok((account, row, expired))
    }

    pub(super) fn close_period(
        &mut self,
        caller: Caller,
        request: &PeriodClosure,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (account, row, expired) = self.check_closure(&caller, request)?;
        let PeriodClosure { year, organisation } = *request;
        let (banked, outstanding) = (row.banked, row.outstanding());
        self.carbon.insert(organisation, account);
        self.obligations.insert((year, organisation), row);
        events.push(Event::CompliancePeriodClosed {
            year,
            organisation,
            banked,
            expired,
            outstanding,
        });
        Ok(u64::from(organisation.0))
    }
}

fn is_in_range(output: &UnitOutput) -> bool {
    (Energy::ZERO..=Energy::from_kwh(ELECTRICITY_MAX_KWH)).contains(&output.electricity)
        && (0..=HEAT_MAX_GJ).contains(&output.heat)
        && (BasisPoints::ZERO..=BasisPoints::from_bp(CORRECTION_MAX_BP))
            .contains(&output.correction)
}

/// Whole tonnes: a started one obliges to a whole allowance.
fn tonnes(emissions: Emissions) -> Result<Allowances, Refusal> {
    let (tonnes, rest) = emissions.tonnes_and_rest();
    let whole = tonnes.saturating_add(i128::from(!rest.is_zero()));
    if emissions < Emissions::ZERO {
        return Err(Rejection::BadOutput.of("verified emissions", emissions.g(), 0));
    }
    let overflow = OverflowError { operation: "verified emissions", unit: "t CO2e" };
    Ok(i64::try_from(whole).map(Allowances::from_t).map_err(|_| overflow)?)
}
