//! The outbox file: a magic word, then records of length, check and bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use duet_ledger::hash;

use super::record::Record;

const MAGIC: &[u8; 8] = b"DUETOUT1";
const CHECK_DOMAIN: &[u8] = b"duet/outbox-record/v1";
/// Length and check before each record.
const FRAME: usize = 4 + 8;
/// No record is longer: a batch is under 8 kB, a checkpoint under 10 kB.
const RECORD_MAX: usize = 1 << 20;
/// A file is rewritten when it is this long, and at least four times as long as after it was last
/// rewritten: wear of the card stays in proportion to what is written.
const WORN_BYTES: u64 = 1 << 20;

/// Why the outbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// A file or folder cannot be used.
    #[error("outbox {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not an outbox.
    #[error("{0} is not an outbox of this version")]
    NotAnOutbox(PathBuf),
}

/// The file, open at its end.
#[derive(Debug)]
pub(super) struct Log {
    folder: PathBuf,
    file: File,
    length: u64,
    length_rewritten: u64,
    unsynced: bool,
}

impl Log {
    /// Opens or makes the file and hands every whole record to `apply`.
    pub(super) fn open(folder: &Path, mut apply: impl FnMut(Record)) -> Result<Self, OutboxError> {
        let failed = |source| OutboxError::File { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        // A rewrite that did not end; the old file still holds everything.
        match fs::remove_file(new_path(folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Err(_) | Ok(()) => {}
        }
        let path = path(folder);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let length = if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            // New, or a power cut while it was made.
            file.set_len(0).map_err(failed)?;
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
            file.write_all(MAGIC).map_err(failed)?;
            MAGIC.len()
        } else if bytes.starts_with(MAGIC) {
            MAGIC.len() + replay(&bytes[MAGIC.len()..], &mut apply)
        } else {
            return Err(OutboxError::NotAnOutbox(path));
        };
        let length = length as u64;
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        file.sync_all().and_then(|()| sync_folder(folder)).map_err(failed)?;
        let folder = folder.to_owned();
        Ok(Self { folder, file, length, length_rewritten: 0, unsynced: false })
    }

    pub(super) fn append(&mut self, record: &Record) -> Result<(), OutboxError> {
        let bytes = frame(record);
        self.file.write_all(&bytes).map_err(|source| self.failed(source))?;
        self.length += bytes.len() as u64;
        self.unsynced = true;
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<(), OutboxError> {
        if self.unsynced {
            self.file.sync_data().map_err(|source| self.failed(source))?;
            self.unsynced = false;
        }
        Ok(())
    }

    pub(super) const fn is_worn(&self) -> bool {
        self.length >= WORN_BYTES && self.length >= 4 * self.length_rewritten
    }

    /// Writes the file anew with only `records`, durably, and puts it in the place of the old one.
    pub(super) fn rewrite(&mut self, records: &[Record]) -> Result<(), OutboxError> {
        let (new, old) = (new_path(&self.folder), path(&self.folder));
        let mut bytes = MAGIC.to_vec();
        records.iter().for_each(|record| bytes.extend(frame(record)));
        let written = (|| {
            let mut file = File::create(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&new, &old)?;
            sync_folder(&self.folder)?;
            Ok(file)
        })();
        self.file = written.map_err(|source| self.failed(source))?;
        self.length = bytes.len() as u64;
        self.length_rewritten = self.length;
        self.unsynced = false;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> OutboxError {
        OutboxError::File { path: path(&self.folder), source }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("outbox")
}

fn new_path(folder: &Path) -> PathBuf {
    folder.join("outbox.new")
}

/// A renamed or new file is durable when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn check(bytes: &[u8]) -> [u8; 8] {
    let digest = hash(CHECK_DOMAIN, &[bytes]);
    let mut check = [0; 8];
    check.copy_from_slice(&digest[..8]);
    check
}

fn frame(record: &Record) -> Vec<u8> {
    let bytes = record.to_bytes();
    let mut out = Vec::with_capacity(FRAME + bytes.len());
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(&check(&bytes));
    out.extend_from_slice(&bytes);
    out
}

/// Applies whole records; returns how many bytes they take.
fn replay(bytes: &[u8], apply: &mut impl FnMut(Record)) -> usize {
    let mut rest = bytes;
    while let Some((record, after)) = next(rest) {
        apply(record);
        rest = after;
    }
    bytes.len() - rest.len()
}

fn next(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (expected, rest) = rest.split_first_chunk::<8>()?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > RECORD_MAX {
        return None;
    }
    let (record, rest) = rest.split_at_checked(length)?;
    if check(record) != *expected {
        return None;
    }
    Some((Record::from_bytes(record).ok()?, rest))
}
