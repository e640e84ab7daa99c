//! A simulated plant, for demonstrations and tests: it speaks the field protocols as a station and
//! is called simulated wherever it shows.
//!
//! It is built from the gateway's own point map. Points whose names share everything before the
//! last dot (`dt1.energy`, `dt1.power`, `dt1.set`) are one machine.

mod iec104;
mod machine;
mod modbus;

pub use iec104::serve_iec104;
pub use machine::{Fault, Machine, MachineRule, Noise};
pub use modbus::{ModbusServer, serve_modbus};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::point_map::{EnergyPoint, PointMap, PowerPoint, SetpointPoint, StatePoint};

/// How the simulated plant behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// The seed of the noise; the same seed gives the same plant.
    pub seed: u64,
    /// The noise of measured powers, in parts per thousand of the power.
    pub noise_permille: u32,
    /// How fast a machine moves, in parts per thousand of its range a second.
    pub ramp_permille: u32,
}

impl Default for Behaviour {
    fn default() -> Self {
        // A coal unit moves by 1.5 to 2 % a minute; a demonstration cannot wait for that.
        Self { seed: 1, noise_permille: 2, ramp_permille: 20 }
    }
}

/// All machines of a simulated plant.
#[derive(Clone, Debug)]
pub struct Plant {
    machines: Arc<Mutex<BTreeMap<String, Machine>>>,
    /// How often it was held or released: it is held while this is odd.
    turns: watch::Sender<u64>,
}

impl Plant {
    /// A plant with the machines that `map` names, each at 60 % of its range.
    #[must_use]
    pub fn new(map: &PointMap, behaviour: Behaviour) -> Self {
        let mut rules: BTreeMap<String, MachineRule> = BTreeMap::new();
        for station in &map.iec104 {
            add(&mut rules, &station.energy, &station.power, &station.state, &station.setpoint);
        }
        for station in &map.modbus {
            add(&mut rules, &station.energy, &station.power, &station.state, &station.setpoint);
        }
        let mut seed = behaviour.seed;
        let machines = rules.into_iter().map(|(name, rule)| {
            seed = seed.wrapping_add(1);
            (name, Machine::new(rule, Behaviour { seed, ..behaviour }))
        });
        let (turns, _) = watch::channel(0);
        Self { machines: Arc::new(Mutex::new(machines.collect())), turns }
    }

    /// Whether its stations let those wait who ask for values: while its time is moved on, so that
    /// nobody gets a value of before and takes it for one of after.
    pub fn hold(&self, held: bool) {
        self.turns.send_modify(|turns| *turns += u64::from(is_held(*turns) != held));
    }

    /// Waits until it is not held.
    pub(crate) fn released(&self) -> impl Future<Output = ()> + use<> {
        let mut turns = self.turns.subscribe();
        async move {
            // It cannot be held by nobody.
            turns.wait_for(|turns| !is_held(*turns)).await.ok();
        }
    }

    /// What `read` gives of its values and its time; `None` if time was moved on meanwhile.
    pub(crate) fn at_rest<T>(&self, read: impl FnOnce() -> T) -> Option<T> {
        let before = *self.turns.borrow();
        let value = read();
        (!is_held(before) && *self.turns.borrow() == before).then_some(value)
    }

    /// Lets `ms` pass for every machine at the power that it makes.
    pub fn flow(&self, ms: i64) {
        self.lock().values_mut().for_each(|machine| machine.flow(ms));
    }

    /// Lets `ms` pass for every machine.
    pub fn step(&self, ms: u32) {
        self.lock().values_mut().for_each(|machine| machine.step(ms));
    }

    /// Changes the machine that `point` belongs to; `None` if there is none.
    pub fn with<T>(&self, point: &str, change: impl FnOnce(&mut Machine) -> T) -> Option<T> {
        self.lock().get_mut(machine_of(point)).map(change)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Machine>> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn is_held(turns: u64) -> bool {
    turns % 2 == 1
}

/// The machine's part of a point's name.
fn machine_of(point: &str) -> &str {
    point.rsplit_once('.').map_or(point, |(machine, _)| machine)
}

fn add<A>(
    rules: &mut BTreeMap<String, MachineRule>,
    energy: &[EnergyPoint<A>],
    power: &[PowerPoint<A>],
    state: &[StatePoint<A>],
    setpoint: &[SetpointPoint<A>],
) {
    let names = energy.iter().map(|p| &p.name).chain(power.iter().map(|p| &p.name));
    let names = names.chain(state.iter().map(|p| &p.name)).chain(setpoint.iter().map(|p| &p.name));
    for name in names {
        rules.entry(machine_of(name).to_owned()).or_default();
    }
    for point in energy {
        if let Some(rule) = rules.get_mut(machine_of(&point.name)) {
            rule.max_w = i64::from(point.max_kw) * 1_000;
        }
    }
    for point in setpoint {
        if let Some(rule) = rules.get_mut(machine_of(&point.name)) {
            rule.min_w = point.min_kw.saturating_mul(1_000);
            rule.max_w = point.max_kw.saturating_mul(1_000);
        }
    }
}
