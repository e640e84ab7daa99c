//! `duet session halt|resume|void`, and `duet send`: what an operator does by hand.

use crate::remote::{Ends, block_on, read_json};
use clap::Args;
use duet_sdk::wire::{Action, Intervention};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct InterveneArgs {
    /// The number of the session.
    session: u32,
    /// Why; it stands in the log of interventions, which everybody can read.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn run(args: &InterveneArgs, intervention: Intervention) -> anyhow::Result<()> {
    let (session, reason) = (args.session, args.reason.clone());
    let action = Action::Intervene { session, intervention, reason };
    block_on(args.ends.submit("intervention in session", action))
}

/// Send any action from a JSON file, also those that have no command of their own. Its form is
/// `Action` in docs/openapi.json; `kind` says which it is.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn send(args: &SendArgs) -> anyhow::Result<()> {
    block_on(async { args.ends.submit("action on", read_json(&args.file)?).await })
}
