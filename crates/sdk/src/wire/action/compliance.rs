//! What can be asked about compliance periods and carbon credits, as JSON.

use crate::wire::{BenchmarkClass, Big, CompliancePeriod, request};
use duet_ledger::{CreditLotId, OrganisationId, UnitId};
use duet_units::{Allowances, BasisPoints, Emissions, Energy};

request! {
    /// The registry publishes the rules of a compliance period.
    PeriodNotice {
        /// The calendar year.
        year: u16 = year: |year| year, |year| year;
        /// The rules.
        period: CompliancePeriod = period: CompliancePeriod::into, CompliancePeriod::from;
    }
}

request! {
    /// What a unit supplied in a year.
    UnitOutput {
        /// The unit.
        unit: u32 = unit: UnitId, |id: UnitId| id.0;
        /// Its class.
        class: BenchmarkClass = class: BenchmarkClass::into, BenchmarkClass::from;
        /// Electricity.
        electricity_kwh: i64 = electricity: Energy::from_kwh, Energy::kwh;
        /// Heat.
        heat_gj: i64 = heat: |heat| heat, |heat| heat;
        /// The product of its correction factors.
        correction_bp: i64 = correction: BasisPoints::from_bp, BasisPoints::bp;
    }
}

fn rows<A, B: From<A>>(from: Vec<A>) -> Vec<B> {
    from.into_iter().map(B::from).collect()
}

request! {
    /// Issues a share of an earlier year's output times benchmark ahead.
    PreIssue {
        /// The compliance period.
        year: u16 = year: |year| year, |year| year;
        /// To whom.
        organisation: u32 = organisation: OrganisationId, |id: OrganisationId| id.0;
        /// The output of an earlier year, by ascending unit.
        outputs: Vec<UnitOutput> = outputs: rows, rows;
        /// The registry's reference; one counts once.
        reference: u64 = reference: |reference| reference, |reference| reference;
    }
}

request! {
    /// Verifies a year: true-up of the allocation, and what is due.
    Verification {
        /// The compliance period.
        year: u16 = year: |year| year, |year| year;
        /// Whose.
        organisation: u32 = organisation: OrganisationId, |id: OrganisationId| id.0;
        /// The verified output, by ascending unit.
        outputs: Vec<UnitOutput> = outputs: rows, rows;
        /// What the verifier adds to the metered emissions of coal units.
        coal_correction_g: Big = coal_correction:
            |big: Big| Emissions::from_g(big.0), |emissions: Emissions| Big(emissions.g());
        /// What the verifier adds to the metered emissions of gas units.
        gas_correction_g: Big = gas_correction:
            |big: Big| Emissions::from_g(big.0), |emissions: Emissions| Big(emissions.g());
        /// The reference of the verification report; one counts once.
        reference: u64 = reference: |reference| reference, |reference| reference;
    }
}

request! {
    /// Surrenders allowances for a verified year.
    Cover {
        /// The compliance period.
        year: u16 = year: |year| year, |year| year;
        /// How many.
        allowances_t: i64 = allowances: Allowances::from_t, Allowances::t;
    }
}

request! {
    /// Closes a year of an organisation: what it may not bank expires.
    PeriodClosure {
        /// The compliance period.
        year: u16 = year: |year| year, |year| year;
        /// Whose.
        organisation: u32 = organisation: OrganisationId, |id: OrganisationId| id.0;
    }
}

request! {
    /// Issues carbon credits.
    CreditIssue {
        /// To whom.
        organisation: u32 = organisation: OrganisationId, |id: OrganisationId| id.0;
        /// How many.
        count: u64 = count: |count| count, |count| count;
        /// The project that reduced.
        project: String = project: |text| text, |text| text;
        /// The year of the reduction.
        vintage: u16 = vintage: |year| year, |year| year;
        /// The id of the issue in the registry where it was first recorded; one counts once.
        outside_id: String = outside_id: |text| text, |text| text;
    }
}

request! {
    /// Transfers carbon credits.
    CreditTransfer {
        /// The run.
        lot: u64 = lot: CreditLotId, |id: CreditLotId| id.0;
        /// How many of it, from its start.
        count: u64 = count: |count| count, |count| count;
        /// To whom.
        to: u32 = to: OrganisationId, |id: OrganisationId| id.0;
    }
}

request! {
    /// Retires carbon credits for a verified year.
    CreditRetirement {
        /// The run.
        lot: u64 = lot: CreditLotId, |id: CreditLotId| id.0;
        /// How many of it, from its start.
        count: u64 = count: |count| count, |count| count;
        /// The compliance period that they are to cover.
        year: u16 = year: |year| year, |year| year;
    }
}
