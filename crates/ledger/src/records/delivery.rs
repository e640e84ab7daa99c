//! Dispatch and metering.

use crate::action::Quality;
use crate::codec::{Encode as _, coded, record};
use crate::ids::{DispatchId, SessionId, UnitId};
use duet_market::curve::{Point, quarter_hours};
use duet_units::{ClockTime, DeliveryDay, Energy, OverflowError, Power};

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

    /// The power curve of the day in 96 points: of hourly setpoints interpolated, of quarters of
    /// an hour as they are.
    ///
    /// The energy under an interpolated curve is not that of its hours where power changes. A
    /// device therefore follows the setpoints, by whose energy the day is settled; the curve is
    /// for those who plan in points.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] as [`quarter_hours`].
    ///
    /// # Source
    ///
    /// Beijing annex 3; the last hour is constant, for the next day is not dispatched yet.
    pub fn curve(&self) -> Result<Vec<Point>, OverflowError> {
        const HOURS: usize = 24;
        if self.setpoints.len() == HOURS {
            return quarter_hours(&self.setpoints);
        }
        let points = self.setpoints.iter().enumerate();
        let hour = |place: usize| place.checked_div(4).unwrap_or_default();
        Ok(points.map(|(place, power)| Point { power: *power, hour: hour(place) }).collect())
    }
}

record! {
    /// What a unit's meter says about one period.
    pub struct MeterRecord {
        /// The energy delivered, or used by a point of consumption.
        pub energy: Energy,
        /// How good the reading is.
        pub quality: Quality,
        /// Which edition of the reading this is; a higher one replaces a lower one. A device
        /// begins at 1.
        pub version: u16,
    }
}

impl MeterRecord {
    /// The version of a substitute, which any reading of the device replaces.
    pub const SUBSTITUTE: u16 = 0;
}
