//! `duet demo`: four validators, a simulated world around them, and the page, on one machine.

mod field;
mod text;
mod week;

use field::Field;

use crate::{cluster, scratch::Scratch};
use anyhow::{Context as _, bail};
use clap::Args;
use duet_ledger::State;
use duet_node::{Clock, host};
use duet_study::scenario::Scenario;
use duet_units::{ClockTime, DeliveryDay};
use duet_world::{DayReport, Founding, Tally, TradingDay, WorldClock};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The day before the first delivery day of the demo, 08:00 in UTC+8.
const FOUNDED: &str = "2026-07-05";
const EIGHT_HOURS_MS: i64 = 8 * 3_600_000;
/// Hours of the day after which meters report, as the last period of each report.
const METER_ROUNDS: [u8; 4] = [5, 11, 17, 23];

/// Runs a joint market on this machine: four validators of four organisations, with simulated
/// members, bank, plants and meters.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Run one delivery day, print what it came to, and stop.
    #[arg(long, group = "ends")]
    once: bool,
    /// Run a week with a session of every mode, print what it came to, and stop.
    #[arg(long, group = "ends")]
    week: bool,
    /// Write what the day or week came to as JSON to this file; `-` is standard output.
    #[arg(long, value_name = "FILE", requires = "ends")]
    json: Option<PathBuf>,
    /// Keep the chain in this folder and go on from it at the next start; without it, the chain
    /// lives in a temporary folder and is forgotten.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The scenario's folder.
    #[arg(long, value_name = "DIR", default_value = "scenarios/hebei-south")]
    scenario: PathBuf,
    /// The address of the page and the API.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: std::net::SocketAddr,
    /// The folder of the built page.
    #[arg(long, value_name = "DIR")]
    web_dir: Option<PathBuf>,
    /// How long a gate stays open, in seconds of yours.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    gate_seconds: u64,
    /// How long the rest of a market day takes, in seconds of yours.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    day_seconds: u64,
}

pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let scenario = Scenario::load(&args.scenario)
        .with_context(|| format!("scenario {}", args.scenario.display()))?;
    let day = DeliveryDay::parse(FOUNDED).context("the demo's first day")?;
    let founded = day.start().plus_ms(EIGHT_HOURS_MS);
    let founding = Founding::new(&scenario, founded)?;
    match &args.data {
        Some(folder) => serve(args, folder, scenario, founding),
        None => {
            let scratch = Scratch::new("demo")?;
            serve(args, scratch.path(), scenario, founding)
        }
    }
}

fn serve(
    args: &DemoArgs,
    folder: &Path,
    scenario: Scenario,
    founding: Founding,
) -> anyhow::Result<()> {
    let outboxes = Scratch::new("field")?;
    let outboxes = outboxes.path();
    host::run(&folder.join("chain"), |host| async move {
        let time = WorldClock::at(founding.genesis.time);
        let market = time.clone();
        let clock = host.clock_reading(move || market.now());
        let nodes = cluster::start(&host, &founding, &clock).await?;
        // A chain that was stopped goes on at the time that it had reached.
        time.jump_to(nodes.iter().map(|node| node.read(State::time)).max().unwrap_or_default());
        let world =
            TradingDay::new((scenario, founding), nodes.clone(), time.clone(), clock.clone());
        // The week is about trading; its devices are played.
        let world = if args.week { world } else { world.with_field() };
        let place = |api| (api, outboxes.to_owned());
        if args.once {
            let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
            let api = crate::page::start(any, None, None, nodes[0].clone(), false)?;
            return once(args, &world, (place(api.address), &clock)).await;
        }
        if args.week {
            return week::run(args, &world).await;
        }
        let page =
            crate::page::start(args.listen, None, args.web_dir.clone(), nodes[0].clone(), true)?;
        let field = place(page.address);
        text::welcome(&page, &nodes);
        let days = std::pin::pin!(keep_trading(args, &world, &time, (field, &clock)));
        let interrupted = std::pin::pin!(interrupted());
        match futures::future::select(days, interrupted).await {
            futures::future::Either::Left((result, _)) => result,
            futures::future::Either::Right((result, _)) => {
                text::goodbye(&nodes, args.data.is_some());
                result
            }
        }
    })?
}

/// The API that the field reports to, and the folder of its outboxes.
type FieldPlace = (std::net::SocketAddr, PathBuf);

async fn interrupted() -> anyhow::Result<()> {
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")
}

/// One delivery day, from the first deposit to the last receipt checked.
async fn once(
    args: &DemoArgs,
    world: &TradingDay,
    (place, clock): (FieldPlace, &Clock),
) -> anyhow::Result<()> {
    let (day, mut tally) = (world.first_day(), Tally::default());
    let session = world.session_of(day);
    if session.is_some() {
        bail!("the chain in --data has traded {day} already; --once needs a fresh one");
    }
    text::step("accounts are opened");
    world.open_accounts(&mut tally).await?;
    text::step("the gate opens, members place orders, the gate closes");
    world.trade(day, None, &mut tally).await?;
    text::step("gateways follow the dispatch, energy flows, meters report");
    let field = Field::start(world, place, day.start(), clock.clone())?;
    field.deliver(world, day, METER_ROUNDS[3]).await?;
    text::step("the day is settled");
    world.settle(day, &mut tally).await?;
    text::step("every receipt is checked as an outsider would");
    let report = world.report(day, &tally).await?;
    text::summary(&report);
    if let Some(file) = &args.json {
        write_json(file, &report)?;
    }
    check_field(&report)?;
    check(&report)
}

/// The demo fails if the day did not come out as it must.
fn check(report: &DayReport) -> anyhow::Result<()> {
    let orders = &report.orders;
    let first = report.validators.first().context("no validator")?;
    let agree = |v: &duet_world::ValidatorReport| {
        (v.height, &v.state_root) == (first.height, &first.state_root)
    };
    let rules = [
        ("validators agree", report.validators.iter().all(agree)),
        ("accepted + rejected = submitted", orders.accepted + orders.rejected == orders.submitted),
        (
            "filled + cancelled + expired + open = accepted",
            orders.filled + orders.cancelled + orders.expired + orders.open == orders.accepted,
        ),
        ("postings sum to zero", report.settlement.postings_sum_fen == 0),
        ("every receipt is proved", report.receipts == report.receipts_verified),
    ];
    hold(&rules)
}

/// The demo fails if its gateways did not do what they must.
fn check_field(report: &DayReport) -> anyhow::Result<()> {
    let (dispatch, meters) = (&report.dispatch, &report.meters);
    hold(&[
        ("gateways follow every dispatch", dispatch.acknowledged == dispatch.instructions),
        (
            "every reading came in a signed batch",
            meters.readings > 0 && meters.batched_readings >= meters.readings,
        ),
    ])
}

fn hold(rules: &[(&str, bool)]) -> anyhow::Result<()> {
    for (rule, holds) in rules {
        if !holds {
            bail!("the day is wrong: it must hold that {rule}");
        }
    }
    Ok(())
}

fn write_json(file: &Path, report: &impl serde::Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(report)?;
    if file.as_os_str() == "-" {
        text::line(&text);
        return Ok(());
    }
    std::fs::write(file, text + "\n").with_context(|| format!("writing {}", file.display()))
}

/// Day after day: while one is delivered, the next is traded.
async fn keep_trading(
    args: &DemoArgs,
    world: &TradingDay,
    time: &WorldClock,
    (place, clock): (FieldPlace, &Clock),
) -> anyhow::Result<()> {
    let window = Duration::from_secs(args.gate_seconds);
    let part = Duration::from_secs(args.day_seconds) / 4;
    let mut tally = Tally::default();
    world.open_accounts(&mut tally).await?;
    let mut day = next_to_deliver(world, time.now());
    world.trade_ahead(day, &mut tally).await?;
    world.trade(day, Some(window), &mut tally).await?;
    let hour = i64::from(field::next_hour(world, day));
    let at = day.start().plus_ms(hour * 3_600_000);
    let field = Field::start(world, place, at, clock.clone())?;
    loop {
        let next = day.next();
        for (round, last) in (0_u8..).zip(METER_ROUNDS) {
            // The gate of the next day is open in the second quarter of this one.
            if round == 1 {
                world.trade_ahead(next, &mut tally).await?;
                world.trade(next, Some(window), &mut tally).await?;
            }
            let end = day.start().plus_ms((i64::from(last) + 1) * 3_600_000);
            time.pass_to(end.max(time.now()), part, clock).await;
            field.deliver(world, day, last).await?;
        }
        world.settle(day, &mut tally).await?;
        text::day(&world.report(day, &tally).await?);
        tally = Tally::default();
        day = next;
    }
}

/// The first delivery day that is not settled, but not one whose gate has passed untraded.
fn next_to_deliver(world: &TradingDay, now: ClockTime) -> DeliveryDay {
    let mut day = world.first_day();
    loop {
        let settled = match world.session_of(day) {
            Some((_, phase, _)) => !phase.is_live(),
            // Long settled and forgotten, or not yet traded.
            None => day.start() <= now,
        };
        if !settled {
            return day;
        }
        day = day.next();
    }
}
