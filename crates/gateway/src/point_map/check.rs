//! What a point map must satisfy beyond its syntax.

use std::collections::{BTreeMap, BTreeSet};

use duet_ledger::Health;

use crate::board::Limit;

use super::{
    EnergyPoint, Format, Iec104Station, ModbusStation, PointMap, Register, SetpointPoint, Table,
};

/// The most points one gateway serves. A bound on memory, far above a plant's needs.
const POINTS_MAX: usize = 4_096;
/// The largest information object address: three octets (IEC 60870-5-104, 7.2.5).
const IOA_MAX: u32 = 0x00FF_FFFF;

/// Why a point map was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// Not TOML, a key that is unknown or missing, or a value of the wrong kind.
    #[error("point map: {0}")]
    Syntax(String),
    /// The map holds more points than a gateway serves.
    #[error("{0} points; a gateway serves at most {POINTS_MAX}")]
    TooManyPoints(usize),
    /// Two stations or two points have one name.
    #[error("the name {0:?} is used twice")]
    NameTwice(String),
    /// A station's address is not `host:port`.
    #[error("{0}: the address is not host:port")]
    BadAddress(String),
    /// A time between actions is zero, or longer than a day.
    #[error("{0}: {1} must be 1 s to 1 day")]
    BadInterval(String, &'static str),
    /// The channel is not 64 hex digits.
    #[error("the channel is not 64 hex digits")]
    BadChannel,
    /// There is no way out, or there are two.
    #[error("exactly one of [uplink] and [one_way] must be given, and repeat must not be 0")]
    WaysOut,
    /// A channel of the board that can never stand well, that has no input, or whose name is used
    /// twice.
    #[error("{0}: the limits, the divider or the name of the board's channel cannot be")]
    BadBoard(String),
    /// More channels of the board than a health report holds.
    #[error("{0} channels of the board; a health report holds 16")]
    TooManyChannels(usize),
    /// The backlog is smaller than one batch.
    #[error("the backlog must hold at least one batch of 256 readings")]
    SmallBacklog,
    /// An information object address is 0 or does not fit three octets.
    #[error("{0}: information object address {1} is not 1 to {IOA_MAX}")]
    BadIoa(String, u32),
    /// A point lies where another one lies.
    #[error("{0} and {1} overlap")]
    Overlap(String, String),
    /// A register runs past the end of the table.
    #[error("{0}: the registers run past 65535")]
    PastTheEnd(String),
    /// A point that is written lies where nothing can be written.
    #[error("{0}: a set-point must lie in holding registers")]
    NotWritable(String),
    /// A scale is zero, or so large that a full register is no energy a meter can have.
    #[error("{0}: the scale is impossible")]
    BadScale(String),
    /// A register rolls over at a count that its format cannot hold, or before it can be read twice.
    #[error("{0}: the register cannot roll over at {1}")]
    BadRollover(String, u64),
    /// Two registers meter the same unit.
    #[error("{0} and {1} meter the same unit")]
    MeterTwice(String, String),
    /// Two set-points move the same unit.
    #[error("{0} and {1} move the same unit")]
    UnitTwice(String, String),
    /// The limits of a set-point leave no power, or no step.
    #[error("{0}: the limits leave nothing to command")]
    BadLimits(String),
    /// A set-point names a power or a state that is not in the map.
    #[error("{0}: there is no point {1:?}")]
    NoSuchPoint(String, String),
}

impl PointMap {
    /// Reads and checks a point map.
    ///
    /// # Errors
    ///
    /// Returns the first [`MapError`] found, in the order of the file.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: Self = toml::from_str(text).map_err(|e| MapError::Syntax(e.to_string()))?;
        map.check()?;
        Ok(map)
    }

    /// The number of points of all stations.
    #[must_use]
    pub fn points(&self) -> usize {
        let iec104 = self
            .iec104
            .iter()
            .map(|s| s.energy.len() + s.power.len() + s.state.len() + s.setpoint.len());
        let modbus = self
            .modbus
            .iter()
            .map(|s| s.energy.len() + s.power.len() + s.state.len() + s.setpoint.len());
        iec104.chain(modbus).sum()
    }

    fn check(&self) -> Result<(), MapError> {
        if self.points() > POINTS_MAX {
            return Err(MapError::TooManyPoints(self.points()));
        }
        let mut seen = Seen::default();
        interval(&self.gateway.name, "close_after_s", self.gateway.close_after_s)?;
        interval(&self.gateway.name, "seal_after_s", self.gateway.seal_after_s)?;
        self.device.channel_id().ok_or(MapError::BadChannel)?;
        let silent = self.one_way.as_ref().is_some_and(|way| way.repeat == 0);
        if self.uplink.is_some() == self.one_way.is_some() || silent {
            return Err(MapError::WaysOut);
        }
        if (self.gateway.backlog as usize) < crate::batch::BATCH_MAX {
            return Err(MapError::SmallBacklog);
        }
        self.board.as_ref().map_or(Ok(()), |board| check_board(&board.channel))?;
        for station in &self.iec104 {
            check_iec104(station, &mut seen)?;
        }
        for station in &self.modbus {
            check_modbus(station, &mut seen)?;
        }
        seen.check_references()
    }
}

fn check_board(channels: &[Limit]) -> Result<(), MapError> {
    if channels.len() > Health::CHANNELS_MAX {
        return Err(MapError::TooManyChannels(channels.len()));
    }
    let mut names = BTreeSet::new();
    let bad = channels.iter().find(|limit| !limit.is_sound() || !names.insert(&limit.name));
    bad.map_or(Ok(()), |limit| Err(MapError::BadBoard(limit.name.clone())))
}

/// What was met so far in the whole map.
#[derive(Default)]
struct Seen {
    names: BTreeSet<String>,
    meters: BTreeMap<u32, String>,
    units: BTreeMap<u32, String>,
    powers: BTreeSet<String>,
    states: BTreeSet<String>,
    /// Set-point, then the power and states that it names.
    references: Vec<(String, String, Vec<String>)>,
}

impl Seen {
    fn name(&mut self, name: &str) -> Result<(), MapError> {
        if self.names.insert(name.to_owned()) {
            Ok(())
        } else {
            Err(MapError::NameTwice(name.to_owned()))
        }
    }

    fn energy<A>(&mut self, point: &EnergyPoint<A>) -> Result<(), MapError> {
        self.name(&point.name)?;
        interval(&point.name, "gap_s", point.gap_s)?;
        // A full register must be an energy that fits a meter reading, in Wh.
        let full = point.rollover.checked_mul(u64::from(point.wh_per_count));
        if point.wh_per_count == 0 || full.is_none_or(|wh| i64::try_from(wh).is_err()) {
            return Err(MapError::BadScale(point.name.clone()));
        }
        // The most energy of one gap must be less than half the register, or a rollover between
        // two samples could not be told from a step back.
        let gap_wh = u64::from(point.max_kw) * 1_000 * u64::from(point.gap_s) / 3_600;
        if point.rollover < 2 || gap_wh > full.unwrap_or(0) / 2 {
            return Err(MapError::BadRollover(point.name.clone(), point.rollover));
        }
        if point.max_kw == 0 {
            return Err(MapError::BadLimits(point.name.clone()));
        }
        match self.meters.insert(point.unit, point.name.clone()) {
            Some(other) => Err(MapError::MeterTwice(other, point.name.clone())),
            None => Ok(()),
        }
    }

    fn measured(&mut self, name: &str, w_per_count: u32) -> Result<(), MapError> {
        self.name(name)?;
        if w_per_count == 0 {
            return Err(MapError::BadScale(name.to_owned()));
        }
        self.powers.insert(name.to_owned());
        Ok(())
    }

    fn state(&mut self, name: &str) -> Result<(), MapError> {
        self.name(name)?;
        self.states.insert(name.to_owned());
        Ok(())
    }

    fn setpoint<A>(&mut self, point: &SetpointPoint<A>) -> Result<(), MapError> {
        self.name(&point.name)?;
        interval(&point.name, "fresh_s", point.fresh_s)?;
        if point.w_per_count == 0 {
            return Err(MapError::BadScale(point.name.clone()));
        }
        if point.min_kw > point.max_kw || point.max_step_kw <= 0 {
            return Err(MapError::BadLimits(point.name.clone()));
        }
        let (power, states) = (point.power.clone(), point.interlocks.clone());
        self.references.push((point.name.clone(), power, states));
        match self.units.insert(point.unit, point.name.clone()) {
            Some(other) => Err(MapError::UnitTwice(other, point.name.clone())),
            None => Ok(()),
        }
    }

    fn check_references(&self) -> Result<(), MapError> {
        for (setpoint, power, states) in &self.references {
            let missing = std::iter::once(power)
                .filter(|p| !self.powers.contains(*p))
                .chain(states.iter().filter(|s| !self.states.contains(*s)))
                .next();
            if let Some(missing) = missing {
                return Err(MapError::NoSuchPoint(setpoint.clone(), missing.clone()));
            }
        }
        Ok(())
    }
}

fn check_iec104(station: &Iec104Station, seen: &mut Seen) -> Result<(), MapError> {
    seen.name(&station.name)?;
    address(&station.name, &station.address)?;
    interval(&station.name, "interrogation_s", station.interrogation_s)?;
    interval(&station.name, "counter_s", station.counter_s)?;
    let mut used: BTreeMap<u32, String> = BTreeMap::new();
    let mut place = |name: &str, ioa: u32| {
        if !(1..=IOA_MAX).contains(&ioa) {
            return Err(MapError::BadIoa(name.to_owned(), ioa));
        }
        match used.insert(ioa, name.to_owned()) {
            Some(other) => Err(MapError::Overlap(other, name.to_owned())),
            None => Ok(()),
        }
    };
    for point in &station.energy {
        seen.energy(point)?;
        place(&point.name, point.at.ioa)?;
    }
    for point in &station.power {
        seen.measured(&point.name, point.w_per_count)?;
        place(&point.name, point.at.ioa)?;
    }
    for point in &station.state {
        seen.state(&point.name)?;
        place(&point.name, point.at.ioa)?;
    }
    for point in &station.setpoint {
        seen.setpoint(point)?;
        place(&point.name, point.at.ioa)?;
    }
    Ok(())
}

fn check_modbus(station: &ModbusStation, seen: &mut Seen) -> Result<(), MapError> {
    seen.name(&station.name)?;
    address(&station.name, &station.address)?;
    if !(100..=86_400_000).contains(&station.poll_ms) {
        return Err(MapError::BadInterval(station.name.clone(), "poll_ms"));
    }
    let mut used: BTreeMap<(Table, u32), String> = BTreeMap::new();
    let mut place = |name: &str, at: Register| {
        let (first, width) = (u32::from(at.register), u32::from(at.format.width()));
        if first + width > 65_536 {
            return Err(MapError::PastTheEnd(name.to_owned()));
        }
        for register in first..first + width {
            if let Some(other) = used.insert((at.table, register), name.to_owned()) {
                return Err(MapError::Overlap(other, name.to_owned()));
            }
        }
        Ok(())
    };
    for point in &station.energy {
        seen.energy(point)?;
        counts(point)?;
        place(&point.name, point.at)?;
    }
    for point in &station.power {
        seen.measured(&point.name, point.w_per_count)?;
        place(&point.name, point.at)?;
    }
    for point in &station.state {
        seen.state(&point.name)?;
        place(&point.name, point.at)?;
    }
    for point in &station.setpoint {
        seen.setpoint(point)?;
        if point.at.table != Table::Holding {
            return Err(MapError::NotWritable(point.name.clone()));
        }
        place(&point.name, point.at)?;
    }
    Ok(())
}

/// Whether the format of an energy register can count up to its rollover.
fn counts(point: &EnergyPoint<Register>) -> Result<(), MapError> {
    let largest = match point.at.format {
        Format::U16 => 1 << 16,
        Format::I16 => 1 << 15,
        Format::U32 => 1 << 32,
        Format::I32 => 1 << 31,
        Format::U64 => u64::MAX,
        // Above 2^24 a single-precision register no longer counts in ones; in thousandths of a kWh
        // it then loses energy without saying so.
        Format::F32 => 16_777_216_000,
    };
    if point.rollover > largest {
        return Err(MapError::BadRollover(point.name.clone(), point.rollover));
    }
    Ok(())
}

fn address(station: &str, address: &str) -> Result<(), MapError> {
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    match port.map(str::parse::<u16>) {
        Some(Ok(_)) => Ok(()),
        Some(Err(_)) | None => Err(MapError::BadAddress(station.to_owned())),
    }
}

fn interval(name: &str, key: &'static str, seconds: u32) -> Result<(), MapError> {
    if (1..=86_400).contains(&seconds) {
        Ok(())
    } else {
        Err(MapError::BadInterval(name.to_owned(), key))
    }
}
