//! Allowances, emissions, certificates.

use crate::codec::{coded, record};
use crate::ids::{OrganisationId, UnitId};
use duet_units::{Allowances, DeliveryDay, Emissions, Energy};

record! {
    /// The carbon side of an organisation.
    pub struct CarbonAccount {
        /// Allowances that it may use.
        pub free: Allowances,
        /// Allowances that it has surrendered; they can never move again.
        pub surrendered: Allowances,
        /// Emissions of its settled deliveries to date.
        pub emissions: Emissions,
    }
}

coded! {
    /// Where a run of certificates stands.
    pub enum CertificateState ("certificate state") {
        /// Issued to the generator.
        Issued = 0,
        /// Transferred to another organisation; it cannot be transferred again.
        Transferred = 1,
        /// Retired with a purpose: final.
        Retired = 2,
    }
}

record! {
    /// A run of certificates, each for 1 MWh of one unit's energy of one day.
    pub struct CertificateLot {
        /// The unit.
        pub unit: UnitId,
        /// The delivery day that completed the megawatt-hours.
        pub day: DeliveryDay,
        /// The number of the first certificate; they are unique on the channel.
        pub first: u64,
        /// How many.
        pub count: u64,
        /// Whose they are.
        pub owner: OrganisationId,
        /// Where they stand.
        pub state: CertificateState,
        /// For whom they were retired; empty until then.
        pub beneficiary: String,
        /// Energy metered and not yet certified when the lot was issued, for the audit.
        pub carry: Energy,
    }
}
