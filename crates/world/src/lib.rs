//! The simulated world outside the market: members, bank, plants, meters and time.
//!
//! The demo and the cluster simulation run the real node; what they need around it is here, and is
//! called simulated. Everything is drawn from the scenario's seed, so the same scenario gives the
//! same day. The actors look at the ledger before they act and do only what is missing, so a day
//! that was interrupted goes on where it stopped.

mod actor;
mod ahead;
mod auction;
mod carbon;
mod clock;
mod curtail;
mod day;
mod founding;
mod nodes;
mod ordering;
mod report;
mod verify;

pub use actor::{Actor, Refused};
pub use clock::WorldClock;
pub use day::{DayError, Tally, TradingDay};
pub use founding::{Founding, FoundingError, MemberPlace, demo_seed};
pub use nodes::Nodes;
pub use report::{DayReport, ValidatorReport};
