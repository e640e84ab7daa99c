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

pub use duet_ledger::{PeriodReading, ReadingFlags as Flags};
use duet_units::ClockTime;

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
