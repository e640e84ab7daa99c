//! Receipts: what came of a transaction, and how they are committed to.

use crate::codec::{Encode as _, record};
use crate::hash::{Digest, hash, merkle_root, merkle_root_from_path};
use crate::rejection::Rejection;

const BLOCK_DOMAIN: &[u8] = b"duet/block-receipts/v1";
const CHAIN_DOMAIN: &[u8] = b"duet/receipts/v1";

record! {
    /// What came of one transaction.
    pub struct Receipt {
        /// The hash of the transaction.
        pub transaction: Digest,
        /// 0 if accepted, else the number of the [`Rejection`].
        pub code: u16,
        /// The number of the thing that was made or acted on (order, session, payment, dispatch,
        /// lot); 0 if refused or if there is none.
        pub subject: u64,
    }
}

impl Receipt {
    /// Whether the transaction was accepted.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.code == 0
    }

    /// Why it was refused; `None` if accepted or if the number is of a later release.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        Rejection::from_code(self.code)
    }
}

/// What a block's receipts come to: it commits to each of them, to their order and to how many
/// there are. The root of the tree alone does not commit to its size, and so to no leaf's place.
#[must_use]
pub fn block_receipts(receipts: &[Receipt]) -> Digest {
    let leaves: Vec<Vec<u8>> = receipts.iter().map(Receipt::to_bytes).collect();
    commit(u32::try_from(leaves.len()).unwrap_or(u32::MAX), &merkle_root(&leaves))
}

/// What the receipts of a block come to in which the one with these bytes is at `index` of `count`
/// and has these siblings in the tree; `None` if the path does not fit a tree of that size.
#[must_use]
pub fn block_receipts_from_path(
    receipt: &[u8],
    index: u32,
    count: u32,
    path: &[Option<Digest>],
) -> Option<Digest> {
    let (place, size) = (usize::try_from(index).ok()?, usize::try_from(count).ok()?);
    Some(commit(count, &merkle_root_from_path(receipt, place, size, path)?))
}

fn commit(count: u32, tree: &Digest) -> Digest {
    hash(BLOCK_DOMAIN, &[&count.to_be_bytes(), tree])
}

/// The receipts root of a block: it commits to the block's receipts and to those of every block
/// before it, so that one later checkpoint proves them all.
#[must_use]
pub fn chain_receipts(previous: &Digest, height: u64, block: &Digest) -> Digest {
    hash(CHAIN_DOMAIN, &[previous, &height.to_be_bytes(), block])
}
