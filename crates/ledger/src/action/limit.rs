//! Limits before trading, and guarantees.

use crate::codec::{cases, record};
use crate::ids::{OrganisationId, SessionId};
use crate::records::{MemberLimits, SessionLimits};
use duet_units::{Money, Month};

record! {
    /// The limits of an organisation in a month of delivery.
    pub struct SetLimits {
        /// Whose.
        pub organisation: OrganisationId,
        /// The month of delivery.
        pub month: Month,
        /// The limits.
        pub limits: MemberLimits,
    }
}

record! {
    /// The limits of every organisation in a session.
    pub struct SetSessionLimits {
        /// The session.
        pub session: SessionId,
        /// The limits.
        pub limits: SessionLimits,
    }
}

cases! {
    /// What is done about limits and guarantees.
    pub enum LimitAction ("limit action") {
        /// The exchange sets the limits of an organisation.
        Set(SetLimits) = 1,
        /// The exchange sets the limits of a session.
        SetSession(SetSessionLimits) = 2,
        /// A member puts this much of its available money into its guarantee.
        Pledge(Money) = 3,
        /// A member takes this much out of its guarantee.
        Release(Money) = 4,
    }
}
