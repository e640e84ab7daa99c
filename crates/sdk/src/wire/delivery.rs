//! Dispatch and metering.

use super::{Day, Quality, mirror, view};
use duet_units::Power;

mirror! {
    /// Where a dispatch stands.
    DispatchState {
        /// Issued; the device has not answered.
        Issued,
        /// Accepted by the device.
        Accepted,
        /// Refused by the device, with a cause.
        Refused,
    }
}

view! {
    /// What a unit is to deliver on a day.
    Dispatch(id: duet_ledger::DispatchId, row: &duet_ledger::Dispatch) {
        /// Its number.
        id: u64 = id.0;
        /// The session that it follows from.
        session: u32 = row.session.0;
        /// The unit.
        unit: u32 = row.unit.0;
        /// The day.
        day: Day = Day(row.day);
        /// Target power in each period of the day.
        setpoints_kw: Vec<i64> = row.setpoints.iter().copied().map(Power::kw).collect();
        /// When it was issued.
        issued_at_ms: i64 = row.issued_at.unix_ms();
        /// Where it stands.
        state: DispatchState = row.state.into();
        /// Why the device refused; zero if it did not.
        cause: u16 = row.cause;
    }
}

view! {
    /// What a unit's meter says about one period.
    MeterRecord(
        unit: duet_ledger::UnitId,
        day: duet_units::DeliveryDay,
        period: u8,
        row: &duet_ledger::MeterRecord
    ) {
        /// The unit.
        unit: u32 = unit.0;
        /// The day.
        day: Day = Day(day);
        /// The period.
        period: u8 = period;
        /// The energy delivered, or used by a point of consumption.
        energy_kwh: i64 = row.energy.kwh();
        /// How good the reading is.
        quality: Quality = row.quality.into();
        /// Which edition of the reading this is.
        version: u16 = row.version;
    }
}
