//! The gateway's clients against implementations that we did not write: c104 and pymodbus.

mod support;

use std::time::Duration;

use duet_gateway::field::{CommandFailure, Value};
use duet_gateway::reading::Flags;
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

async fn modbus_server() -> (Peer, Link) {
    let peer = Peer::start("modbus_server.py").await;
    let mut station = map().modbus.remove(0);
    station.address = peer.address.to_string();
    station.poll_ms = 100;
    let link = Link::modbus(station);
    (peer, link)
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
