//! The edge gateway: what a plant measures goes to the ledger, what the ledger decides goes to the
//! plant.
//!
//! The pure parts decide, the others move bytes. Pure: [`point_map`], [`reading`].
//! Floating-point numbers of field protocols end at the frame: inside, a value is an integer count.

pub mod batch;
pub mod board;
pub mod clock;
pub mod device;
pub mod dispatch;
pub mod field;
pub mod outbox;
pub mod point_map;
pub mod reading;
pub mod simulate;
