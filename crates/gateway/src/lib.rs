//! The edge gateway: what a plant measures goes to the ledger, what the ledger decides goes to the
//! plant.
//!
//! The pure parts decide, the others move bytes. Pure: [`point_map`], [`reading`], [`batch`],
//! [`dispatch`]; [`core`] joins them to the durable [`outbox`], [`run`] to sockets and sensors.
//! Floating-point numbers of field protocols end at the frame: inside, a value is an integer count.

pub mod batch;
pub mod board;
pub mod clock;
pub mod core;
pub mod device;
pub mod dispatch;
pub mod field;
pub mod outbox;
pub mod point_map;
pub mod reading;
pub mod run;
pub mod simulate;
pub mod telemetry;
pub mod uplink;
