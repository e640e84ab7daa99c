//! Stations that lie, flood, stall and scream. None may crash the gateway or hold up another.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use duet_gateway::simulate::Noise;
use iec104::apdu::Apdu;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use support::{Bench, Link, map};

/// What a hostile station does with each connection.
#[derive(Clone, Copy, Debug)]
enum Malice {
    /// Takes the connection and closes it.
    Close,
    /// Sends random bytes without end.
    Noise,
    /// Starts data transfer, then sends frames with wrong sequence numbers.
    Sequence,
    /// Starts data transfer, then floods with values of points that nobody mapped.
    Flood,
    /// Sends one byte every half second.
    Drip,
    /// Starts data transfer, then announces frames that are never complete.
    Half,
    /// Answers Modbus requests with a length of 65 535 and nothing behind it.
    Length,
}

const START_CON: [u8; 6] = [0x68, 4, 0x0B, 0, 0, 0];

async fn hostile(malice: Malice) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut seed = 1;
        while let Ok((stream, _)) = listener.accept().await {
            seed += 1;
            tokio::spawn(act(malice, stream, Noise(seed)));
        }
    });
    address
}

async fn act(malice: Malice, mut stream: TcpStream, mut noise: Noise) {
    let mut asked = [0; 64];
    if matches!(malice, Malice::Sequence | Malice::Flood | Malice::Half) {
        let _ = stream.read(&mut asked).await;
        let _ = stream.write_all(&START_CON).await;
    }
    let mut sequence: u16 = 0;
    loop {
        let bytes = match malice {
            Malice::Close => return,
            Malice::Noise => noise.next().to_be_bytes().to_vec(),
            Malice::Sequence => frame(noise.next() as u16),
            Malice::Flood => {
                sequence = sequence.wrapping_add(1);
                // It reads nothing, so the gateway's acknowledgements go unheard.
                frame((sequence - 1) << 1)
            }
            Malice::Drip => {
                sleep(Duration::from_millis(500)).await;
                vec![0x68]
            }
            Malice::Half => {
                sleep(Duration::from_millis(100)).await;
                vec![0x68, 253, 0, 0]
            }
            Malice::Length => {
                let _ = stream.read(&mut asked).await;
                [&asked[..4], &[0xFF, 0xFF, 1, 3]].concat()
            }
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// An I-frame with one short float of an unmapped point.
fn frame(control: u16) -> Vec<u8> {
    let [low, high] = (control & !1).to_le_bytes();
    let asdu = [13, 1, 3, 0, 47, 0, 0xE7, 3, 0, 0, 0, 0x80, 0x3F, 0];
    [&[0x68, 18, low, high, 0, 0][..], &asdu].concat()
}

/// Runs a hostile station beside a good plant, and asks the good plant for its values all along.
async fn beside(malice: Malice) {
    let bench = Bench::start().await;
    let bad = hostile(malice).await;
    let mut station = map().iec104.remove(0);
    station.address = bad.to_string();
    let _bad_iec104 = Link::iec104(station);
    let mut station = map().modbus.remove(0);
    station.address = bad.to_string();
    let _bad_modbus = Link::modbus(station);
    let mut good = bench.link();
    for _ in 0..30 {
        for name in ["dt1.power", "pv1.power"] {
            let event = timeout(Duration::from_secs(10), good.next(name)).await;
            event.unwrap_or_else(|_| panic!("{name} was held up by {malice:?}"));
        }
    }
    assert_eq!(good.command("dt1.set", 150_000_000).await, Ok(()), "{malice:?}");
}

#[tokio::test]
async fn a_station_that_closes_every_connection_holds_nobody_up() {
    beside(Malice::Close).await;
}

#[tokio::test]
async fn noise_holds_nobody_up() {
    beside(Malice::Noise).await;
}

#[tokio::test]
async fn wrong_sequence_numbers_hold_nobody_up() {
    beside(Malice::Sequence).await;
}

#[tokio::test]
async fn a_flood_holds_nobody_up() {
    beside(Malice::Flood).await;
}

#[tokio::test]
async fn a_slow_loris_holds_nobody_up() {
    beside(Malice::Drip).await;
}

#[tokio::test]
async fn frames_that_never_end_hold_nobody_up() {
    beside(Malice::Half).await;
}

#[tokio::test]
async fn lengths_that_lie_hold_nobody_up() {
    beside(Malice::Length).await;
}

/// A connection that says nothing costs at most one try each growing pause.
#[tokio::test]
async fn a_station_that_only_takes_connections_is_tried_less_and_less() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut station = map().iec104.remove(0);
    station.address = listener.local_addr().expect("an address").to_string();
    let _link = Link::iec104(station);
    let mut tries = 0;
    let counted = timeout(Duration::from_secs(6), async {
        loop {
            drop(listener.accept().await);
            tries += 1;
        }
    });
    assert!(counted.await.is_err());
    // Pauses of 0.2, 0.4, 0.8, 1.6, 3.2 s.
    assert!((2..=8).contains(&tries), "{tries} tries");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_frame_crashes_the_decoder(
        type_id in any::<u8>(),
        vsq in any::<u8>(),
        cot in any::<u8>(),
        body in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let asdu = [&[type_id, vsq, cot, 0, 47, 0][..], &body].concat();
        let length = u8::try_from(asdu.len() + 4).expect("short");
        let apdu = [&[0x68, length, 0, 0, 0, 0][..], &asdu].concat();
        if let Ok(Apdu { frame: iec104::apdu::Frame::I(frame), .. }) = Apdu::from_bytes(&apdu) {
            let decoder = duet_gateway::field::Decoder::new(&map().iec104[0]);
            let now = duet_units::ClockTime::from_unix_ms(1_783_296_550_250);
            for event in decoder.decode(&frame.asdu, now) {
                prop_assert!(event.at <= now.plus_ms(60_000));
            }
        }
    }

    #[test]
    fn no_bytes_crash_the_frame_reader(bytes in prop::collection::vec(any::<u8>(), 0..260)) {
        let _ = Apdu::from_bytes(&bytes);
    }
}
