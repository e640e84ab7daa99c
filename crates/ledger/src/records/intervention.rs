//! The log of interventions.

use crate::action::Intervention;
use crate::codec::record;
use crate::ids::{OrganisationId, PublicKey, SessionId};
use duet_units::ClockTime;

record! {
    /// What an operator did to a session outside the normal course: kept for everyone to read.
    ///
    /// # Source
    ///
    /// Disclosure and sealing: market-rules.md 4.16 (person, time, action, reason).
    pub struct InterventionRecord {
        /// The session.
        pub session: SessionId,
        /// What was done.
        pub intervention: Intervention,
        /// Who did it.
        pub by: PublicKey,
        /// For whom.
        pub organisation: OrganisationId,
        /// When: the time of the block.
        pub time: ClockTime,
        /// The height of the block.
        pub height: u64,
        /// Why.
        pub reason: String,
    }
}
