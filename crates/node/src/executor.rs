//! Execution of final blocks, one after another, and what must be on disk for them.

use crate::{
    shared::{Executed, Shared, lock},
    store::{Receipts, Store, StoreError},
};
use commonware_runtime::Spawner;
use commonware_storage::Context;
use duet_consensus::Block;
use duet_ledger::{
    Body, BrokenInvariant, Decode as _, DecodeError, Digest, Encode as _, Genesis, GenesisError,
    Receipt, State, decode_all,
};
use duet_sdk::proof::state::StateProof;
use duet_units::ClockTime;
use futures::{future::BoxFuture, lock::Mutex};
use std::sync::{Arc, PoisonError};
use tracing::{error, info};

/// After how many blocks the store is made durable. Blocks are durable before they are executed,
/// so a crash costs the execution of at most this many again, not their content.
const SYNC_EVERY: u64 = 64;
/// After how many blocks the store drops history that nobody needs.
const PRUNE_EVERY: u64 = 16_384;
/// The receipts of how many past blocks are read at start, to be found by transaction.
const RECEIPTS_AT_START: u64 = 4_096;

/// Why a node cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The genesis cannot begin a channel.
    #[error("genesis: {0}")]
    Genesis(#[from] GenesisError),
    /// The store holds what this program does not write.
    #[error("the store of the state cannot be read: {0}")]
    Corrupted(#[from] DecodeError),
    /// The store is of another channel.
    #[error("the store is of another channel: its genesis is not the configured one")]
    OtherChannel,
    /// A rule that holds by construction did not.
    #[error(transparent)]
    Broken(#[from] BrokenInvariant),
}

/// Execution and the disk behind it. One implementation, as a trait object so that neither the
/// application nor the API carries the runtime's type.
pub(crate) trait Executor: Send + Sync {
    /// Executes a block, at most once a height. Stops the process when it cannot.
    fn execute(&self, block: Block) -> BoxFuture<'_, ()>;

    /// The receipts of an executed block.
    fn archived(&self, height: u64) -> BoxFuture<'_, Option<ArchivedBlock>>;

    /// A row of the state with its proof, the height and the root that it is under.
    fn state_proof(&self, key: Vec<u8>) -> BoxFuture<'_, Option<(StateProof, u64, Digest)>>;

    /// Lets go of the disk. Nothing is executed any more, and what is only there is not found.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The receipts of a block with the roots around it, as they are archived.
#[derive(Debug)]
pub(crate) struct ArchivedBlock {
    pub(crate) previous_receipts_root: Digest,
    pub(crate) executed: Executed,
    pub(crate) receipts: Vec<Receipt>,
}

impl ArchivedBlock {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.previous_receipts_root.encode(&mut bytes);
        self.executed.state_root.encode(&mut bytes);
        self.executed.receipts_root.encode(&mut bytes);
        for receipt in &self.receipts {
            receipt.encode(&mut bytes);
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let input = &mut bytes;
        let previous_receipts_root = Digest::decode(input)?;
        let executed =
            Executed { state_root: Digest::decode(input)?, receipts_root: Digest::decode(input)? };
        let mut receipts = Vec::new();
        while !input.is_empty() {
            receipts.push(Receipt::decode(input)?);
        }
        Ok(Self { previous_receipts_root, executed, receipts })
    }
}

/// The disk side of a node.
pub(crate) struct Disk<E: Context + Spawner> {
    pub(crate) store: Store<E>,
    pub(crate) receipts: Receipts<E>,
}

impl<E: Context + Spawner> Disk<E> {
    /// Opens or founds the store, and returns the state that it holds.
    pub(crate) async fn open(
        context: &E,
        partition: &str,
        genesis: &Genesis,
    ) -> Result<(Self, State), ExecutionError> {
        let state_part = format!("{partition}-state");
        let mut store = Store::open(context.child("state"), &state_part).await?;
        let receipts_part = format!("{partition}-receipts");
        let receipts = Receipts::open(context.child("receipts"), &receipts_part).await?;
        let channel = genesis.channel();
        let state = if store.height().is_none() {
            let mut state = State::genesis(genesis)?;
            store.commit(0, &channel, state.take_delta()).await?;
            store.sync().await?;
            state
        } else {
            if store.metadata() != Some(&channel[..]) {
                return Err(ExecutionError::OtherChannel);
            }
            let rows = store.entries().await?;
            let rows = rows.iter().map(|(key, row)| (key.as_slice(), row.as_slice()));
            State::restore(genesis, rows)?
        };
        Ok((Self { store, receipts }, state))
    }

    pub(crate) async fn archived(
        &self,
        height: u64,
    ) -> Result<Option<ArchivedBlock>, ExecutionError> {
        let bytes = self.receipts.get(height).await?;
        Ok(bytes.map(|bytes| ArchivedBlock::decode(&bytes)).transpose()?)
    }

    /// Tells the rest of the node what was executed before the start.
    pub(crate) async fn recall(&self, shared: &Shared) -> Result<(), ExecutionError> {
        let height = shared.read(State::height);
        for past in height.saturating_sub(RECEIPTS_AT_START)..height {
            if let Some(block) = self.archived(past).await? {
                shared.remember_roots(past, block.executed);
                lock(&shared.receipts).add(past, &block.receipts);
            }
        }
        if let Some(block) = self.archived(height).await? {
            lock(&shared.receipts).add(height, &block.receipts);
        }
        let receipts_root = shared.read(|state| state.progress().receipts_root);
        let state_root = self.store.root()?;
        shared.remember_roots(height, Executed { state_root, receipts_root });
        Ok(())
    }

    async fn keep(
        &mut self,
        height: u64,
        channel: &Digest,
        (delta, previous, receipts): (duet_ledger::Delta, Digest, (Digest, Vec<Receipt>)),
    ) -> Result<Executed, ExecutionError> {
        let state_root = self.store.commit(height, channel, delta).await?;
        let executed = Executed { state_root, receipts_root: receipts.0 };
        let block =
            ArchivedBlock { previous_receipts_root: previous, executed, receipts: receipts.1 };
        self.receipts.put(height, block.encode()).await?;
        if height.is_multiple_of(SYNC_EVERY) {
            // Receipts first: whatever the store counts as executed has its receipts.
            self.receipts.sync().await?;
            self.store.sync().await?;
        }
        if height.is_multiple_of(PRUNE_EVERY) {
            self.store.prune().await?;
        }
        Ok(executed)
    }
}

/// Executes blocks on one state and one disk.
pub(crate) struct Chain<E: Context + Spawner> {
    pub(crate) shared: Arc<Shared>,
    /// Nothing once the node is closed.
    pub(crate) disk: Arc<Mutex<Option<Disk<E>>>>,
}

impl<E: Context + Spawner> Chain<E> {
    async fn run(&self, block: &Block) -> Result<(), ExecutionError> {
        let height = block.header.height;
        let mut guard = self.disk.lock().await;
        let Some(disk) = guard.as_mut() else {
            drop(guard);
            return std::future::pending().await;
        };
        let (last, previous) = self.shared.read(|s| (s.height(), s.progress().receipts_root));
        if height <= last {
            return Ok(());
        }
        // A block that cannot be read is never agreed on; should it be, it acts as an empty one.
        let body = decode_all::<Body>(&block.body).unwrap_or_default();
        let time = ClockTime::from_unix_ms(block.header.time_ms);
        let (outcome, delta) = {
            let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
            let outcome = state.apply(height, time, &body)?;
            (outcome, state.take_delta())
        };
        let kept = (outcome.receipts_root, outcome.receipts.clone());
        let executed = disk.keep(height, &self.shared.channel, (delta, previous, kept)).await?;
        self.shared.remember_roots(height, executed);
        lock(&self.shared.receipts).add(height, &outcome.receipts);
        {
            let mut mempool = lock(&self.shared.mempool);
            for transaction in &body.transactions {
                mempool.remove(transaction.hash());
            }
            if height.is_multiple_of(SYNC_EVERY) {
                self.shared.read(|state| mempool.drop_stale(state));
            }
        }
        self.shared.executed.send_replace(height);
        self.shared.events.publish(height, time, outcome.events);
        Ok(())
    }
}

impl<E: Context + Spawner> Executor for Chain<E> {
    fn execute(&self, block: Block) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(reason) = self.run(&block).await {
                error!(node = self.shared.name, %reason, "the node cannot go on and stops");
                info!("blocks and certificates are intact; see docs/operations");
                // Fail-stop: a validator that cannot execute must not go on voting.
                panic!("execution failed: {reason}");
            }
        })
    }

    fn archived(&self, height: u64) -> BoxFuture<'_, Option<ArchivedBlock>> {
        Box::pin(async move {
            let disk = self.disk.lock().await;
            disk.as_ref()?.archived(height).await.ok().flatten()
        })
    }

    fn state_proof(&self, key: Vec<u8>) -> BoxFuture<'_, Option<(StateProof, u64, Digest)>> {
        Box::pin(async move {
            let guard = self.disk.lock().await;
            let disk = guard.as_ref()?;
            let proof = disk.store.prove(&key).await.ok().flatten()?;
            Some((proof, disk.store.height()?, disk.store.root().ok()?))
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move { *self.disk.lock().await = None })
    }
}
