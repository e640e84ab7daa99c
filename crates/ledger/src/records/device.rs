//! What the ledger knows of devices.

use crate::action::device::Health;
use crate::codec::record;
use duet_units::ClockTime;

record! {
    /// What a device has sent.
    pub struct Device {
        /// Batches that were accepted.
        pub batches: u64,
        /// Readings in them.
        pub readings: u64,
        /// The highest sequence of them: a reader sees how many are missing.
        pub last_sequence: u64,
        /// The time of the block with its last message.
        pub seen_at: ClockTime,
        /// How it stood when it last said.
        pub health: Option<Health>,
    }
}

record! {
    /// Since when a unit has the device that it has, and how often that was changed.
    pub struct Enrolment {
        /// The time of the block.
        pub since: ClockTime,
        /// How many changes there were.
        pub changes: u32,
    }
}
