//! What the tests over loopback share: the small plant, simulated and read.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use duet_gateway::clock::SystemClock;
use duet_gateway::field::{
    Command, CommandFailure, FieldEvent, Surroundings, run_iec104, run_modbus,
};
use duet_gateway::point_map::PointMap;
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

/// A simulated plant, and the gateway's clients that read it.
pub(crate) struct Bench {
    pub(crate) plant: Plant,
    pub(crate) iec104: SocketAddr,
    pub(crate) modbus: SocketAddr,
    _server: ModbusServer,
    events: mpsc::Receiver<FieldEvent>,
    commands: [mpsc::Sender<Command>; 2],
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let map = map();
        let plant = Plant::new(&map, Behaviour::default());
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (every, clock) = (Duration::from_millis(100), Arc::new(SystemClock));
        let iec104 = serve_iec104(&map.iec104[0], &plant, clock, any, every).await.expect("starts");
        let server = serve_modbus(&map.modbus[0], &plant, any).await.expect("starts");
        let (events, commands) = clients(map, iec104, server.address);
        Self { plant, iec104, modbus: server.address, _server: server, events, commands }
    }

    /// The same plant, read anew through proxies.
    pub(crate) fn through(mut self, iec104: &Proxy, modbus: &Proxy) -> Self {
        (self.events, self.commands) = clients(map(), iec104.address, modbus.address);
        self
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
        let station = usize::from(name.starts_with("pv1"));
        let command = Command { name: name.into(), counts, reply };
        self.commands[station].send(command).await.expect("the client runs");
        let drain = async { while self.events.recv().await.is_some() {} };
        tokio::select! {
            outcome = outcome => outcome.expect("the client answers"),
            () = drain => unreachable!("the clients run"),
        }
    }
}

fn clients(
    map: PointMap,
    iec104: SocketAddr,
    modbus: SocketAddr,
) -> (mpsc::Receiver<FieldEvent>, [mpsc::Sender<Command>; 2]) {
    let (sender, events) = mpsc::channel(duet_gateway::field::QUEUE);
    let around = Surroundings { events: sender, clock: Arc::new(SystemClock) };
    let mut rtu = map.iec104.into_iter().next().expect("a station");
    rtu.address = iec104.to_string();
    let mut pv = map.modbus.into_iter().next().expect("a station");
    pv.address = modbus.to_string();
    let (rtu_commands, rtu_receiver) = mpsc::channel(4);
    let (pv_commands, pv_receiver) = mpsc::channel(4);
    tokio::spawn(run_iec104(rtu, around.clone(), rtu_receiver));
    tokio::spawn(run_modbus(pv, around, pv_receiver));
    (events, [rtu_commands, pv_commands])
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
