//! Allowances and emissions.

use super::{Big, Day, view};

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
        /// Allowances given for nothing minus those received so since then; below zero it counts
        /// for banking as if bought.
        given_t: i64 = row.given.t();
    }
}
