//! The authenticated store: each final block's delta goes in, the state root comes out.
//!
//! The state itself lives in memory. [`Store`] keeps a copy of it on disk in the engine's QMDB
//! (the variant "current, unordered, variable"; docs/adr/0003 says why), from which come the
//! state root of every block, proofs that a value is current under that root
//! (docs/spec/state-proof.md), and the state after a restart.
//!
//! Invariants:
//! - The root is a function of the sequence of `(height, metadata, delta)` alone. When [`Store::sync`]
//!   and [`Store::prune`] ran, and where the node restarted, leave no trace in it.
//! - A block is there whole or not at all: the log is cut back to the last commit record at start.
//! - [`Store::commit`] does not wait for the disk. After a crash the store may be some blocks
//!   behind; the node executes them again from the durable block archive and gets the same roots.
//! - A failed write is fatal: the store answers [`StoreError::Lost`] from then on, the node stops.

mod receipts;

use commonware_cryptography::{DigestOf, Sha256};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Spawner,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::{
    Context,
    journal::contiguous::variable::Config as LogConfig,
    merkle::{full::Config as MerkleConfig, mmr},
    qmdb::{
        self,
        any::unordered::variable::Operation,
        current::{VariableConfig, proof::constant::OperationProof, unordered::variable::Db},
        floor::Proportional,
    },
    translator::{EightCap, Hashed},
};
use commonware_utils::{NZU64, NZUsize};
use duet_sdk::proof::state::{CHUNK, StateProof};

pub use receipts::Receipts;

/// Longest key, in bytes. Keys are a tag byte and a short identifier.
pub const MAX_KEY: usize = 64;
/// Longest value, in bytes.
pub const MAX_VALUE: usize = 1 << 20;
/// Longest metadata, in bytes.
pub const MAX_METADATA: usize = 4096;

/// Operations of the log and nodes of its tree in one file. A store on disk fixes both.
const OPERATIONS_PER_FILE: u64 = 1 << 16;
const NODES_PER_FILE: u64 = 1 << 18;
/// Pages of 4 KiB of the log and the tree kept in memory (16 MiB).
const CACHED_PAGES: usize = 4096;
/// Bytes that a file collects before it is written; also the buffer of the replay at start.
const WRITE_BUFFER: usize = 1 << 18;
/// Operations read at a time by [`Store::entries`].
const PAGE: u64 = 4096;

/// A key and its new value, or `None` where the key is deleted.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

type Database<E> =
    Db<mmr::Family, E, Vec<u8>, Vec<u8>, Sha256, Hashed<EightCap>, CHUNK, Sequential>;

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// QMDB failed; the store is lost.
    #[error("state store failed")]
    Database(#[from] qmdb::Error<mmr::Family>),
    /// The receipts archive failed; it is lost.
    #[error("receipts archive failed")]
    Archive(#[from] commonware_storage::archive::Error),
    /// An earlier operation failed or was dropped half way: open the store again.
    #[error("store lost by an earlier failure")]
    Lost,
    /// Blocks are committed in order, without gaps. Nothing was written.
    #[error("block {got} where {expected} is next")]
    OutOfOrder {
        /// The height after the last committed one.
        expected: u64,
        /// The height handed in.
        got: u64,
    },
    /// A key, value or metadata is longer than the store can read back. Nothing was written.
    #[error("{what} of {got} bytes where {limit} is the limit")]
    TooLong {
        /// Which of them.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// What was read from disk is not what this store writes.
    #[error("store is corrupted: {0}")]
    Corrupted(&'static str),
}

/// The last committed block, as the commit record in the log holds it.
#[derive(Debug)]
struct Tip {
    height: u64,
    metadata: Vec<u8>,
}

impl Tip {
    fn encode(height: u64, metadata: &[u8]) -> Vec<u8> {
        [height.to_be_bytes().as_slice(), metadata].concat()
    }

    fn decode(record: &[u8]) -> Result<Self, StoreError> {
        let (height, metadata) = record
            .split_first_chunk()
            .ok_or(StoreError::Corrupted("commit record without a height"))?;
        Ok(Self { height: u64::from_be_bytes(*height), metadata: metadata.to_vec() })
    }
}

/// The authenticated store of one validator.
pub struct Store<E: Context + Spawner> {
    /// `None` once an operation on it failed or was dropped: QMDB gives the handle back only on
    /// success.
    database: Option<Database<E>>,
    tip: Option<Tip>,
}

impl<E: Context + Spawner> std::fmt::Debug for Store<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("tip", &self.tip).finish_non_exhaustive()
    }
}

impl<E: Context + Spawner> Store<E> {
    /// Opens the store in the partitions named `partition-*`, or creates it, and recovers to the
    /// last block that was committed whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the disk fails or holds something else.
    pub async fn open(context: E, partition: &str) -> Result<Self, StoreError> {
        let database = Database::init(context, config(partition), None).await?;
        let tip = match database.get_metadata().await? {
            Some(record) => Some(Tip::decode(&record)?),
            None => None,
        };
        Ok(Self { database: Some(database), tip })
    }

    /// The last committed block; `None` when fresh.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        self.tip.as_ref().map(|tip| tip.height)
    }

    /// The metadata committed with the last block.
    #[must_use]
    pub fn metadata(&self) -> Option<&[u8]> {
        self.tip.as_ref().map(|tip| tip.metadata.as_slice())
    }

    /// The state root after the last committed block.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lost`] after a failure.
    pub fn root(&self) -> Result<[u8; 32], StoreError> {
        Ok(bytes(self.database()?.root()))
    }

    /// Every key and its value, by ascending key: the state to start from.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the disk fails, [`StoreError::Lost`] after a failure.
    pub async fn entries(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let database = self.database()?;
        let mut entries = Vec::new();
        // Nothing below the sync boundary is current.
        let mut start = database.sync_boundary();
        let end = database.bounds().end;
        while start < end {
            let (_, operations, chunks) = database.range_proof(start, NZU64!(PAGE)).await?;
            let first_chunk = *start / CHUNK_BITS;
            for operation in operations {
                let current = is_current(&chunks, first_chunk, *start);
                start += 1;
                match operation {
                    Operation::Update(update) if current => entries.push((update.0, update.1)),
                    Operation::Update(_) | Operation::Delete(_) | Operation::CommitFloor(..) => {}
                }
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    /// Commits one block: its height, metadata and delta, whole or not at all, and returns the new
    /// state root.
    ///
    /// A fresh store takes any height, later ones follow without a gap. Of several changes of one
    /// key the last counts; deleting an absent key changes nothing. `metadata` is part of the
    /// root, so it must be the same on every validator (no certificates, no times of one node).
    /// The block is durable only after [`Store::sync`].
    ///
    /// # Errors
    ///
    /// [`StoreError::OutOfOrder`] and [`StoreError::TooLong`] leave the store as it was;
    /// [`StoreError::Database`] loses it.
    pub async fn commit(
        &mut self,
        height: u64,
        metadata: &[u8],
        delta: Vec<Change>,
    ) -> Result<[u8; 32], StoreError> {
        self.check(height, metadata, &delta)?;
        let database = self.database.take().ok_or(StoreError::Lost)?;
        let mut batch = database.new_batch();
        for (key, value) in delta {
            batch = batch.write(key, value);
        }
        let record = Tip::encode(height, metadata);
        // The policy decides which live operations move to the end of the log so that old ones can
        // be pruned. It sees the batch alone, so every validator moves the same ones.
        let batch = batch.merkleize(&database, Some(record), &mut Proportional).await?;
        let database = database.apply_batch(batch).await?;
        let root = bytes(database.root());
        self.database = Some(database);
        self.tip = Some(Tip { height, metadata: metadata.to_vec() });
        Ok(root)
    }

    /// Makes every committed block durable. Call it every few blocks or milliseconds: it costs one
    /// wait for the disk, whatever number of blocks it covers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the disk fails; the store is lost then.
    pub async fn sync(&mut self) -> Result<(), StoreError> {
        let database = self.database.take().ok_or(StoreError::Lost)?;
        self.database = Some(database.commit().await?);
        Ok(())
    }

    /// Makes everything durable and removes the history that no proof, restart or joiner of the
    /// present state needs. The root stays. For every few thousand blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the disk fails; the store is lost then.
    pub async fn prune(&mut self) -> Result<(), StoreError> {
        let database = self.database.take().ok_or(StoreError::Lost)?;
        let boundary = database.sync_boundary();
        let database = database.prune(boundary).await?;
        self.database = Some(database.sync().await?);
        Ok(())
    }

    /// A proof that `key` has its present value under [`Store::root`]; `None` if it has none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the disk fails, [`StoreError::Lost`] after a failure.
    pub async fn prove(&self, key: &[u8]) -> Result<Option<StateProof>, StoreError> {
        match self.database()?.key_value_proof(key.to_vec()).await {
            Ok(proof) => Ok(Some(state_proof(&proof))),
            Err(qmdb::Error::KeyNotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn database(&self) -> Result<&Database<E>, StoreError> {
        self.database.as_ref().ok_or(StoreError::Lost)
    }

    fn check(&self, height: u64, metadata: &[u8], delta: &[Change]) -> Result<(), StoreError> {
        if let Some(tip) = &self.tip {
            let expected = tip.height.saturating_add(1);
            if height != expected {
                return Err(StoreError::OutOfOrder { expected, got: height });
            }
        }
        short("metadata", metadata, MAX_METADATA)?;
        for (key, value) in delta {
            short("key", key, MAX_KEY)?;
            short("value", value.as_deref().unwrap_or_default(), MAX_VALUE)?;
        }
        Ok(())
    }
}

/// Bits of one chunk of the activity bitmap: the operations that share one chunk.
const CHUNK_BITS: u64 = 8 * CHUNK as u64;

/// Whether the bit of the operation at `location` is set, in chunks the first of which has the
/// index `first_chunk`.
fn is_current(chunks: &[[u8; CHUNK]], first_chunk: u64, location: u64) -> bool {
    let chunk = usize::try_from(location / CHUNK_BITS - first_chunk).ok();
    let bit = location % CHUNK_BITS;
    chunk
        .and_then(|chunk| chunks.get(chunk))
        .and_then(|chunk| chunk.get(usize::try_from(bit / 8).ok()?))
        .is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
}

fn short(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), StoreError> {
    if bytes.len() > limit {
        let got = bytes.len();
        return Err(StoreError::TooLong { what, got, limit });
    }
    Ok(())
}

fn bytes(digest: DigestOf<Sha256>) -> [u8; 32] {
    digest.0
}

/// The engine's proof in the form of docs/spec/state-proof.md.
fn state_proof(proof: &OperationProof<mmr::Family, DigestOf<Sha256>, CHUNK>) -> StateProof {
    let range = &proof.range_proof;
    StateProof {
        location: *proof.loc,
        leaves: *range.proof.leaves,
        inactive_peaks: range.proof.inactive_peaks as u64,
        chunk: proof.chunk,
        partial_chunk: range.partial_chunk_digest.map(bytes),
        log_root: bytes(range.ops_root),
        digests: range.proof.digests.iter().copied().map(bytes).collect(),
    }
}

type Limits = ((commonware_codec::RangeCfg<usize>, ()), (commonware_codec::RangeCfg<usize>, ()));

fn config(partition: &str) -> VariableConfig<Hashed<EightCap>, Limits, Sequential> {
    let page_cache = CacheRef::new(page_size(4096), NZUsize!(CACHED_PAGES));
    let values = MAX_VALUE.max(MAX_METADATA + size_of::<u64>());
    VariableConfig {
        merkle_config: MerkleConfig {
            // The engine appends suffixes of its own, "-metadata" among them.
            journal_partition: format!("{partition}-nodes"),
            metadata_partition: format!("{partition}-pins"),
            items_per_blob: NZU64!(NODES_PER_FILE),
            write_buffer: NZUsize!(WRITE_BUFFER),
            replay_buffer: NZUsize!(WRITE_BUFFER),
            strategy: Sequential,
            page_cache: page_cache.clone(),
        },
        journal_config: LogConfig {
            partition: format!("{partition}-log"),
            items_per_section: NZU64!(OPERATIONS_PER_FILE),
            compression: None,
            codec_config: (((..=MAX_KEY).into(), ()), ((..=values).into(), ())),
            page_cache,
            write_buffer: NZUsize!(WRITE_BUFFER),
            replay_buffer: NZUsize!(WRITE_BUFFER),
        },
        grafted_metadata_partition: format!("{partition}-bitmap"),
        // Keys share long prefixes, so their first bytes alone would collide.
        translator: Hashed::default(),
        init_cache: Some(NZUsize!(1 << 16)),
        init_buffer: NZUsize!(1 << 20),
        init_concurrency: (),
    }
}
