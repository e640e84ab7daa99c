//! What the tests over loopback share: the small plant, simulated and read.
#![allow(dead_code, reason = "each test program uses its part")]

pub(crate) mod many_points;
pub(crate) mod peer;
pub(crate) mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use duet_gateway::clock::SystemClock;
use duet_gateway::field::{
    Command, CommandFailure, FieldEvent, Surroundings, run_iec104, run_modbus,
};
use duet_gateway::point_map::{Iec104Station, ModbusStation, PointMap};
use duet_gateway::simulate::{Behaviour, ModbusServer, Plant, serve_iec104, serve_modbus};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// The small plant of `fixtures/plant.toml`.
pub(crate) fn map() -> PointMap {
    let mut map = PointMap::parse(include_str!("../fixtures/plant.toml")).expect("the fixture");
    map.modbus[0].poll_ms = 100;
    map
}

/// What the gateway's clients read, and what they are told.
pub(crate) struct Link {
    around: Surroundings,
    events: mpsc::Receiver<FieldEvent>,
    commands: BTreeMap<&'static str, mpsc::Sender<Command>>,
}

impl Link {
    /// A client of one station over IEC 60870-5-104.
    pub(crate) fn iec104(station: Iec104Station) -> Self {
        let (around, events) = surroundings();
        let (commands, receiver) = mpsc::channel(4);
        tokio::spawn(run_iec104(station, around.clone(), receiver));
        Self { around, events, commands: BTreeMap::from([("dt1", commands)]) }
    }

    /// A client of one station over Modbus TCP.
    pub(crate) fn modbus(station: ModbusStation) -> Self {
        let (around, events) = surroundings();
        let (commands, receiver) = mpsc::channel(4);
        tokio::spawn(run_modbus(station, around.clone(), receiver));
        Self { around, events, commands: BTreeMap::from([("pv1", commands)]) }
    }

    /// Clients of both stations of the small plant.
    pub(crate) fn both(iec104: SocketAddr, modbus: SocketAddr) -> Self {
        let mut map = map();
        let (around, events) = surroundings();
        let (mut rtu, mut pv) = (map.iec104.remove(0), map.modbus.remove(0));
        (rtu.address, pv.address) = (iec104.to_string(), modbus.to_string());
        let (rtu_commands, rtu_receiver) = mpsc::channel(4);
        let (pv_commands, pv_receiver) = mpsc::channel(4);
        tokio::spawn(run_iec104(rtu, around.clone(), rtu_receiver));
        tokio::spawn(run_modbus(pv, around.clone(), pv_receiver));
        let commands = BTreeMap::from([("dt1", rtu_commands), ("pv1", pv_commands)]);
        Self { around, events, commands }
    }

    /// A client of one more station, into the same queue.
    pub(crate) fn share(&mut self, station: Iec104Station) {
        let (commands, receiver) = mpsc::channel(4);
        tokio::spawn(run_iec104(station, self.around.clone(), receiver));
        self.commands.insert("shared", commands);
    }

    /// The next event of any point.
    pub(crate) async fn any(&mut self) -> FieldEvent {
        timeout(PATIENCE, self.events.recv()).await.expect("in time").expect("the clients run")
    }

    /// The next event of a point.
    pub(crate) async fn next(&mut self, name: &str) -> FieldEvent {
        self.until(name, |_| true).await
    }

    /// The next event of a point or station that is as it should be.
    pub(crate) async fn until(
        &mut self,
        name: &str,
        is: impl Fn(&FieldEvent) -> bool,
    ) -> FieldEvent {
        let found = timeout(PATIENCE, async {
            loop {
                let event = self.events.recv().await.expect("the clients run");
                if *event.name == *name && is(&event) {
                    return event;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("{name} did not come"))
    }

    /// Waits until each of `names` has had an event that is as it should be, in any order.
    pub(crate) async fn until_all(&mut self, names: &[&str], is: impl Fn(&FieldEvent) -> bool) {
        let mut missing: BTreeSet<&str> = names.iter().copied().collect();
        while !missing.is_empty() {
            let event = timeout(PATIENCE, self.events.recv()).await;
            let event = event.unwrap_or_else(|_| panic!("{missing:?} did not come"));
            let event = event.expect("the clients run");
            if is(&event) {
                missing.remove(&*event.name);
            }
        }
    }

    /// Sends a command to the station that has the set-point, while its events are read.
    pub(crate) async fn command(&mut self, name: &str, counts: i64) -> Result<(), CommandFailure> {
        let (reply, outcome) = oneshot::channel();
        let station = name.split('.').next().expect("a machine");
        let command = Command { name: name.into(), counts, reply };
        self.commands[station].send(command).await.expect("the client runs");
        let drain = async { while self.events.recv().await.is_some() {} };
        tokio::select! {
            outcome = outcome => outcome.expect("the client answers"),
            () = drain => unreachable!("the clients run"),
        }
    }
}

fn surroundings() -> (Surroundings, mpsc::Receiver<FieldEvent>) {
    let (sender, events) = mpsc::channel(duet_gateway::field::QUEUE);
    (Surroundings { events: sender, clock: Arc::new(SystemClock) }, events)
}

/// A simulated plant.
pub(crate) struct Bench {
    pub(crate) plant: Plant,
    pub(crate) iec104: SocketAddr,
    pub(crate) modbus: SocketAddr,
    _server: ModbusServer,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let map = map();
        let plant = Plant::new(&map, Behaviour::default());
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (every, clock) = (Duration::from_millis(100), Arc::new(SystemClock));
        let iec104 = serve_iec104(&map.iec104[0], &plant, clock, any, every).await.expect("starts");
        let server = serve_modbus(&map.modbus[0], &plant, any).await.expect("starts");
        Self { plant, iec104, modbus: server.address, _server: server }
    }

    /// The gateway's clients of the plant.
    pub(crate) fn link(&self) -> Link {
        Link::both(self.iec104, self.modbus)
    }
}

/// A TCP proxy whose connections can be cut.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cut: watch::Sender<u32>,
}

impl Proxy {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (cut, cuts) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut cuts = cuts.clone();
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self { address, cut }
    }

    /// Cuts every connection that is open.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}
