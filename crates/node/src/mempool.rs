//! Transactions that were admitted and are not final yet, by arrival.

use duet_ledger::{Body, Digest, PublicKey, State, Transaction};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many blocks a transaction that another validator passed on waits for the one before it.
/// By then that validator had many turns to propose both.
const GAP_BLOCKS: u64 = 64;

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

/// Who a transaction came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A client of this validator.
    Client,
    /// Another validator, when this one had executed `height`.
    Validator {
        /// The height.
        height: u64,
    },
}

/// What blocks hold that the next one builds on and that are not executed yet.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    hashes: BTreeSet<Digest>,
    nonces: BTreeMap<PublicKey, u64>,
}

impl Ahead {
    pub(crate) fn add(&mut self, body: &Body) {
        for transaction in &body.transactions {
            self.hashes.insert(*transaction.hash());
            let last = self.nonces.entry(*transaction.signer()).or_default();
            *last = transaction.nonce().max(*last);
        }
    }
}

/// Admitted transactions, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Mempool {
    limits: MempoolLimits,
    next: u64,
    bytes: usize,
    by_arrival: BTreeMap<u64, (Arc<Transaction>, Source)>,
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
    pub(crate) fn add(
        &mut self,
        transaction: Arc<Transaction>,
        source: Source,
    ) -> Result<(), MempoolFull> {
        if self.contains(transaction.hash()) {
            return Ok(());
        }
        let size = transaction.bytes().len();
        if self.limits.transactions <= self.len() || self.limits.bytes < self.bytes + size {
            return Err(MempoolFull { limit: self.limits.transactions });
        }
        self.bytes += size;
        self.arrivals.insert(*transaction.hash(), self.next);
        self.by_arrival.insert(self.next, (transaction, source));
        self.next += 1;
        Ok(())
    }

    pub(crate) fn remove(&mut self, hash: &Digest) {
        if let Some((transaction, _)) =
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
            .map(|(transaction, _)| transaction)
            .filter(|transaction| transaction.nonce() <= state.nonce(*transaction.signer()))
            .map(|transaction| *transaction.hash())
            .collect();
        for hash in stale {
            self.remove(&hash);
        }
    }

    /// The next transactions for a block at `height` of at most `count` and `bytes`, without those
    /// in blocks `ahead`. They stay here until they are final.
    ///
    /// Of one signer, those with a lower nonce come first, whatever the order in which they came:
    /// another order would refuse them. One that another validator passed on therefore waits until
    /// all before it are known here, or are in a block; `executed` gives the last nonce that the
    /// executed state holds of a signer.
    pub(crate) fn next_block(
        &self,
        height: u64,
        ahead: &Ahead,
        executed: impl Fn(PublicKey) -> u64,
        (count, bytes): (usize, usize),
    ) -> Vec<Arc<Transaction>> {
        let mut taken: Vec<Arc<Transaction>> = Vec::new();
        let mut size = 0;
        let mut last: BTreeMap<PublicKey, u64> = BTreeMap::new();
        let mut early: BTreeMap<(PublicKey, u64), &Arc<Transaction>> = BTreeMap::new();
        for (transaction, source) in self.by_arrival.values() {
            if ahead.hashes.contains(transaction.hash()) {
                continue;
            }
            let (signer, nonce) = (*transaction.signer(), transaction.nonce());
            let last = last.entry(signer).or_insert_with(|| {
                executed(signer).max(ahead.nonces.get(&signer).copied().unwrap_or(0))
            });
            if source.is_early(nonce, *last, height) {
                early.insert((signer, nonce), transaction);
                continue;
            }
            let mut next = Some(transaction);
            while let Some(transaction) = next {
                // Each has a length of four bytes before it in the body.
                size += transaction.bytes().len() + 4;
                if taken.len() == count || bytes < size {
                    sort_nonces(&mut taken);
                    return taken;
                }
                taken.push(transaction.clone());
                *last = transaction.nonce().max(*last);
                next = last.checked_add(1).and_then(|nonce| early.remove(&(signer, nonce)));
            }
        }
        sort_nonces(&mut taken);
        taken
    }
}

impl Source {
    /// Whether a transaction with `nonce` has to wait for others of its signer, of whose nonces
    /// `last` is the last one known.
    const fn is_early(self, nonce: u64, last: u64, height: u64) -> bool {
        match self {
            Self::Client => false,
            Self::Validator { height: heard } => {
                last.saturating_add(1) < nonce && height <= heard.saturating_add(GAP_BLOCKS)
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use duet_ledger::{Action, SessionId, Unsigned};
    use ed25519_zebra::{SigningKey, VerificationKeyBytes};

    const HEARD: Source = Source::Validator { height: 10 };
    const ROOMY: (usize, usize) = (100, 1 << 20);

    fn transaction(signer: u8, nonce: u64) -> Arc<Transaction> {
        let key = SigningKey::from([signer; 32]);
        let signer = PublicKey::from_bytes(VerificationKeyBytes::from(&key).into());
        let action = Action::IssueDispatch { session: SessionId(1) };
        Arc::new(Unsigned { channel: [0; 32], signer, nonce, action }.sign(&key))
    }

    fn mempool(transactions: &[(u8, u64, Source)]) -> Mempool {
        let mut mempool = Mempool::new(MempoolLimits::default());
        for (signer, nonce, source) in transactions {
            mempool.add(transaction(*signer, *nonce), *source).unwrap();
        }
        mempool
    }

    /// The nonces of the block at `height` after a state that has executed nonces up to `executed`.
    fn nonces(mempool: &Mempool, height: u64, executed: u64, ahead: &Ahead) -> Vec<u64> {
        let block = mempool.next_block(height, ahead, |_| executed, ROOMY);
        block.iter().map(|transaction| transaction.nonce()).collect()
    }

    #[test]
    fn what_was_passed_on_waits_for_what_comes_before_it() {
        let mut mempool = mempool(&[(1, 5, HEARD), (1, 4, HEARD)]);
        assert!(nonces(&mempool, 11, 2, &Ahead::default()).is_empty(), "3 was lost on its way");
        mempool.add(transaction(1, 3), HEARD).unwrap();
        assert_eq!(nonces(&mempool, 11, 2, &Ahead::default()), [3, 4, 5]);
    }

    #[test]
    fn what_blocks_ahead_hold_counts() {
        let mempool = mempool(&[(1, 3, HEARD), (1, 4, HEARD), (1, 5, HEARD)]);
        let mut ahead = Ahead::default();
        let transactions = vec![transaction(1, 3).as_ref().clone()];
        ahead.add(&Body { transactions });
        assert_eq!(nonces(&mempool, 11, 2, &ahead), [4, 5]);
    }

    #[test]
    fn a_client_may_leave_nonces_out() {
        let mempool = mempool(&[(1, 9, Source::Client), (1, 10, HEARD), (1, 7, Source::Client)]);
        assert_eq!(nonces(&mempool, 11, 2, &Ahead::default()), [7, 9, 10]);
    }

    #[test]
    fn nothing_waits_for_ever() {
        let mempool = mempool(&[(1, 9, HEARD)]);
        assert!(nonces(&mempool, 10 + GAP_BLOCKS, 2, &Ahead::default()).is_empty());
        assert_eq!(nonces(&mempool, 11 + GAP_BLOCKS, 2, &Ahead::default()), [9]);
    }

    #[test]
    fn who_waits_takes_no_place_from_others() {
        let mempool = mempool(&[(1, 9, HEARD), (1, u64::MAX, HEARD), (2, 3, HEARD)]);
        let block = mempool.next_block(11, &Ahead::default(), |_| 2, (1, 1 << 20));
        assert_eq!(block, [transaction(2, 3)]);
        assert!(mempool.next_block(11, &Ahead::default(), |_| 2, (1, 3)).is_empty());
    }
}
