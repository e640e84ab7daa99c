//! Dispatch and metering.

use crate::action::Quality;
use crate::codec::{Encode as _, coded, record};
use crate::ids::{DispatchId, SessionId, UnitId};
use duet_units::{ClockTime, DeliveryDay, Energy, Power};

coded! {
    /// Where a dispatch stands.
    pub enum DispatchState ("dispatch state") {
        /// Issued; the device has not answered.
        Issued = 0,
        /// Accepted by the device.
        Accepted = 1,
        /// Refused by the device, with a cause.
        Refused = 2,
    }
}

record! {
    /// What a unit is to deliver on a day, one setpoint a period.
    pub struct Dispatch {
        /// The session that it follows from.
        pub session: SessionId,
        /// The unit.
        pub unit: UnitId,
        /// The day.
        pub day: DeliveryDay,
        /// Target power in each period of the day.
        pub setpoints: Vec<Power>,
        /// When it was issued.
        pub issued_at: ClockTime,
        /// Where it stands.
        pub state: DispatchState,
        /// Why the device refused; zero if it did not.
        pub cause: u16,
    }
}

impl Dispatch {
    /// The tag of the table of dispatches.
    pub(crate) const TABLE: u8 = 12;

    /// The key of a dispatch in the store: what a state proof of it is about.
    #[must_use]
    pub fn store_key(id: DispatchId) -> Vec<u8> {
        let mut key = vec![Self::TABLE];
        id.encode(&mut key);
        key
    }
}

record! {
    /// What a unit's meter says about one period.
    pub struct MeterRecord {
        /// The energy delivered, or used by a point of consumption.
        pub energy: Energy,
        /// How good the reading is.
        pub quality: Quality,
        /// Which edition of the reading this is; a higher one replaces a lower one.
        pub version: u16,
    }
}
