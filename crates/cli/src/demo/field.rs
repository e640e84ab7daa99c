//! The field of the demo: simulated plants, each behind a gateway of its own.
//!
//! Dispatches go from the ledger through the member's gateway to the station, readings back the
//! same way: over IEC 60870-5-104 or Modbus TCP, signed in batches, from a durable outbox. The
//! plants' time stands still until every reading of an hour is on the ledger, so that the same
//! scenario gives the same day on any machine.

mod map;

use anyhow::{Context as _, bail};
use duet_gateway::clock::Clock as GatewayClock;
use duet_gateway::device::Device;
use duet_gateway::point_map::PointMap;
use duet_gateway::run::{WayOut, run};
use duet_gateway::simulate::{Behaviour, ModbusServer, Plant, serve_iec104, serve_modbus};
use duet_gateway::uplink::{HttpUplink, NodeAccess};
use duet_ledger::{Phase, SessionId, UnitId};
use duet_node::Clock;
use duet_units::{ClockTime, DeliveryDay, Energy};
use duet_world::{TradingDay, demo_seed};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// How often stations send their values, and how often it is looked whether something has come.
const LOOK: Duration = Duration::from_millis(100);
/// How long a held plant waits for answers that are on their way.
const SETTLE: Duration = Duration::from_millis(50);
/// How often [`LOOK`] is waited for set-points, and for readings, before the demo gives up.
const PATIENCE: u32 = 1_200;

/// The plants' time, which gateways and stations read.
#[derive(Clone, Debug)]
struct PlantTime(Arc<AtomicI64>);

impl GatewayClock for PlantTime {
    fn now(&self) -> ClockTime {
        ClockTime::from_unix_ms(self.0.load(Ordering::Relaxed))
    }
}

/// The gateways and plants of all members; they end with it.
#[derive(Debug)]
pub(crate) struct Field {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    time: PlantTime,
    plants: Vec<Plant>,
    /// Where each unit's machine is: the place of its plant.
    units: BTreeMap<UnitId, usize>,
    runtime: Clock,
}

/// What a member's part of the field is made from.
struct Member {
    map: PointMap,
    plant: Plant,
    device: Device,
}

impl Field {
    /// Starts the field at `at`, the start of an hour: stations, and gateways that report to the
    /// API at `api` and keep their outboxes below `folder`.
    pub(crate) fn start(
        world: &TradingDay,
        (api, folder): (SocketAddr, PathBuf),
        at: ClockTime,
        runtime: Clock,
    ) -> anyhow::Result<Self> {
        let channel = world.founding().genesis.channel();
        let time = PlantTime(Arc::new(AtomicI64::new(at.unix_ms())));
        let (mut members, mut plants, mut units) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (place, member) in world.founding().members.iter().enumerate() {
            let folder = folder.join(place.to_string());
            map::make_board(&folder, place).context("the simulated board")?;
            let map = map::of_member(world, place, (api, &folder))?;
            let plant = Plant::new(&map, Behaviour { noise_permille: 0, ..Behaviour::default() });
            units.extend(member.units.iter().map(|unit| (*unit, place)));
            plants.push(plant.clone());
            let device = Device::from_seed(demo_seed(&member.device), channel);
            members.push(Member { map, plant, device });
        }
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = watch::channel(false);
        let surroundings = Surroundings { clock: time.clone(), stopped };
        let gateways = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("field".to_owned()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&gateways, serve(members, surroundings, ready));
        })?;
        started.recv().context("the field ended")??;
        let field = Self { stop, thread: Some(thread), time, plants, units, runtime };
        field.units.keys().for_each(|unit| field.run_at(*unit, 0));
        Ok(field)
    }

    /// Lets the hours of `day` pass that are not on the ledger yet, through the hour `through`.
    pub(crate) async fn deliver(
        &self,
        world: &TradingDay,
        day: DeliveryDay,
        through: u8,
    ) -> anyhow::Result<()> {
        for hour in next_hour(world, day)..=through {
            let start = day.start().plus_ms(i64::from(hour) * HOUR_MS);
            world.reach(start).await;
            let Some((session, Phase::Cleared, _)) = world.session_of(day) else { return Ok(()) };
            self.follow(world, day, hour).await;
            let told = |unit| Energy::from_kwh(self.told_kw(unit));
            for (unit, energy) in world.flows((session, day, hour), told) {
                self.run_at(unit, energy.kwh());
            }
            let end = start.plus_ms(HOUR_MS);
            world.reach(end.plus_ms(MINUTE_MS)).await;
            self.pass_to(end).await;
            self.reported(world, day, hour).await?;
        }
        Ok(())
    }

    /// Waits until every station was told what its units have to make in an hour.
    async fn follow(&self, world: &TradingDay, day: DeliveryDay, hour: u8) {
        let wanted = dispatched(world, day, hour);
        for unit in self.units.keys().filter(|unit| !wanted.contains_key(unit)) {
            self.tell(*unit, 0);
        }
        for _ in 0..PATIENCE {
            if wanted.iter().all(|(unit, kw)| self.told_kw(*unit) == *kw) {
                return;
            }
            self.runtime.sleep(LOOK).await;
        }
        let lazy = wanted.iter().filter(|(unit, kw)| self.told_kw(**unit) != **kw);
        let lazy: Vec<u32> = lazy.map(|(unit, _)| unit.0).collect();
        tracing::warn!("{day} {hour} h: units {lazy:?} do not follow their dispatch");
    }

    /// Moves the plants' time on, and the energy with it, while nobody can ask for values.
    async fn pass_to(&self, end: ClockTime) {
        self.plants.iter().for_each(|plant| plant.hold(true));
        self.runtime.sleep(SETTLE).await;
        let passed = end.unix_ms() - self.time.now().unix_ms();
        self.plants.iter().for_each(|plant| plant.flow(passed.max(0)));
        self.time.0.fetch_max(end.unix_ms(), Ordering::Relaxed);
        self.plants.iter().for_each(|plant| plant.hold(false));
    }

    async fn reported(&self, world: &TradingDay, day: DeliveryDay, hour: u8) -> anyhow::Result<()> {
        for _ in 0..PATIENCE {
            if missing(world, day, hour) == 0 {
                return Ok(());
            }
            self.runtime.sleep(LOOK).await;
        }
        bail!("{} units did not report hour {hour} of {day}", missing(world, day, hour))
    }

    fn machine(&self, unit: UnitId) -> Option<(&Plant, String)> {
        Some((self.plants.get(*self.units.get(&unit)?)?, map::point(unit, "set")))
    }

    fn run_at(&self, unit: UnitId, kw: i64) {
        if let Some((plant, point)) = self.machine(unit) {
            plant.with(&point, |machine| machine.run_at(kw * 1_000));
        }
    }

    fn tell(&self, unit: UnitId, kw: i64) {
        if let Some((plant, point)) = self.machine(unit) {
            plant.with(&point, |machine| machine.tell(kw * 1_000));
        }
    }

    fn told_kw(&self, unit: UnitId) -> i64 {
        let machine = self.machine(unit);
        let told = machine.and_then(|(plant, point)| plant.with(&point, |m| m.target_w() / 1_000));
        told.unwrap_or(0)
    }
}

/// The first hour of a day of which a reading is missing on the ledger.
pub(crate) fn next_hour(world: &TradingDay, day: DeliveryDay) -> u8 {
    (0..24).find(|hour| missing(world, day, *hour) > 0).unwrap_or(24)
}

/// How many units have no reading of an hour on the ledger.
fn missing(world: &TradingDay, day: DeliveryDay, hour: u8) -> usize {
    world.nodes().at(0).read(|state| {
        let known = |unit: &&UnitId| state.readings().contains_key(&(**unit, day, hour));
        state.units().len() - state.units().keys().filter(known).count()
    })
}

/// What the last dispatch of each unit for a day says about an hour, in kW.
fn dispatched(world: &TradingDay, day: DeliveryDay, hour: u8) -> BTreeMap<UnitId, i64> {
    let session = world.session_of(day).map_or(SessionId(0), |(session, ..)| session);
    world.nodes().at(0).read(|state| {
        let rows = state.dispatches().values().filter(|row| row.session == session);
        let at = |setpoints: &[duet_units::Power]| setpoints.get(usize::from(hour)).map(|p| p.kw());
        rows.filter_map(|row| Some((row.unit, at(&row.setpoints)?))).collect()
    })
}

/// Gateways keep their outboxes before those are removed.
impl Drop for Field {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the field panicked");
        }
    }
}

/// What every gateway goes by.
struct Surroundings {
    clock: PlantTime,
    stopped: watch::Receiver<bool>,
}

/// Serves all stations and runs all gateways until they are stopped.
async fn serve(
    members: Vec<Member>,
    around: Surroundings,
    ready: mpsc::Sender<anyhow::Result<()>>,
) {
    let (mut servers, mut gateways) = (Vec::new(), JoinSet::new());
    for member in members {
        if let Err(error) = start_member(member, &around, &mut servers, &mut gateways).await {
            // Nobody else could be told.
            ready.send(Err(error)).ok();
            return;
        }
    }
    ready.send(Ok(())).ok();
    gateways.join_all().await;
}

async fn start_member(
    member: Member,
    around: &Surroundings,
    servers: &mut Vec<ModbusServer>,
    gateways: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let Member { mut map, plant, device } = member;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    for station in &mut map.iec104 {
        let served = serve_iec104(station, &plant, Arc::new(around.clock.clone()), any, LOOK).await;
        station.address = served.context("a simulated station")?.to_string();
    }
    for station in &mut map.modbus {
        let server = serve_modbus(station, &plant, any).await.context("a simulated station")?;
        station.address = server.address.to_string();
        servers.push(server);
    }
    let access = NodeAccess::of(&map).context("the map has an uplink")?;
    let (clock, mut stopped) = (Arc::new(around.clock.clone()), around.stopped.clone());
    let uplink = HttpUplink::new(access, device.clone(), clock.clone())?;
    gateways.spawn_local(async move {
        let way = WayOut::Node(Arc::new(uplink));
        let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
        if let Err(error) = run(&map, device, way, clock, stop).await {
            tracing::error!("the gateway {} ended: {error}", map.gateway.name);
        }
    });
    Ok(())
}
