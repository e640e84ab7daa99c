//! Transactions that were admitted and are not final yet, by arrival.

use duet_ledger::{Digest, State, Transaction};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The limits of a mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// The most transactions.
    pub transactions: usize,
    /// The most bytes.
    pub bytes: usize,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self { transactions: 200_000, bytes: 64 << 20 }
    }
}

/// The mempool is full: try again when blocks have taken some out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mempool holds its limit of {limit} transactions")]
pub struct MempoolFull {
    /// The limit.
    pub limit: usize,
}

/// Admitted transactions, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Mempool {
    limits: MempoolLimits,
    next: u64,
    bytes: usize,
    by_arrival: BTreeMap<u64, Arc<Transaction>>,
    arrivals: BTreeMap<Digest, u64>,
}

impl Mempool {
    pub(crate) const fn new(limits: MempoolLimits) -> Self {
        Self { limits, next: 0, bytes: 0, by_arrival: BTreeMap::new(), arrivals: BTreeMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_arrival.len()
    }

    pub(crate) fn contains(&self, hash: &Digest) -> bool {
        self.arrivals.contains_key(hash)
    }

    /// Adds a transaction behind the others; one that is there already stays where it is.
    pub(crate) fn add(&mut self, transaction: Arc<Transaction>) -> Result<(), MempoolFull> {
        if self.contains(transaction.hash()) {
            return Ok(());
        }
        let size = transaction.bytes().len();
        if self.limits.transactions <= self.len() || self.limits.bytes < self.bytes + size {
            return Err(MempoolFull { limit: self.limits.transactions });
        }
        self.bytes += size;
        self.arrivals.insert(*transaction.hash(), self.next);
        self.by_arrival.insert(self.next, transaction);
        self.next += 1;
        Ok(())
    }

    pub(crate) fn remove(&mut self, hash: &Digest) {
        if let Some(transaction) =
            self.arrivals.remove(hash).and_then(|place| self.by_arrival.remove(&place))
        {
            self.bytes -= transaction.bytes().len();
        }
    }

    /// Drops what can never be applied any more: nonces that the state has passed.
    pub(crate) fn drop_stale(&mut self, state: &State) {
        let stale: Vec<Digest> = self
            .by_arrival
            .values()
            .filter(|transaction| transaction.nonce() <= state.nonce(*transaction.signer()))
            .map(|transaction| *transaction.hash())
            .collect();
        for hash in stale {
            self.remove(&hash);
        }
    }

    /// The next transactions for a block of at most `count` and `bytes`, without those in
    /// `pending` blocks. They stay here until they are final.
    ///
    /// Of one signer, those with a lower nonce come first, whatever the order in which they came:
    /// another order would refuse them.
    pub(crate) fn next_block(
        &self,
        pending: &BTreeSet<Digest>,
        (count, bytes): (usize, usize),
    ) -> Vec<Arc<Transaction>> {
        let mut taken: Vec<Arc<Transaction>> = Vec::new();
        let mut size = 0;
        for transaction in self.by_arrival.values() {
            if pending.contains(transaction.hash()) {
                continue;
            }
            // Each has a length of four bytes before it in the body.
            size += transaction.bytes().len() + 4;
            if taken.len() == count || bytes < size {
                break;
            }
            taken.push(transaction.clone());
        }
        sort_nonces(&mut taken);
        taken
    }
}

/// Puts the transactions of each signer, within the places that they hold, in order of nonces.
fn sort_nonces(transactions: &mut [Arc<Transaction>]) {
    let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, transaction) in transactions.iter().enumerate() {
        places.entry(*transaction.signer()).or_default().push(place);
    }
    for places in places.into_values().filter(|places| 1 < places.len()) {
        let mut own: Vec<_> = places.iter().map(|place| transactions[*place].clone()).collect();
        own.sort_by_key(|transaction| transaction.nonce());
        for (place, transaction) in places.into_iter().zip(own) {
            transactions[place] = transaction;
        }
    }
}
