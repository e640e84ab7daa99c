//! What can be asked about compliance periods and carbon credits.

use crate::codec::record;
use crate::ids::{CreditLotId, OrganisationId, UnitId};
use crate::records::{BenchmarkClass, CompliancePeriod};
use duet_units::{Allowances, BasisPoints, Emissions, Energy};

record! {
    /// The registry publishes the rules of a compliance period.
    pub struct PeriodNotice {
        /// The calendar year.
        pub year: u16,
        /// The rules.
        pub period: CompliancePeriod,
    }
}

record! {
    /// What a unit supplied in a year.
    pub struct UnitOutput {
        /// The unit.
        pub unit: UnitId,
        /// Its class.
        pub class: BenchmarkClass,
        /// Electricity.
        pub electricity: Energy,
        /// Heat, in GJ.
        pub heat: i64,
        /// The product of its correction factors.
        pub correction: BasisPoints,
    }
}

record! {
    /// Issues a share of an earlier year's output times benchmark ahead.
    pub struct PreIssue {
        /// The compliance period.
        pub year: u16,
        /// To whom.
        pub organisation: OrganisationId,
        /// The output of an earlier year, by ascending unit.
        pub outputs: Vec<UnitOutput>,
        /// The registry's reference; one counts once.
        pub reference: u64,
    }
}

record! {
    /// Verifies a year: true-up of the allocation, and what is due.
    pub struct Verification {
        /// The compliance period.
        pub year: u16,
        /// Whose.
        pub organisation: OrganisationId,
        /// The verified output, by ascending unit.
        pub outputs: Vec<UnitOutput>,
        /// What the verifier adds to the metered emissions of coal units.
        pub coal_correction: Emissions,
        /// What the verifier adds to the metered emissions of gas units.
        pub gas_correction: Emissions,
        /// The reference of the verification report; one counts once.
        pub reference: u64,
    }
}

record! {
    /// Surrenders allowances for a verified year.
    pub struct Cover {
        /// The compliance period.
        pub year: u16,
        /// How many.
        pub allowances: Allowances,
    }
}

record! {
    /// Closes a year of an organisation: what it may not bank expires.
    pub struct PeriodClosure {
        /// The compliance period.
        pub year: u16,
        /// Whose.
        pub organisation: OrganisationId,
    }
}

record! {
    /// Issues carbon credits.
    pub struct CreditIssue {
        /// To whom.
        pub organisation: OrganisationId,
        /// How many.
        pub count: u64,
        /// The project that reduced.
        pub project: String,
        /// The year of the reduction.
        pub vintage: u16,
        /// The id of the issue in the registry where it was first recorded; one counts once.
        pub outside_id: String,
    }
}

record! {
    /// Transfers carbon credits.
    pub struct CreditTransfer {
        /// The run.
        pub lot: CreditLotId,
        /// How many of it, from its start.
        pub count: u64,
        /// To whom.
        pub to: OrganisationId,
    }
}

record! {
    /// Retires carbon credits for a verified year.
    pub struct CreditRetirement {
        /// The run.
        pub lot: CreditLotId,
        /// How many of it, from its start.
        pub count: u64,
        /// The compliance period that they are to cover.
        pub year: u16,
    }
}
