//! Proofs, checked from public keys and hashes alone: none of the engine's crates is needed.

mod finality;
mod head;
mod receipt;
mod row;
pub mod state;

pub use finality::{Certificate, Checkpoint, FinalityError, HEADER_BYTES, Header, quorum};
pub use head::{HeadProof, HeadProofError};
pub use receipt::{LATER_BLOCKS_MAX, ProofError, ReceiptProof, VerifiedReceipt};
pub use row::{RowProof, RowProofError, VerifiedRow};
