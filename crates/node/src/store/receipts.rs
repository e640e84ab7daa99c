//! The receipts of every block, by height.

use super::StoreError;
use commonware_runtime::{
    Spawner,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::{
    Context,
    archive::{
        Archive as _, Identifier,
        prunable::{Archive, Config},
    },
    translator::{EightCap, Hashed},
};
use commonware_utils::{NZU64, NZUsize, sequence::U64};

/// Blocks whose receipts share a file. An archive on disk fixes it.
const BLOCKS_PER_FILE: u64 = 1 << 14;
/// Pages of 4 KiB of the index kept in memory (1 MiB).
const CACHED_PAGES: usize = 256;
/// Longest receipts of one block, in bytes.
const MAX_RECEIPTS: usize = 64 << 20;

/// An archive of opaque bytes, one entry a height, written once.
pub struct Receipts<E: Context + Spawner> {
    /// `None` once an operation on it failed or was dropped.
    archive: Option<Archive<Hashed<EightCap>, E, U64, Vec<u8>>>,
}

impl<E: Context + Spawner> std::fmt::Debug for Receipts<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipts").field("last", &self.last()).finish_non_exhaustive()
    }
}

impl<E: Context + Spawner> Receipts<E> {
    /// Opens the archive in the partitions named `partition-*`, or creates it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Archive`] if the disk fails or holds something else.
    pub async fn open(context: E, partition: &str) -> Result<Self, StoreError> {
        let config = Config {
            translator: Hashed::default(),
            metadata_partition: format!("{partition}-metadata"),
            key_partition: format!("{partition}-key"),
            key_page_cache: CacheRef::new(page_size(4096), NZUsize!(CACHED_PAGES)),
            value_partition: format!("{partition}-value"),
            compression: None,
            codec_config: ((..=MAX_RECEIPTS).into(), ()),
            items_per_section: NZU64!(BLOCKS_PER_FILE),
            key_write_buffer: NZUsize!(1 << 14),
            value_write_buffer: NZUsize!(1 << 18),
            replay_buffer: NZUsize!(1 << 18),
        };
        Ok(Self { archive: Some(Archive::init(context, config).await?) })
    }

    /// The highest height with receipts.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.archive.as_ref()?.last_index()
    }

    /// Stores the receipts of the block at `height`. A height that has some keeps them: execution
    /// is deterministic, so a second put after a restart brings the same bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLong`] leaves the archive as it was; [`StoreError::Archive`] loses it.
    pub async fn put(&mut self, height: u64, receipts: Vec<u8>) -> Result<(), StoreError> {
        super::short("receipts", &receipts, MAX_RECEIPTS)?;
        let archive = self.archive.take().ok_or(StoreError::Lost)?;
        self.archive = Some(archive.put(height, U64::new(height), &receipts).await?);
        Ok(())
    }

    /// The receipts of the block at `height`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Archive`] if the disk fails, [`StoreError::Lost`] after a failure.
    pub async fn get(&self, height: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let archive = self.archive.as_ref().ok_or(StoreError::Lost)?;
        Ok(archive.get(Identifier::Index(height)).await?)
    }

    /// Makes every stored entry durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Archive`] if the disk fails; the archive is lost then.
    pub async fn sync(&mut self) -> Result<(), StoreError> {
        let archive = self.archive.take().ok_or(StoreError::Lost)?;
        self.archive = Some(archive.sync().await?);
        Ok(())
    }
}
