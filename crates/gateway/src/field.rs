//! The field: stations of a plant, over the protocols they speak.
//!
//! Each station has one task that connects, reads, reconnects for ever, and carries out commands.
//! What it reads goes into one bounded queue; a slow reader slows the stations down, it does not
//! fill the memory.

mod asdu;
mod iec104;
mod modbus;
mod registers;
mod time_tag;

pub use asdu::{Decoder, energy_point, thousandths};
pub use iec104::run_iec104;
pub use modbus::run_modbus;
pub use registers::{Block, decode_words, encode_words, plan};
pub use time_tag::{from_time_tag, to_time_tag};

use std::sync::Arc;
use std::time::Duration;

use duet_units::ClockTime;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::reading::Flags;

/// How many values may wait between the stations and the readings.
pub const QUEUE: usize = 4_096;
/// How long a station may take to answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The first and the longest pause before a station is tried again.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(20);

/// One value from the field, or a change of a station's link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldEvent {
    /// The point, or the station, by its name in the point map.
    pub name: Arc<str>,
    /// What was read.
    pub value: Value,
    /// When it was true.
    pub at: ClockTime,
    /// What is wrong with it.
    pub flags: Flags,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The count of an energy register.
    Energy(u64),
    /// A power, in W.
    Power(i64),
    /// A state.
    State(bool),
    /// A station answers, or has gone.
    Link(bool),
}

/// An order to write a set-point.
#[derive(Debug)]
pub struct Command {
    /// The set-point, by its name in the point map.
    pub name: Arc<str>,
    /// What is written, in counts of the point.
    pub counts: i64,
    /// Where the outcome goes.
    pub reply: oneshot::Sender<Result<(), CommandFailure>>,
}

/// Why a station did not take a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandFailure {
    /// There is no connection to it.
    #[error("the station is not connected")]
    NotConnected,
    /// The value does not fit what the point is written as.
    #[error("the value does not fit the point")]
    OutOfRange,
    /// It refused the selection.
    #[error("the station refused the selection")]
    SelectRefused,
    /// It refused the execution.
    #[error("the station refused the execution")]
    ExecuteRefused,
    /// It did not answer in time.
    #[error("the station did not answer in time")]
    Timeout,
    /// It answered with this Modbus exception.
    #[error("the station answered with exception {0}")]
    Exception(u8),
    /// What was read back is not what was written.
    #[error("read back {0} after the write")]
    ReadBack(i64),
}

/// What a station's task needs of the gateway.
#[derive(Clone)]
pub struct Surroundings {
    /// Where values go.
    pub events: mpsc::Sender<FieldEvent>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings")
    }
}

/// The pause before the next try: twice the last one, up to a limit.
fn longer(pause: Duration) -> Duration {
    (pause * 2).min(RETRY_LONGEST)
}
