//! `duet statement month|later|object|correct|dismiss|close`: a month and what follows it.

use crate::remote::{Address, Ends, Failure, Remote, all_pages, block_on, name, table, yuan};
use clap::Args;
use duet_sdk::wire::{
    Action, Big, CalendarMonth, LaterLine, LineCorrection, MonthStatement, ObjectionAnswer, Seal,
    StatementObjection,
};
use std::path::PathBuf;

use super::{
    proof,
    sheet::{Output, Sheet},
    trace::LineName,
};

#[derive(Debug, Args)]
pub(super) struct ShowMonth {
    /// The month, as YYYY-MM.
    month: CalendarMonth,
    /// Of this organisation.
    #[arg(long)]
    organisation: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(super) struct ShowLater {
    /// The month in whose statements they are, as YYYY-MM.
    month: CalendarMonth,
    /// Only lines that this organisation pays or is paid by.
    #[arg(long)]
    organisation: Option<u32>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    address: Address,
}

#[derive(Debug, Args)]
pub(super) struct Object {
    /// The month, as YYYY-MM.
    month: CalendarMonth,
    /// The line, for example 2/17: session and place.
    line: LineName,
    /// What is wrong.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
pub(super) struct Correct {
    /// The old line, for example 2/17: session and place.
    line: LineName,
    /// Which of its two parties pays.
    #[arg(long)]
    payer: u32,
    /// How much, in fen.
    #[arg(long, value_name = "FEN")]
    amount: i128,
    /// The objection that it answers.
    #[arg(long)]
    objection: Option<u64>,
    /// All lines of the day, as `duet statement show --format json` wrote them: proves the line
    /// if the validators keep its rows no longer.
    #[arg(long, value_name = "FILE")]
    lines: Option<PathBuf>,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
pub(super) struct Dismiss {
    /// The number of the objection.
    objection: u64,
    /// Why it is not followed.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
pub(super) struct Close {
    /// The month, as YYYY-MM.
    month: CalendarMonth,
    #[command(flatten)]
    ends: Ends,
}

pub(super) fn show(args: &ShowMonth) -> anyhow::Result<()> {
    block_on(async {
        let page = args.remote.client()?.months(args.month, args.organisation).await?;
        args.remote.show(&page, |page| text(&page.items))
    })
}

pub(super) fn later(args: &ShowLater) -> anyhow::Result<()> {
    let client = args.address.client()?;
    let lines: Vec<LaterLine> = block_on(all_pages(async |after| {
        client.later_lines(args.month, args.organisation, after).await
    }))?;
    Sheet { title: args.month.to_string(), lines: &lines }.write(&args.output)
}

fn text(statements: &[MonthStatement]) -> String {
    let mut rows = Vec::new();
    for statement in statements {
        for sum in &statement.items {
            rows.push(vec![
                statement.organisation.to_string(),
                name(&statement.state),
                name(&sum.item),
                sum.lines.to_string(),
                sum.energy_kwh.to_string(),
                yuan(sum.paid_fen.0),
                yuan(sum.received_fen.0),
            ]);
        }
    }
    let head = ["organisation", "state", "item", "lines", "kWh", "pays yuan", "receives yuan"];
    table(&head, &rows)
}

pub(super) fn object(args: &Object) -> anyhow::Result<()> {
    let action = Action::ObjectStatement(StatementObjection {
        month: args.month,
        session: args.line.session,
        place: args.line.place,
        reason: args.reason.clone(),
    });
    block_on(args.ends.submit("objection", action))
}

pub(super) fn correct(args: &Correct) -> anyhow::Result<()> {
    let lines = args.lines.as_deref().map(proof::read).transpose()?;
    let seal = match &lines {
        Some(_) => Some(block_on(seal_of(args))?),
        None => None,
    };
    let proved = match lines.zip(seal) {
        Some((lines, seal)) => Some(proof::prove(&lines, args.line.place, &seal)?),
        None => None,
    };
    let action = Action::CorrectLine(Box::new(LineCorrection {
        session: args.line.session,
        place: args.line.place,
        proved,
        payer: args.payer,
        amount_fen: Big(args.amount),
        objection: args.objection,
        reason: args.reason.clone(),
    }));
    block_on(args.ends.submit("correction", action))
}

async fn seal_of(args: &Correct) -> Result<Seal, Failure> {
    let seal = args.ends.remote.client()?.seal(args.line.session).await?;
    let missing = || Failure::Usage(format!("session {} has no seal", args.line.session));
    seal.ok_or_else(missing)
}

pub(super) fn dismiss(args: &Dismiss) -> anyhow::Result<()> {
    let (objection, reason) = (args.objection, args.reason.clone());
    let action = Action::DismissObjection(ObjectionAnswer { objection, reason });
    block_on(args.ends.submit("dismissed objection", action))
}

pub(super) fn close(args: &Close) -> anyhow::Result<()> {
    let action = Action::CloseMonth { month: args.month };
    block_on(args.ends.submit("closed statements", action))
}
