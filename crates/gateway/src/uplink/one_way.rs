//! One-way export: signed batches over a link that carries nothing back.
//!
//! A datagram holds one whole batch. Each is sent several times, a second apart, and never
//! answered; the collector takes each once and says which sequences are missing. The readings need
//! no trust in the link: the device's signature is in the datagram.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;

use duet_ledger::PublicKey;
use tokio::net::UdpSocket;

use crate::batch::{BatchError, SignedBatch};

/// The most readings of a batch that is sent one way: 1 380 bytes, one datagram in one frame.
pub const ONE_WAY_READINGS: usize = 40;
/// The most batches under way at once.
const UNDER_WAY: usize = 64;
/// The most sequences of a device that the collector keeps beyond a gap.
const BEYOND_GAP: usize = 10_000;

/// The sending end.
#[derive(Debug)]
pub struct OneWay {
    socket: UdpSocket,
    target: SocketAddr,
    repeat: u8,
    /// How often each batch has been sent.
    sent: BTreeMap<u64, u8>,
}

impl OneWay {
    /// A sender to `target` that sends each batch `repeat` times.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if no socket can be opened.
    pub async fn new(target: SocketAddr, repeat: u8) -> io::Result<Self> {
        let any: SocketAddr =
            if target.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        // Not connected: an error that comes back (port unreachable) would end a connected socket.
        let socket = UdpSocket::bind(any).await?;
        Ok(Self { socket, target, repeat, sent: BTreeMap::new() })
    }

    /// Sends each of the oldest batches once; returns those that have been sent often enough.
    pub async fn send<'a>(&mut self, batches: impl Iterator<Item = &'a SignedBatch>) -> Vec<u64> {
        let mut done = Vec::new();
        for batch in batches.take(UNDER_WAY) {
            let sequence = batch.header().sequence;
            if let Err(error) = self.socket.send_to(&batch.to_bytes(), self.target).await {
                tracing::debug!("one-way export: {error}");
                break;
            }
            let sent = self.sent.entry(sequence).or_insert(0);
            *sent += 1;
            if *sent >= self.repeat {
                self.sent.remove(&sequence);
                done.push(sequence);
            }
        }
        done
    }
}

/// What the collector made of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A batch that was not seen before.
    New(Box<SignedBatch>),
    /// One that was.
    Again,
}

/// The receiving end: each batch once, whatever is lost, repeated or invented on the way.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    devices: BTreeMap<PublicKey, Seen>,
    trusted: BTreeSet<PublicKey>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// All sequences up to this one were seen or given up.
    through: u64,
    beyond: BTreeSet<u64>,
    given_up: u64,
}

impl Collector {
    /// A collector for these devices; what others sign is refused.
    #[must_use]
    pub fn new(trusted: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { devices: BTreeMap::new(), trusted: trusted.into_iter().collect() }
    }

    /// Takes one datagram.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError`] if it is not a batch that a trusted device signed.
    pub fn take(&mut self, datagram: &[u8]) -> Result<Taken, BatchError> {
        let batch = SignedBatch::from_bytes(datagram)?;
        if !self.trusted.contains(&batch.header().device) {
            return Err(BatchError::Signature);
        }
        let sequence = batch.header().sequence;
        let seen = self.devices.entry(batch.header().device).or_default();
        if sequence <= seen.through || !seen.beyond.insert(sequence) {
            return Ok(Taken::Again);
        }
        while seen.beyond.remove(&(seen.through + 1)) {
            seen.through += 1;
        }
        if seen.beyond.len() > BEYOND_GAP
            && let Some(first) = seen.beyond.pop_first()
        {
            seen.given_up += first - seen.through - 1;
            seen.through = first;
        }
        Ok(Taken::New(Box::new(batch)))
    }

    /// The sequences of a device that have not come though later ones have, oldest first, and how
    /// many were given up before them.
    #[must_use]
    pub fn missing(&self, device: &PublicKey) -> (Vec<u64>, u64) {
        let Some(seen) = self.devices.get(device) else { return (Vec::new(), 0) };
        let last = seen.beyond.last().copied().unwrap_or(seen.through);
        let missing = (seen.through + 1..last).filter(|s| !seen.beyond.contains(s));
        (missing.take(BEYOND_GAP).collect(), seen.given_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::{device, reading};
    use crate::device::Device;
    use duet_units::ClockTime;

    fn batch(sequence: u64) -> SignedBatch {
        let readings = (0..40).map(reading).collect();
        SignedBatch::seal(&device(), sequence, ClockTime::from_unix_ms(1), readings).unwrap()
    }

    #[test]
    fn a_full_one_way_batch_fits_one_frame() {
        assert!(batch(1).to_bytes().len() <= 1_472, "what UDP over Ethernet carries in one frame");
    }

    #[test]
    fn each_batch_is_taken_once_and_gaps_are_named() {
        let mut collector = Collector::new([device().public()]);
        let mut take =
            |sequence| matches!(collector.take(&batch(sequence).to_bytes()), Ok(Taken::New(_)));
        assert_eq!([1, 1, 4, 2, 4, 6].map(&mut take), [true, false, true, true, false, true]);
        assert_eq!(collector.missing(&device().public()), (vec![3, 5], 0));
        let stranger = Device::from_seed([8; 32], [9; 32]);
        let readings = vec![reading(1)];
        let forged = SignedBatch::seal(&stranger, 3, ClockTime::from_unix_ms(1), readings).unwrap();
        assert_eq!(collector.take(&forged.to_bytes()), Err(BatchError::Signature));
        assert!(collector.take(b"noise").is_err());
    }

    #[tokio::test]
    async fn everything_arrives_over_a_link_that_loses_half_and_answers_nothing() {
        let sink = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut sender = OneWay::new(sink.local_addr().unwrap(), 8).await.unwrap();
        let mut collector = Collector::new([device().public()]);
        let batches: Vec<SignedBatch> = (1..=20).map(batch).collect();
        let mut waiting: Vec<&SignedBatch> = batches.iter().collect();
        let (mut got, mut noise) = (0, crate::simulate::Noise(5));
        let mut datagram = [0; 2_000];
        while !waiting.is_empty() {
            let count = waiting.len();
            let done = sender.send(waiting.iter().copied()).await;
            waiting.retain(|b| !done.contains(&b.header().sequence));
            for _ in 0..count {
                let length = sink.recv(&mut datagram).await.unwrap();
                if noise.next().is_multiple_of(2) {
                    continue; // Lost.
                }
                if let Ok(Taken::New(_)) = collector.take(&datagram[..length]) {
                    got += 1;
                }
            }
        }
        assert_eq!((got, collector.missing(&device().public())), (20, (vec![], 0)));
    }

    #[tokio::test]
    async fn a_target_that_is_not_there_does_not_stop_the_sender() {
        let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut sender = OneWay::new(gone, 2).await.unwrap();
        let batch = batch(1);
        assert!(sender.send([&batch].into_iter()).await.is_empty());
        assert_eq!(sender.send([&batch].into_iter()).await, [1]);
    }
}
