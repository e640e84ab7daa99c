//! `duet bench`: what a channel can do on this machine.

mod load;
mod measure;
mod readings;

use crate::cluster;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use duet_ledger::State;
use duet_node::{Clock, Handle, host};
use duet_world::WorldClock;
use load::{Flow, Market};
use measure::{Meter, Percentiles};
use serde::Serialize;
use std::{path::PathBuf, time::Duration};

/// Measures what a channel can do on this machine.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Signed single-order transactions, finalised, kept and cleared in an auction.
    Chain(ChainArgs),
    /// Signed readings admitted: a signature for each against one for each batch; fails if batches
    /// do not admit ten times as many.
    Readings(readings::ReadingsArgs),
}

#[derive(Debug, Args)]
struct ChainArgs {
    /// How many validators, all in this process; each checks every signature.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    validators: u8,
    /// How long each of the two parts is measured: latency at a fixed rate, then throughput.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// The rate at which latency is measured, in orders a second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Keep the chain in this folder; by default a temporary one, which is removed.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    validators: u8,
    machine_cores: usize,
    signature_checks: &'static str,
    latency: Latency,
    throughput: Throughput,
    clearing: Clearing,
    batch_verify_per_s: u64,
    peak_memory_mb: u64,
    state_roots_agree: bool,
}

#[derive(Debug, Serialize)]
struct Latency {
    offered_per_s: u64,
    orders: u64,
    finality_ms: Percentiles,
    cpu_cores: f64,
}

#[derive(Debug, Serialize)]
struct Throughput {
    seconds: f64,
    orders: u64,
    orders_per_s: u64,
    blocks_per_s: f64,
    finality_ms: Percentiles,
    cpu_cores: f64,
    cpu_seconds_per_order: f64,
    disk_bytes_per_order: u64,
}

#[derive(Debug, Serialize)]
struct Clearing {
    orders: u64,
    trades: u64,
    seconds: f64,
}

pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    match &args.bench {
        Bench::Chain(chain) => run_chain(chain),
        Bench::Readings(args) => readings::run(args),
    }
}

fn run_chain(chain: &ChainArgs) -> anyhow::Result<()> {
    let scratch = crate::scratch::Scratch::new("bench")?;
    let folder = chain.data.clone().unwrap_or_else(|| scratch.path().to_owned());
    let report = host::run(&folder.join("chain"), |host| async move {
        let market = Market::new(chain.validators)?;
        let time = WorldClock::at(market.founding.genesis.time);
        let reader = time.clone();
        let clock = host.clock_reading(move || reader.now());
        let nodes = cluster::start(&host, &market.founding, &clock).await?;
        measured(chain, &market, &nodes, (&time, &clock)).await
    })??;
    print(chain, &report)
}

async fn measured(
    args: &ChainArgs,
    market: &Market,
    nodes: &[Handle],
    (time, clock): (&WorldClock, &Clock),
) -> anyhow::Result<Report> {
    let session = market.open(nodes, time).await?;
    let seconds = Duration::from_secs(args.seconds);
    let mut flow = Flow::new(market, nodes, session);

    let timed = flow.sign(args.rate * args.seconds);
    let batch_verify_per_s = measure::batch_verify_rate(timed.iter().flatten())?;
    let meter = Meter::start();
    let finality = load::at_rate(nodes, timed, args.rate, clock).await?;
    let latency = Latency {
        offered_per_s: args.rate,
        orders: finality.len() as u64,
        cpu_cores: meter.cpu_cores(),
        finality_ms: Percentiles::of(finality),
    };

    let throughput = saturated(&mut flow, nodes, seconds, clock).await?;
    let clearing = cleared(nodes, time, session).await?;
    let height = nodes.iter().map(|node| node.read(State::height)).max().unwrap_or(0);
    for node in nodes {
        node.wait_height(height).await;
    }
    let roots: Vec<_> = nodes.iter().map(|node| node.state_root_at(height)).collect();
    Ok(Report {
        validators: args.validators,
        machine_cores: std::thread::available_parallelism().map_or(1, usize::from),
        signature_checks: "each validator checks every signature",
        latency,
        throughput,
        clearing,
        batch_verify_per_s,
        peak_memory_mb: measure::peak_memory_mb(),
        state_roots_agree: roots.windows(2).all(|pair| pair[0].is_some() && pair[0] == pair[1]),
    })
}

async fn saturated(
    flow: &mut Flow<'_>,
    nodes: &[Handle],
    seconds: Duration,
    clock: &Clock,
) -> anyhow::Result<Throughput> {
    let first = nodes[0].read(State::height);
    let (mut orders, mut finality, mut meter) = (0, Vec::new(), Meter::stopped());
    while meter.elapsed() < seconds {
        // Signing is the clients' work: it is not measured.
        let signed = flow.sign(40_000);
        meter.resume();
        let latencies = load::all_at_once(nodes, signed, Handle::submit_batch, clock).await?;
        meter.pause();
        orders += latencies.len() as u64;
        finality.extend(latencies);
    }
    let blocks = nodes[0].read(State::height) - first;
    let elapsed = meter.elapsed().as_secs_f64();
    if orders == 0 {
        bail!("no order became final in {elapsed:.1} s");
    }
    Ok(Throughput {
        seconds: elapsed,
        orders,
        orders_per_s: (orders as f64 / elapsed) as u64,
        blocks_per_s: blocks as f64 / elapsed,
        finality_ms: Percentiles::of(finality),
        cpu_cores: meter.cpu_cores(),
        cpu_seconds_per_order: meter.cpu_seconds() / orders as f64,
        disk_bytes_per_order: meter.disk_bytes() / orders,
    })
}

async fn cleared(
    nodes: &[Handle],
    time: &WorldClock,
    session: duet_ledger::SessionId,
) -> anyhow::Result<Clearing> {
    let meter = Meter::start();
    time.jump_to(load::gate_close());
    let phase = |state: &State| state.sessions().get(&session).map(|session| session.phase);
    for node in nodes {
        while node.read(phase) == Some(duet_ledger::Phase::Open) {
            node.wait_height(node.read(State::height) + 1).await;
        }
    }
    let (orders, trades) = nodes[0].read(|state| (state.orders().len(), state.trades().len()));
    if nodes[0].read(phase) != Some(duet_ledger::Phase::Cleared) {
        bail!("the session was not cleared");
    }
    Ok(Clearing {
        orders: orders as u64,
        trades: trades as u64,
        seconds: meter.elapsed().as_secs_f64(),
    })
}

#[expect(clippy::print_stdout, reason = "this is what the program is asked to show")]
fn print(args: &ChainArgs, report: &Report) -> anyhow::Result<()> {
    if args.json {
        println!("{}", serde_json::to_string_pretty(report).context("the report")?);
        return Ok(());
    }
    let Report { latency, throughput, clearing, .. } = report;
    println!("{} validators in one process, {} cores", report.validators, report.machine_cores);
    println!(
        "  latency     {} orders at {}/s: finality p50 {:.1} ms, p99 {:.1} ms, {:.2} cores",
        latency.orders,
        latency.offered_per_s,
        latency.finality_ms.p50,
        latency.finality_ms.p99,
        latency.cpu_cores,
    );
    println!(
        "  throughput  {} orders/s over {:.1} s ({:.0} blocks/s, {:.2} cores, {} bytes/order on disk)",
        throughput.orders_per_s,
        throughput.seconds,
        throughput.blocks_per_s,
        throughput.cpu_cores,
        throughput.disk_bytes_per_order,
    );
    println!(
        "  clearing    {} orders into {} trades in {:.2} s, on every validator",
        clearing.orders, clearing.trades, clearing.seconds,
    );
    println!("  signatures  {} a second in batches on one core", report.batch_verify_per_s);
    println!("  memory      {} MB at most, all validators", report.peak_memory_mb);
    println!("  agreement   state roots agree: {}", report.state_roots_agree);
    Ok(())
}
