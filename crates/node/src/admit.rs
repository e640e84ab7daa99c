//! How transactions come into the mempool: from clients of this node, and from other validators.

use crate::{
    handle::SubmitError,
    mempool::Source,
    shared::{Shared, lock},
    signatures,
};
use duet_ledger::{Digest, Refusal, Rejection, Transaction, admission};
use std::sync::Arc;

impl Shared {
    /// Reads many transactions and checks their signatures as one batch. What is known already is
    /// not checked again.
    pub(crate) fn read_batch<B: AsRef<[u8]>>(
        &self,
        many: &[B],
    ) -> Vec<Result<Arc<Transaction>, Refusal>> {
        let read: Vec<Result<Arc<Transaction>, Refusal>> = many
            .iter()
            .map(|bytes| admission::stateless(bytes.as_ref(), &self.channel, false).map(Arc::new))
            .collect();
        let unknown: Vec<Arc<Transaction>> =
            read.iter().flatten().filter(|t| !self.knows(t.hash())).cloned().collect();
        let mut checked =
            unknown.iter().map(|t| *t.hash()).zip(signatures::which_valid(&unknown)).peekable();
        read.into_iter()
            .map(|transaction| {
                let transaction = transaction?;
                let valid = checked
                    .next_if(|(hash, _)| hash == transaction.hash())
                    .is_none_or(|(_, valid)| valid);
                if valid {
                    Ok(transaction)
                } else {
                    Err(Rejection::BadSignature.of("signature", 0, 0))
                }
            })
            .collect()
    }

    /// Whether a transaction waits here or is final; then its signature was checked.
    pub(crate) fn knows(&self, hash: &Digest) -> bool {
        lock(&self.mempool).contains(hash) || lock(&self.receipts).get(hash).is_some()
    }

    /// Holds a validly signed transaction to the executed state and adds it to the mempool.
    /// `true` if it is new here.
    pub(crate) fn admit(
        &self,
        transaction: Arc<Transaction>,
        source: Source,
    ) -> Result<bool, SubmitError> {
        // The same bytes again are no second request: the first is waiting or final.
        if self.knows(transaction.hash()) {
            return Ok(false);
        }
        self.read(|state| admission::against(state, &transaction))?;
        let mut mempool = lock(&self.mempool);
        // Its block may have been executed meanwhile; that takes it out before this or after it.
        if lock(&self.receipts).get(transaction.hash()).is_some() {
            return Ok(false);
        }
        mempool.add(transaction, source)?;
        drop(mempool);
        self.arrivals.notify_one();
        Ok(true)
    }
}
