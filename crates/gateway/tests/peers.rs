//! The gateway's clients against implementations that we did not write: c104 and pymodbus.

mod support;

use std::time::Duration;

use duet_gateway::clock::{Clock as _, SystemClock};
use duet_gateway::field::{CommandFailure, Value};
use duet_gateway::point_map::{EnergyPoint, Format, ModbusStation};
use duet_gateway::reading::{Flags, Meter, MeterRule, RegisterRule, Sample};
use duet_units::{ClockTime, Resolution};
use tokio::time::timeout;

use support::peer::Peer;
use support::{Link, map};

async fn outstation() -> (Peer, Link) {
    let peer = Peer::start("outstation.py").await;
    let mut station = map().iec104.remove(0);
    station.address = peer.address.to_string();
    let link = Link::iec104(station);
    (peer, link)
}

/// The same with points that have time tags, at a station that keeps this offset from UTC.
async fn tagging_outstation(utc_offset_min: i16) -> (Peer, Link) {
    let peer = Peer::start("outstation.py").await;
    let mut station = map().iec104.remove(0);
    station.address = peer.address.to_string();
    station.utc_offset_min = utc_offset_min;
    station.energy[0].at.ioa = 31;
    station.power[0].at.ioa = 21;
    station.state[0].at.ioa = 3;
    let link = Link::iec104(station);
    (peer, link)
}

async fn modbus_server() -> (Peer, Link) {
    let peer = Peer::start("modbus_server.py").await;
    let link = Link::modbus(modbus_station(&peer));
    (peer, link)
}

fn modbus_station(peer: &Peer) -> ModbusStation {
    let mut station = map().modbus.remove(0);
    station.address = peer.address.to_string();
    station.poll_ms = 100;
    station
}

#[tokio::test]
async fn an_interrogation_of_c104_gives_every_point_even_where_they_come_as_a_sequence() {
    let (_peer, mut link) = outstation().await;
    link.until("dt1.power", |e| e.value == Value::Power(42_500)).await;
    let (_peer, mut link) = outstation().await;
    link.until_all(&["dt1.breaker", "dt1.remote"], |e| e.value == Value::State(true)).await;
    let (_peer, mut link) = outstation().await;
    link.until("dt1.energy", |e| e.value == Value::Energy(12_345)).await;
}

#[tokio::test]
async fn ten_thousand_spontaneous_values_of_c104_arrive_once_each_and_in_order() {
    let (mut peer, mut link) = outstation().await;
    link.until("dt1.power", |e| e.value == Value::Power(42_500)).await;
    peer.tell("floats 10000").await;
    let mut expected = 0;
    while expected < 10_000 {
        let event = link.next("dt1.power").await;
        if event.value == Value::Power(42_500) {
            continue; // Of the interrogation.
        }
        assert_eq!(event.value, Value::Power(expected * 1_000));
        expected += 1;
    }
    assert_eq!(peer.line().await, "done");
    let more = timeout(Duration::from_millis(500), link.next("dt1.power")).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn counters_of_c104_are_read_and_marked_values_stay_marked() {
    let (mut peer, mut link) = outstation().await;
    link.until("dt1.energy", |e| e.value == Value::Energy(12_345)).await;
    peer.tell("counters 500").await;
    for expected in 0..500 {
        let event = link.until("dt1.energy", |e| e.value != Value::Energy(12_345)).await;
        assert_eq!(event.value, Value::Energy(expected));
    }
    assert_eq!(peer.line().await, "done");
    assert_eq!(peer.say("invalid").await, "done");
    link.until("dt1.power", |e| e.flags == Flags::INVALID).await;
    assert_eq!(peer.say("state 0").await, "done");
    link.until("dt1.breaker", |e| e.value == Value::State(false)).await;
}

#[tokio::test]
async fn the_time_tags_of_c104_are_the_times_of_the_values_and_of_the_readings() {
    let (mut peer, mut link) = tagging_outstation(0).await;
    link.until("rtu-1", |e| e.value == Value::Link(true)).await;
    // The quarter-hour before the last one, whenever this runs; tags with milliseconds.
    let now = SystemClock.now().unix_ms();
    let start = now.div_euclid(900_000) * 900_000 - 1_800_000;
    let at = |ms: i64| ClockTime::from_unix_ms(start + ms);
    for (kind, name, value) in [
        ("float 7.25", "dt1.power", Value::Power(7_250)),
        ("state 1", "dt1.breaker", Value::State(true)),
    ] {
        assert_eq!(peer.say(&format!("tagged {kind} {}", start + 1_234)).await, "done");
        let event = link.until(name, |e| e.value == value && e.flags == Flags::GOOD).await;
        assert_eq!(event.at, at(1_234), "{name}");
    }
    let mut meter = Meter::new(MeterRule {
        unit: 1,
        register: RegisterRule { rollover: 1 << 31, wh_per_count: 100, max_kw: 330_000 },
        resolution: Resolution::Quarter,
        gap_ms: 900_000,
        close_after_ms: 60_000,
    });
    for (count, ms) in [(1_000, 0), (31_000, 600_123), (41_000, 900_000)] {
        assert_eq!(peer.say(&format!("tagged counter {count} {}", start + ms)).await, "done");
        let event = link.until("dt1.energy", |e| e.value == Value::Energy(count)).await;
        assert_eq!((event.at, event.flags), (at(ms), Flags::GOOD));
        meter.take(&Sample { raw: count, at: event.at, flags: event.flags });
    }
    let [reading] = meter.close(at(900_001))[..] else { panic!("the period that the tags tell") };
    assert_eq!((reading.period.start(), reading.energy.kwh()), (at(0), 4_000));
    assert_eq!((reading.source_time, reading.flags), (at(600_123), Flags::GOOD));
    // A tag of three days ago is not believed.
    let old = start - 3 * 86_400_000;
    assert_eq!(peer.say(&format!("tagged float 8.5 {old}")).await, "done");
    let event = link.until("dt1.power", |e| e.value == Value::Power(8_500)).await;
    assert!(event.flags == Flags::CLOCK && event.at.unix_ms() >= now, "{event:?}");
}

#[tokio::test]
async fn c104_is_set_to_the_time_of_its_zone() {
    for offset_min in [0_i16, 480] {
        let (mut peer, mut link) = tagging_outstation(offset_min).await;
        link.until("dt1.energy", |_| true).await;
        let told = peer.say("clock").await;
        let told: i64 = told.trim_start_matches("clock ").parse().expect("a number");
        let should = SystemClock.now().unix_ms() + i64::from(offset_min) * 60_000;
        assert!((should - told).abs() < 5_000, "told {told}, not {should}");
    }
}

#[tokio::test]
async fn c104_takes_a_set_point_that_was_selected_and_refuses_one_it_does_not_want() {
    let (mut peer, mut link) = outstation().await;
    link.next("dt1.power").await;
    assert_eq!(link.command("dt1.set", 125_500).await, Ok(()));
    let told = peer.say("told").await;
    assert!(told.ends_with("125.5"), "{told}");
    peer.say("refuse yes").await;
    let refused = link.command("dt1.set", 99_000).await;
    assert!(
        matches!(refused, Err(CommandFailure::SelectRefused | CommandFailure::ExecuteRefused)),
        "{refused:?}"
    );
    assert_eq!(peer.say("told").await, told);
}

#[tokio::test]
async fn registers_of_pymodbus_are_read_in_their_formats() {
    let (mut peer, mut link) = modbus_server().await;
    peer.say("set 100 1 2").await;
    // 1234.5 as single precision.
    peer.say("set 110 17562 20480").await;
    peer.say("set 120 1").await;
    link.until("pv1.energy", |e| e.value == Value::Energy(65_538)).await;
    link.until("pv1.power", |e| e.value == Value::Power(1_234_500)).await;
    link.until("pv1.ready", |e| e.value == Value::State(true)).await;
}

#[tokio::test]
async fn every_poll_of_pymodbus_reads_every_register_once() {
    let (mut peer, mut link) = modbus_server().await;
    peer.say("count 101").await;
    let mut last = None;
    for _ in 0..50 {
        let Value::Energy(count) = link.next("pv1.energy").await.value else { panic!("a count") };
        // The first polls may come before the register counts.
        assert!(last.is_none_or(|last| count == last + 1 || (last == 0 && count == 0)), "{count}");
        last = Some(count);
    }
    assert!(last > Some(40));
}

#[tokio::test]
async fn ten_thousand_register_values_of_pymodbus_arrive_once_each_and_in_order() {
    const REGISTERS: u16 = 100;
    const POLLS: u64 = 100;
    let mut peer = Peer::start("modbus_server.py").await;
    assert_eq!(peer.say(&format!("count 0 {}", REGISTERS - 1)).await, "done");
    let mut station = modbus_station(&peer);
    station.poll_ms = 10;
    let register = station.energy.remove(0);
    let point = |n: u16| EnergyPoint {
        name: format!("r{n}"),
        at: duet_gateway::point_map::Register { register: n, format: Format::U16, ..register.at },
        ..register.clone()
    };
    station.energy = (0..REGISTERS).map(point).collect();
    (station.power, station.state, station.setpoint) = (Vec::new(), Vec::new(), Vec::new());
    let mut link = Link::modbus(station);
    assert_eq!(link.any().await.value, Value::Link(true));
    for poll in 1..=POLLS {
        for n in 0..REGISTERS {
            let event = link.any().await;
            let is = (&*event.name, event.value, event.flags);
            assert_eq!(is, (&*format!("r{n}"), Value::Energy(poll), Flags::GOOD));
        }
    }
}

#[tokio::test]
async fn an_exception_of_pymodbus_marks_the_points_and_the_next_answer_clears_them() {
    let (mut peer, mut link) = modbus_server().await;
    link.until("pv1.energy", |e| e.flags == Flags::GOOD).await;
    peer.say("fail yes").await;
    for name in ["pv1.energy", "pv1.power", "pv1.ready"] {
        link.until(name, |e| e.flags == Flags::INVALID).await;
    }
    peer.say("fail no").await;
    link.until("pv1.energy", |e| e.flags == Flags::GOOD).await;
}

#[tokio::test]
async fn a_register_of_pymodbus_is_written_and_read_back() {
    let (mut peer, mut link) = modbus_server().await;
    link.next("pv1.energy").await;
    assert_eq!(link.command("pv1.set", 70_000).await, Ok(()));
    assert_eq!(peer.say("get 200 2").await, "got 1 4464");
    peer.say("ignore yes").await;
    assert_eq!(link.command("pv1.set", 5).await, Err(CommandFailure::ReadBack(70_000)));
}

#[tokio::test]
async fn peers_that_die_and_come_back_are_read_again() {
    let (peer, mut link) = outstation().await;
    link.until("rtu-1", |e| e.value == Value::Link(true)).await;
    let address = peer.address;
    drop(peer);
    link.until("rtu-1", |e| e.value == Value::Link(false)).await;
    let mut peer = Peer::again("outstation.py", address).await;
    link.until("rtu-1", |e| e.value == Value::Link(true)).await;
    peer.say("float 7.25").await;
    link.until("dt1.power", |e| e.value == Value::Power(7_250)).await;
}

#[tokio::test]
async fn a_pymodbus_server_that_dies_and_comes_back_is_read_again() {
    let (peer, mut link) = modbus_server().await;
    link.until("pv1.energy", |e| e.flags == Flags::GOOD).await;
    let address = peer.address;
    drop(peer);
    link.until("pv-1", |e| e.value == Value::Link(false)).await;
    let mut peer = Peer::again("modbus_server.py", address).await;
    peer.say("set 100 1 2").await;
    link.until("pv-1", |e| e.value == Value::Link(true)).await;
    link.until("pv1.energy", |e| e.value == Value::Energy(65_538)).await;
    assert_eq!(link.command("pv1.set", 70_000).await, Ok(()));
}
