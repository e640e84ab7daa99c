//! The outbox: readings that are not yet final on the ledger, and where every meter stands.
//!
//! One append-only file. A record counts when it is whole and its check fits; what follows the
//! last whole record is the trace of a power cut and is cut off. A meter's position and the
//! readings that follow from it are one record, so that no energy is lost or counted twice
//! whatever happens between them. The file is rewritten when most of it is of no more use; the new
//! one takes the old one's place in one step.

mod file;
mod record;

pub use file::OutboxError;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use duet_ledger::Acknowledgement;
use duet_units::ClockTime;

use crate::batch::{BATCH_MAX, SignedBatch};
use crate::device::Device;
use crate::reading::PeriodReading;
use file::Log;
use record::Record;

/// Above this share of its limit the backlog is an alarm, in percent.
const ALARM_PERCENT: usize = 80;

/// How much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Readings that are not yet final.
    pub readings: usize,
    /// How many there may be.
    pub limit: usize,
    /// Readings that were not taken because the outbox was full, since the start.
    pub turned_away: u64,
}

impl Backlog {
    /// Whether somebody should look after it.
    #[must_use]
    pub const fn is_alarming(&self) -> bool {
        self.readings * 100 >= self.limit * ALARM_PERCENT
    }
}

/// The durable queue.
#[derive(Debug)]
pub struct Outbox {
    log: Log,
    limit: usize,
    turned_away: u64,
    live: Live,
}

/// What the records of the file amount to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Live {
    checkpoints: BTreeMap<u32, Vec<u8>>,
    /// Readings that are in no batch yet, oldest first.
    open: VecDeque<PeriodReading>,
    /// Batches that are not final, oldest first.
    sealed: VecDeque<SignedBatch>,
    /// Answers to dispatches that are not final, by the dispatch.
    answers: BTreeMap<u64, Acknowledgement>,
    /// The sequence of the last batch.
    sequence: u64,
}

impl Live {
    fn apply(&mut self, record: Record) {
        match record {
            Record::Closed { unit, checkpoint, readings } => {
                if !checkpoint.is_empty() {
                    self.checkpoints.insert(unit, checkpoint);
                }
                self.open.extend(readings);
            }
            Record::Sealed(batch) => {
                self.sequence = batch.header().sequence;
                self.open.drain(..batch.readings().len().min(self.open.len()));
                self.sealed.push_back(*batch);
            }
            Record::Final { sequence } => {
                self.sealed.retain(|batch| batch.header().sequence != sequence);
            }
            Record::Answer(answer) => {
                self.answers.insert(answer.dispatch.0, answer);
            }
            Record::AnswerFinal { dispatch } => {
                self.answers.remove(&dispatch);
            }
            Record::Sequence { last } => self.sequence = last,
        }
    }

    /// The fewest records that amount to the same. Sealed batches come first, with their readings
    /// before them, because sealing takes the oldest.
    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let no_checkpoint = |readings| Record::Closed { unit: 0, checkpoint: Vec::new(), readings };
        for batch in &self.sealed {
            records.push(no_checkpoint(batch.readings().to_vec()));
            records.push(Record::Sealed(Box::new(batch.clone())));
        }
        let open: Vec<PeriodReading> = self.open.iter().copied().collect();
        for readings in open.chunks(BATCH_MAX) {
            records.push(no_checkpoint(readings.to_vec()));
        }
        for (unit, checkpoint) in &self.checkpoints {
            let (unit, checkpoint) = (*unit, checkpoint.clone());
            records.push(Record::Closed { unit, checkpoint, readings: Vec::new() });
        }
        records.extend(self.answers.values().cloned().map(Record::Answer));
        records.push(Record::Sequence { last: self.sequence });
        records
    }
}

impl Outbox {
    /// Opens the outbox in `folder`, which is made if it is not there. At most `limit` readings
    /// may wait.
    ///
    /// # Errors
    ///
    /// Returns [`OutboxError`] if the folder cannot be used, or holds something else.
    pub fn open(folder: &Path, limit: usize) -> Result<Self, OutboxError> {
        let mut live = Live::default();
        let log = Log::open(folder, |record| live.apply(record))?;
        Ok(Self { log, limit, turned_away: 0, live })
    }

    /// Where the meter of `unit` stood when it was last put; `None` if it never was.
    #[must_use]
    pub fn checkpoint(&self, unit: u32) -> Option<&[u8]> {
        self.live.checkpoints.get(&unit).map(Vec::as_slice)
    }

    /// Takes the readings of one meter together with where it stands; `false` if there is no room
    /// for them. The oldest readings are kept: they are what the register can no longer tell.
    ///
    /// # Errors
    ///
    /// Returns [`OutboxError`] if the file cannot be written; the outbox is then of no more use.
    pub fn put(
        &mut self,
        unit: u32,
        checkpoint: Vec<u8>,
        readings: &[PeriodReading],
    ) -> Result<bool, OutboxError> {
        if self.backlog().readings + readings.len() > self.limit {
            self.turned_away += readings.len() as u64;
            return Ok(false);
        }
        self.write(Record::Closed { unit, checkpoint, readings: readings.to_vec() })?;
        Ok(true)
    }

    /// Takes readings back that were in a batch, as if they had just come. They have room: that
    /// batch is forgotten next.
    ///
    /// # Errors
    ///
    /// As [`Outbox::put`].
    pub fn put_back(&mut self, readings: Vec<PeriodReading>) -> Result<(), OutboxError> {
        // A position that is empty changes no meter's.
        self.write(Record::Closed { unit: 0, checkpoint: Vec::new(), readings })
    }

    /// Seals the oldest readings into a batch, at most `most` of them; `false` if there are none.
    ///
    /// # Errors
    ///
    /// As [`Outbox::put`].
    pub fn seal(
        &mut self,
        device: &Device,
        now: ClockTime,
        most: usize,
    ) -> Result<bool, OutboxError> {
        let count = self.live.open.len().min(most).min(BATCH_MAX);
        let readings = self.live.open.iter().take(count).copied().collect();
        let sequence = self.live.sequence + 1;
        let Some(batch) = SignedBatch::seal(device, sequence, now, readings) else {
            return Ok(false);
        };
        self.write(Record::Sealed(Box::new(batch)))?;
        Ok(true)
    }

    /// The batches that are not final, oldest first.
    pub fn sealed(&self) -> impl Iterator<Item = &SignedBatch> {
        self.live.sealed.iter()
    }

    /// The batch with this sequence is final on the ledger, or will never be taken by it.
    ///
    /// # Errors
    ///
    /// As [`Outbox::put`].
    pub fn forget(&mut self, sequence: u64) -> Result<(), OutboxError> {
        self.write(Record::Final { sequence })
    }

    /// Takes the answer to a dispatch.
    ///
    /// # Errors
    ///
    /// As [`Outbox::put`].
    pub fn answer(&mut self, answer: Acknowledgement) -> Result<(), OutboxError> {
        self.write(Record::Answer(answer))
    }

    /// The answers that are not final.
    pub fn answers(&self) -> impl Iterator<Item = &Acknowledgement> {
        self.live.answers.values()
    }

    /// The answer to this dispatch is final, or will never be taken.
    ///
    /// # Errors
    ///
    /// As [`Outbox::put`].
    pub fn forget_answer(&mut self, dispatch: u64) -> Result<(), OutboxError> {
        self.write(Record::AnswerFinal { dispatch })
    }

    /// Makes everything durable that was taken so far, and rewrites the file if it has grown
    /// beyond its use. What was taken after the last call may be lost in a power cut.
    ///
    /// # Errors
    ///
    /// As [`Outbox::put`].
    pub fn commit(&mut self) -> Result<(), OutboxError> {
        self.log.sync()?;
        if self.log.is_worn() {
            self.log.rewrite(&self.live.records())?;
        }
        Ok(())
    }

    /// How much waits.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        let sealed: usize = self.live.sealed.iter().map(|batch| batch.readings().len()).sum();
        let readings = self.live.open.len() + sealed;
        Backlog { readings, limit: self.limit, turned_away: self.turned_away }
    }

    fn write(&mut self, record: Record) -> Result<(), OutboxError> {
        self.log.append(&record)?;
        self.live.apply(record);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
