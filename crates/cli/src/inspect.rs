//! `duet account`, `duet block`, `duet session`, `duet receipt`: what the ledger says.

use crate::remote::{
    Failure, Remote, block_on, json, name, print, read_key, table, yuan, yuan_per_mwh,
};
use crate::{announce, intervene, schedule, sealed};
use clap::{Args, Subcommand};
use duet_sdk::{
    client::ClientError,
    wire::{
        Block, Depth, DepthLevel, Hex32, Intervention, OrganisationDetail, PeriodClearing, Receipt,
        Session,
    },
};
use serde_json::json;
use std::{path::PathBuf, time::Duration};

/// How long to wait for the checkpoint that a proof needs, and how often to ask.
const PROOF_PATIENCE: u32 = 150;
const PROOF_POLL: Duration = Duration::from_millis(200);

/// Show an organisation with its money, allowances, certificates and units.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// The number of the organisation; without it, the one that --key acts for.
    #[arg(required_unless_present = "key")]
    organisation: Option<u32>,
    /// The key file of one of its members.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

/// Show a final block with its transactions and their receipts.
#[derive(Debug, Args)]
pub(crate) struct BlockArgs {
    /// The height; without it, the last executed one.
    height: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

/// Show sessions and what they cleared at.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    #[command(subcommand)]
    command: SessionCommand,
}

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// List the sessions by number.
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the best five levels of a book whose orders match on arrival.
    Depth {
        /// The number of the session.
        id: u32,
        /// The delivery period within the day, from 0.
        #[arg(long)]
        period: u8,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show a session and what each period cleared at.
    Show {
        /// The number of the session.
        id: u32,
        #[command(flatten)]
        remote: Remote,
    },
    Announce(announce::AnnounceArgs),
    /// Stop taking orders (exchange, regulator).
    Halt(intervene::InterveneArgs),
    /// Take orders again (exchange, regulator).
    Resume(intervene::InterveneArgs),
    /// Call a session off; its orders and trades are taken back (exchange, regulator).
    Void(intervene::InterveneArgs),
    Export(sealed::ExportArgs),
    Replay(sealed::ReplayArgs),
    Interventions(sealed::InterventionsArgs),
    Prices(schedule::PricesArgs),
    Curtail(schedule::CurtailArgs),
    Curve(schedule::CurveArgs),
}

/// Show what came of a transaction, and save its proof.
#[derive(Debug, Args)]
pub(crate) struct ReceiptArgs {
    /// The hash of the transaction.
    transaction: Hex32,
    /// Wait for the proof and write it to this file, for `duet verify receipt`.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn account(args: &AccountArgs) -> anyhow::Result<()> {
    block_on(async {
        let client = args.remote.client()?;
        let organisation = match (args.organisation, &args.key) {
            (Some(organisation), _) => organisation,
            (None, Some(path)) => {
                let key = read_key(path)?;
                client.identity(key.public().into()).await?.organisation
            }
            (None, None) => return Err(Failure::Usage("name an organisation or a --key".into())),
        };
        let detail = client.organisation(organisation).await?;
        args.remote.show(&detail, account_text)
    })
}

fn account_text(detail: &OrganisationDetail) -> String {
    let who = &detail.organisation;
    let mut rows = Vec::new();
    for balance in &detail.balances {
        rows.push(vec![name(&balance.account), format!("{} yuan", yuan(balance.amount_fen.0))]);
    }
    if let Some(carbon) = &detail.carbon {
        rows.push(vec!["allowances".into(), format!("{} t free", carbon.free_t)]);
        rows.push(vec!["surrendered".into(), format!("{} t", carbon.surrendered_t)]);
        rows.push(vec!["emissions".into(), format!("{} g CO2e", carbon.emissions_g)]);
    }
    let certificates: u64 = detail.certificates.iter().map(|lot| lot.count).sum();
    rows.push(vec!["certificates".into(), format!("{certificates} MWh")]);
    for unit in &detail.units {
        rows.push(vec![
            format!("unit {}", unit.id),
            format!("{} ({} kW)", unit.name, unit.capacity_kw),
        ]);
    }
    table(&[&format!("{} {}", who.id, who.name), who.name_zh.as_str()], &rows)
}

pub(crate) fn block(args: &BlockArgs) -> anyhow::Result<()> {
    block_on(async {
        let client = args.remote.client()?;
        let height = match args.height {
            Some(height) => height,
            None => client.status().await?.height,
        };
        let block = client.block(height).await?;
        args.remote.show(&block, block_text)
    })
}

fn block_text(block: &Block) -> String {
    let rows: Vec<Vec<String>> = block
        .transactions
        .iter()
        .map(|transaction| {
            let receipt = &transaction.receipt;
            vec![
                receipt.index.to_string(),
                name(&transaction.action),
                receipt.code.clone().unwrap_or_else(|| "accepted".to_owned()),
                receipt.subject.to_string(),
                receipt.transaction.to_string(),
            ]
        })
        .collect();
    format!(
        "block {}  digest {}\nparent {}\ncheckpoint {}  state {}\n{}",
        block.height,
        block.digest,
        block.parent,
        block.checkpoint_height,
        block.state_root,
        table(&["place", "action", "outcome", "subject", "transaction"], &rows)
    )
}

pub(crate) fn session(args: &SessionArgs) -> anyhow::Result<()> {
    match &args.command {
        SessionCommand::List { remote } => block_on(async {
            let page = remote.client()?.sessions().await?;
            remote.show(&page, |page| sessions_text(&page.items))
        }),
        SessionCommand::Show { id, remote } => block_on(async {
            let client = remote.client()?;
            let (session, clearings) = (client.session(*id).await?, client.clearings(*id).await?);
            let answer = json!({ "session": session, "clearings": clearings });
            remote.show(&answer, |_| {
                let head = sessions_text(std::slice::from_ref(&session));
                format!("{head}\n\n{}", clearings_text(&clearings))
            })
        }),
        SessionCommand::Depth { id, period, remote } => block_on(async {
            let depth = remote.client()?.depth(*id, *period).await?;
            remote.show(&depth, depth_text)
        }),
        SessionCommand::Announce(args) => announce::announce(args),
        SessionCommand::Halt(args) => intervene::run(args, Intervention::Halt),
        SessionCommand::Resume(args) => intervene::run(args, Intervention::Resume),
        SessionCommand::Void(args) => intervene::run(args, Intervention::Void),
        SessionCommand::Export(args) => sealed::export(args),
        SessionCommand::Replay(args) => sealed::replay(args),
        SessionCommand::Interventions(args) => sealed::interventions(args),
        SessionCommand::Prices(args) => schedule::prices(args),
        SessionCommand::Curtail(args) => schedule::curtail(args),
        SessionCommand::Curve(args) => schedule::curve(args),
    }
}

fn sessions_text(sessions: &[Session]) -> String {
    let rows: Vec<Vec<String>> = sessions
        .iter()
        .map(|session| {
            vec![
                session.id.to_string(),
                session.day.to_string(),
                name(&session.phase),
                session.orders.to_string(),
                session.gate_open_ms.to_string(),
                session.gate_close_ms.to_string(),
            ]
        })
        .collect();
    table(&["session", "day", "phase", "orders", "gate opens (ms)", "gate closes (ms)"], &rows)
}

fn depth_text(depth: &Depth) -> String {
    let level = |side: &str, level: &DepthLevel| {
        vec![
            side.to_owned(),
            yuan_per_mwh(level.price_milli_yuan_per_mwh),
            level.quantity_kwh.to_string(),
            level.orders.to_string(),
        ]
    };
    let asks = depth.asks.iter().rev().map(|row| level("sell", row));
    let bids = depth.bids.iter().map(|row| level("buy", row));
    table(&["side", "yuan/MWh", "kWh", "orders"], &asks.chain(bids).collect::<Vec<_>>())
}

fn clearings_text(clearings: &[PeriodClearing]) -> String {
    let price = |price: Option<i64>| price.map_or_else(|| "none".to_owned(), yuan_per_mwh);
    let rows: Vec<Vec<String>> = clearings
        .iter()
        .map(|clearing| {
            vec![
                clearing.period.to_string(),
                price(clearing.price_milli_yuan_per_mwh),
                clearing.volume_kwh.to_string(),
                price(clearing.seller_price_milli_yuan_per_mwh),
                clearing.second_volume_kwh.to_string(),
                yuan(clearing.compensation_fen.0),
            ]
        })
        .collect();
    let head = ["period", "yuan/MWh", "kWh", "2nd yuan/MWh", "2nd kWh", "compensation yuan"];
    table(&head, &rows)
}

pub(crate) fn receipt(args: &ReceiptArgs) -> anyhow::Result<()> {
    let answer = block_on(async {
        let client = args.remote.client()?;
        let receipt = client.receipt(args.transaction).await?;
        let Some(path) = &args.proof else { return Ok((receipt, None)) };
        for _ in 0..PROOF_PATIENCE {
            match client.receipt_proof(args.transaction).await {
                Err(ClientError::Refused(problem)) if problem.code == "not-final" => {
                    tokio::time::sleep(PROOF_POLL).await;
                }
                found => return Ok((receipt, Some((path, found?)))),
            }
        }
        Err(Failure::Usage("no checkpoint covers the receipt yet; ask again later".to_owned()))
    })?;
    let (receipt, proof) = answer;
    if let Some((path, proof)) = proof {
        std::fs::write(path, json(&proof) + "\n")?;
    }
    let text = |receipt: &Receipt| match &receipt.code {
        None => format!("accepted in block {}; subject {}", receipt.height, receipt.subject),
        Some(code) => format!("refused in block {}: {code}", receipt.height),
    };
    print(&if args.remote.json { json(&receipt) } else { text(&receipt) });
    Ok(())
}
