//! Devices: signed batches, enrolment, health.

use super::{Hex32, Period, Signature, mirror, shape, view};
use duet_ledger::{PublicKey, ReadingFlags, UnitId};
use duet_units::{ClockTime, Energy};

shape! {
    /// A reading of a batch: the energy of one unit in one period.
    PeriodReading {
        /// The unit.
        unit: u32,
        /// The period: day, periods of the day, number from 0; as `2026-07-06/24/5`.
        period: Period,
        /// 1, then one more for each correction.
        version: u16,
        /// The energy.
        energy_kwh: i64,
        /// What is wrong with it: the bits of docs/spec/readings.md; others are dropped.
        flags: u16,
        /// The time of the last sample in the period.
        source_time_ms: i64,
    }
}

shape! {
    /// Readings that a device signed as one batch.
    ReportBatch {
        /// The device.
        device: Hex32,
        /// Its number among the device's batches, from 1.
        sequence: u64,
        /// When it was sealed, by the device's clock.
        sealed_at_ms: i64,
        /// The readings, at most 256.
        readings: Vec<PeriodReading>,
        /// The device's signature, as docs/spec/readings.md has it.
        signature: Signature,
    }
}

shape! {
    /// A unit gets a new device.
    EnrolDevice {
        /// The unit.
        unit: u32,
        /// The key that the device made.
        device: Hex32,
        /// What people call the device.
        label: String,
    }
}

mirror! {
    /// What the light of a gateway shows.
    Light {
        /// Everything runs, readings are delivered.
        Running,
        /// Readings are kept, not delivered.
        Holding,
        /// Something needs somebody.
        Alarm,
    }
}

mirror! {
    /// The network link of a board.
    Link {
        /// The board does not say.
        Unknown,
        /// No carrier.
        Down,
        /// It carries.
        Up,
    }
}

mirror! {
    /// What a channel of a board measures.
    ChannelKind {
        /// In thousandths of a degree Celsius.
        Temperature,
        /// In millivolts.
        Voltage,
    }
}

mirror! {
    /// How a value stands to its limits.
    HealthLevel {
        /// Within them.
        Normal,
        /// Beyond a warning limit.
        Warning,
        /// The sensor gives no value.
        SensorFault,
        /// Beyond an alarm limit.
        Alarm,
    }
}

shape! {
    /// One measured value of a board.
    HealthChannel {
        /// What the point map calls it.
        name: String,
        /// What it measures.
        measures: ChannelKind,
        /// In thousandths of a degree, or millivolts; none if the sensor gives no value.
        value: Option<i32>,
        /// How it stands to its limits.
        level: HealthLevel,
    }
}

shape! {
    /// How a gateway and its board stand.
    Health {
        /// When, by the device's clock.
        sampled_at_ms: i64,
        /// What its light shows.
        light: Light,
        /// Its network link.
        link: Link,
        /// The values of its board, at most 16.
        channels: Vec<HealthChannel>,
        /// Stations that answer.
        stations_up: u16,
        /// Stations that do not answer.
        stations_down: u16,
        /// Readings that wait for their receipt.
        backlog: u32,
        /// How many may wait.
        backlog_limit: u32,
        /// What needs somebody: 1 limit, 2 sensor, 4 backlog, 8 refused, 16 station, 32 dispatch.
        alarms: u16,
    }
}

view! {
    /// A device with what it has sent, and the units that it speaks for.
    Device(
        key: PublicKey,
        identity: &duet_ledger::Identity,
        row: Option<&duet_ledger::Device>,
        units: Vec<u32>
    ) {
        /// Its public key.
        public_key: Hex32 = key.into();
        /// The organisation that it belongs to.
        organisation: u32 = identity.organisation.0;
        /// What people call it.
        label: String = identity.label.clone();
        /// The units that it reports for.
        units: Vec<u32> = units;
        /// Batches of it that were accepted.
        batches: u64 = row.map_or(0, |row| row.batches);
        /// Readings in them.
        readings: u64 = row.map_or(0, |row| row.readings);
        /// The highest sequence of them.
        last_sequence: u64 = row.map_or(0, |row| row.last_sequence);
        /// The time of the block with its last batch or health report; none if there was neither.
        seen_at_ms: Option<i64> = row.map(|row| row.seen_at.unix_ms());
        /// How it stood when it last said.
        health: Option<Health> = row.and_then(|row| row.health.clone()).map(Into::into);
    }
}

impl From<PeriodReading> for duet_ledger::PeriodReading {
    fn from(wire: PeriodReading) -> Self {
        Self {
            unit: UnitId(wire.unit),
            period: wire.period.0,
            version: wire.version,
            energy: Energy::from_kwh(wire.energy_kwh),
            // An unknown bit changes what is signed, so the ledger refuses the batch.
            flags: ReadingFlags::from_bits(wire.flags).unwrap_or_default(),
            source_time: ClockTime::from_unix_ms(wire.source_time_ms),
        }
    }
}

impl From<duet_ledger::PeriodReading> for PeriodReading {
    fn from(row: duet_ledger::PeriodReading) -> Self {
        Self {
            unit: row.unit.0,
            period: Period(row.period),
            version: row.version,
            energy_kwh: row.energy.kwh(),
            flags: row.flags.bits(),
            source_time_ms: row.source_time.unix_ms(),
        }
    }
}

impl From<ReportBatch> for duet_ledger::ReportBatch {
    fn from(wire: ReportBatch) -> Self {
        Self {
            device: PublicKey::from_bytes(wire.device.0),
            sequence: wire.sequence,
            sealed_at: ClockTime::from_unix_ms(wire.sealed_at_ms),
            readings: wire.readings.into_iter().map(Into::into).collect(),
            signature: wire.signature.0,
        }
    }
}

impl From<duet_ledger::ReportBatch> for ReportBatch {
    fn from(row: duet_ledger::ReportBatch) -> Self {
        Self {
            device: row.device.into(),
            sequence: row.sequence,
            sealed_at_ms: row.sealed_at.unix_ms(),
            readings: row.readings.into_iter().map(Into::into).collect(),
            signature: Signature(row.signature),
        }
    }
}

impl From<EnrolDevice> for duet_ledger::EnrolDevice {
    fn from(wire: EnrolDevice) -> Self {
        let device = PublicKey::from_bytes(wire.device.0);
        Self { unit: UnitId(wire.unit), device, label: wire.label }
    }
}

impl From<duet_ledger::EnrolDevice> for EnrolDevice {
    fn from(row: duet_ledger::EnrolDevice) -> Self {
        Self { unit: row.unit.0, device: row.device.into(), label: row.label }
    }
}

impl From<Health> for duet_ledger::Health {
    fn from(wire: Health) -> Self {
        let channel = |channel: HealthChannel| duet_ledger::HealthChannel {
            name: channel.name,
            kind: channel.measures.into(),
            value: channel.value,
            level: channel.level.into(),
        };
        Self {
            sampled_at: ClockTime::from_unix_ms(wire.sampled_at_ms),
            light: wire.light.into(),
            link: wire.link.into(),
            channels: wire.channels.into_iter().map(channel).collect(),
            stations_up: wire.stations_up,
            stations_down: wire.stations_down,
            backlog: wire.backlog,
            backlog_limit: wire.backlog_limit,
            alarms: wire.alarms,
        }
    }
}

impl From<duet_ledger::Health> for Health {
    fn from(row: duet_ledger::Health) -> Self {
        let channel = |channel: duet_ledger::HealthChannel| HealthChannel {
            name: channel.name,
            measures: channel.kind.into(),
            value: channel.value,
            level: channel.level.into(),
        };
        Self {
            sampled_at_ms: row.sampled_at.unix_ms(),
            light: row.light.into(),
            link: row.link.into(),
            channels: row.channels.into_iter().map(channel).collect(),
            stations_up: row.stations_up,
            stations_down: row.stations_down,
            backlog: row.backlog,
            backlog_limit: row.backlog_limit,
            alarms: row.alarms,
        }
    }
}
