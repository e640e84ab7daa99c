//! The program `duet-gateway`.
#![expect(clippy::print_stdout, reason = "a program's answers go to standard output")]

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use duet_gateway::board::Board;
use duet_gateway::clock::{Ahead, Clock, SystemClock};
use duet_gateway::device::Device;
use duet_gateway::point_map::PointMap;
use duet_gateway::run::{WayOut, line, run};
use duet_gateway::simulate::{Behaviour, Plant, serve_iec104, serve_modbus};
use duet_gateway::uplink::{Collector, HttpUplink, NodeAccess, OneWay, Taken};
use duet_ledger::PublicKey;
use duet_sdk::sign::MemberKey;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The edge gateway of Duet: field protocols in, signed readings out, set-points back.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the gateway, until an interrupt or a request to terminate.
    Run {
        /// The point map.
        map: PathBuf,
        /// Stop after so many seconds; without it, when told to.
        #[arg(long)]
        seconds: Option<u64>,
        /// How far its clock is ahead, in seconds: for trials with a simulated plant, one way only.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        ahead_s: i64,
    },
    /// Check a point map.
    Check {
        /// The point map.
        map: PathBuf,
    },
    /// Make a device key and print its public part, which the owner enrols.
    Key {
        /// The new file.
        file: PathBuf,
    },
    /// Serve a simulated plant on the addresses of a point map.
    Simulate {
        /// The point map.
        map: PathBuf,
        /// The seed of the noise.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How often values are sent, in milliseconds.
        #[arg(long, default_value_t = 1_000)]
        every_ms: u32,
        /// How far its clock is ahead, in seconds.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        ahead_s: i64,
    },
    /// Read the board once.
    Board {
        /// The point map.
        map: PathBuf,
    },
    /// Receive a one-way export and print each batch once.
    Collect {
        /// Where to listen.
        listen: SocketAddr,
        /// The public keys of the devices, in hex.
        #[arg(required = true)]
        device: Vec<String>,
        /// Print the readings of each batch, too.
        #[arg(long)]
        readings: bool,
    },
}

/// One thread: the gateway waits far more than it computes, and each thread costs memory.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    log();
    match Arguments::parse().task {
        Task::Run { map, seconds, ahead_s } => run_gateway(&read(&map)?, seconds, ahead_s).await,
        Task::Check { map } => {
            println!("{} points", read(&map)?.points());
            Ok(())
        }
        Task::Key { file } => {
            let key = MemberKey::generate()?;
            key.write_new(&file)?;
            println!("{}", key.public());
            Ok(())
        }
        Task::Simulate { map, seed, every_ms, ahead_s } => {
            simulate(&read(&map)?, seed, every_ms, ahead(ahead_s)).await
        }
        Task::Board { map } => show_board(&read(&map)?),
        Task::Collect { listen, device, readings } => collect(listen, &device, readings).await,
    }
}

/// Logs to standard error, with no filter that needs regular expressions: they would be a sixth of
/// the program.
fn log() {
    let wanted = std::env::var("DUET_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let usual = || {
        Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("duet_gateway", LevelFilter::INFO)
    };
    let coloured = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(coloured).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(wanted.unwrap_or_else(usual)).init();
}

fn read(path: &Path) -> Result<PointMap> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(PointMap::parse(&text)?)
}

fn ahead(seconds: i64) -> Arc<Ahead<SystemClock>> {
    Arc::new(Ahead { clock: SystemClock, ms: seconds.saturating_mul(1_000) })
}

async fn run_gateway(map: &PointMap, seconds: Option<u64>, ahead_s: i64) -> Result<()> {
    if ahead_s != 0 && map.uplink.is_some() {
        bail!("a clock that is set ahead is for trials: a ledger gets no readings of it");
    }
    let channel = map.device.channel_id().context("the channel")?;
    let device = Device::read(&map.device.key, channel)?;
    let clock = ahead(ahead_s);
    let way = match (NodeAccess::of(map), &map.one_way) {
        (Some(access), _) => {
            WayOut::Node(Arc::new(HttpUplink::new(access, device.clone(), clock.clone())?))
        }
        (None, Some(way)) => WayOut::OneWay(OneWay::new(way.target, way.repeat).await?),
        (None, None) => bail!("the map has no way out"),
    };
    let stop = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => told_to_stop().await,
        }
    };
    let standing = run(map, device, way, clock, stop).await?;
    println!("{}", line(&standing));
    Ok(())
}

/// Ready when the operator or the service manager ends the program. Without signals it runs until
/// it is killed.
async fn told_to_stop() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => signals.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}

async fn simulate(map: &PointMap, seed: u64, every_ms: u32, clock: Arc<dyn Clock>) -> Result<()> {
    let plant = Plant::new(map, Behaviour { seed, ..Behaviour::default() });
    let every = Duration::from_millis(every_ms.max(10).into());
    let mut servers = Vec::new();
    for station in &map.iec104 {
        let address = station.address.parse().context("a simulated station needs an IP address")?;
        serve_iec104(station, &plant, clock.clone(), address, every).await?;
        println!("simulated station {} at {address}, IEC 60870-5-104", station.name);
    }
    for station in &map.modbus {
        let address = station.address.parse().context("a simulated station needs an IP address")?;
        servers.push(serve_modbus(station, &plant, address).await?);
        println!("simulated station {} at {address}, Modbus TCP", station.name);
    }
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        plant.step(every_ms.max(10));
    }
}

fn show_board(map: &PointMap) -> Result<()> {
    let limits = map.board.as_ref().context("the map has no [board]")?;
    let health = Board::new(limits).read();
    for (name, value, level) in &health.channels {
        match value {
            Some(value) => println!("{name} {value} {level}"),
            None => println!("{name} - {level}"),
        }
    }
    println!("link {:?}", health.link);
    Ok(())
}

async fn collect(listen: SocketAddr, devices: &[String], shows_readings: bool) -> Result<()> {
    let mut keys = Vec::new();
    for device in devices {
        let mut key = [0; 32];
        hex::decode_to_slice(device, &mut key).context("a public key has 64 hex digits")?;
        keys.push(PublicKey::from_bytes(key));
    }
    let socket = tokio::net::UdpSocket::bind(listen).await?;
    let mut collector = Collector::new(keys);
    let mut datagram = vec![0; 65_536];
    loop {
        let (length, from) = socket.recv_from(&mut datagram).await?;
        match collector.take(&datagram[..length]) {
            Ok(Taken::New(batch)) => {
                let device = batch.header().device;
                let (missing, given_up) = collector.missing(&device);
                let (sequence, count) = (batch.header().sequence, batch.readings().len());
                println!("{device} {sequence} {count} missing {missing:?} given up {given_up}");
                for r in batch.readings().iter().filter(|_| shows_readings) {
                    let (day, index) = (r.period.day(), r.period.index());
                    let (unit, kwh) = (r.unit, r.energy.kwh());
                    println!("reading {unit} {day} {index} {} {kwh} {}", r.version, r.flags);
                }
            }
            Ok(Taken::Again) => {}
            Err(error) => tracing::warn!("{from}: {error}"),
        }
    }
}
