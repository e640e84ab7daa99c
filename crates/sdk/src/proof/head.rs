//! The last block that is final: what time it is on the channel, for one who has no clock.

use super::finality::{Certificate, FinalityError, Header};
use crate::wire::{Bytes, Hex32};
use duet_ledger::{ChannelId, Genesis, PublicKey};
use serde::{Deserialize, Serialize};

/// A header that a quorum finalized, with all that is needed to check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HeadProof {
    /// The version of this format: 1.
    pub version: u8,
    /// The public keys of the validators.
    pub committee: Vec<Hex32>,
    /// The hash of the genesis, which with the committee makes the channel id.
    pub genesis_hash: Hex32,
    /// The header, as docs/spec/finality.md has it.
    pub header: Bytes,
    /// The finality certificate over it.
    pub certificate: Bytes,
}

/// Why a head proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadProofError {
    /// The version is not one that this program knows.
    #[error("version {0} of the proof is not known")]
    Version(u8),
    /// Committee and genesis hash are not those of the channel.
    #[error("committee and genesis hash do not make the channel id")]
    NotTheCommittee,
    /// The header is not final.
    #[error("finality: {0}")]
    Finality(#[from] FinalityError),
}

impl HeadProof {
    /// The version of the format that this release writes.
    pub const VERSION: u8 = 1;

    /// The header, if the committee of the one channel that the reader trusts finalized it. It was
    /// no later than now when the validators voted; how long ago that was, a proof cannot say.
    ///
    /// # Errors
    ///
    /// Returns the first [`HeadProofError`] found.
    pub fn verify(&self, trusted: &ChannelId) -> Result<Header, HeadProofError> {
        if self.version != Self::VERSION {
            return Err(HeadProofError::Version(self.version));
        }
        let committee = committee_of(&self.committee, &self.genesis_hash, trusted)
            .ok_or(HeadProofError::NotTheCommittee)?;
        let header = Header::decode(&self.header.0)?;
        Certificate::decode(&self.certificate.0)?.verify(trusted, &committee, &header)?;
        Ok(header)
    }
}

/// The keys in order, each once, if they and the genesis hash make the channel id.
pub(super) fn committee_of(
    keys: &[Hex32],
    genesis_hash: &Hex32,
    trusted: &ChannelId,
) -> Option<Vec<[u8; 32]>> {
    let mut sorted: Vec<PublicKey> = keys.iter().map(|key| PublicKey::from_bytes(key.0)).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let channel = Genesis::channel_of(&sorted, &genesis_hash.0);
    let same = sorted.len() == keys.len() && channel == *trusted;
    same.then(|| sorted.iter().map(|key| *key.bytes()).collect())
}
