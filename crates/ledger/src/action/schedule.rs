//! What the dispatcher does between clearing and settlement: curtailment, published prices, missing
//! readings.

use crate::codec::{cases, record};
use crate::ids::UnitId;
use duet_units::{DeliveryDay, Energy, Price};

record! {
    /// The real-time prices of a day.
    pub struct PricePublication {
        /// The day.
        pub day: DeliveryDay,
        /// One price an hour or a quarter of an hour: 24 or 96.
        pub prices: Vec<Price>,
    }
}

record! {
    /// A limit that the security check puts on units or, for all units behind it, a line.
    pub struct Curtailment {
        /// The delivery day.
        pub day: DeliveryDay,
        /// The period, of those by which the day is settled.
        pub period: u8,
        /// The units that share the limit, ascending.
        pub units: Vec<UnitId>,
        /// The most that they may hold under contract together.
        pub limit: Energy,
        /// Why, for the public log.
        pub reason: String,
    }
}

record! {
    /// Readings in the place of those that a meter did not report.
    pub struct ReadingSubstitution {
        /// The unit or point of consumption.
        pub unit: UnitId,
        /// The delivery day.
        pub day: DeliveryDay,
        /// The first period.
        pub first_period: u8,
        /// The energies, one a period, of consecutive periods.
        pub energies: Vec<Energy>,
        /// Why, for everyone to read.
        pub reason: String,
    }
}

cases! {
    /// What the dispatcher does with the schedule of a day.
    pub enum ScheduleAction ("schedule action") {
        /// Publishes real-time prices.
        PublishPrices(PricePublication) = 1,
        /// Cuts traded energy to what the security check allows.
        Curtail(Curtailment) = 2,
        /// Substitutes missing readings by estimates.
        Substitute(ReadingSubstitution) = 3,
    }
}
