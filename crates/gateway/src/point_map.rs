//! The point map: which field point is which meter, measurement, state or set-point.
//!
//! It is one TOML file, checked as a whole before anything is connected. A key that is not known,
//! an address used twice, a scale that cannot be right: each is refused by its name, because a
//! point that is read wrongly is worse than one that is not read.

mod check;
#[cfg(test)]
mod tests;

pub use check::MapError;

use std::path::PathBuf;

use duet_units::Resolution;
use serde::Deserialize;

/// The whole configuration of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointMap {
    /// The gateway itself.
    pub gateway: Gateway,
    /// The device that signs.
    pub device: DeviceEntry,
    /// The node that takes the readings; absent where nothing comes back.
    pub uplink: Option<UplinkEntry>,
    /// The link that carries nothing back; absent where there is a node.
    pub one_way: Option<OneWayEntry>,
    /// The board it runs on; absent where there is none to watch.
    pub board: Option<crate::board::BoardLimits>,
    /// Stations that speak IEC 60870-5-104.
    #[serde(default)]
    pub iec104: Vec<Iec104Station>,
    /// Stations that speak Modbus TCP.
    #[serde(default)]
    pub modbus: Vec<ModbusStation>,
}

/// What concerns the gateway as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Its name in logs and in exports.
    pub name: String,
    /// Where the outbox lies.
    pub data: PathBuf,
    /// The length of a delivery period.
    pub resolution: PeriodLength,
    /// How long after its end a period waits for late samples before it is reported, in seconds.
    #[serde(default = "default_close_after_s")]
    pub close_after_s: u32,
    /// How long readings wait for others before they are sealed into a batch, in seconds.
    #[serde(default = "default_seal_after_s")]
    pub seal_after_s: u32,
    /// How many readings may wait for delivery.
    #[serde(default = "default_backlog")]
    pub backlog: u32,
    /// How often it looks what is due, in milliseconds.
    #[serde(default = "default_tick_ms")]
    pub tick_ms: u32,
}

/// The device's key and its channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// The file of its key, as `duet-gateway key` writes it.
    pub key: PathBuf,
    /// The channel that it reports to: 64 hex digits.
    pub channel: String,
}

impl DeviceEntry {
    /// The channel; `None` if it is not 64 hex digits, which a checked map never is.
    #[must_use]
    pub fn channel_id(&self) -> Option<[u8; 32]> {
        let mut channel = [0; 32];
        hex::decode_to_slice(&self.channel, &mut channel).ok().map(|()| channel)
    }
}

/// A node of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UplinkEntry {
    /// The address of its API, for example `https://exchange.example:8700`.
    pub node: String,
    /// The root that an https address must show a certificate of, in PEM; no other is trusted.
    pub root: Option<PathBuf>,
    /// Whether an http address of another machine is taken.
    #[serde(default)]
    pub plain_http: bool,
    /// Whether dispatches are followed at the node's word, without their proofs: for trials only.
    #[serde(default)]
    pub follow_unproven: bool,
    /// How far the state that a proof shows may be away from the gateway's clock, in seconds.
    #[serde(default = "default_proof_fresh_s")]
    pub fresh_s: u32,
    /// The pause before a delivery is tried again, and between two questions for dispatches, in
    /// milliseconds.
    #[serde(default = "default_pause_ms")]
    pub pause_ms: u32,
    /// Looks between two health reports, by default seconds; 0 sends none.
    #[serde(default = "default_health_s")]
    pub health_s: u32,
}

const fn default_proof_fresh_s() -> u32 {
    300
}
const fn default_tick_ms() -> u32 {
    1_000
}
const fn default_pause_ms() -> u32 {
    5_000
}
const fn default_health_s() -> u32 {
    60
}

/// A link without a way back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneWayEntry {
    /// Where the datagrams go: an IP address and a port.
    pub target: std::net::SocketAddr,
    /// How often each batch is sent.
    pub repeat: u8,
}

/// How the file writes a [`Resolution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeriodLength {
    /// 24 periods a day.
    Hour,
    /// 96 periods a day.
    Quarter,
}

impl PeriodLength {
    /// The resolution of the market that it names.
    #[must_use]
    pub const fn resolution(self) -> Resolution {
        match self {
            Self::Hour => Resolution::Hour,
            Self::Quarter => Resolution::Quarter,
        }
    }
}

/// A station reached over IEC 60870-5-104.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Iec104Station {
    /// Its name in logs.
    pub name: String,
    /// `host:port`; the gateway connects, the station listens.
    pub address: String,
    /// The common address of its ASDUs.
    pub common_address: u16,
    /// Seconds between general interrogations; spontaneous values come in between.
    #[serde(default = "default_interrogation_s")]
    pub interrogation_s: u32,
    /// Seconds between counter interrogations.
    #[serde(default = "default_counter_s")]
    pub counter_s: u32,
    /// The offset of its time tags from UTC, in minutes. China's stations tag in UTC+8.
    #[serde(default = "default_offset_min")]
    pub utc_offset_min: i16,
    /// Its energy registers.
    #[serde(default)]
    pub energy: Vec<EnergyPoint<Ioa>>,
    /// Its measured values.
    #[serde(default)]
    pub power: Vec<PowerPoint<Ioa>>,
    /// Its single and double points.
    #[serde(default)]
    pub state: Vec<StatePoint<Ioa>>,
    /// Its set-points.
    #[serde(default)]
    pub setpoint: Vec<SetpointPoint<Ioa>>,
}

/// A station reached over Modbus TCP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModbusStation {
    /// Its name in logs.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// The unit identifier.
    pub unit: u8,
    /// Milliseconds between polls.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u32,
    /// Its energy registers.
    #[serde(default)]
    pub energy: Vec<EnergyPoint<Register>>,
    /// Its measured values.
    #[serde(default)]
    pub power: Vec<PowerPoint<Register>>,
    /// Its states.
    #[serde(default)]
    pub state: Vec<StatePoint<Register>>,
    /// Its set-points.
    #[serde(default)]
    pub setpoint: Vec<SetpointPoint<Register>>,
}

/// The information object address of a point, 1 to 16 777 215.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ioa {
    /// The address.
    pub ioa: u32,
}

/// Where and how a Modbus value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The address of its first register, counted from 0.
    pub register: u16,
    /// The table it lies in.
    #[serde(default)]
    pub table: Table,
    /// How its words make a number.
    pub format: Format,
    /// Which word comes first.
    #[serde(default)]
    pub words: WordOrder,
}

/// The register tables of Modbus that hold numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// Holding registers, function 3; the only ones that can be written.
    #[default]
    Holding,
    /// Input registers, function 4.
    Input,
}

/// How registers make a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One register, unsigned.
    U16,
    /// One register, two's complement.
    I16,
    /// Two registers, unsigned.
    U32,
    /// Two registers, two's complement.
    I32,
    /// Four registers, unsigned.
    U64,
    /// Two registers, IEEE 754 single precision; read in thousandths.
    F32,
}

impl Format {
    /// How many registers the number takes.
    #[must_use]
    pub const fn width(self) -> u16 {
        match self {
            Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
            Self::U64 => 4,
        }
    }
}

/// The order of the words of a wide number. Inside a word the high byte is first, as Modbus says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WordOrder {
    /// The most significant word is first.
    #[default]
    High,
    /// The least significant word is first.
    Low,
}

/// A cumulative energy register: one register of one meter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyPoint<A> {
    /// Its name in logs.
    pub name: String,
    /// Where it is read.
    pub at: A,
    /// The unit that it meters, as the ledger numbers it.
    pub unit: u32,
    /// Watt-hours for one count (for a floating-point register: for one thousandth).
    pub wh_per_count: u32,
    /// The count after which the register begins again at zero.
    pub rollover: u64,
    /// The most that can flow through it, in kW; more than that between two samples is a fault.
    pub max_kw: u32,
    /// The longest time between two samples that is not a gap, in seconds.
    #[serde(default = "default_gap_s")]
    pub gap_s: u32,
}

/// A measured active power.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerPoint<A> {
    /// Its name in logs, and in the interlocks that use it.
    pub name: String,
    /// Where it is read.
    pub at: A,
    /// Watts for one count (for a floating-point value: for one thousandth).
    pub w_per_count: u32,
}

/// A state: on or off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatePoint<A> {
    /// Its name in logs, and in the interlocks that use it.
    pub name: String,
    /// Where it is read.
    pub at: A,
}

/// A set-point: the power a unit is told to make.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetpointPoint<A> {
    /// Its name in logs.
    pub name: String,
    /// Where it is written.
    pub at: A,
    /// The unit, as the ledger numbers it.
    pub unit: u32,
    /// Watts for one count of what is written (floating point: for one thousandth).
    pub w_per_count: u32,
    /// The least the unit may be told, in kW.
    pub min_kw: i64,
    /// The most the unit may be told, in kW.
    pub max_kw: i64,
    /// The largest step from the power it makes now, in kW.
    pub max_step_kw: i64,
    /// The power point that says what the unit makes now.
    pub power: String,
    /// States that must be on before the unit is moved.
    #[serde(default)]
    pub interlocks: Vec<String>,
    /// How old a state or power may be to count, in seconds.
    #[serde(default = "default_fresh_s")]
    pub fresh_s: u32,
}

const fn default_close_after_s() -> u32 {
    60
}
const fn default_seal_after_s() -> u32 {
    10
}
const fn default_backlog() -> u32 {
    100_000
}
const fn default_interrogation_s() -> u32 {
    60
}
const fn default_counter_s() -> u32 {
    60
}
const fn default_offset_min() -> i16 {
    480
}
const fn default_poll_ms() -> u32 {
    1_000
}
const fn default_gap_s() -> u32 {
    300
}
const fn default_fresh_s() -> u32 {
    30
}
