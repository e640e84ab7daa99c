//! A receipt that anyone can check with one 32-byte trust anchor: the channel id.
//!
//! What the check follows, from the receipt up: the receipt is a leaf of its block's Merkle tree;
//! the root of the tree and the number of its leaves make the block's receipts hash; this, chained
//! behind those of all earlier blocks and before those of the blocks up to a checkpoint, gives a
//! receipts root; a header carries it; a quorum of the committee finalized that header or one that
//! descends from it; committee and genesis hash make the channel id. Format: docs/spec/receipt-proof.md.

use super::finality::{Certificate, FinalityError, Header};
use crate::wire::{Bytes, Hex32};
use duet_ledger::{
    ChannelId, DecodeError, Digest, Genesis, PublicKey, Receipt, block_receipts_from_path,
    chain_receipts, decode_all,
};
use serde::{Deserialize, Serialize};

/// The most blocks between a receipt and the checkpoint that proves it. Honest validators
/// checkpoint every block, so that is a handful; the limit bounds the work of a reader.
pub const LATER_BLOCKS_MAX: usize = 4_096;
/// The most headers in a proof.
const HEADERS_MAX: usize = 4_096;

/// A receipt with all that is needed to check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReceiptProof {
    /// The version of this format: 2.
    pub version: u8,
    /// The channel id that the proof claims; a reader compares it with the one that it trusts.
    pub channel: Hex32,
    /// The public keys of the validators.
    pub committee: Vec<Hex32>,
    /// The hash of the genesis, which with the committee makes the channel id.
    pub genesis_hash: Hex32,
    /// The height of the receipt's block.
    pub height: u64,
    /// The place of the receipt in its block, from 0.
    pub index: u32,
    /// How many receipts the block has.
    pub count: u32,
    /// The canonical bytes of the receipt.
    pub receipt: Bytes,
    /// The siblings from the receipt to the root of its block's tree, lowest first; null where
    /// there is none.
    pub path: Vec<Option<Hex32>>,
    /// The receipts root after the block before.
    pub previous_receipts_root: Hex32,
    /// The receipts hashes of the blocks after it, up to the checkpoint's.
    pub later_blocks: Vec<Hex32>,
    /// Headers, each the parent of the next: the first carries the checkpoint.
    pub headers: Vec<Bytes>,
    /// The finality certificate over the last header.
    pub certificate: Bytes,
}

/// What a proof proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReceipt {
    /// The channel that the receipt is of.
    pub channel: ChannelId,
    /// The height of its block.
    pub height: u64,
    /// Its place in the block, from 0.
    pub index: u32,
    /// How many receipts the block has.
    pub count: u32,
    /// What came of the transaction.
    pub receipt: Receipt,
    /// The height of the header that was finalized.
    pub certified_height: u64,
    /// How many validators signed it.
    pub signers: usize,
    /// How many there are.
    pub validators: usize,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The version is not one that this program knows.
    #[error("version {0} of the proof is not known")]
    Version(u8),
    /// The proof is of another channel than the one trusted.
    #[error("the proof is of another channel")]
    OtherChannel,
    /// The committee and genesis hash are not those of the channel.
    #[error("committee and genesis hash do not make the channel id")]
    NotTheCommittee,
    /// The receipt's bytes are not canonical.
    #[error("the receipt: {0}")]
    Receipt(#[from] DecodeError),
    /// The path does not fit a tree of that size.
    #[error("the path does not fit a block of {count} receipts")]
    Path {
        /// The announced number of receipts.
        count: u32,
    },
    /// The proof has no header, or too many parts.
    #[error("the proof has {what} {length} long; 1 to {limit} are allowed")]
    Length {
        /// Which part.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The checkpoint is of another height than the blocks given.
    #[error("the checkpoint is of height {checkpoint}, the blocks given end at {end}")]
    CheckpointHeight {
        /// The checkpoint's.
        checkpoint: u64,
        /// The last block's.
        end: u64,
    },
    /// The chain of receipts does not end in the checkpoint's root.
    #[error("the receipts do not give the receipts root of the checkpoint")]
    ReceiptsRoot,
    /// The header is not final.
    #[error("finality: {0}")]
    Finality(#[from] FinalityError),
}

impl ReceiptProof {
    /// The version of the format that this release writes.
    pub const VERSION: u8 = 2;

    /// Checks everything against the one channel id that the reader trusts.
    ///
    /// # Errors
    ///
    /// Returns the first [`ProofError`] found.
    pub fn verify(&self, trusted: &ChannelId) -> Result<VerifiedReceipt, ProofError> {
        if self.version != Self::VERSION {
            return Err(ProofError::Version(self.version));
        }
        if self.channel.0 != *trusted {
            return Err(ProofError::OtherChannel);
        }
        let committee = self.committee()?;
        let receipt: Receipt = decode_all(&self.receipt.0)?;
        let (first, last) = self.header_chain()?;
        self.check_checkpoint(&first)?;
        let certificate = Certificate::decode(&self.certificate.0)?;
        certificate.verify(trusted, &committee, &last)?;
        Ok(VerifiedReceipt {
            channel: *trusted,
            height: self.height,
            index: self.index,
            count: self.count,
            receipt,
            certified_height: last.height,
            signers: certificate.signatures.len(),
            validators: committee.len(),
        })
    }

    /// The committee, if it is the channel's.
    fn committee(&self) -> Result<Vec<[u8; 32]>, ProofError> {
        let mut keys: Vec<PublicKey> =
            self.committee.iter().map(|key| PublicKey::from_bytes(key.0)).collect();
        let listed = keys.len();
        keys.sort_unstable();
        keys.dedup();
        let channel = Genesis::channel_of(&keys, &self.genesis_hash.0);
        if keys.len() == listed && channel == self.channel.0 {
            Ok(keys.iter().map(|key| *key.bytes()).collect())
        } else {
            Err(ProofError::NotTheCommittee)
        }
    }

    /// The first and the last header, if each is the parent of the next.
    fn header_chain(&self) -> Result<(Header, Header), ProofError> {
        let length = self.headers.len();
        let wrong = ProofError::Length { what: "headers", length, limit: HEADERS_MAX };
        let Some((first, rest)) = self.headers.split_first() else { return Err(wrong) };
        if length > HEADERS_MAX {
            return Err(wrong);
        }
        let first = Header::decode(&first.0)?;
        let mut last = first;
        for (index, bytes) in rest.iter().enumerate() {
            let next = Header::decode(&bytes.0)?;
            if next.parent != last.digest() || Some(next.height) != last.height.checked_add(1) {
                return Err(FinalityError::BrokenChain(index).into());
            }
            last = next;
        }
        Ok((first, last))
    }

    /// Checks that the receipts up to the checkpoint give its receipts root.
    fn check_checkpoint(&self, header: &Header) -> Result<(), ProofError> {
        let checkpoint = header.checkpoint;
        let length = self.later_blocks.len();
        if length > LATER_BLOCKS_MAX {
            let limit = LATER_BLOCKS_MAX;
            return Err(ProofError::Length { what: "later blocks", length, limit });
        }
        let end = self.height.saturating_add(length as u64);
        if checkpoint.height != end || header.height <= end {
            return Err(ProofError::CheckpointHeight { checkpoint: checkpoint.height, end });
        }
        let mut root =
            chain_receipts(&self.previous_receipts_root.0, self.height, &self.block_receipts()?);
        for (height, block) in (self.height..end).zip(&self.later_blocks) {
            root = chain_receipts(&root, height + 1, &block.0);
        }
        if root == checkpoint.receipts_root { Ok(()) } else { Err(ProofError::ReceiptsRoot) }
    }

    /// The receipts hash of the receipt's block.
    fn block_receipts(&self) -> Result<Digest, ProofError> {
        let path: Vec<Option<Digest>> =
            self.path.iter().map(|sibling| sibling.map(|hash| hash.0)).collect();
        block_receipts_from_path(&self.receipt.0, self.index, self.count, &path)
            .ok_or(ProofError::Path { count: self.count })
    }
}
