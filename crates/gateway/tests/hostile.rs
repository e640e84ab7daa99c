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
    /// Takes the connection and says nothing.
    Silent,
    /// Starts data transfer, then acknowledges frames that nobody has sent.
    Acknowledge,
    /// Answers Modbus requests with one register, whatever was asked for.
    Short,
    /// Starts data transfer, then sends read commands in sequence, on which the protocol library
    /// panics.
    Read,
}

/// An I-frame with a read command (C_RD_NA_1) in sequence: objects of no octets.
const READ: [u8; 15] = [0x68, 13, 0, 0, 0, 0, 102, 0x81, 5, 0, 47, 0, 1, 0, 0];
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
    use Malice::{Acknowledge, Flood, Half, Read, Sequence};
    if matches!(malice, Sequence | Flood | Half | Acknowledge | Read) {
        let _ = stream.read(&mut asked).await;
        let _ = stream.write_all(&START_CON).await;
    }
    let mut sequence: u16 = 0;
    loop {
        let bytes = match malice {
            Malice::Close => return,
            Malice::Noise => noise.next().to_be_bytes().to_vec(),
            Malice::Sequence => frame(noise.next() as u16, UNMAPPED),
            Malice::Flood => {
                sequence = sequence.wrapping_add(1);
                // It reads nothing, so the gateway's acknowledgements go unheard.
                frame((sequence - 1) << 1, UNMAPPED)
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
            Malice::Silent => {
                sleep(Duration::from_secs(3_600)).await;
                return;
            }
            Malice::Acknowledge => {
                let [low, high] = (noise.next() as u16 & !1).to_le_bytes();
                vec![0x68, 4, 1, 0, low, high]
            }
            Malice::Read => {
                sleep(Duration::from_millis(100)).await;
                READ.to_vec()
            }
            Malice::Short => {
                // It closes when the gateway does.
                if matches!(stream.read(&mut asked).await, Ok(0) | Err(_)) {
                    return;
                }
                [&asked[..4], &[0, 5, 1, 3, 2, 0xAB, 0xCD]].concat()
            }
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// A point that is not in the map, and the power that is.
const UNMAPPED: u16 = 999;
const POWER: u16 = 11;

/// An I-frame with one short float.
fn frame(control: u16, ioa: u16) -> Vec<u8> {
    let [low, high] = (control & !1).to_le_bytes();
    let [ioa_low, ioa_high] = ioa.to_le_bytes();
    let asdu = [13, 1, 3, 0, 47, 0, ioa_low, ioa_high, 0, 0, 0, 0x80, 0x3F, 0];
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

#[tokio::test]
async fn silence_holds_nobody_up() {
    beside(Malice::Silent).await;
}

#[tokio::test]
async fn acknowledgements_of_nothing_hold_nobody_up() {
    beside(Malice::Acknowledge).await;
}

#[tokio::test]
async fn answers_that_are_too_short_hold_nobody_up() {
    beside(Malice::Short).await;
}

/// The library's parser panics on the first connection; the second one is the good station's.
#[tokio::test]
async fn a_station_that_broke_the_parser_is_read_again() {
    let bench = Bench::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut station = map().iec104.remove(0);
    station.address = listener.local_addr().expect("an address").to_string();
    let good = bench.iec104;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("the gateway connects");
        let mut asked = [0; 64];
        assert_ne!(stream.read(&mut asked).await.expect("it starts data transfer"), 0);
        stream.write_all(&[&START_CON[..], &READ].concat()).await.expect("it listens");
        let (mut near, _) = listener.accept().await.expect("the gateway comes back");
        let mut far = TcpStream::connect(good).await.expect("the good station");
        tokio::io::copy_bidirectional(&mut near, &mut far).await.expect("until the test ends");
    });
    let mut link = Link::iec104(station);
    link.until("dt1.power", |event| event.flags == duet_gateway::reading::Flags::GOOD).await;
}

#[tokio::test]
async fn read_commands_in_sequence_hold_nobody_up() {
    beside(Malice::Read).await;
}

/// A station that sends mapped values as fast as it can shares the gateway's queue with the others.
#[tokio::test]
async fn a_flood_of_mapped_values_leaves_room_for_the_other_stations() {
    let bench = Bench::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut station = map().iec104.remove(0);
    station.name = "flood".to_owned();
    station.power[0].name = "flood.power".to_owned();
    station.address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("the gateway connects");
        let (mut read, mut write) = stream.split();
        let mut asked = [0; 64];
        assert_ne!(read.read(&mut asked).await.expect("it starts data transfer"), 0);
        write.write_all(&START_CON).await.expect("it listens");
        let drain = async { while matches!(read.read(&mut asked).await, Ok(1..)) {} };
        let flood = async {
            let mut sequence: u16 = 0;
            while write.write_all(&frame(sequence << 1, POWER)).await.is_ok() {
                sequence = (sequence + 1) & 0x7FFF;
            }
        };
        tokio::join!(drain, flood);
    });
    let mut good = bench.link();
    good.share(station);
    let (mut floods, mut others) = (0_u32, 0_u32);
    let counted = timeout(Duration::from_secs(60), async {
        while others < 30 {
            match &*good.any().await.name {
                "flood.power" => floods += 1,
                "pv1.power" | "dt1.power" => others += 1,
                _ => {}
            }
        }
    });
    assert!(counted.await.is_ok(), "{others} values of the others beside {floods}");
    assert!(floods > 1_000, "{floods} values are no flood");
    assert_eq!(good.command("dt1.set", 150_000_000).await, Ok(()));
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
        // The library panics at read commands in sequence, of whatever number: a link to a station
        // that sends them is made anew, as `Malice::Read` shows.
        prop_assume!(type_id != READ[6] || vsq & 0x80 == 0);
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
