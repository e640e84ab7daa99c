//! `duet certificate`: energy certificates and green power.

mod green;
mod show;

use crate::remote::{Ends, Failure, Remote, block_on, parse_yuan, read_json};
use clap::{Args, Subcommand};
use duet_sdk::wire::{self, Big, CertificateAction};
use std::path::PathBuf;

/// Check, sell, transfer and claim energy certificates; green power.
#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    #[command(subcommand)]
    command: CertificateCommand,
}

#[derive(Debug, Subcommand)]
enum CertificateCommand {
    /// Show what a certificate proves, whose it is and where it stands.
    Check {
        /// The number of the certificate.
        number: u64,
        /// Also fetch the proof of its run and check it for this channel.
        #[arg(long, value_name = "CHANNEL")]
        prove: Option<wire::Hex32>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List the certificates that are offered for sale.
    Offers {
        #[command(flatten)]
        remote: Remote,
    },
    /// Offer certificates for sale.
    Offer {
        #[command(flatten)]
        part: Part,
        /// The price of one in yuan.
        #[arg(long, value_name = "YUAN", value_parser = parse_yuan)]
        price: i64,
        /// The number of the organisation that alone may buy.
        #[arg(long, value_name = "ORGANISATION")]
        to: Option<u32>,
        #[command(flatten)]
        ends: Ends,
    },
    /// Buy from an offer.
    Take {
        /// The number of the offer.
        offer: u64,
        /// How many.
        #[arg(long)]
        count: u64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Withdraw an offer.
    Withdraw {
        /// The number of the offer.
        offer: u64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Transfer certificates; they can be transferred once.
    Transfer {
        #[command(flatten)]
        part: Part,
        /// The number of the organisation that gets them.
        #[arg(long, value_name = "ORGANISATION")]
        to: u32,
        #[command(flatten)]
        ends: Ends,
    },
    /// Retire certificates for a member's use of a year; this is final.
    Retire {
        #[command(flatten)]
        part: Part,
        /// The number of the organisation whose use it is.
        #[arg(long, value_name = "ORGANISATION")]
        beneficiary: u32,
        /// The calendar year of the use.
        #[arg(long)]
        year: i32,
        #[command(flatten)]
        ends: Ends,
    },
    /// Freeze certificates in dispute (registry or regulator).
    Freeze {
        /// The number of the run.
        lot: u64,
        /// Free them instead.
        #[arg(long)]
        end: bool,
        /// Why, for the public log.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        ends: Ends,
    },
    /// Green power: contracts for the environmental value of energy.
    #[command(subcommand)]
    Green(green::Green),
    /// What an organisation can say of the emissions of the electricity that it used.
    Report {
        /// The number of the organisation.
        organisation: u32,
        /// The calendar year.
        #[arg(long)]
        year: i32,
        #[command(flatten)]
        remote: Remote,
    },
    /// Send an action from a JSON file: kinds of certificates, CCER projects, reductions. Its
    /// form is that of docs/api.md.
    Send {
        /// The file; its `action` says which action it is.
        file: PathBuf,
        #[command(flatten)]
        ends: Ends,
    },
}

/// A part of a run.
#[derive(Debug, Args)]
struct Part {
    /// The number of the run.
    lot: u64,
    /// How many of it, from its start.
    #[arg(long)]
    count: u64,
}

pub(crate) fn run(args: &CertificateArgs) -> anyhow::Result<()> {
    block_on(act(&args.command))
}

async fn act(command: &CertificateCommand) -> Result<(), Failure> {
    match command {
        CertificateCommand::Check { number, prove, remote } => {
            show::check(*number, *prove, remote).await
        }
        CertificateCommand::Offers { remote } => show::offers(remote).await,
        CertificateCommand::Green(command) => green::act(command).await,
        CertificateCommand::Report { organisation, year, remote } => {
            show::report(*organisation, *year, remote).await
        }
        CertificateCommand::Transfer { part, to, ends } => {
            let (lot, count, to) = (part.lot, part.count, *to);
            ends.submit("run", wire::Action::TransferCertificates { lot, count, to }).await
        }
        command => {
            let (what, action, ends) = plain(command)?;
            ends.submit(what, wire::Action::Certificate(action)).await
        }
    }
}

/// The commands that send one action and ask nothing before.
fn plain(
    command: &CertificateCommand,
) -> Result<(&'static str, CertificateAction, &Ends), Failure> {
    Ok(match command {
        CertificateCommand::Offer { part, price, to, ends } => {
            let (lot, count, price_fen) = (part.lot, part.count, Big(i128::from(*price)));
            ("offer", CertificateAction::Offer { lot, count, price_fen, buyer: *to }, ends)
        }
        CertificateCommand::Take { offer, count, ends } => {
            ("run", CertificateAction::Take { offer: *offer, count: *count }, ends)
        }
        CertificateCommand::Withdraw { offer, ends } => {
            ("withdrawn offer", CertificateAction::Withdraw { offer: *offer }, ends)
        }
        CertificateCommand::Retire { part, beneficiary, year, ends } => {
            let (lot, count) = (part.lot, part.count);
            let (beneficiary, year) = (*beneficiary, *year);
            ("retired run", CertificateAction::Claim { lot, count, beneficiary, year }, ends)
        }
        CertificateCommand::Freeze { lot, end, reason, ends } => {
            let (lot, frozen, reason) = (*lot, !*end, reason.clone());
            ("run", CertificateAction::Freeze { lot, frozen, reason }, ends)
        }
        CertificateCommand::Send { file, ends } => ("done for", read_json(file)?, ends),
        _ => return Err(Failure::Usage("this command sends nothing".to_owned())),
    })
}
