//! `duet key`: a member's key file.

use crate::remote::{Failure, json, print, read_key};
use clap::{Args, Subcommand};
use duet_sdk::{sign::MemberKey, wire::Hex32};
use serde_json::json;
use std::path::PathBuf;

/// Make and show key files. The secret part is never printed.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a new key and write it to a new file that only you can read.
    New(KeyFile),
    /// Show the public key of a key file.
    Show(KeyFile),
}

#[derive(Debug, Args)]
struct KeyFile {
    /// The key file.
    file: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &KeyArgs) -> anyhow::Result<()> {
    let (file, key) = match &args.command {
        KeyCommand::New(file) => {
            let key = MemberKey::generate().map_err(Failure::from)?;
            key.write_new(&file.file).map_err(Failure::from)?;
            (file, key)
        }
        KeyCommand::Show(file) => (file, read_key(&file.file)?),
    };
    let public = Hex32::from(key.public());
    print(&if file.json {
        json(&json!({ "public_key": public, "file": file.file }))
    } else {
        public.to_string()
    });
    Ok(())
}
