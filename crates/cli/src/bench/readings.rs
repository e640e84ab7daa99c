//! Signed readings that a channel admits: a signature for each against a signature for each batch,
//! both at the door that devices have, where each transaction is checked by itself.

use super::load::{self, Signed, add, key_of, key_of_public, terms};
use super::measure::{Meter, peak_memory_mb};
use crate::cluster;
use anyhow::{Context as _, ensure};
use clap::Args;
use duet_ledger::{
    Action, BATCH_MAX, DeviceAction, Genesis, Identity, MarketRule, MeterReport, Mode,
    PeriodReading, PublicKey, Quality, Reading, ReadingFlags, Registration, ReportBatch, Role,
    Roles, RuleId, SessionNotice, SessionTerms, State, Technology, Unit, UnitId, Unsigned,
};
use duet_node::{Clock, Handle, host};
use duet_units::{
    ClockTime, DeliveryDay, DeliveryPeriod, EmissionFactor, Energy, Power, Price, Resolution,
};
use duet_world::{Actor, Founding, WorldClock};
use ed25519_zebra::SigningKey;
use serde::Serialize;

/// Plants, each with a device that signs for all of its units.
const PLANTS: u32 = 16;
/// Units of a plant whose readings are signed one by one, and those that go in batches.
const SINGLE_UNITS: u32 = 32;
const BATCH_UNITS: u32 = 256;
const PERIODS: u32 = 96;
/// How many times as many readings a second batches must admit.
const RATIO_MIN: f64 = 10.0;
const DAY: DeliveryDay = load::DAY;

#[derive(Debug, Args)]
pub(super) struct ReadingsArgs {
    /// How many validators, all in this process: they share its processors, and each checks every
    /// signature.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    validators: u8,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    validators: u8,
    one_signature_a_reading: Rate,
    one_signature_a_batch: Rate,
    readings_in_a_batch: usize,
    times_as_many: f64,
    peak_memory_mb: u64,
    state_roots_agree: bool,
}

#[derive(Debug, Serialize)]
struct Rate {
    readings: usize,
    transactions: usize,
    seconds: f64,
    readings_per_s: u64,
    cpu_cores: f64,
}

pub(super) fn run(args: &ReadingsArgs) -> anyhow::Result<()> {
    let scratch = crate::scratch::Scratch::new("bench")?;
    let report = host::run(&scratch.path().join("chain"), |host| async move {
        let plants = Plants::new(args.validators)?;
        let time = WorldClock::at(plants.founding.genesis.time);
        let reader = time.clone();
        let clock = host.clock_reading(move || reader.now());
        let nodes = cluster::start(&host, &plants.founding, &clock).await?;
        measured(&plants, &nodes, (&time, &clock)).await
    })??;
    print(args, &report)?;
    ensure!(report.state_roots_agree, "the validators' states differ");
    ensure!(report.times_as_many >= RATIO_MIN, "batches admit less than {RATIO_MIN} times as many");
    Ok(())
}

async fn measured(
    plants: &Plants,
    nodes: &[Handle],
    (time, clock): (&WorldClock, &Clock),
) -> anyhow::Result<Report> {
    plants.deliver(nodes, time).await?;
    let singles = plants.singles(nodes.len());
    let one = admitted(nodes, singles, clock).await?;
    let many = admitted(nodes, plants.batches(nodes.len()), clock).await?;
    let height = nodes.iter().map(|node| node.read(State::height)).max().unwrap_or(0);
    for node in nodes {
        node.wait_height(height).await;
    }
    let roots: Vec<_> = nodes.iter().map(|node| node.state_root_at(height)).collect();
    Ok(Report {
        validators: u8::try_from(nodes.len()).unwrap_or(u8::MAX),
        times_as_many: rate(&many) / rate(&one),
        one_signature_a_reading: one,
        one_signature_a_batch: many,
        readings_in_a_batch: BATCH_MAX,
        peak_memory_mb: peak_memory_mb(),
        state_roots_agree: roots.windows(2).all(|pair| pair[0].is_some() && pair[0] == pair[1]),
    })
}

fn rate(of: &Rate) -> f64 {
    of.readings as f64 / of.seconds
}

/// From the first submission to the last receipt that is final; checked is that the state holds
/// every reading.
async fn admitted(nodes: &[Handle], signed: Signed, clock: &Clock) -> anyhow::Result<Rate> {
    let held = |state: &State| state.readings().len();
    let before = nodes[0].read(held);
    let transactions: usize = signed.iter().map(Vec::len).sum();
    let meter = Meter::start();
    let finality = load::all_at_once(nodes, signed, load::singly, clock).await?;
    let (seconds, cpu_cores) = (meter.elapsed().as_secs_f64(), meter.cpu_cores());
    ensure!(finality.len() == transactions, "a transaction was lost");
    let readings = nodes[0].read(held) - before;
    let readings_per_s = (readings as f64 / seconds) as u64;
    Ok(Rate { readings, transactions, seconds, readings_per_s, cpu_cores })
}

/// A channel with many metered units.
struct Plants {
    founding: Founding,
    keys: Vec<SigningKey>,
    channel: [u8; 32],
}

impl Plants {
    fn new(validators: u8) -> anyhow::Result<Self> {
        let mut genesis = Genesis {
            name: "bench".to_owned(),
            time: DAY.start().plus_ms(-7_200_000),
            validators: load::validators(validators),
            organisations: Vec::new(),
            identities: Vec::new(),
            units: Vec::new(),
            rules: vec![MarketRule::plain("BENCH", &quarters())],
        };
        for (name, role) in
            [("EXCHANGE", Role::Exchange), ("GRID", Role::Dispatcher), ("BANK", Role::Bank)]
        {
            add(&mut genesis, name, role);
        }
        let mut keys = Vec::new();
        for plant in 0..PLANTS {
            let name = format!("PLANT_{plant}");
            let (owner, _) = add(&mut genesis, &name, Role::Generator);
            let (key, device) = key_of(&format!("{name} gateway"));
            let roles = Roles::of(&[Role::Device]);
            let identity = Identity { organisation: owner, roles, label: name.clone() };
            genesis.identities.push(Registration { key: device, identity });
            let unit = |n: u32| Unit {
                owner,
                name: format!("{name}_{n}"),
                technology: Technology::Coal,
                capacity: Power::from_kw(100_000),
                registered_cost: Price::from_milli_yuan_per_mwh(300_000),
                emission_factor: EmissionFactor::from_g_per_kwh(830),
                benchmark: EmissionFactor::from_g_per_kwh(791),
                device,
            };
            genesis.units.extend((0..SINGLE_UNITS + BATCH_UNITS).map(unit));
            keys.push(key);
        }
        genesis.check().context("the bench's genesis")?;
        let channel = genesis.channel();
        Ok(Self { founding: Founding { genesis, members: Vec::new() }, keys, channel })
    }

    /// Opens a session for the day and lets the day pass.
    async fn deliver(&self, nodes: &[Handle], time: &WorldClock) -> anyhow::Result<()> {
        let notice = SessionNotice {
            rule: RuleId(1),
            mode: Mode::Joint,
            days: 1,
            day: DAY,
            gate_open: time.now(),
            gate_close: load::gate_close(),
            terms: quarters(),
        };
        Actor::new("EXCHANGE", &nodes[0]).act(Action::OpenSession(notice)).await?;
        let end = DAY.next().start();
        time.jump_to(end);
        for node in nodes {
            while node.read(State::time) < end {
                node.wait_height(node.read(State::height) + 1).await;
            }
        }
        Ok(())
    }

    /// Each reading in a transaction of its own.
    fn singles(&self, nodes: usize) -> Signed {
        self.signed(nodes, |plant| {
            let readings = readings(plant, 0..SINGLE_UNITS);
            readings.iter().map(single).collect()
        })
    }

    /// The readings of the other units in full batches.
    fn batches(&self, nodes: usize) -> Signed {
        self.signed(nodes, |plant| {
            let readings = readings(plant, SINGLE_UNITS..SINGLE_UNITS + BATCH_UNITS);
            let parts = (1..).zip(readings.chunks(BATCH_MAX));
            parts.map(|(sequence, part)| self.batch(plant, sequence, part)).collect()
        })
    }

    fn batch(&self, plant: u32, sequence: u64, readings: &[PeriodReading]) -> Action {
        let key = &self.keys[plant as usize];
        let mut batch = ReportBatch {
            device: key_of_public(key),
            sequence,
            sealed_at: DAY.next().start(),
            readings: readings.to_vec(),
            signature: [0; 64],
        };
        batch.signature = key.sign(&batch.header(&self.channel).message()).into();
        Action::Device(DeviceAction::ReportBatch(batch))
    }

    /// What each plant's device sends, signed; a device always turns to the same validator.
    fn signed(&self, nodes: usize, of: impl Fn(u32) -> Vec<Action>) -> Signed {
        let mut signed = vec![Vec::new(); nodes];
        for (plant, key) in (0..).zip(&self.keys) {
            let signer: PublicKey = key_of_public(key);
            let actions = of(plant);
            // Batches follow the single readings, whose number is less than this.
            let first = if matches!(actions[0], Action::Device(_)) { 1_000_000 } else { 1 };
            for (nonce, action) in (first..).zip(actions) {
                let unsigned = Unsigned { channel: self.channel, signer, nonce, action };
                signed[plant as usize % nodes].push(unsigned.sign(key).bytes().to_vec());
            }
        }
        signed
    }
}

fn quarters() -> SessionTerms {
    SessionTerms { resolution: Resolution::Quarter, ..terms() }
}

/// A day of quarter-hours of these units of a plant.
fn readings(plant: u32, units: std::ops::Range<u32>) -> Vec<PeriodReading> {
    let first = plant * (SINGLE_UNITS + BATCH_UNITS);
    let of = |unit: u32| {
        (0..PERIODS).filter_map(move |n| {
            Some(PeriodReading {
                unit: UnitId(first + unit),
                period: DeliveryPeriod::new(DAY, Resolution::Quarter, u8::try_from(n).ok()?)?,
                version: 1,
                energy: Energy::from_kwh(i64::from(n * 100 + unit)),
                flags: ReadingFlags::GOOD,
                source_time: ClockTime::from_unix_ms(7),
            })
        })
    };
    units.flat_map(of).collect()
}

fn single(reading: &PeriodReading) -> Action {
    Action::ReportMeter(MeterReport {
        unit: reading.unit,
        day: DAY,
        first_period: reading.period.index(),
        version: 1,
        readings: vec![Reading { energy: reading.energy, quality: Quality::Good }],
    })
}

#[expect(clippy::print_stdout, reason = "this is what the program is asked to show")]
fn print(args: &ReadingsArgs, report: &Report) -> anyhow::Result<()> {
    if args.json {
        println!("{}", serde_json::to_string_pretty(report).context("the report")?);
        return Ok(());
    }
    println!("{} validators in one process, until each receipt is final", report.validators);
    for (name, rate) in [
        ("one signature a reading", &report.one_signature_a_reading),
        ("one signature a batch  ", &report.one_signature_a_batch),
    ] {
        println!(
            "  {name}  {} readings/s: {} readings, {} transactions, {:.2} s, {:.2} cores",
            rate.readings_per_s, rate.readings, rate.transactions, rate.seconds, rate.cpu_cores,
        );
    }
    println!("  batches of {} admit {:.1} times as many", BATCH_MAX, report.times_as_many);
    println!("  memory {} MB at most, all validators", report.peak_memory_mb);
    println!("  state roots agree: {}", report.state_roots_agree);
    Ok(())
}
