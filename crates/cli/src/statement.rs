//! `duet statement`: show the lines of a settlement, in several forms, and trace one of them.

mod month;
mod proof;
mod sheet;
mod trace;

use crate::remote::{Address, all_pages, block_on};
use clap::{Args, Subcommand};
use duet_sdk::wire::StatementLine;
use sheet::{Output, Sheet};

/// Show statements, in several forms, and trace a line to its origin.
#[derive(Debug, Args)]
pub(crate) struct StatementArgs {
    #[command(subcommand)]
    command: StatementCommand,
}

#[derive(Debug, Subcommand)]
enum StatementCommand {
    /// Show the lines of a settled day.
    Show(Show),
    /// Show everything that a line comes from: trade, orders, terms, readings, blocks.
    Trace(trace::Trace),
    /// Show the statements of a month: sums by item, and where they stand.
    Month(month::ShowMonth),
    /// Show the lines of a month that were made after their days: corrections and month ends.
    Later(month::ShowLater),
    /// Object to a line of your statement.
    Object(month::Object),
    /// Correct a line by a new one (exchange).
    Correct(month::Correct),
    /// Answer an objection that is not followed (exchange).
    Dismiss(month::Dismiss),
    /// Make the statements of a month final (exchange).
    Close(month::Close),
}

#[derive(Debug, Args)]
struct Show {
    /// The joint session of the delivery day.
    session: u32,
    /// Only lines that this organisation pays or is paid by.
    #[arg(long)]
    organisation: Option<u32>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    address: Address,
}

pub(crate) fn run(args: &StatementArgs) -> anyhow::Result<()> {
    match &args.command {
        StatementCommand::Show(args) => show(args),
        StatementCommand::Trace(args) => trace::run(args),
        StatementCommand::Month(args) => month::show(args),
        StatementCommand::Later(args) => month::later(args),
        StatementCommand::Object(args) => month::object(args),
        StatementCommand::Correct(args) => month::correct(args),
        StatementCommand::Dismiss(args) => month::dismiss(args),
        StatementCommand::Close(args) => month::close(args),
    }
}

fn show(args: &Show) -> anyhow::Result<()> {
    let client = args.address.client()?;
    let lines: Vec<StatementLine> = block_on(all_pages(async |after| {
        client.statement_lines(args.session, args.organisation, after).await
    }))?;
    Sheet { title: format!("session {}", args.session), lines: &lines }.write(&args.output)
}
