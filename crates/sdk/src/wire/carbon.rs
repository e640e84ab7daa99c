//! Allowances, emissions, certificates.

use super::{Big, Day, mirror, view};

view! {
    /// The carbon side of an organisation.
    CarbonAccount(row: &duet_ledger::CarbonAccount) {
        /// Allowances that it may use.
        free_t: i64 = row.free.t();
        /// Allowances that it has surrendered.
        surrendered_t: i64 = row.surrendered.t();
        /// Emissions of its settled deliveries to date.
        emissions_g: Big = Big(row.emissions.g());
        /// Allowances held for its open sell orders.
        locked_t: i64 = row.locked.t();
        /// Allowances that may not be kept for a later period, or were withdrawn at a true-up.
        expired_t: i64 = row.expired.t();
        /// Allowances bought on the last day on which it bought; they cannot be sold on that day.
        bought_t: i64 = row.bought.t();
        /// That day.
        bought_on: Day = Day(row.bought_on);
        /// Allowances sold minus those bought since a compliance period of it was last closed.
        net_sales_t: i64 = row.net_sales.t();
    }
}

mirror! {
    /// Where a run of certificates stands.
    CertificateState {
        /// Issued to the generator.
        Issued,
        /// Transferred to another organisation.
        Transferred,
        /// Retired with a purpose: final.
        Retired,
    }
}

view! {
    /// A run of certificates, each for 1 MWh of one unit's energy of one day.
    CertificateLot(id: duet_ledger::CertificateLotId, row: &duet_ledger::CertificateLot) {
        /// Its number.
        id: u64 = id.0;
        /// The unit.
        unit: u32 = row.unit.0;
        /// The delivery day that completed the megawatt-hours.
        day: Day = Day(row.day);
        /// The number of the first certificate.
        first: u64 = row.first;
        /// How many.
        count: u64 = row.count;
        /// Whose they are.
        owner: u32 = row.owner.0;
        /// Where they stand.
        state: CertificateState = row.state.into();
        /// For whom they were retired; empty until then.
        beneficiary: String = row.beneficiary.clone();
        /// Energy metered and not yet certified when the lot was issued.
        carry_kwh: i64 = row.carry.kwh();
    }
}
