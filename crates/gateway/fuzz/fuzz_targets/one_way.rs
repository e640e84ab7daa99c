//! Datagrams of a one-way link: each batch is taken once, and the gaps are named.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use duet_gateway::batch::SignedBatch;
use duet_gateway::device::Device;
use duet_gateway::reading::{Flags, PeriodReading};
use duet_gateway::uplink::{Collector, Taken};
use duet_ledger::UnitId;
use duet_units::{ClockTime, DeliveryDay, DeliveryPeriod, Energy, Resolution};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

static DEVICE: LazyLock<Device> = LazyLock::new(|| Device::from_seed([7; 32], [9; 32]));
static STRANGER: LazyLock<Device> = LazyLock::new(|| Device::from_seed([8; 32], [9; 32]));

#[derive(Arbitrary, Debug)]
enum Datagram {
    /// A batch of the device, near the last ones or anywhere.
    Near(u8),
    Far(u64),
    /// A batch that another device signed.
    Stranger(u8),
    /// A batch of the device with a byte changed.
    Changed(u8, u16, u8),
    Noise(Vec<u8>),
}

fn batch(device: &Device, sequence: u64) -> SignedBatch {
    let day = DeliveryDay::from_days(20_640);
    let reading = PeriodReading {
        unit: UnitId(1),
        period: DeliveryPeriod::new(day, Resolution::Quarter, 7).expect("a quarter-hour"),
        version: 1,
        energy: Energy::from_kwh(3),
        flags: Flags::GOOD,
        source_time: ClockTime::from_unix_ms(1),
    };
    let sealed_at = ClockTime::from_unix_ms(1);
    SignedBatch::seal(device, sequence, sealed_at, vec![reading]).expect("one reading")
}

fuzz_target!(|datagrams: Vec<Datagram>| {
    let key = DEVICE.public();
    let mut collector = Collector::new([key]);
    let mut seen = BTreeSet::new();
    for datagram in datagrams.into_iter().take(200) {
        let sequence = match datagram {
            Datagram::Near(sequence) => sequence.into(),
            Datagram::Far(sequence) => sequence,
            Datagram::Stranger(sequence) => {
                let bytes = batch(&STRANGER, sequence.into()).to_bytes();
                assert!(collector.take(&bytes).is_err(), "a stranger's batch was taken");
                continue;
            }
            Datagram::Changed(sequence, place, bits) => {
                let mut bytes = batch(&DEVICE, sequence.into()).to_bytes();
                let place = usize::from(place) % bytes.len();
                bytes[place] ^= bits;
                assert!(bits == 0 || collector.take(&bytes).is_err(), "a changed batch was taken");
                continue;
            }
            Datagram::Noise(bytes) => {
                assert!(collector.take(&bytes).is_err(), "noise was taken");
                continue;
            }
        };
        let is_new =
            matches!(collector.take(&batch(&DEVICE, sequence).to_bytes()), Ok(Taken::New(_)));
        // Batches count from 1.
        assert_eq!(is_new, sequence != 0 && seen.insert(sequence), "{sequence}");
    }
    let (missing, given_up) = collector.missing(&key);
    let last = seen.last().copied().unwrap_or(0);
    let gaps = (1..last).filter(|s| !seen.contains(s)).take(10_000);
    assert_eq!((missing, given_up), (gaps.collect(), 0));
});
