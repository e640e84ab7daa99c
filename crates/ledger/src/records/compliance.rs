//! Compliance periods, what is due for them, and carbon credits.

use crate::codec::{coded, record};
use crate::ids::OrganisationId;
use duet_units::{Allowances, BasisPoints, DeliveryDay, Emissions, Energy};

coded! {
    /// The class of a unit in the allocation plan.
    pub enum BenchmarkClass ("benchmark class") {
        /// Conventional coal above the 300 MW class.
        LargeCoal = 0,
        /// Conventional coal at or below the 300 MW class.
        SmallCoal = 1,
        /// Unconventional coal: gangue, slime, coal-water slurry, fluidised bed.
        OtherCoal = 2,
        /// Natural gas.
        Gas = 3,
    }
}

record! {
    /// What a class is given for free per unit of output.
    pub struct ClassBenchmark {
        /// The class.
        pub class: BenchmarkClass,
        /// Per MWh of electricity, in 1e-4 t.
        pub electricity: i64,
        /// Per GJ of heat, in 1e-4 t.
        pub heat: i64,
    }
}

record! {
    /// The rules of a compliance period, which is a calendar year. They never change.
    pub struct CompliancePeriod {
        /// The benchmarks, by class.
        pub benchmarks: Vec<ClassBenchmark>,
        /// The share of an earlier year's output times benchmark that is issued ahead.
        pub pre_issued: BasisPoints,
        /// Up to which share of verified emissions a shortage of coal units is due; none: in full.
        pub coal_shortage_cap: Option<BasisPoints>,
        /// Whether a shortage of gas units need not be covered.
        pub gas_shortage_waived: bool,
        /// The most of what is due that carbon credits may cover.
        pub offset_cap: BasisPoints,
        /// What may be banked in any case.
        pub bank_base: Allowances,
        /// How much may be banked per tonne sold net.
        pub bank_per_net_sale: BasisPoints,
        /// The last day to surrender.
        pub due_day: DeliveryDay,
    }
}

record! {
    /// What meters say about the units of one fuel in a year.
    pub struct YearMeter {
        /// Emissions.
        pub emissions: Emissions,
        /// The registered benchmark times the output.
        pub benchmarked: Emissions,
        /// Output.
        pub output: Energy,
    }
}

impl YearMeter {
    /// Nothing metered.
    pub const EMPTY: Self =
        Self { emissions: Emissions::ZERO, benchmarked: Emissions::ZERO, output: Energy::ZERO };
}

coded! {
    /// Where an obligation stands.
    pub enum ObligationState ("obligation state") {
        /// Emissions are metered; they are not verified.
        Running = 0,
        /// Verified: allowances and credits are surrendered against it.
        Verified = 1,
        /// Closed: final.
        Closed = 2,
    }
}

record! {
    /// What an organisation emitted in a year, was given for it, and owes.
    pub struct Obligation {
        /// The first delivery day with metered emissions.
        pub first_day: DeliveryDay,
        /// The last one so far.
        pub last_day: DeliveryDay,
        /// Of its coal units.
        pub coal: YearMeter,
        /// Of its gas units.
        pub gas: YearMeter,
        /// What was issued ahead.
        pub pre_issued: Allowances,
        /// What is due to it for free, after the true-up.
        pub allocated: Allowances,
        /// Its verified emissions, a started tonne as a whole one.
        pub verified: Allowances,
        /// What it must surrender.
        pub due: Allowances,
        /// What of it was issued too much ahead and could not be withdrawn.
        pub over_issued: Allowances,
        /// What it surrendered.
        pub surrendered: Allowances,
        /// The carbon credits that it retired for it.
        pub offset: Allowances,
        /// What it kept when the period was closed.
        pub banked: Allowances,
        /// Where it stands.
        pub state: ObligationState,
    }
}

impl Obligation {
    /// Nothing happened yet.
    pub const EMPTY: Self = Self {
        first_day: DeliveryDay::from_days(0),
        last_day: DeliveryDay::from_days(0),
        coal: YearMeter::EMPTY,
        gas: YearMeter::EMPTY,
        pre_issued: Allowances::ZERO,
        allocated: Allowances::ZERO,
        verified: Allowances::ZERO,
        due: Allowances::ZERO,
        over_issued: Allowances::ZERO,
        surrendered: Allowances::ZERO,
        offset: Allowances::ZERO,
        banked: Allowances::ZERO,
        state: ObligationState::Running,
    };

    /// What is still to be surrendered.
    #[must_use]
    pub fn outstanding(&self) -> Allowances {
        let covered = self.surrendered.plus(self.offset).unwrap_or(Allowances::MAX);
        self.due.minus(covered).unwrap_or_default().max(Allowances::ZERO)
    }
}

record! {
    /// A run of carbon credits, each for a verified reduction of 1 t CO2e.
    pub struct CreditLot {
        /// The project that reduced.
        pub project: String,
        /// The year of the reduction.
        pub vintage: u16,
        /// The number of the first credit; they are unique on the channel.
        pub first: u64,
        /// How many.
        pub count: u64,
        /// Whose they are.
        pub owner: OrganisationId,
        /// The compliance period that they were retired for: final; none until then.
        pub retired_for: Option<u16>,
    }
}
