//! Whole clusters from a seed: four validators, what goes wrong, and a market day around them.
//!
//! The validators are the node that runs in production, on the engine's deterministic runtime:
//! simulated clock, network and disk. The world around them is the one of the demo: members, bank,
//! plants and meters trade, deliver and settle one day. A [`Plan`] says what goes wrong; together
//! with its seed it decides everything that happens, so a run that fails can be run again.
//!
//! ```text
//! Plan -> run -> cluster: node + engine, four times    faults: crash, partition, loss
//!                world:   the day, over handles        liar:   one validator that cheats
//!                check:   agreement, conservation, permanence, over every block
//! ```
//!
//! A run ends well only if the day came to its end and every rule in `check.rs` holds.

mod check;
mod cluster;
mod failure;
mod liar;
mod market;
mod plan;
mod run;

pub use failure::Failure;
pub use liar::Misdeed;
pub use market::Market;
pub use plan::{Plan, Window};
pub use run::{Outcome, run};
