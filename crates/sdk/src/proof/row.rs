//! A row of the ledger that anyone can check with one 32-byte trust anchor: the channel id.
//!
//! What the check follows, from the row up: the state proof shows that the row is current under a
//! state root; a header carries that root in its checkpoint; a quorum of the committee finalized
//! that header or one that descends from it; committee and genesis hash make the channel id.
//! Format: docs/spec/state-proof.md.

use super::finality::{Certificate, FinalityError, Header};
use super::head::committee_of;
use super::state::StateProof;
use crate::wire::{Bytes, Hex32};
use duet_ledger::ChannelId;
use serde::{Deserialize, Serialize};

/// The most headers in a proof.
const HEADERS_MAX: usize = 4_096;

/// A row with all that is needed to check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RowProof {
    /// The version of this format: 1.
    pub version: u8,
    /// The public keys of the validators.
    pub committee: Vec<Hex32>,
    /// The hash of the genesis, which with the committee makes the channel id.
    pub genesis_hash: Hex32,
    /// The tag of the row's table and the canonical bytes of its key.
    pub key: Bytes,
    /// The canonical bytes of the row.
    pub row: Bytes,
    /// The state proof, as docs/spec/state-proof.md has it.
    pub state: Bytes,
    /// Headers, each the parent of the next: the first carries the state root.
    pub headers: Vec<Bytes>,
    /// The finality certificate over the last header.
    pub certificate: Bytes,
}

/// What a proof of a row proves: that it was current at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRow {
    /// The height after which the row was current.
    pub height: u64,
    /// The time of the block that carries that state's root, in ms since the Unix epoch.
    pub time_ms: i64,
    /// The height of the header that was finalized.
    pub certified_height: u64,
}

/// Why a proof of a row proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProofError {
    /// The version is not one that this program knows.
    #[error("version {0} of the proof is not known")]
    Version(u8),
    /// Committee and genesis hash are not those of the channel.
    #[error("committee and genesis hash do not make the channel id")]
    NotTheCommittee,
    /// There are no headers, or too many, or they do not follow each other.
    #[error("the headers do not follow each other")]
    Headers,
    /// The header is not final.
    #[error("finality: {0}")]
    Finality(#[from] FinalityError),
    /// The row is not in the state.
    #[error("the row is not in the state that was finalized")]
    NotInTheState,
}

impl RowProof {
    /// The version of the format that this release writes.
    pub const VERSION: u8 = 1;

    /// Checks everything against the one channel id that the reader trusts. The reader must still
    /// compare [`key`](Self::key) with what it asked for, and the time with its clock.
    ///
    /// # Errors
    ///
    /// Returns the first [`RowProofError`] found.
    pub fn verify(&self, trusted: &ChannelId) -> Result<VerifiedRow, RowProofError> {
        if self.version != Self::VERSION {
            return Err(RowProofError::Version(self.version));
        }
        let committee = committee_of(&self.committee, &self.genesis_hash, trusted)
            .ok_or(RowProofError::NotTheCommittee)?;
        let (first, last) = self.header_chain()?;
        Certificate::decode(&self.certificate.0)?.verify(trusted, &committee, &last)?;
        let state = StateProof::decode(&self.state.0).map_err(|_| RowProofError::NotInTheState)?;
        if !state.verify(&first.checkpoint.state_root, &self.key.0, &self.row.0) {
            return Err(RowProofError::NotInTheState);
        }
        Ok(VerifiedRow {
            height: first.checkpoint.height,
            time_ms: first.time_ms,
            certified_height: last.height,
        })
    }

    /// The first and the last header, if each is the parent of the next.
    fn header_chain(&self) -> Result<(Header, Header), RowProofError> {
        if self.headers.len() > HEADERS_MAX {
            return Err(RowProofError::Headers);
        }
        let (first, rest) = self.headers.split_first().ok_or(RowProofError::Headers)?;
        let first = Header::decode(&first.0)?;
        let mut last = first;
        for bytes in rest {
            let next = Header::decode(&bytes.0)?;
            if next.parent != last.digest() || Some(next.height) != last.height.checked_add(1) {
                return Err(RowProofError::Headers);
            }
            last = next;
        }
        Ok((first, last))
    }
}
