//! Batches: many readings under one signature, each of which can be shown alone.
//!
//! The bytes are specified in docs/spec/readings.md.

use duet_ledger::{
    Decode, DecodeError, Digest, Encode, PeriodReading, ReportBatch, decode_all, merkle_path,
    merkle_root, merkle_root_from_path,
};
use duet_units::ClockTime;

use crate::device::Device;

pub use duet_ledger::{BATCH_MAX, BatchHeader};

/// A sealed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBatch {
    header: BatchHeader,
    readings: Vec<PeriodReading>,
    signature: [u8; 64],
}

impl SignedBatch {
    /// Seals `readings`; `None` if there are none, or more than [`BATCH_MAX`].
    #[must_use]
    pub fn seal(
        device: &Device,
        sequence: u64,
        sealed_at: ClockTime,
        readings: Vec<PeriodReading>,
    ) -> Option<Self> {
        let count = u16::try_from(readings.len()).ok()?;
        if readings.is_empty() || readings.len() > BATCH_MAX {
            return None;
        }
        let (channel, root) = (*device.channel(), root_of(&readings));
        let device_key = device.public();
        let header = BatchHeader { channel, device: device_key, sequence, sealed_at, count, root };
        let signature = device.sign(&header.message());
        Some(Self { header, readings, signature })
    }

    /// What is signed.
    #[must_use]
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The readings.
    #[must_use]
    pub fn readings(&self) -> &[PeriodReading] {
        &self.readings
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// What the ledger is told: the batch without what follows from it.
    #[must_use]
    pub fn report(&self) -> ReportBatch {
        ReportBatch {
            device: self.header.device,
            sequence: self.header.sequence,
            sealed_at: self.header.sealed_at,
            readings: self.readings.clone(),
            signature: self.signature,
        }
    }

    /// The bytes: header, readings, signature.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.header.to_bytes();
        self.readings.iter().for_each(|reading| reading.encode(&mut out));
        self.signature.encode(&mut out);
        out
    }

    /// Reads a batch and checks its root and signature.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError`] if the bytes are not a batch that its device signed.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, BatchError> {
        let input = &mut bytes;
        let header = BatchHeader::decode(input)?;
        let count = usize::from(header.count);
        if count == 0 || count > BATCH_MAX {
            return Err(BatchError::Count(header.count));
        }
        let readings: Result<Vec<_>, _> = (0..count).map(|_| Decode::decode(input)).collect();
        let (readings, signature) = (readings?, decode_all(input)?);
        if root_of(&readings) != header.root {
            return Err(BatchError::Root);
        }
        if !header.is_signed(&signature) {
            return Err(BatchError::Signature);
        }
        Ok(Self { header, readings, signature })
    }

    /// The proof that the device signed the reading at `index`; `None` if there is no such one.
    #[must_use]
    pub fn prove(&self, index: u16) -> Option<ReadingProof> {
        let leaves: Vec<Vec<u8>> = self.readings.iter().map(Encode::to_bytes).collect();
        Some(ReadingProof {
            header: self.header.clone(),
            signature: self.signature,
            index,
            path: merkle_path(&leaves, index.into())?,
            reading: *self.readings.get(usize::from(index))?,
        })
    }
}

fn root_of(readings: &[PeriodReading]) -> Digest {
    let leaves: Vec<Vec<u8>> = readings.iter().map(Encode::to_bytes).collect();
    merkle_root(&leaves)
}

/// Why bytes are not a batch, or a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// They are not the encoding of one.
    #[error(transparent)]
    Bytes(#[from] DecodeError),
    /// It has no reading, or too many.
    #[error("a batch has 1 to {BATCH_MAX} readings, not {0}")]
    Count(u16),
    /// The readings are not those that were signed.
    #[error("the readings do not make the root that was signed")]
    Root,
    /// The device did not sign it.
    #[error("the signature is not the device's")]
    Signature,
}

/// One reading with what a reader needs to see that the device signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingProof {
    /// What was signed.
    pub header: BatchHeader,
    /// The signature.
    pub signature: [u8; 64],
    /// The place of the reading in the batch.
    pub index: u16,
    /// The siblings on the way to the root.
    pub path: Vec<Option<Digest>>,
    /// The reading.
    pub reading: PeriodReading,
}

impl ReadingProof {
    /// Checks path and signature.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError`] if either is wrong.
    pub fn verify(&self) -> Result<(), BatchError> {
        let (index, count) = (self.index.into(), self.header.count.into());
        let root = merkle_root_from_path(&self.reading.to_bytes(), index, count, &self.path);
        if root != Some(self.header.root) {
            return Err(BatchError::Root);
        }
        if !self.header.is_signed(&self.signature) {
            return Err(BatchError::Signature);
        }
        Ok(())
    }

    /// The bytes: header, signature, index, reading, then a flag and perhaps a digest a level.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.header.to_bytes();
        self.signature.encode(&mut out);
        self.index.encode(&mut out);
        self.reading.encode(&mut out);
        self.path.iter().for_each(|sibling| sibling.encode(&mut out));
        out
    }

    /// Reads the bytes of a proof; checks nothing else.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError::Bytes`] if they are not one.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, BatchError> {
        let input = &mut bytes;
        let (header, signature) = (Decode::decode(input)?, Decode::decode(input)?);
        let (index, reading) = (Decode::decode(input)?, Decode::decode(input)?);
        let mut path = Vec::new();
        while !input.is_empty() && path.len() < 16 {
            path.push(Decode::decode(input)?);
        }
        if !input.is_empty() {
            return Err(DecodeError::LeftOver(input.len()).into());
        }
        Ok(Self { header, signature, index, path, reading })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::reading::Flags;
    use duet_ledger::UnitId;
    use duet_units::{DeliveryDay, DeliveryPeriod, Energy, Resolution};
    use proptest::prelude::*;

    pub(crate) fn device() -> Device {
        Device::from_seed([7; 32], [9; 32])
    }

    pub(crate) fn reading(n: u32) -> PeriodReading {
        let day = DeliveryDay::from_days(20_640);
        let index = u8::try_from(n % 96).unwrap();
        PeriodReading {
            unit: UnitId(n / 96 + 1),
            period: DeliveryPeriod::new(day, Resolution::Quarter, index).unwrap(),
            version: 1,
            energy: Energy::from_kwh(i64::from(n) * 3),
            flags: if n.is_multiple_of(5) { Flags::ESTIMATED } else { Flags::GOOD },
            source_time: ClockTime::from_unix_ms(1_783_296_550_250 + i64::from(n)),
        }
    }

    fn batch(count: u32) -> SignedBatch {
        let readings = (0..count).map(reading).collect();
        SignedBatch::seal(&device(), 5, ClockTime::from_unix_ms(77), readings).unwrap()
    }

    #[test]
    fn a_batch_is_read_back_and_every_single_change_is_seen() {
        let batch = batch(3);
        let bytes = batch.to_bytes();
        assert_eq!(SignedBatch::from_bytes(&bytes), Ok(batch));
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(SignedBatch::from_bytes(&changed).is_err(), "byte {place}");
        }
        assert!(SignedBatch::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn every_reading_of_a_full_batch_is_proved_in_under_a_kilobyte() {
        let batch = batch(256);
        let day = batch.to_bytes().len();
        assert!(day < 8_192, "{day} bytes fit a transaction");
        for index in 0..256 {
            let proof = batch.prove(index).unwrap();
            let bytes = proof.to_bytes();
            assert!(bytes.len() < 500, "{}", bytes.len());
            let back = ReadingProof::from_bytes(&bytes).unwrap();
            assert_eq!(back.verify(), Ok(()));
            assert_eq!(back.reading, reading(index.into()));
            let other = ReadingProof { reading: reading(300), ..back.clone() };
            assert_eq!(other.verify(), Err(BatchError::Root));
            let moved = ReadingProof { index: index ^ 1, ..back };
            assert!(moved.verify().is_err());
        }
        assert_eq!(batch.prove(256), None);
    }

    #[test]
    fn a_batch_of_nothing_or_of_too_much_is_not_sealed() {
        let now = ClockTime::from_unix_ms(0);
        assert_eq!(SignedBatch::seal(&device(), 1, now, Vec::new()), None);
        assert_eq!(SignedBatch::seal(&device(), 1, now, (0..257).map(reading).collect()), None);
    }

    #[test]
    fn the_bytes_of_a_batch_are_those_of_the_specification() {
        let bytes = batch(2).to_bytes();
        assert_eq!(bytes.len(), 2 + 32 + 32 + 8 + 8 + 2 + 32 + 2 * 30 + 64);
        assert_eq!(hex::encode(&bytes[..2]), "0101");
        assert_eq!(hex::encode(&bytes[116..146]), READING_0);
        assert_eq!(hex::encode(&bytes[84..116]), ROOT);
        assert_eq!(hex::encode(&bytes[176..]), SIGNATURE);
    }

    // Golden vector of docs/spec/readings.md.
    const READING_0: &str = "00000001000050a060000001000000000000000000010000019f34c1e56a";
    const ROOT: &str = "172e9b95a592875a1d97b5eef08fc450cb3ddf5de914b621953db51e46765d85";
    const SIGNATURE: &str = "ef35da659d47cdf9c471885588a0156c5ae7ea5cca7872010c5cb958087029b5339bb5f4ddfeb640a1873277d0783f21248ffdd361d7a113fadac21cbe26650a";

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(SignedBatch::from_bytes(&bytes).is_err());
            if let Ok(proof) = ReadingProof::from_bytes(&bytes) {
                prop_assert!(proof.verify().is_err());
            }
        }
    }
}
