//! Checking signatures in batches.

use duet_ledger::Transaction;
use ed25519_zebra::{Signature, batch};
use std::sync::Arc;

/// Whether every signature is valid: one batch, which costs about half of checking each.
///
/// By the rules of ZIP 215 a batch is valid exactly when each of its signatures is, so validators
/// that batch differently agree.
#[must_use]
pub fn all_valid<'a>(transactions: impl IntoIterator<Item = &'a Transaction>) -> bool {
    let mut verifier = batch::Verifier::new();
    let mut count = 0_usize;
    for transaction in transactions {
        let signature = Signature::from(transaction.signature());
        let key = ed25519_zebra::VerificationKeyBytes::from(*transaction.signer().bytes());
        verifier.queue((key, signature, &transaction.message()));
        count += 1;
    }
    count == 0 || verifier.verify(commonware_utils::sys_rng()).is_ok()
}

/// Which transactions are validly signed: the whole batch at once, and one by one only where that
/// fails.
pub(crate) fn which_valid(transactions: &[Arc<Transaction>]) -> Vec<bool> {
    if all_valid(transactions.iter().map(AsRef::as_ref)) {
        return vec![true; transactions.len()];
    }
    transactions.iter().map(|transaction| transaction.signature_is_valid()).collect()
}
