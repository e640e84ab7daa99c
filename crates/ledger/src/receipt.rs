//! Receipts: what came of a transaction, and how they are committed to.

use crate::codec::record;
use crate::hash::{Digest, hash};
use crate::rejection::Rejection;

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

/// The receipts root of a block: it commits to the block's receipts and to those of every block
/// before it, so that one later checkpoint proves them all.
#[must_use]
pub fn chain_receipts(previous: &Digest, height: u64, block: &Digest) -> Digest {
    hash(CHAIN_DOMAIN, &[previous, &height.to_be_bytes(), block])
}
