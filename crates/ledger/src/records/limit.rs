//! Limits before trading.

use crate::codec::record;
use duet_units::{BasisPoints, Energy};

record! {
    /// The limits of an organisation in a month of delivery (Shandong 4.4.17, 4.4.18).
    pub struct MemberLimits {
        /// The highest net position.
        pub net: Energy,
        /// The highest cumulative position: all that was bought and sold.
        pub cumulative: Energy,
        /// The share of the net position that may be traded back (K1).
        pub back: BasisPoints,
        /// The most of one hour, over all sessions; none if only the units' capacity counts.
        pub hourly: Option<Energy>,
    }
}

record! {
    /// What an organisation has traded of a month, over all sessions.
    pub struct MonthTraded {
        /// The net position: of generating units what was sold less what was bought back, of points
        /// of consumption the reverse.
        pub net: Energy,
        /// All that was bought and sold, regardless of direction.
        pub cumulative: Energy,
    }
}

record! {
    /// The limits of every organisation in a session.
    pub struct SessionLimits {
        /// The declared volume of the session, over all its periods and days.
        pub volume: Energy,
        /// The share of it that one organisation may order.
        pub share: BasisPoints,
        /// The most that one organisation may order, whatever the volume.
        pub position: Energy,
    }
}
