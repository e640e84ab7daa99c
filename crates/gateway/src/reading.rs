//! From samples of a register to the energy of delivery periods.
//!
//! Nothing here reads a clock or a socket: the same samples give the same readings. Energy is
//! counted in watt-hours and reported in whole kilowatt-hours as the difference of two positions
//! of the register, each rounded down. What is cut off at the end of one period is therefore
//! counted in the next: the sum over periods is never off by more than one kWh.

mod checkpoint;
mod meter;
mod register;
#[cfg(test)]
mod tests;

pub use checkpoint::CheckpointError;
pub use meter::{Meter, MeterRule};
pub use register::{Register, RegisterRule, Step};

use std::fmt;
use std::ops::BitOr;

use duet_units::{ClockTime, DeliveryPeriod, Energy};

/// What is wrong with a sample or a reading; nothing, if empty.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(u16);

impl Flags {
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
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::GOOD {
            return f.write_str("good");
        }
        let set = Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag));
        f.write_str(&set.map(|(_, name)| *name).collect::<Vec<_>>().join("+"))
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One value of a register, as it came from the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The count; unscaled.
    pub raw: u64,
    /// When it was true: the source's time tag, or the gateway's clock where there is none.
    pub at: ClockTime,
    /// What is wrong with it.
    pub flags: Flags,
}

/// The energy of one unit in one delivery period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodReading {
    /// The unit, as the ledger numbers it.
    pub unit: u32,
    /// The period.
    pub period: DeliveryPeriod,
    /// 1, then one more for each correction.
    pub version: u16,
    /// The energy.
    pub energy: Energy,
    /// What is wrong with it.
    pub flags: Flags,
    /// The time of the last sample in the period; its start, if there was none.
    pub source_time: ClockTime,
}
