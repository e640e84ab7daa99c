//! `duet session export|replay|interventions`: sealed books and the log of interventions.

use crate::remote::{Failure, Pin, Remote, block_on, json, name, print, read_json, table};
use anyhow::Context as _;
use clap::Args;
use duet_ledger::sealed::{Difference, Replay};
use duet_sdk::wire::{Hex32, InterventionRecord, PeriodClearing, SealedBook, StatementLine, Trade};
use serde::Serialize;
use std::path::PathBuf;

/// How many differences are shown in full.
const SHOWN_MAX: usize = 20;

/// Write the sealed book of a cleared or settled session to a file.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The number of the session.
    id: u32,
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Run a sealed book again, without a node, and compare the result.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The sealed book.
    file: PathBuf,
    /// Also ask this node for the seal of the day, and hold the book to it.
    #[arg(long, value_name = "URL")]
    seal: Option<String>,
    #[command(flatten)]
    pin: Pin,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// List what operators did to sessions.
#[derive(Debug, Args)]
pub(crate) struct InterventionsArgs {
    /// Of this session.
    #[arg(long)]
    session: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let book = block_on(async { Ok(args.remote.client()?.sealed_book(args.id).await?) })?;
    let shown = args.out.display();
    std::fs::write(&args.out, json(&book) + "\n").with_context(|| format!("write {shown}"))?;
    let orders: usize = book.input.sessions.iter().map(|session| session.orders.len()).sum();
    print(&format!(
        "session {}: {} sessions, {orders} orders, {} readings, {} lines, result {}",
        args.id,
        book.input.sessions.len(),
        book.input.readings.len(),
        book.result.lines.len(),
        book.result.hash
    ));
    Ok(())
}

/// What a replay came to, in JSON.
#[derive(Debug, Serialize)]
struct Report {
    session: u32,
    holds: bool,
    book_hash: Hex32,
    recorded_hash: Hex32,
    replayed_hash: Hex32,
    seal_holds: Option<bool>,
    differences: Vec<String>,
}

pub(crate) fn replay(args: &ReplayArgs) -> anyhow::Result<()> {
    let book: SealedBook = read_json(&args.file)?;
    let (session, recorded_hash) = (book.input.session, book.result.hash);
    let replay = duet_ledger::sealed::SealedBook::from(book).replay()?;
    let seal_holds = args
        .seal
        .as_deref()
        .map(|url| seal_holds((&args.pin, url), session, &replay))
        .transpose()?;
    let report = Report {
        session,
        holds: replay.differences.is_empty() && seal_holds != Some(false),
        book_hash: Hex32(replay.book),
        recorded_hash,
        replayed_hash: Hex32(replay.result.hash),
        seal_holds,
        differences: replay.differences.iter().map(told).collect(),
    };
    print(&if args.json { json(&report) } else { report_text(&report) });
    if report.holds { Ok(()) } else { Err(Failure::NotReplayed.into()) }
}

/// Whether the chain sealed this very book with this result.
fn seal_holds((pin, url): (&Pin, &str), session: u32, replay: &Replay) -> anyhow::Result<bool> {
    let seal = block_on(async { Ok(pin.client(url)?.seal(session).await?) })?;
    let none = "it is not settled, or was settled more than 2,000 days ago";
    let seal =
        seal.with_context(|| format!("the chain has no seal of session {session}: {none}"))?;
    Ok(seal.book_hash.0 == replay.book && seal.result_hash.0 == replay.result.hash)
}

fn report_text(report: &Report) -> String {
    let mut text = format!(
        "session {}\nbook      {}\nrecorded  {}\nreplayed  {}",
        report.session, report.book_hash, report.recorded_hash, report.replayed_hash
    );
    for difference in report.differences.iter().take(SHOWN_MAX) {
        text.push_str(&format!("\n{difference}"));
    }
    let hidden = report.differences.len().saturating_sub(SHOWN_MAX);
    if hidden > 0 {
        text.push_str(&format!("\nand {hidden} more"));
    }
    if let Some(holds) = report.seal_holds {
        let verdict = if holds { "is" } else { "is not" };
        text.push_str(&format!("\nthe book {verdict} the one that the chain sealed"));
    }
    let verdict = if report.differences.is_empty() { "the same result" } else { "another result" };
    format!("{text}\n{verdict}")
}

/// A difference in one line: where, what the file says, what the book comes to.
fn told(difference: &Difference) -> String {
    fn sides<T: Serialize>(recorded: &Option<T>, replayed: &Option<T>) -> String {
        let side = |row: &Option<T>| match row {
            Some(row) => serde_json::to_string(row).unwrap_or_default(),
            None => "none".to_owned(),
        };
        format!("recorded {}, replayed {}", side(recorded), side(replayed))
    }
    match difference {
        Difference::Clearing { session, period, recorded, replayed } => {
            let view =
                |row: &Option<_>| row.as_ref().map(|r| PeriodClearing::new(*session, *period, r));
            format!(
                "session {session} period {period}: {}",
                sides(&view(recorded), &view(replayed))
            )
        }
        Difference::Trade { place, recorded, replayed } => {
            let id = duet_ledger::TradeId(u64::try_from(*place).unwrap_or(u64::MAX));
            let view = |row: &Option<_>| row.as_ref().map(|r| Trade::new(id, r));
            format!("trade {place}: {}", sides(&view(recorded), &view(replayed)))
        }
        Difference::Line { place, recorded, replayed } => {
            let number = u32::try_from(*place).unwrap_or(u32::MAX);
            let view = |row: &Option<_>| row.as_ref().map(|r| StatementLine::new(number, r));
            format!("line {place}: {}", sides(&view(recorded), &view(replayed)))
        }
        Difference::Hash { recorded, replayed } => {
            format!("result: recorded {}, replayed {}", Hex32(*recorded), Hex32(*replayed))
        }
    }
}

pub(crate) fn interventions(args: &InterventionsArgs) -> anyhow::Result<()> {
    block_on(async {
        let page = args.remote.client()?.interventions(args.session).await?;
        args.remote.show(&page, |page| interventions_text(&page.items))
    })
}

fn interventions_text(records: &[InterventionRecord]) -> String {
    let rows: Vec<Vec<String>> = records
        .iter()
        .map(|record| {
            vec![
                record.number.to_string(),
                record.session.to_string(),
                name(&record.intervention),
                record.time_ms.to_string(),
                record.height.to_string(),
                record.organisation.to_string(),
                record.by.to_string(),
                record.reason.clone(),
            ]
        })
        .collect();
    let head =
        ["number", "session", "action", "time (ms)", "block", "organisation", "by", "reason"];
    table(&head, &rows)
}
