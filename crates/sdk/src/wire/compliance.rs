//! Compliance periods, obligations, forecasts, carbon credits.

use super::{Big, Day, mirror, request, view};
use duet_units::{Allowances, BasisPoints};

mirror! {
    /// The class of a unit in the allocation plan.
    BenchmarkClass {
        /// Conventional coal above the 300 MW class.
        LargeCoal,
        /// Conventional coal at or below the 300 MW class.
        SmallCoal,
        /// Unconventional coal: gangue, slime, coal-water slurry, fluidised bed.
        OtherCoal,
        /// Natural gas.
        Gas,
    }
}

mirror! {
    /// Where an obligation stands.
    ObligationState {
        /// Emissions are metered; they are not verified.
        Running,
        /// Verified: allowances and credits are surrendered against it.
        Verified,
        /// Closed: final.
        Closed,
    }
}

request! {
    /// What a class is given for free per unit of output.
    ClassBenchmark {
        /// The class.
        class: BenchmarkClass = class: BenchmarkClass::into, BenchmarkClass::from;
        /// Per MWh of electricity, in 1e-4 t.
        electricity_e4_t_per_mwh: i64 = electricity: |value| value, |value| value;
        /// Per GJ of heat, in 1e-4 t.
        heat_e4_t_per_gj: i64 = heat: |value| value, |value| value;
    }
}

request! {
    /// The rules of a compliance period, which is a calendar year.
    CompliancePeriod {
        /// The benchmarks, by class.
        benchmarks: Vec<ClassBenchmark> = benchmarks:
            |rows: Vec<ClassBenchmark>| rows.into_iter().map(Into::into).collect(),
            |rows: Vec<duet_ledger::ClassBenchmark>| rows.into_iter().map(Into::into).collect();
        /// The share of an earlier year's output times benchmark that is issued ahead.
        pre_issued_bp: i64 = pre_issued: BasisPoints::from_bp, BasisPoints::bp;
        /// Up to which share of verified emissions a shortage of coal units is due; none: in full.
        coal_shortage_cap_bp: Option<i64> = coal_shortage_cap:
            |cap: Option<i64>| cap.map(BasisPoints::from_bp),
            |cap: Option<BasisPoints>| cap.map(BasisPoints::bp);
        /// Whether a shortage of gas units need not be covered.
        gas_shortage_waived: bool = gas_shortage_waived: |flag| flag, |flag| flag;
        /// The most of what is due that carbon credits may cover.
        offset_cap_bp: i64 = offset_cap: BasisPoints::from_bp, BasisPoints::bp;
        /// What may be banked in any case.
        bank_base_t: i64 = bank_base: Allowances::from_t, Allowances::t;
        /// How much may be banked per tonne sold net.
        bank_per_net_sale_bp: i64 = bank_per_net_sale: BasisPoints::from_bp, BasisPoints::bp;
        /// The last day to surrender.
        due_day: Day = due_day: |day: Day| day.0, Day;
    }
}

view! {
    /// What an organisation emitted in a year, was given for it, and owes.
    Obligation(year: u16, id: duet_ledger::OrganisationId, row: &duet_ledger::Obligation) {
        /// The compliance period.
        year: u16 = year;
        /// Whose.
        organisation: u32 = id.0;
        /// Where it stands.
        state: ObligationState = row.state.into();
        /// The first delivery day with metered emissions.
        first_day: Day = Day(row.first_day);
        /// The last one so far.
        last_day: Day = Day(row.last_day);
        /// Metered emissions of coal units.
        coal_emissions_g: Big = Big(row.coal.emissions.g());
        /// Metered emissions of gas units.
        gas_emissions_g: Big = Big(row.gas.emissions.g());
        /// Metered output of coal units.
        coal_output_kwh: i64 = row.coal.output.kwh();
        /// Metered output of gas units.
        gas_output_kwh: i64 = row.gas.output.kwh();
        /// What was issued ahead.
        pre_issued_t: i64 = row.pre_issued.t();
        /// What is due to it for free, after the true-up.
        allocated_t: i64 = row.allocated.t();
        /// Its verified emissions.
        verified_t: i64 = row.verified.t();
        /// What it must surrender.
        due_t: i64 = row.due.t();
        /// What of it was issued too much ahead and could not be withdrawn.
        over_issued_t: i64 = row.over_issued.t();
        /// What it surrendered.
        surrendered_t: i64 = row.surrendered.t();
        /// The carbon credits that it retired for it.
        offset_t: i64 = row.offset.t();
        /// What is still to be surrendered.
        outstanding_t: i64 = row.outstanding().t();
        /// What it kept when the period was closed.
        banked_t: i64 = row.banked.t();
    }
}

view! {
    /// Where an organisation is heading in a year, at the pace of its settled days.
    GapForecast(
        year: u16,
        id: duet_ledger::OrganisationId,
        row: &duet_ledger::Obligation,
        forecast: &duet_ledger::Forecast
    ) {
        /// The compliance period.
        year: u16 = year;
        /// Whose.
        organisation: u32 = id.0;
        /// The first settled day with emissions.
        first_day: Day = Day(row.first_day);
        /// The last one.
        last_day: Day = Day(row.last_day);
        /// Emissions to date.
        emissions_to_date_g: Big = Big(row.coal.emissions.g().saturating_add(row.gas.emissions.g()));
        /// Emissions of the whole year.
        emissions_t: i64 = forecast.emissions.t();
        /// The free allocation of the whole year.
        allocation_t: i64 = forecast.allocation.t();
        /// What must be surrendered beyond the allocation; negative for a surplus.
        gap_t: i64 = forecast.gap.t();
        /// The most that carbon credits can cover.
        offset_cap_t: i64 = forecast.offset_cap.t();
    }
}

view! {
    /// A run of carbon credits, each for a verified reduction of 1 t CO2e.
    CreditLot(id: duet_ledger::CreditLotId, row: &duet_ledger::CreditLot) {
        /// Its number.
        id: u64 = id.0;
        /// The project that reduced.
        project: String = row.project.clone();
        /// The year of the reduction.
        vintage: u16 = row.vintage;
        /// The number of the first credit.
        first: u64 = row.first;
        /// How many.
        count: u64 = row.count;
        /// Whose they are.
        owner: u32 = row.owner.0;
        /// The compliance period that they were retired for; none until then.
        retired_for: Option<u16> = row.retired_for;
    }
}
