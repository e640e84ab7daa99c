//! The whole gateway: a simulated plant, real sockets, a ledger that is a list, a fast clock.

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use duet_gateway::clock::Clock;
use duet_gateway::core::Standing;
use duet_gateway::device::Device;
use duet_gateway::point_map::PointMap;
use duet_gateway::run::{WayOut, run};
use duet_gateway::simulate::{Behaviour, Plant, serve_iec104, serve_modbus};
use duet_gateway::uplink::{Collector, Delivery, OneWay, Taken, Uplink};
use duet_ledger::{
    Action, DeviceAction, Dispatch, DispatchId, DispatchState, Quality, SessionId, UnitId,
};
use duet_units::{ClockTime, Power};
use tokio::time::Instant;

/// Ten minutes of the plant pass in a second: a period of a quarter of an hour takes 1.5 s.
const SPEED: i64 = 600;

/// A clock that starts on a morning in China and runs fast.
struct Fast {
    start: Instant,
    base: ClockTime,
}

impl Clock for Fast {
    fn now(&self) -> ClockTime {
        let elapsed = i64::try_from(self.start.elapsed().as_millis()).expect("a short test");
        self.base.plus_ms(elapsed * SPEED)
    }
}

/// A ledger that takes everything, unless it is down, and remembers it.
#[derive(Default)]
struct Ledger {
    down: AtomicBool,
    actions: Mutex<Vec<Action>>,
    dispatches: Mutex<Vec<(DispatchId, Dispatch)>>,
}

#[async_trait]
impl Uplink for Ledger {
    async fn submit(&self, action: Action) -> Delivery {
        if self.down.load(Ordering::Relaxed) {
            return Delivery::Later;
        }
        self.actions.lock().expect("no panic").push(action);
        Delivery::Final
    }

    async fn dispatches(&self) -> Option<Vec<(DispatchId, Dispatch)>> {
        Some(self.dispatches.lock().expect("no panic").clone())
    }
}

impl Ledger {
    /// What was reported: energy and quality by unit, period and version.
    fn readings(&self) -> BTreeMap<(u32, u8, u16), (i64, Quality)> {
        let mut readings = BTreeMap::new();
        for action in self.actions.lock().expect("no panic").iter() {
            let Action::Device(DeviceAction::ReportBatch(batch)) = action else { continue };
            assert!(batch.header(&[9; 32]).is_signed(&batch.signature));
            for reading in &batch.readings {
                let key = (reading.unit.0, reading.period.index(), reading.version);
                let value = (reading.energy.kwh(), reading.flags.quality());
                assert_eq!(readings.insert(key, value), None, "{key:?} was reported twice");
            }
        }
        readings
    }
}

struct World {
    clock: Arc<Fast>,
    plant: Plant,
    map: PointMap,
    _server: duet_gateway::simulate::ModbusServer,
}

impl World {
    /// A plant without noise, at 60 %: 198 MW and 30 MW, so 49 500 and 7 500 kWh a period.
    async fn start(name: &str) -> Self {
        // 2026-07-06T10:00+08:00.
        let base = ClockTime::from_unix_ms(1_783_303_200_000);
        let clock = Arc::new(Fast { start: Instant::now(), base });
        let mut map = support::map();
        map.gateway.data = folder(name);
        map.gateway.seal_after_s = 60;
        // A poll every 100 ms is one a minute here.
        map.iec104[0].setpoint[0].fresh_s = 600;
        map.modbus[0].setpoint[0].fresh_s = 600;
        drop(std::fs::remove_dir_all(&map.gateway.data));
        let behaviour = Behaviour { noise_permille: 0, ..Behaviour::default() };
        let plant = Plant::new(&map, behaviour);
        let every = Duration::from_millis(50);
        let any = ([127, 0, 0, 1], 0).into();
        let rtu = serve_iec104(&map.iec104[0], &plant, clock.clone(), any, every).await;
        let server = serve_modbus(&map.modbus[0], &plant, any).await.expect("starts");
        map.iec104[0].address = rtu.expect("starts").to_string();
        map.modbus[0].address = server.address.to_string();
        tokio::spawn(step(plant.clone(), clock.clone()));
        Self { clock, plant, map, _server: server }
    }

    async fn run(&self, way: WayOut, seconds: u64) -> Standing {
        let device = Device::from_seed([7; 32], [9; 32]);
        let stop = tokio::time::sleep(Duration::from_secs(seconds));
        run(&self.map, device, way, self.clock.clone(), stop).await.expect("it runs")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.map.gateway.data));
    }
}

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("duet-gateway-{name}-{}", std::process::id()))
}

/// Lets the plant's time pass with the clock.
async fn step(plant: Plant, clock: Arc<Fast>) {
    let mut last = clock.now();
    loop {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let now = clock.now();
        plant.step(u32::try_from(now.unix_ms() - last.unix_ms()).expect("time goes on"));
        last = now;
    }
}

fn check(readings: &BTreeMap<(u32, u8, u16), (i64, Quality)>, unit: u32, kwh: i64) {
    let of: Vec<_> = readings.iter().filter(|((u, ..), _)| *u == unit).collect();
    assert!(of.len() >= 3, "{of:?}");
    // The first period was not seen from its start. On a busy machine the fast plant stumbles, which
    // marks a period; its energy is right all the same.
    let good = of.iter().filter(|(_, (_, quality))| *quality == Quality::Good).count();
    assert!(good >= 1, "{of:?}");
    about(&of.into_iter().skip(1).map(|(_, (energy, _))| *energy).collect::<Vec<_>>(), kwh);
}

/// Whether each period's energy is about `kwh`, and closer on the average. At this speed a tenth of
/// a second in which the machine does something else is a minute of the plant, whose energy then
/// counts in the next period.
fn about(periods: &[i64], kwh: i64) {
    assert!(periods.iter().all(|energy| (energy - kwh).abs() * 4 < kwh), "{periods:?}, not {kwh}");
    let mean = periods.iter().sum::<i64>() / i64::try_from(periods.len()).expect("a short test");
    assert!((mean - kwh).abs() * 10 < kwh, "{periods:?}, on the average not {kwh}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_morning_goes_through_the_gateway_even_while_the_ledger_is_down_and_it_is_stopped() {
    let world = World::start("morning").await;
    let ledger = Arc::new(Ledger::default());
    ledger.down.store(true, Ordering::Relaxed);
    let standing = world.run(WayOut::Node(ledger.clone()), 5).await;
    assert!(standing.backlog.readings >= 4, "{standing:?}");
    assert_eq!(ledger.readings().len(), 0);

    ledger.down.store(false, Ordering::Relaxed);
    let standing = world.run(WayOut::Node(ledger.clone()), 8).await;
    let readings = ledger.readings();
    assert!(standing.backlog.readings <= 4, "{standing:?}");
    assert_eq!(standing.stations_up, 2);
    check(&readings, 1, 49_500);
    check(&readings, 2, 7_500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_dispatch_moves_the_plant_and_is_answered() {
    let world = World::start("dispatch").await;
    let ledger = Arc::new(Ledger::default());
    let day = world.clock.now().day();
    let dispatch = |unit, kw| Dispatch {
        session: SessionId(1),
        unit: UnitId(unit),
        day,
        setpoints: vec![Power::from_kw(kw); 24],
        issued_at: world.clock.now(),
        state: DispatchState::Issued,
        cause: 0,
    };
    *ledger.dispatches.lock().expect("no panic") = vec![
        (DispatchId(1), dispatch(1, 250_000)),
        (DispatchId(2), dispatch(2, 60_000)),
        (DispatchId(3), dispatch(2, 20_000)),
        (DispatchId(4), dispatch(99, 20_000)),
    ];
    let standing = world.run(WayOut::Node(ledger.clone()), 8).await;
    assert_eq!(standing.blocked, []);
    assert_eq!(world.plant.with("dt1.set", |m| m.target_w()), Some(250_000_000));
    assert_eq!(world.plant.with("pv1.set", |m| m.target_w()), Some(20_000_000));
    let answers: Vec<(u64, bool, u16)> = ledger
        .actions
        .lock()
        .expect("no panic")
        .iter()
        .filter_map(|action| match action {
            Action::AckDispatch(a) => Some((a.dispatch.0, a.accepted, a.cause)),
            _ => None,
        })
        .collect();
    // 60 MW is more than the unit may be told; unit 99 is another gateway's.
    for answer in [(1, true, 0), (2, false, 5), (3, true, 0)] {
        assert!(answers.contains(&answer), "{answers:?}");
    }
    assert!(answers.iter().all(|(id, ..)| *id != 4), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readings_get_out_over_a_link_that_carries_nothing_back() {
    let mut world = World::start("one-way").await;
    let sink = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let target = sink.local_addr().expect("an address");
    world.map.uplink = None;
    let collected = tokio::spawn(async move {
        let device = Device::from_seed([7; 32], [9; 32]).public();
        let mut collector = Collector::new([device]);
        let (mut readings, mut datagram) = (Vec::new(), vec![0; 2_000]);
        while let Ok(length) =
            tokio::time::timeout(Duration::from_secs(4), sink.recv(&mut datagram)).await
        {
            let taken = collector.take(&datagram[..length.expect("loopback")]);
            if let Taken::New(batch) = taken.expect("a signed batch") {
                readings.extend_from_slice(batch.readings());
            }
        }
        assert_eq!(collector.missing(&device), (vec![], 0));
        readings
    });
    let way = WayOut::OneWay(OneWay::new(target, 2).await.expect("a socket"));
    world.run(way, 8).await;
    let readings = collected.await.expect("it collects");
    let full: Vec<i64> =
        readings.iter().filter(|r| r.unit == UnitId(1)).skip(1).map(|r| r.energy.kwh()).collect();
    assert!(full.len() >= 2, "{readings:?}");
    about(&full, 49_500);
}
