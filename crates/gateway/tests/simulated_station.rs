//! The gateway's clients against the simulated stations, over loopback.

mod support;

use std::time::Duration;

use duet_gateway::field::{CommandFailure, Value};
use duet_gateway::reading::Flags;
use duet_gateway::simulate::Fault;

use support::{Bench, Link, Proxy};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn every_point_of_both_stations_is_read() {
    let bench = Bench::start().await;
    let mut link = bench.link();
    for name in ["dt1.energy", "dt1.power", "dt1.breaker", "dt1.remote"] {
        let event = link.next(name).await;
        assert_eq!(event.flags, Flags::GOOD, "{name}");
    }
    for name in ["pv1.energy", "pv1.power", "pv1.ready"] {
        let event = link.next(name).await;
        assert_eq!(event.flags, Flags::GOOD, "{name}");
    }
    // 60 % of 330 MW and of 50 MW, and 2 permille of noise.
    assert!(matches!(link.next("dt1.power").await.value, Value::Power(197_600_000..=198_400_000)));
    assert!(matches!(link.next("pv1.power").await.value, Value::Power(29_940_000..=30_060_000)));
    assert_eq!(link.next("dt1.breaker").await.value, Value::State(true));
}

#[tokio::test]
async fn a_set_point_is_selected_and_executed_over_104_and_moves_the_machine() {
    let bench = Bench::start().await;
    let mut link = bench.link();
    link.next("dt1.power").await;
    assert_eq!(link.command("dt1.set", 100_000_000).await, Ok(()));
    assert_eq!(bench.plant.with("dt1.set", |m| m.target_w()), Some(100_000_000));
    bench.plant.step(60_000);
    assert_eq!(bench.plant.with("dt1.set", |m| m.power_w()), Some(100_000_000));
}

#[tokio::test]
async fn a_refused_an_unanswered_and_an_unrepresentable_set_point_move_nothing() {
    let bench = Bench::start().await;
    let mut link = bench.link();
    link.next("dt1.power").await;
    let before = bench.plant.with("dt1.set", |m| m.target_w());
    for (fault, outcome) in
        [(Fault::Refuse, CommandFailure::SelectRefused), (Fault::Silent, CommandFailure::Timeout)]
    {
        bench.plant.with("dt1.set", |m| m.fault = fault);
        assert_eq!(link.command("dt1.set", 100_000_000).await, Err(outcome));
    }
    bench.plant.with("dt1.set", |m| m.fault = Fault::None);
    assert_eq!(link.command("dt1.set", 999_000_000).await, Err(CommandFailure::ExecuteRefused));
    assert_eq!(link.command("dt1.set", 100_000_001).await, Err(CommandFailure::OutOfRange));
    assert_eq!(bench.plant.with("dt1.set", |m| m.target_w()), before);
}

#[tokio::test]
async fn a_register_is_written_and_read_back_over_modbus() {
    let bench = Bench::start().await;
    let mut link = bench.link();
    link.next("pv1.power").await;
    assert_eq!(link.command("pv1.set", 20_000).await, Ok(()));
    assert_eq!(bench.plant.with("pv1.set", |m| m.target_w()), Some(20_000_000));
    bench.plant.with("pv1.set", |m| m.fault = Fault::Ignore);
    assert_eq!(link.command("pv1.set", 10_000).await, Err(CommandFailure::ReadBack(20_000)));
    bench.plant.with("pv1.set", |m| m.fault = Fault::Refuse);
    assert_eq!(link.command("pv1.set", 10_000).await, Err(CommandFailure::Exception(3)));
    assert_eq!(link.command("pv1.set", -1).await, Err(CommandFailure::OutOfRange));
}

#[tokio::test]
async fn a_fault_of_the_instruments_is_marked_on_every_value() {
    let bench = Bench::start().await;
    let mut link = bench.link();
    link.next("dt1.power").await;
    bench.plant.with("dt1.power", |m| m.fault = Fault::Invalid);
    bench.plant.with("pv1.power", |m| m.fault = Fault::Invalid);
    for name in ["dt1.energy", "dt1.power", "dt1.breaker", "pv1.energy", "pv1.power", "pv1.ready"] {
        link.until(name, |event| event.flags.contains(Flags::INVALID)).await;
    }
}

#[tokio::test]
async fn a_station_that_is_cut_off_is_found_again() {
    let bench = Bench::start().await;
    let iec104 = Proxy::to(bench.iec104).await;
    let modbus = Proxy::to(bench.modbus).await;
    let mut link = Link::both(iec104.address, modbus.address);
    for _ in 0..2 {
        link.until_all(&["rtu-1", "pv-1"], |event| event.value == Value::Link(true)).await;
        link.until_all(&["dt1.energy", "pv1.energy"], |_| true).await;
        iec104.cut();
        modbus.cut();
        link.until_all(&["rtu-1", "pv-1"], |event| event.value == Value::Link(false)).await;
    }
    tokio::time::timeout(PATIENCE, link.next("dt1.power")).await.expect("it comes back");
}
