//! The BFT engine behind a small face: opaque blocks in, a final stream and certificates out.
//!
//! Validators agree on the order of blocks of bytes; what the bytes mean is the caller's. The
//! engine inside is Commonware simplex (see `docs/adr/0001-bft-engine.md`), and no other crate
//! names its consensus and network types.
//!
//! ```text
//! Application::propose ---> block ---> leader's broadcast
//! Application::verify  <--- block <--- another leader's broadcast
//!                           notarize (2f+1), finalize (2f+1), or nullify and the next leader
//! Application::finalized <- final block, in height order, at least once
//! Mailbox <---------------- queries: block, certificate and proof by height
//! ```
//!
//! One process calls [`serve_tcp`] for each channel it validates. The same engine runs under the
//! deterministic runtime in the feature `simulation`, where a seed decides latency, loss, crashes
//! and partitions.
//!
//! What each validator stores, below [`Config::storage_prefix`]: the journal of its own votes, all
//! final blocks, and their certificates. A block is durable in the archive before
//! [`Application::finalized`] gets it, and it is delivered again after a restart unless that call
//! had returned. Losing the vote journal of a running committee is losing the key: never delete it
//! and never run two processes with one key.

mod application;
mod block;
mod certificate;
mod config;
mod delivery;
mod engine;
mod erased;
mod gossip;
mod key;
mod mailbox;
#[cfg(feature = "simulation")]
pub mod simulation;
mod tcp;
mod wiring;

pub use application::{Application, Proposal};
pub use block::{Block, Checkpoint, GENESIS_LEADER, HEADER_BYTES, Header};
pub use certificate::{CertificateError, FinalityCertificate, FinalityProof};
pub use config::{Config, Genesis, Timeouts, message_bytes_max};
pub use engine::{Handle, Network, StartError, start};
pub use key::{InvalidCommittee, ValidatorKey};
pub use mailbox::{Mailbox, PROOF_HEADERS_MAX};
pub use tcp::{Endpoint, HostError, Peer, run, serve_tcp};
