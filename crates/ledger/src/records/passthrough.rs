//! What carbon did to the prices of a joint session, and who answers for its emissions.

use crate::codec::record;
use duet_units::{BasisPoints, Emissions, Price};

record! {
    /// Pass-through of a period: its price with carbon, the price of the same orders without, and
    /// what follows.
    pub struct PassThrough {
        /// The price of the first stage; none if nothing traded.
        pub with: Option<Price>,
        /// What the same orders would have cleared at without any carbon adder.
        pub without: Option<Price>,
        /// The measured pass-through `kappa`; none without both prices, or if the plant at the
        /// margin bears no carbon cost.
        pub measured: Option<BasisPoints>,
        /// How many sell orders the ceiling kept from adding their whole carbon cost.
        pub cap_hits: u32,
    }
}

record! {
    /// How an organisation answers for the emissions of a session's contracts: what sellers passed
    /// on with the price, buyers answer for (market-rules.md 5).
    pub struct CarbonShare {
        /// Of what it sold, the part that it did not pass on.
        pub kept: Emissions,
        /// Of what it bought, the part that was passed on to it.
        pub received: Emissions,
    }
}
