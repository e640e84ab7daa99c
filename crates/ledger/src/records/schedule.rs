//! Published prices of a day, and energy that was cut after it was traded.

use crate::action::Curtailment;
use crate::codec::record;
use crate::ids::{PublicKey, SessionId};
use duet_units::{ClockTime, Energy, Money, Price};

record! {
    /// The real-time prices of a day, as published last before its settlement.
    pub struct PublishedPrices {
        /// One price an hour or a quarter of an hour.
        pub prices: Vec<Price>,
        /// When they were published.
        pub published_at: ClockTime,
        /// Who published them.
        pub by: PublicKey,
    }
}

record! {
    /// What was cut of a trade on a day, in one period of the day's settlement.
    pub struct Cut {
        /// The energy.
        pub energy: Energy,
        /// What the buyer got back.
        pub released: Money,
    }
}

record! {
    /// A curtailment, in the log.
    pub struct CurtailmentRecord {
        /// The joint session of the day.
        pub session: SessionId,
        /// What was limited.
        pub curtailment: Curtailment,
        /// The energy that was cut.
        pub cut: Energy,
        /// Of how many trades.
        pub trades: u32,
        /// Who did it.
        pub by: PublicKey,
        /// When.
        pub time: ClockTime,
        /// The height of the block.
        pub height: u64,
    }
}
