//! What a validator does with blocks: fills them from the mempool, judges those of others, and
//! hands final ones to execution.

use crate::{
    executor::Executor,
    mempool::{Ahead, Source},
    shared::{Executed, Shared, lock},
    signatures,
};
use bytes::Bytes;
use duet_consensus::{Application, Block, Header, Proposal};
use duet_ledger::{Body, Encode, MAX_BLOCK_TRANSACTIONS, State, decode_all};
use duet_units::ClockTime;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tracing::warn;

/// How far a block's time may be ahead of a validator's own market clock before the validator
/// waits with its vote.
const DRIFT_MS: i64 = 500;
/// How long to wait before looking again at a clock that is behind.
const CLOCK_POLL: Duration = Duration::from_millis(20);
/// The pause before an empty block while the chain is in use ...
const ACTIVE_PAUSE: Duration = Duration::from_millis(10);
/// ... and at rest. Below half of the engine's leader timeout.
const REST_PAUSE: Duration = Duration::from_millis(400);
/// The chain is in use while one of its last blocks held a transaction.
const BLOCKS_UNTIL_REST: u64 = 48;

/// A validator's application.
#[derive(Clone)]
pub(crate) struct Validator {
    pub(crate) shared: Arc<Shared>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) durable_height: u64,
    pub(crate) block_bytes_max: usize,
    /// The height of the last block seen with a transaction in it.
    pub(crate) last_busy: Arc<AtomicU64>,
}

impl Validator {
    /// Waits for something to put into a block, for as long as the chain's use asks.
    async fn pace(&self, height: u64) {
        let busy = self.last_busy.load(Ordering::Relaxed);
        let pause = if height <= busy + BLOCKS_UNTIL_REST { ACTIVE_PAUSE } else { REST_PAUSE };
        let arrival = self.shared.arrivals.notified();
        let sleep = self.shared.clock.sleep(pause);
        futures::future::select(std::pin::pin!(arrival), std::pin::pin!(sleep)).await;
    }

    fn note_use(&self, height: u64, transactions: usize) {
        if 0 < transactions {
            self.last_busy.fetch_max(height, Ordering::Relaxed);
        }
    }

    /// Whether the block's checkpoint is what this validator got, once it has got there.
    async fn checkpoint_is_ours(&self, block: &Header, parent: &Header) -> bool {
        let checkpoint = block.checkpoint;
        if block.height <= checkpoint.height || checkpoint.height < parent.checkpoint.height {
            return false;
        }
        let mut executed = self.shared.executed.subscribe();
        if executed.wait_for(|height| checkpoint.height <= *height).await.is_err() {
            // The node is stopping: no verdict.
            return std::future::pending().await;
        }
        let ours = lock(&self.shared.roots).get(&checkpoint.height).copied();
        ours == Some(Executed {
            state_root: checkpoint.state_root,
            receipts_root: checkpoint.receipts_root,
        })
    }

    /// Holds a proposed block to the rules; the error names the one that it breaks.
    async fn judge(&self, block: &Block, parent: &Header) -> Result<(), &'static str> {
        if block.header.time_ms < parent.time_ms {
            return Err("time runs forward");
        }
        let body = decode_all::<Body>(&block.body).map_err(|_| "the body is canonical")?;
        if !self.transactions_are_valid(&body) {
            return Err("transactions are of this channel and validly signed");
        }
        self.note_use(block.header.height, body.transactions.len());
        self.time_has_come(block.header.time_ms).await;
        if self.checkpoint_is_ours(&block.header, parent).await {
            Ok(())
        } else {
            Err("the checkpoint is what executing its height gives")
        }
    }

    async fn time_has_come(&self, time_ms: i64) {
        while self.shared.now().plus_ms(DRIFT_MS) < ClockTime::from_unix_ms(time_ms) {
            self.shared.clock.sleep(CLOCK_POLL).await;
        }
    }

    /// Whether every transaction is of this channel and validly signed. Those in the mempool were
    /// checked when they came.
    fn transactions_are_valid(&self, body: &Body) -> bool {
        let unknown: Vec<_> = {
            let mempool = lock(&self.shared.mempool);
            let mut all = body.transactions.iter();
            if all.any(|transaction| transaction.channel() != &self.shared.channel) {
                return false;
            }
            body.transactions.iter().filter(|t| !mempool.contains(t.hash())).collect()
        };
        signatures::all_valid(unknown)
    }
}

impl Application for Validator {
    fn durable_height(&self) -> u64 {
        self.durable_height
    }

    async fn propose(&mut self, parent: &Header, pending: &[Block]) -> Option<Proposal> {
        // A checkpoint never goes back: one that has fallen behind catches up first.
        let mut executed = self.shared.executed.subscribe();
        executed.wait_for(|height| parent.checkpoint.height <= *height).await.ok()?;
        let mut ahead = Ahead::default();
        for body in pending.iter().filter_map(|block| decode_all::<Body>(&block.body).ok()) {
            ahead.add(&body);
        }
        let limits = (MAX_BLOCK_TRANSACTIONS, self.block_bytes_max - 4);
        let executed = |signer| self.shared.read(|state| state.nonce(signer));
        let next =
            || lock(&self.shared.mempool).next_block(parent.height + 1, &ahead, executed, limits);
        let mut transactions = next();
        if transactions.is_empty() {
            self.pace(parent.height + 1).await;
            transactions = next();
        }
        self.note_use(parent.height + 1, transactions.len());
        let body = Body { transactions: transactions.iter().map(|t| t.as_ref().clone()).collect() };
        Some(Proposal {
            time_ms: self.shared.now().unix_ms().max(parent.time_ms),
            checkpoint: self.shared.checkpoint(),
            body: body.to_bytes().into(),
        })
    }

    async fn verify(&mut self, block: &Block, parent: &Header) -> bool {
        let verdict = self.judge(block, parent).await;
        if let Err(rule) = verdict {
            // Only a validator that lies or has another program proposes such a block.
            warn!(node = self.shared.name, height = block.header.height, rule, "block refused");
        }
        verdict.is_ok()
    }

    async fn finalized(&mut self, block: Block) {
        self.executor.execute(block).await;
    }

    fn heard(&self, messages: Vec<Bytes>) {
        let source = Source::Validator { height: self.shared.read(State::height) };
        for transaction in self.shared.read_batch(&messages).into_iter().flatten() {
            // Who sent it told its client that it waits; here it is only welcome. A rule that
            // refuses it by now will refuse it in its block, too.
            self.shared.admit(transaction, source).ok();
        }
    }
}
