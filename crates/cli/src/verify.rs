//! `duet verify`: checks that need no node.

use crate::remote::{Failure, json, print};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use duet_sdk::{
    proof::ReceiptProof,
    wire::{Hex32, Receipt},
};
use serde_json::json;
use std::{io::Read as _, path::PathBuf};

/// The largest file that is read, in bytes: a proof has a few kilobytes.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Check proofs without a node.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(subcommand)]
    command: VerifyCommand,
}

#[derive(Debug, Subcommand)]
enum VerifyCommand {
    /// Check that a receipt is in a block that a quorum of the channel's validators finalized.
    Receipt(VerifyReceipt),
}

#[derive(Debug, Args)]
struct VerifyReceipt {
    /// The proof, as `duet receipt --proof` writes it; `-` reads standard input.
    file: PathBuf,
    /// The channel id that you trust. Without it, the file is held to the channel that it names
    /// itself, which shows that it is whole but not whose it is.
    #[arg(long, value_name = "HEX")]
    channel: Option<Hex32>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let VerifyCommand::Receipt(args) = &args.command;
    let text = read(args)?;
    let proof: ReceiptProof = serde_json::from_str(&text)
        .map_err(|error| Failure::Usage(format!("{}: {error}", args.file.display())))?;
    let channel = args.channel.unwrap_or(proof.channel);
    let verified = proof.verify(&channel.0).map_err(Failure::from)?;
    let receipt = Receipt::new(verified.height, verified.index, &verified.receipt);
    let trusted = args.channel.is_some();
    if args.json {
        print(&json(&json!({
            "verified": true, "channel": channel, "channel_trusted": trusted, "receipt": receipt,
            "receipts_in_block": verified.count, "certified_height": verified.certified_height,
            "signers": verified.signers, "validators": verified.validators,
        })));
        return Ok(());
    }
    let outcome = receipt.code.as_deref().unwrap_or("accepted");
    print(&format!(
        "verified: transaction {}\n  outcome {outcome}, subject {}, block {}, receipt {} of {}\n  \
         {} of {} validators finalized block {}, which vouches for it",
        receipt.transaction,
        receipt.subject,
        verified.height,
        u64::from(verified.index) + 1,
        verified.count,
        verified.signers,
        verified.validators,
        verified.certified_height,
    ));
    if !trusted {
        print(&format!(
            "  of channel {channel}, on the file's own word: name yours with --channel"
        ));
    }
    Ok(())
}

fn read(args: &VerifyReceipt) -> anyhow::Result<String> {
    let mut text = String::new();
    let input: Box<dyn std::io::Read> = if args.file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        let file = std::fs::File::open(&args.file)
            .map_err(|error| Failure::Usage(format!("{}: {error}", args.file.display())))?;
        Box::new(file)
    };
    input
        .take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(|| format!("reading {}", args.file.display()))?;
    Ok(text)
}
