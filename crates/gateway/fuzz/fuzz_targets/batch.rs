//! Signed batches and proofs: what is read is what was sealed, byte for byte.
#![no_main]

use std::sync::LazyLock;

use duet_gateway::batch::{BATCH_MAX, ReadingProof, SignedBatch};
use duet_gateway::device::Device;
use duet_gateway::reading::{Flags, PeriodReading};
use duet_ledger::UnitId;
use duet_units::{ClockTime, DeliveryDay, DeliveryPeriod, Energy, Resolution};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

static DEVICE: LazyLock<Device> = LazyLock::new(|| Device::from_seed([7; 32], [9; 32]));

#[derive(Arbitrary, Debug)]
enum Input {
    /// Bytes from anywhere.
    Bytes(Vec<u8>),
    /// A batch that the device sealed, with some bytes changed and its end cut off.
    Sealed { readings: Vec<Reading>, sequence: u64, changes: Vec<(u16, u8)>, cut: u8 },
}

#[derive(Arbitrary, Debug)]
struct Reading {
    unit: u32,
    day: u16,
    index: u8,
    version: u16,
    kwh: i64,
    flags: u8,
    source_ms: i64,
}

impl Reading {
    fn sealed(&self) -> Option<PeriodReading> {
        let day = DeliveryDay::from_days(i32::from(self.day));
        Some(PeriodReading {
            unit: UnitId(self.unit),
            period: DeliveryPeriod::new(day, Resolution::Quarter, self.index)?,
            version: self.version,
            energy: Energy::from_kwh(self.kwh),
            flags: Flags::from_bits(self.flags.into())?,
            source_time: ClockTime::from_unix_ms(self.source_ms),
        })
    }
}

fn any_bytes(bytes: &[u8]) {
    if let Ok(batch) = SignedBatch::from_bytes(bytes) {
        assert_eq!(batch.to_bytes(), bytes, "one batch has one encoding");
    }
    if let Ok(proof) = ReadingProof::from_bytes(bytes) {
        assert_eq!(proof.to_bytes(), bytes, "one proof has one encoding");
        let _ = proof.verify();
    }
}

fuzz_target!(|input: Input| {
    let (readings, sequence, changes, cut) = match input {
        Input::Bytes(bytes) => return any_bytes(&bytes),
        Input::Sealed { readings, sequence, changes, cut } => (readings, sequence, changes, cut),
    };
    let readings: Vec<_> = readings.iter().filter_map(Reading::sealed).collect();
    let fits = (1..=BATCH_MAX).contains(&readings.len());
    let sealed = SignedBatch::seal(&DEVICE, sequence, ClockTime::from_unix_ms(5), readings);
    assert_eq!(sealed.is_some(), fits);
    let Some(batch) = sealed else { return };
    let bytes = batch.to_bytes();
    assert_eq!(SignedBatch::from_bytes(&bytes).as_ref(), Ok(&batch));
    let mut changed = bytes.clone();
    for (place, bits) in changes {
        let place = usize::from(place) % changed.len();
        changed[place] ^= bits;
    }
    changed.truncate(bytes.len() - usize::from(cut).min(bytes.len()));
    if changed != bytes {
        assert!(SignedBatch::from_bytes(&changed).is_err(), "a changed batch was taken");
    }
    let index = (sequence % batch.readings().len() as u64) as u16;
    let proof = batch.prove(index).expect("it has the reading");
    assert_eq!(proof.verify(), Ok(()));
    any_bytes(&proof.to_bytes());
});
