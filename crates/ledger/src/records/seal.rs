//! What stays of a settled day when its rows are gone.

use crate::codec::record;
use crate::hash::Digest;
use duet_units::{ClockTime, DeliveryDay};

record! {
    /// The seal of a delivery day: hashes that its sealed book and every one of its statement lines
    /// can be held to for years.
    pub struct Seal {
        /// The day.
        pub day: DeliveryDay,
        /// When it was settled.
        pub settled_at: ClockTime,
        /// The height of that block.
        pub height: u64,
        /// The hash of the sealed book.
        pub book: Digest,
        /// The hash of the result.
        pub result: Digest,
        /// The Merkle root over its statement lines, by place.
        pub lines_root: Digest,
        /// How many lines.
        pub lines: u32,
    }
}
