//! What carbon did to the prices of a joint session, and who answers for its emissions, as JSON.

use super::{Big, view};
use duet_ledger::{OrganisationId, SessionId};
use duet_units::{BasisPoints, Price};

view! {
    /// Pass-through of a period of a joint session.
    PassThrough(session: SessionId, period: u8, row: &duet_ledger::PassThrough) {
        /// The session.
        session: u32 = session.0;
        /// The delivery period within the day.
        period: u8 = period;
        /// The price of the first stage; none if nothing traded.
        with_milli_yuan_per_mwh: Option<i64> = row.with.map(Price::milli_yuan_per_mwh);
        /// What the same orders would have cleared at without any carbon adder.
        without_milli_yuan_per_mwh: Option<i64> = row.without.map(Price::milli_yuan_per_mwh);
        /// The measured pass-through; none if the plant at the margin bears no carbon cost.
        measured_bp: Option<i64> = row.measured.map(BasisPoints::bp);
        /// How many sell orders the ceiling kept from adding their whole carbon cost.
        cap_hits: u32 = row.cap_hits;
    }
}

view! {
    /// How an organisation answers for the emissions of a session's contracts.
    CarbonShare(session: SessionId, organisation: OrganisationId, row: &duet_ledger::CarbonShare) {
        /// The session.
        session: u32 = session.0;
        /// The organisation.
        organisation: u32 = organisation.0;
        /// Of what it sold, the part that it did not pass on.
        kept_g: Big = Big(row.kept.g());
        /// Of what it bought, the part that was passed on to it.
        received_g: Big = Big(row.received.g());
    }
}
