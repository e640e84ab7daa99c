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
    /// A point of a power curve.
    DispatchPoint(minute: u16, power: Power, hour: usize) {
        /// The minute of the day in UTC+8 at which it is.
        minute: u16 = minute;
        /// The power.
        power_kw: i64 = power.kw();
        /// The hour whose contracts it belongs to.
        hour: u8 = u8::try_from(hour).unwrap_or(u8::MAX);
    }
}

view! {
    /// The day of a dispatch as a power curve of 96 points: between two hours interpolated
    /// (Beijing annex 3). Devices follow the setpoints, by whose energy the day is settled.
    DispatchCurve(id: duet_ledger::DispatchId, row: &duet_ledger::Dispatch) {
        /// The dispatch.
        dispatch: u64 = id.0;
        /// The unit.
        unit: u32 = row.unit.0;
        /// The day.
        day: Day = Day(row.day);
        /// The points, a quarter of an hour apart; none if a power is beyond all bounds.
        points: Vec<DispatchPoint> = points(row);
    }
}

fn points(row: &duet_ledger::Dispatch) -> Vec<DispatchPoint> {
    let points = row.curve().unwrap_or_default();
    let at = |(minute, point): (u16, &_)| -> DispatchPoint {
        let duet_ledger::PowerPoint { power, hour } = *point;
        DispatchPoint::new(minute, power, hour)
    };
    (0_u16..).step_by(15).zip(&points).map(at).collect()
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
