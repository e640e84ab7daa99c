//! What the parts of a node share: the executed state, the mempool, recent results.

use crate::{
    clock::Clock,
    events::EventLog,
    mempool::{Mempool, MempoolLimits},
};
use duet_consensus::Checkpoint;
use duet_ledger::{ChannelId, Digest, Genesis, Receipt, State};
use duet_units::ClockTime;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};
use tokio::sync::{Notify, watch};

/// How many heights back the roots of our own execution are kept, to judge checkpoints by. An
/// honest proposer's checkpoint is a few heights old.
const ROOTS_KEPT: usize = 4_096;
/// How many receipts can be found by the hash of their transaction.
const RECEIPTS_KEPT: usize = 500_000;

/// The roots after the block at a height, as this validator executed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Executed {
    pub(crate) state_root: Digest,
    pub(crate) receipts_root: Digest,
}

/// A receipt with its place on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalReceipt {
    /// The height of the block.
    pub height: u64,
    /// The place in the block.
    pub index: u32,
    /// What came of the transaction.
    pub receipt: Receipt,
}

/// Receipts by transaction, the latest ones.
#[derive(Debug, Default)]
pub(crate) struct ReceiptIndex {
    by_hash: BTreeMap<Digest, FinalReceipt>,
    order: VecDeque<Digest>,
}

impl ReceiptIndex {
    pub(crate) fn add(&mut self, height: u64, receipts: &[Receipt]) {
        for (index, receipt) in (0_u32..).zip(receipts) {
            let entry = FinalReceipt { height, index, receipt: receipt.clone() };
            // A transaction that is in the chain twice was acted on the first time.
            let hash = receipt.transaction;
            if self.by_hash.contains_key(&hash) {
                continue;
            }
            self.by_hash.insert(hash, entry);
            self.order.push_back(hash);
            if RECEIPTS_KEPT < self.order.len()
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_hash.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, hash: &Digest) -> Option<FinalReceipt> {
        self.by_hash.get(hash).cloned()
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) genesis: Genesis,
    pub(crate) channel: ChannelId,
    pub(crate) clock: Clock,
    pub(crate) state: RwLock<State>,
    pub(crate) mempool: Mutex<Mempool>,
    pub(crate) roots: Mutex<BTreeMap<u64, Executed>>,
    pub(crate) receipts: Mutex<ReceiptIndex>,
    pub(crate) events: EventLog,
    /// The height that has been executed.
    pub(crate) executed: watch::Sender<u64>,
    /// Rung when a transaction is added to an empty mempool.
    pub(crate) arrivals: Notify,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        (name, genesis): (String, Genesis),
        clock: Clock,
        state: State,
        limits: MempoolLimits,
    ) -> Self {
        let executed = watch::channel(state.height()).0;
        Self {
            name,
            channel: *state.channel(),
            events: EventLog::new(state.height()),
            genesis,
            clock,
            state: RwLock::new(state),
            mempool: Mutex::new(Mempool::new(limits)),
            roots: Mutex::default(),
            receipts: Mutex::default(),
            executed,
            arrivals: Notify::new(),
        }
    }

    pub(crate) fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn now(&self) -> ClockTime {
        self.clock.now()
    }

    pub(crate) fn remember_roots(&self, height: u64, executed: Executed) {
        let mut roots = lock(&self.roots);
        roots.insert(height, executed);
        while ROOTS_KEPT < roots.len() {
            roots.pop_first();
        }
    }

    /// The last executed height with its roots.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let roots = lock(&self.roots);
        roots.last_key_value().map_or(
            Checkpoint { height: 0, state_root: [0; 32], receipts_root: [0; 32] },
            |(height, executed)| Checkpoint {
                height: *height,
                state_root: executed.state_root,
                receipts_root: executed.receipts_root,
            },
        )
    }
}
