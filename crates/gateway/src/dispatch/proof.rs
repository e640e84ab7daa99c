//! A dispatch that is final on the ledger, checked on the device from the channel id alone.

use duet_ledger::{
    ChannelId, Decode, DecodeError, Digest, Dispatch, DispatchId, Encode, Genesis, PublicKey,
};
use duet_sdk::proof::state::StateProof;
use duet_sdk::proof::{Certificate, FinalityError, Header};

/// The table of dispatches in the ledger's state (docs/spec).
const DISPATCH_TABLE: u8 = 12;
/// The most headers between the checkpoint and the header that was finalized.
const HEADERS_MAX: usize = 4_096;

/// A row of the ledger's dispatches with all that is needed to check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchProof {
    /// The dispatch.
    pub id: DispatchId,
    /// The canonical bytes of its row.
    pub row: Vec<u8>,
    /// The proof that the row is current under the state root of the first header's checkpoint.
    pub state: StateProof,
    /// Headers, each the parent of the next.
    pub headers: Vec<Vec<u8>>,
    /// The finality certificate over the last header.
    pub certificate: Vec<u8>,
    /// The public keys of the validators.
    pub committee: Vec<PublicKey>,
    /// The hash of the genesis, which with the committee makes the channel id.
    pub genesis_hash: Digest,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DispatchProofError {
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
    #[error("the dispatch is not in the state that was finalized")]
    NotInTheState,
    /// The row is not a dispatch.
    #[error("the row: {0}")]
    Row(#[from] DecodeError),
}

impl DispatchProof {
    /// Checks everything against the channel id that the device trusts; returns the dispatch and
    /// the time of the block that was finalized.
    ///
    /// # Errors
    ///
    /// Returns the first [`DispatchProofError`] found.
    pub fn verify(&self, trusted: &ChannelId) -> Result<(Dispatch, i64), DispatchProofError> {
        let mut keys = self.committee.clone();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() != self.committee.len()
            || Genesis::channel_of(&keys, &self.genesis_hash) != *trusted
        {
            return Err(DispatchProofError::NotTheCommittee);
        }
        let (first, last) = self.header_chain()?;
        let committee: Vec<[u8; 32]> = keys.iter().map(|key| *key.bytes()).collect();
        Certificate::decode(&self.certificate)?.verify(trusted, &committee, &last)?;
        let mut key = vec![DISPATCH_TABLE];
        self.id.encode(&mut key);
        if !self.state.verify(&first.checkpoint.state_root, &key, &self.row) {
            return Err(DispatchProofError::NotInTheState);
        }
        let mut row = self.row.as_slice();
        let dispatch = Dispatch::decode(&mut row)?;
        if !row.is_empty() {
            return Err(DecodeError::LeftOver(row.len()).into());
        }
        Ok((dispatch, last.time_ms))
    }

    fn header_chain(&self) -> Result<(Header, Header), DispatchProofError> {
        if self.headers.len() > HEADERS_MAX {
            return Err(DispatchProofError::Headers);
        }
        let mut headers = self.headers.iter();
        let first = Header::decode(headers.next().ok_or(DispatchProofError::Headers)?)?;
        let mut last = first;
        for bytes in headers {
            let next = Header::decode(bytes)?;
            if next.parent != last.digest() || Some(next.height) != last.height.checked_add(1) {
                return Err(DispatchProofError::Headers);
            }
            last = next;
        }
        Ok((first, last))
    }
}
