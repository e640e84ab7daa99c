//! Putting a validator together: disk, execution, application, engine.

use crate::{
    application::Validator,
    clock::Clock,
    executor::{Chain, Disk, ExecutionError, Executor},
    handle::Handle,
    mempool::MempoolLimits,
    shared::Shared,
};
use commonware_runtime::Spawner;
use commonware_storage::Context;
use duet_consensus::{Config as EngineConfig, Timeouts};
use duet_ledger::Genesis;
use futures::lock::Mutex;
use std::sync::{Arc, atomic::AtomicU64};

/// The largest body of a block, in bytes.
pub const BLOCK_BYTES_MAX: usize = 1_000_000;

/// What a node is told at its start.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// What people call the validator.
    pub name: String,
    /// The genesis of the channel.
    pub genesis: Genesis,
    /// Starts the names of the node's storage partitions: letters, digits, `-` and `_`.
    pub partition: String,
    /// The limits of the mempool.
    pub mempool: MempoolLimits,
    /// How long the engine waits.
    pub timeouts: Timeouts,
}

impl NodeConfig {
    /// A node with the usual limits.
    #[must_use]
    pub fn new(name: &str, genesis: Genesis) -> Self {
        Self {
            name: name.to_owned(),
            genesis,
            partition: name.to_owned(),
            mempool: MempoolLimits::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// What the engine is told: the same on every validator but for the partition.
    #[must_use]
    pub fn engine(&self) -> EngineConfig {
        let channel = self.genesis.channel();
        EngineConfig {
            namespace: channel.to_vec(),
            genesis: duet_consensus::Genesis {
                hash: channel,
                time_ms: self.genesis.time.unix_ms(),
            },
            committee: self.genesis.committee().iter().map(|key| *key.bytes()).collect(),
            block_bytes_max: BLOCK_BYTES_MAX,
            timeouts: self.timeouts,
            storage_prefix: self.partition.clone(),
        }
    }
}

/// A node that is ready to be given to the engine.
#[expect(missing_debug_implementations, reason = "holds the disk behind a trait object")]
#[derive(Clone)]
pub struct Prepared {
    shared: Arc<Shared>,
    executor: Arc<dyn Executor>,
    validator: Validator,
}

/// Opens the disk of a node, recovers its state, and prepares its application.
///
/// # Errors
///
/// Returns [`ExecutionError`] if the disk fails, holds another channel, or cannot be read.
pub async fn prepare<E>(
    context: &E,
    config: &NodeConfig,
    clock: Clock,
) -> Result<Prepared, ExecutionError>
where
    E: Context + Spawner + Sync,
{
    let (disk, state) = Disk::open(context, &config.partition, &config.genesis).await?;
    let durable_height = state.height();
    let identity = (config.name.clone(), config.genesis.clone());
    let shared = Arc::new(Shared::new(identity, clock, state, config.mempool));
    disk.recall(&shared).await?;
    let chain = Chain { shared: shared.clone(), disk: Arc::new(Mutex::new(Some(disk))) };
    let executor: Arc<dyn Executor> = Arc::new(chain);
    let validator = Validator {
        shared: shared.clone(),
        executor: executor.clone(),
        durable_height,
        block_bytes_max: BLOCK_BYTES_MAX,
        last_busy: Arc::new(AtomicU64::new(durable_height)),
    };
    Ok(Prepared { shared, executor, validator })
}

impl Prepared {
    /// The application to give to the engine.
    #[must_use]
    pub fn application(&self) -> impl duet_consensus::Application + use<> {
        self.validator.clone()
    }

    /// The handle of the node, once the engine runs.
    #[must_use]
    pub fn handle(&self, mailbox: duet_consensus::Mailbox) -> Handle {
        Handle { shared: self.shared.clone(), executor: self.executor.clone(), mailbox }
    }
}
