//! Checking the receipts of a day as an outsider would: with the channel id alone.

use duet_ledger::Digest;
use duet_node::Handle;

/// How many of `transactions` have a receipt whose proof convinces an outsider.
pub(crate) async fn count_verified(node: &Handle, transactions: &[Digest]) -> u64 {
    let channel = node.genesis().channel();
    let mut verified = 0;
    for hash in transactions {
        let Some(proof) = node.receipt_proof(hash).await else { continue };
        if proof.verify(&channel).is_ok_and(|seen| seen.receipt.transaction == *hash) {
            verified += 1;
        }
    }
    verified
}
