//! The rules of compliance periods, and what is asked about them.

use super::super::{Caller, Failure};
use crate::action::{CarbonAction, PeriodNotice};
use crate::event::Event;
use crate::records::{BenchmarkClass, CompliancePeriod, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::allowance::compliance::{AllocationRule, Benchmark, Relief};
use duet_units::{Allowances, BasisPoints, DeliveryDay, Month};

/// The years that can be compliance periods.
const YEARS: std::ops::RangeInclusive<u16> = 2000..=2999;
/// The most compliance periods.
const PERIODS_MAX: usize = 64;
/// The highest benchmark: 10 t per MWh or GJ.
const BENCHMARK_MAX: i64 = 100_000;
/// The most that may be banked per tonne sold: 100 t.
const PER_NET_SALE_MAX: i64 = 1_000_000;

/// The first day of a year.
pub(super) fn first_day(year: u16) -> DeliveryDay {
    let months = i32::from(year).saturating_sub(1970).saturating_mul(12);
    Month::from_months(months).first_day()
}

/// The year of a day.
pub(super) fn year_of(day: DeliveryDay) -> Option<u16> {
    u16::try_from(day.month().year()).ok()
}

impl State {
    pub(super) fn check_compliance(
        &self,
        caller: &Caller,
        action: &CarbonAction,
    ) -> Result<(), Refusal> {
        match action {
            CarbonAction::PublishPeriod(notice) => self.check_period(caller, notice),
            CarbonAction::PreIssue(request) => self.check_pre_issue(caller, request).map(drop),
            CarbonAction::Verify(request) => self.check_verification(caller, request).map(drop),
            CarbonAction::Cover(request) => self.check_cover(caller, request).map(drop),
            CarbonAction::ClosePeriod(request) => self.check_closure(caller, request).map(drop),
            CarbonAction::IssueCredits(request) => self.check_credit_issue(caller, request),
            CarbonAction::TransferCredits(request) => {
                self.check_credit_transfer(caller, request).map(drop)
            }
            CarbonAction::RetireCredits(request) => {
                self.check_credit_retirement(caller, request).map(drop)
            }
            _ => Err(Rejection::Malformed.of("carbon action", 0, 0)),
        }
    }

    pub(super) fn apply_compliance(
        &mut self,
        caller: Caller,
        action: &CarbonAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            CarbonAction::PublishPeriod(notice) => self.publish_period(caller, notice, events),
            CarbonAction::PreIssue(request) => self.pre_issue(caller, request, events),
            CarbonAction::Verify(request) => self.verify(caller, request, events),
            CarbonAction::Cover(request) => self.cover(caller, request, events),
            CarbonAction::ClosePeriod(request) => self.close_period(caller, request, events),
            CarbonAction::IssueCredits(request) => self.issue_credits(caller, request, events),
            CarbonAction::TransferCredits(request) => {
                self.transfer_credits(caller, request, events)
            }
            CarbonAction::RetireCredits(request) => self.retire_credits(caller, request, events),
            _ => Err(Rejection::Malformed.of("carbon action", 0, 0).into()),
        }
    }

    fn check_period(&self, caller: &Caller, notice: &PeriodNotice) -> Result<(), Refusal> {
        caller.needs(&[Role::Registry])?;
        let PeriodNotice { year, period } = notice;
        let periods = self.compliance_periods.rows();
        let rows = u16::try_from(periods.len()).unwrap_or(u16::MAX);
        if !YEARS.contains(year) || periods.contains_key(year) || periods.len() >= PERIODS_MAX {
            return Err(Rejection::BadCompliancePeriod.of("year", *year, rows));
        }
        check_shares(period)?;
        check_benchmarks(period)?;
        let (ends, due) = (first_day(year.saturating_add(1)), period.due_day);
        let latest = first_day(year.saturating_add(4));
        if due < ends || latest <= due {
            return Err(Rejection::BadCompliancePeriod.of("due day", due.days(), ends.days()));
        }
        Ok(())
    }

    fn publish_period(
        &mut self,
        caller: Caller,
        notice: &PeriodNotice,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_period(&caller, notice)?;
        self.compliance_periods.insert(notice.year, notice.period.clone());
        events.push(Event::CompliancePeriodPublished { year: notice.year });
        Ok(u64::from(notice.year))
    }

    pub(super) fn period(&self, year: u16) -> Result<&CompliancePeriod, Refusal> {
        let unknown = Rejection::UnknownCompliancePeriod.of("year", year, 0);
        self.compliance_periods.get(year).ok_or(unknown)
    }
}

fn check_shares(period: &CompliancePeriod) -> Result<(), Refusal> {
    let whole = BasisPoints::ONE.bp();
    let shares = [
        ("pre-issued", period.pre_issued.bp(), whole),
        ("shortage cap", period.coal_shortage_cap.unwrap_or_default().bp(), whole),
        ("offset cap", period.offset_cap.bp(), whole),
        ("bank base", period.bank_base.t(), super::ALLOCATION_MAX_T),
        ("bank per net sale", period.bank_per_net_sale.bp(), PER_NET_SALE_MAX),
    ];
    for (field, value, most) in shares {
        if !(0..=most).contains(&value) {
            return Err(Rejection::BadCompliancePeriod.of(field, value, most));
        }
    }
    Ok(())
}

fn check_benchmarks(period: &CompliancePeriod) -> Result<(), Refusal> {
    let mut last = None;
    for benchmark in &period.benchmarks {
        if last >= Some(benchmark.class) {
            let code = benchmark.class.code();
            return Err(Rejection::BadCompliancePeriod.of("benchmark class", code, 0));
        }
        last = Some(benchmark.class);
        for value in [benchmark.electricity, benchmark.heat] {
            if !(0..=BENCHMARK_MAX).contains(&value) {
                return Err(Rejection::BadCompliancePeriod.of("benchmark", value, BENCHMARK_MAX));
            }
        }
    }
    Ok(())
}

impl CompliancePeriod {
    /// The allocation rule of a class; none without a benchmark.
    pub(super) fn rule(
        &self,
        class: BenchmarkClass,
        correction: BasisPoints,
    ) -> Option<AllocationRule> {
        let row = self.benchmarks.iter().find(|row| row.class == class)?;
        Some(AllocationRule {
            electricity: Benchmark::from_ten_thousandths_t(row.electricity),
            heat: Benchmark::from_ten_thousandths_t(row.heat),
            correction,
        })
    }

    /// What limits the duty of coal units.
    pub(super) fn coal_relief(&self) -> Relief {
        self.coal_shortage_cap.map_or(Relief::None, Relief::Capped)
    }

    /// What limits the duty of gas units.
    pub(super) const fn gas_relief(&self) -> Relief {
        if self.gas_shortage_waived { Relief::ShortageWaived } else { Relief::None }
    }

    /// How much of a surplus may be kept.
    pub(super) fn bankable(
        &self,
        surplus: Allowances,
        net_sales: Allowances,
    ) -> Result<Allowances, duet_units::OverflowError> {
        let rule = duet_market::allowance::compliance::BankingRule {
            base: self.bank_base,
            per_net_sale: self.bank_per_net_sale,
        };
        rule.bankable(surplus, net_sales)
    }
}
