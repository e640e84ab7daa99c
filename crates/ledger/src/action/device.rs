//! What devices and their owners ask for: signed batches of readings, enrolment, health.

use crate::codec::{
    Decode, DecodeError, Encode, cases, coded, decode_length, encode_length, record,
};
use crate::hash::{Digest, merkle_root};
use crate::ids::{ChannelId, PublicKey, UnitId};
use crate::transaction::SUITE_ED25519;
use duet_units::{ClockTime, DeliveryDay, DeliveryPeriod, Energy, Resolution};
use ed25519_zebra::{Signature, VerificationKey};
use std::fmt;
use std::ops::BitOr;

/// The most readings of one batch: the proof of one of them stays under 500 bytes, and the batch
/// within a transaction.
pub const BATCH_MAX: usize = 256;

const BATCH_VERSION: u8 = 1;
const BATCH_DOMAIN: &[u8] = b"duet/readings/v1";

cases! {
    /// The actions around devices. The number of each case is its tag behind that of the group.
    pub enum DeviceAction ("device action") {
        /// 0: A batch of readings that a device signed.
        ReportBatch(ReportBatch) = 0,
        /// 1: An owner gives a unit a new device.
        EnrolDevice(EnrolDevice) = 1,
        /// 2: A device tells how its board stands.
        ReportHealth(Health) = 2,
    }
}

/// What is wrong with a sample or a reading; nothing, if empty (docs/spec/readings.md).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadingFlags(u16);

impl ReadingFlags {
    /// Measured, and within every limit.
    pub const GOOD: Self = Self(0);
    /// A value by rule: interpolated over a gap, or carried on at the last known rate.
    pub const ESTIMATED: Self = Self(1);
    /// The device said that a sample is invalid or has overflowed; it was not counted.
    pub const INVALID: Self = Self(1 << 1);
    /// The device, or somebody at it, put another value in the place of the measured one.
    pub const SUBSTITUTED: Self = Self(1 << 2);
    /// The device said that a sample is old or blocked; it was not counted.
    pub const STALE: Self = Self(1 << 3);
    /// Part of the period has no sample at all.
    pub const MISSING: Self = Self(1 << 4);
    /// The register began anew (a meter was changed, or reset); what flowed meanwhile is unknown
    /// and counted as zero.
    pub const RESET: Self = Self(1 << 5);
    /// A sample could not be: more energy than can flow, or outside the register.
    pub const IMPLAUSIBLE: Self = Self(1 << 6);
    /// The source's time tag was invalid or far from the gateway's clock, which was used instead.
    pub const CLOCK: Self = Self(1 << 7);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::ESTIMATED, "estimated"),
        (Self::INVALID, "invalid"),
        (Self::SUBSTITUTED, "substituted"),
        (Self::STALE, "stale"),
        (Self::MISSING, "missing"),
        (Self::RESET, "reset"),
        (Self::IMPLAUSIBLE, "implausible"),
        (Self::CLOCK, "clock"),
    ];

    /// The flags with these bits; `None` if one has no meaning.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits < 1 << 8 { Some(Self(bits)) } else { None }
    }

    /// The bits, as they are signed.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether all of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// How good a reading with these flags is: the worst flag decides.
    #[must_use]
    pub const fn quality(self) -> super::Quality {
        if self.contains(Self::ESTIMATED) || self.contains(Self::RESET) {
            super::Quality::Estimated
        } else if self.0 == 0 {
            super::Quality::Good
        } else {
            super::Quality::Questionable
        }
    }
}

impl BitOr for ReadingFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for ReadingFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::GOOD {
            return f.write_str("good");
        }
        let set = Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag));
        f.write_str(&set.map(|(_, name)| *name).collect::<Vec<_>>().join("+"))
    }
}

impl fmt::Display for ReadingFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The energy of one unit in one delivery period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodReading {
    /// The unit.
    pub unit: UnitId,
    /// The period.
    pub period: DeliveryPeriod,
    /// 1, then one more for each correction.
    pub version: u16,
    /// The energy.
    pub energy: Energy,
    /// What is wrong with it.
    pub flags: ReadingFlags,
    /// The time of the last sample in the period; its start, if there was none.
    pub source_time: ClockTime,
}

impl Encode for PeriodReading {
    fn encode(&self, out: &mut Vec<u8>) {
        self.unit.encode(out);
        self.period.day().encode(out);
        self.period.resolution().periods().encode(out);
        self.period.index().encode(out);
        self.version.encode(out);
        self.energy.encode(out);
        self.flags.bits().encode(out);
        self.source_time.encode(out);
    }
}

impl Decode for PeriodReading {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let unit = Decode::decode(input)?;
        let day = DeliveryDay::decode(input)?;
        let resolution = match u8::decode(input)? {
            24 => Resolution::Hour,
            96 => Resolution::Quarter,
            value => return Err(unknown("resolution", value.into())),
        };
        let index = u8::decode(input)?;
        let period = DeliveryPeriod::new(day, resolution, index);
        let period = period.ok_or_else(|| unknown("period", index.into()))?;
        let (version, energy) = (Decode::decode(input)?, Energy::decode(input)?);
        let bits = u16::decode(input)?;
        let flags = ReadingFlags::from_bits(bits).ok_or_else(|| unknown("flags", bits.into()))?;
        let source_time = ClockTime::decode(input)?;
        Ok(Self { unit, period, version, energy, flags, source_time })
    }
}

const fn unknown(field: &'static str, value: u64) -> DecodeError {
    DecodeError::UnknownTag { field, value }
}

/// What the device's signature of a batch is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The channel that it is for.
    pub channel: ChannelId,
    /// The device that signs.
    pub device: PublicKey,
    /// Counts the batches of the device from 1, without a gap: a reader sees what is missing.
    pub sequence: u64,
    /// When it was sealed, by the device's clock.
    pub sealed_at: ClockTime,
    /// How many readings it has.
    pub count: u16,
    /// The Merkle root of the readings' bytes.
    pub root: Digest,
}

impl BatchHeader {
    /// The bytes that the signature is over.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut out = BATCH_DOMAIN.to_vec();
        self.encode(&mut out);
        out
    }

    /// Whether `signature` is the device's, by the rules of ZIP 215.
    #[must_use]
    pub fn is_signed(&self, signature: &[u8; 64]) -> bool {
        VerificationKey::try_from(*self.device.bytes())
            .and_then(|key| key.verify(&Signature::from(*signature), &self.message()))
            .is_ok()
    }
}

impl Encode for BatchHeader {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([BATCH_VERSION, SUITE_ED25519]);
        self.channel.encode(out);
        self.device.encode(out);
        self.sequence.encode(out);
        self.sealed_at.encode(out);
        self.count.encode(out);
        self.root.encode(out);
    }
}

impl Decode for BatchHeader {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match <[u8; 2]>::decode(input)? {
            [BATCH_VERSION, SUITE_ED25519] => {}
            other => {
                return Err(unknown("version and suite", u16::from_be_bytes(other).into()));
            }
        }
        Ok(Self {
            channel: Decode::decode(input)?,
            device: Decode::decode(input)?,
            sequence: Decode::decode(input)?,
            sealed_at: Decode::decode(input)?,
            count: Decode::decode(input)?,
            root: Decode::decode(input)?,
        })
    }
}

/// Readings that a device signed as one batch. The channel is the transaction's; count and root
/// follow from the readings, so neither is said twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportBatch {
    /// The device that signed.
    pub device: PublicKey,
    /// Its number among the device's batches.
    pub sequence: u64,
    /// When it was sealed, by the device's clock.
    pub sealed_at: ClockTime,
    /// The readings, at most [`BATCH_MAX`].
    pub readings: Vec<PeriodReading>,
    /// The device's signature over the header.
    pub signature: [u8; 64],
}

impl ReportBatch {
    /// What the device signed, if it signed these readings for `channel`.
    #[must_use]
    pub fn header(&self, channel: &ChannelId) -> BatchHeader {
        let leaves: Vec<Vec<u8>> = self.readings.iter().map(Encode::to_bytes).collect();
        BatchHeader {
            channel: *channel,
            device: self.device,
            sequence: self.sequence,
            sealed_at: self.sealed_at,
            // More than a batch may hold does not come out of a decoder.
            count: u16::try_from(self.readings.len()).unwrap_or(u16::MAX),
            root: merkle_root(&leaves),
        }
    }
}

impl Encode for ReportBatch {
    fn encode(&self, out: &mut Vec<u8>) {
        self.device.encode(out);
        self.sequence.encode(out);
        self.sealed_at.encode(out);
        encode_length(self.readings.len(), out);
        self.readings.iter().for_each(|reading| reading.encode(out));
        self.signature.encode(out);
    }
}

impl Decode for ReportBatch {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let (device, sequence) = (Decode::decode(input)?, Decode::decode(input)?);
        let sealed_at = Decode::decode(input)?;
        let length = decode_length(input, "a batch", BATCH_MAX)?;
        let mut readings = Vec::new();
        for _ in 0..length {
            readings.push(PeriodReading::decode(input)?);
        }
        Ok(Self { device, sequence, sealed_at, readings, signature: Decode::decode(input)? })
    }
}

record! {
    /// A unit gets a new device; the one before it can no longer speak for the unit.
    pub struct EnrolDevice {
        /// The unit.
        pub unit: UnitId,
        /// The key that the device made.
        pub device: PublicKey,
        /// What people call the device.
        pub label: String,
    }
}

coded! {
    /// What the light of a gateway shows.
    pub enum Light ("light") {
        /// Everything runs, readings are delivered.
        Running = 0,
        /// Readings are kept, not delivered.
        Holding = 1,
        /// A limit, a sensor, the backlog or a delivery needs somebody.
        Alarm = 2,
    }
}

coded! {
    /// The network link of a board.
    pub enum Link ("link") {
        /// The board does not say.
        Unknown = 0,
        /// No carrier.
        Down = 1,
        /// It carries.
        Up = 2,
    }
}

coded! {
    /// What a channel of a board measures.
    pub enum ChannelKind ("channel kind") {
        /// In thousandths of a degree Celsius.
        Temperature = 0,
        /// In millivolts.
        Voltage = 1,
    }
}

coded! {
    /// How a value stands to its limits.
    pub enum HealthLevel ("level") {
        /// Within them.
        Normal = 0,
        /// Beyond a warning limit.
        Warning = 1,
        /// The sensor gives no value.
        SensorFault = 2,
        /// Beyond an alarm limit.
        Alarm = 3,
    }
}

record! {
    /// One measured value of a board.
    pub struct HealthChannel {
        /// What the point map calls it.
        pub name: String,
        /// What it measures.
        pub kind: ChannelKind,
        /// In thousandths of a degree, or millivolts; none if the sensor gives no value.
        pub value: Option<i32>,
        /// How it stands to its limits.
        pub level: HealthLevel,
    }
}

record! {
    /// How a gateway and its board stand.
    pub struct Health {
        /// When, by the device's clock.
        pub sampled_at: ClockTime,
        /// What its light shows.
        pub light: Light,
        /// Its network link.
        pub link: Link,
        /// The values of its board, at most [`Health::CHANNELS_MAX`].
        pub channels: Vec<HealthChannel>,
        /// Stations that answer.
        pub stations_up: u16,
        /// Stations that do not answer.
        pub stations_down: u16,
        /// Readings that wait for their receipt.
        pub backlog: u32,
        /// How many may wait.
        pub backlog_limit: u32,
        /// What needs somebody: bits of [`Health::ALARMS`].
        pub alarms: u16,
    }
}

impl Health {
    /// The most channels of a board.
    pub const CHANNELS_MAX: usize = 16;
    /// The longest name of a channel, in bytes.
    pub const NAME_MAX: usize = 32;
    /// A value of the board is beyond an alarm limit.
    pub const ALARM_LIMIT: u16 = 1;
    /// A sensor of the board gives no value.
    pub const ALARM_SENSOR: u16 = 1 << 1;
    /// The backlog is near its end.
    pub const ALARM_BACKLOG: u16 = 1 << 2;
    /// The ledger refused readings for good.
    pub const ALARM_REFUSED: u16 = 1 << 3;
    /// A station that answered does not any more.
    pub const ALARM_STATION: u16 = 1 << 4;
    /// A unit does not follow its dispatch.
    pub const ALARM_DISPATCH: u16 = 1 << 5;
    /// The alarms that there are, with their names.
    pub const ALARMS: [(u16, &'static str); 6] = [
        (Self::ALARM_LIMIT, "limit"),
        (Self::ALARM_SENSOR, "sensor"),
        (Self::ALARM_BACKLOG, "backlog"),
        (Self::ALARM_REFUSED, "refused"),
        (Self::ALARM_STATION, "station"),
        (Self::ALARM_DISPATCH, "dispatch"),
    ];
}
