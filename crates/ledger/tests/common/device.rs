//! Signed batches, for the tests of devices.

use super::market::{DAY, Who, mwh};
use duet_ledger::{
    Action, ChannelKind, DeviceAction, EnrolDevice, Health, HealthChannel, HealthLevel, Light,
    Link, PeriodReading, ReadingFlags, ReportBatch, UnitId,
};
use duet_units::{ClockTime, DeliveryDay, DeliveryPeriod, Resolution};

/// A good reading of a period of an hour.
pub(crate) fn hourly(
    unit: UnitId,
    day: DeliveryDay,
    (index, version): (u8, u16),
    quantity: i64,
) -> PeriodReading {
    PeriodReading {
        unit,
        period: DeliveryPeriod::new(day, Resolution::Hour, index).unwrap(),
        version,
        energy: mwh(quantity),
        flags: ReadingFlags::GOOD,
        source_time: ClockTime::from_unix_ms(7),
    }
}

/// Readings under the signature of `device`.
pub(crate) fn batch(
    device: Who,
    channel: &[u8; 32],
    sequence: u64,
    readings: Vec<PeriodReading>,
) -> ReportBatch {
    let (sealed_at, signature) = (ClockTime::from_unix_ms(9), [0; 64]);
    let mut batch =
        ReportBatch { device: device.public(), sequence, sealed_at, readings, signature };
    batch.signature = device.key().sign(&batch.header(channel).message()).into();
    batch
}

pub(crate) fn report(batch: ReportBatch) -> Action {
    Action::Device(DeviceAction::ReportBatch(batch))
}

pub(crate) fn enrol(unit: UnitId, device: Who) -> Action {
    let (device, label) = (device.public(), "a gateway".to_owned());
    Action::Device(DeviceAction::EnrolDevice(EnrolDevice { unit, device, label }))
}

/// A board at 45 degrees with one supply.
pub(crate) fn health(sampled_at: i64) -> Health {
    let channel = |name: &str, kind, value| HealthChannel {
        name: name.to_owned(),
        kind,
        value,
        level: HealthLevel::Normal,
    };
    Health {
        sampled_at: ClockTime::from_unix_ms(sampled_at),
        light: Light::Running,
        link: Link::Up,
        channels: vec![
            channel("temperature", ChannelKind::Temperature, Some(45_000)),
            channel("vccint", ChannelKind::Voltage, None),
        ],
        stations_up: 2,
        stations_down: 0,
        backlog: 3,
        backlog_limit: 100_000,
        alarms: Health::ALARM_SENSOR,
    }
}

pub(crate) fn report_health(health: Health) -> Action {
    Action::Device(DeviceAction::ReportHealth(health))
}

/// Readings of a whole day of one unit, nothing but these first.
pub(crate) fn day_of(unit: UnitId, first: &[i64]) -> Vec<PeriodReading> {
    let energy = |index: u8| first.get(usize::from(index)).copied().unwrap_or(0);
    (0..24).map(|index| hourly(unit, DAY, (index, 1), energy(index))).collect()
}
