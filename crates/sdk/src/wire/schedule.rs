//! Published prices and curtailments.

use super::{Curtailment, Day, Hex32, view};
use duet_units::{DeliveryDay, Price};

view! {
    /// The real-time prices of a day.
    PublishedPrices(day: DeliveryDay, row: &duet_ledger::PublishedPrices) {
        /// The day.
        day: Day = Day(day);
        /// One price an hour or a quarter of an hour.
        prices_milli_yuan_per_mwh: Vec<i64> =
            row.prices.iter().copied().map(Price::milli_yuan_per_mwh).collect();
        /// When they were published.
        published_at_ms: i64 = row.published_at.unix_ms();
        /// Who published them.
        by: Hex32 = row.by.into();
    }
}

view! {
    /// A curtailment, in the log.
    CurtailmentRecord(number: u64, row: &duet_ledger::CurtailmentRecord) {
        /// Its number.
        number: u64 = number;
        /// The joint session of the day.
        session: u32 = row.session.0;
        /// What was limited.
        curtailment: Curtailment = (&row.curtailment).into();
        /// The energy that was cut.
        cut_kwh: i64 = row.cut.kwh();
        /// Of how many trades.
        trades: u32 = row.trades;
        /// Who did it.
        by: Hex32 = row.by.into();
        /// When.
        time_ms: i64 = row.time.unix_ms();
        /// The height of the block.
        height: u64 = row.height;
    }
}
