//! `duet-sim`: many days on simulated clusters, one line each.

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use duet_sim::{Market, Outcome, Plan, Window, run};
use std::{
    io::Write as _,
    panic::AssertUnwindSafe,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

/// Bytes of stack for a run: the engine's futures are deep in a development build.
const STACK: usize = 16 << 20;

/// Simulates whole clusters of validators.
#[derive(Debug, Parser)]
#[command(version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs one market day for each seed, with the faults that the seed draws.
    Smoke(Smoke),
}

#[derive(Debug, Args)]
struct Smoke {
    /// How many seeds.
    #[arg(long, default_value_t = 32)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// The scenario's folder.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/small"))]
    scenario: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let Command::Smoke(smoke) = Program::parse().command;
    let market = Market::load(&smoke.scenario)?;
    // What a day comes to, and when it is traded, when nothing goes wrong.
    let calm = run(&market, &Plan::calm(0)).context("the day on which nothing goes wrong")?;
    let mut failed = 0;
    for line in verdicts(&market, &smoke, &calm) {
        failed += u64::from(line.failed);
        say(&line.text)?;
    }
    say(&format!("{} passed, {failed} failed", smoke.seeds - failed))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is said about a seed.
struct Line {
    text: String,
    failed: bool,
}

/// Runs all seeds on all processors; lines come as runs end.
fn verdicts(market: &Market, smoke: &Smoke, calm: &Outcome) -> mpsc::Receiver<Line> {
    let (sender, lines) = mpsc::channel();
    let (next, end) = (Arc::new(AtomicU64::new(smoke.from)), smoke.from + smoke.seeds);
    for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
        let (sender, next) = (sender.clone(), next.clone());
        let (market, calm) = (market.clone(), calm.clone());
        let work = move || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if end <= seed || sender.send(verdict(&market, seed, &calm)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread can be started");
    }
    lines
}

fn verdict(market: &Market, seed: u64, calm: &Outcome) -> Line {
    let plan = Plan::drawn(seed, calm.trading);
    // A stuck day and a validator that stops are panics of the runtime.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| run(market, &plan)));
    let text = match result {
        Ok(Ok(outcome)) if outcome.report.result_hash != calm.report.result_hash => {
            format!("FAIL the day came to {}", outcome.report.result_hash)
        }
        Ok(Ok(outcome)) => {
            let Window { from, to } = outcome.trading;
            let (height, lasted) = (outcome.height, outcome.lasted);
            let text = format!(
                "ok   {height} blocks in {lasted:.1?}, traded {from:.1?} to {to:.1?}, {}",
                outcome.fingerprint
            );
            return Line { text: format!("seed {seed:>4} {text}: {plan}"), failed: false };
        }
        Ok(Err(failure)) => format!("FAIL {failure}"),
        Err(_) => "FAIL panicked, see above".to_owned(),
    };
    Line { text: format!("seed {seed:>4} {text}: {plan}"), failed: true }
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("writing to standard output")
}
