//! One validator: application, mempool, store, HTTP API, metrics.
//!
//! ```text
//! Handle::submit -> admission -> Mempool -> Validator::propose -> the engine agrees
//!   -> Chain::execute: State::apply -> Store (delta, root), Receipts -> EventLog -> readers
//! ```
//!
//! Agree, then execute: a block is ordered bytes; its effects are computed once it is final, by
//! one task, in order. Its header carries the roots of an earlier height, and a validator votes
//! for it only if its own execution of that height gave the same.

mod admit;
pub mod api;
mod application;
mod clock;
mod events;
mod executor;
mod handle;
pub mod host;
mod mempool;
mod node;
mod shared;
mod signatures;
pub mod store;

pub use clock::Clock;
pub use events::{EventStream, LoggedEvent, StreamItem};
pub use executor::ExecutionError;
pub use handle::{BlockView, Handle, Status, SubmitError};
pub use mempool::{MempoolFull, MempoolLimits};
pub use node::{BLOCK_BYTES_MAX, NodeConfig, Prepared, prepare};
pub use shared::FinalReceipt;
pub use signatures::all_valid;
