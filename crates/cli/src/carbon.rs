//! `duet carbon`: the allowance market, compliance, carbon credits.

mod show;

use crate::remote::{Ends, Failure, Remote, block_on, parse_yuan, read_json};
use clap::{Args, Subcommand, ValueEnum};
use duet_sdk::wire::{self, CarbonAction};
use std::path::PathBuf;

/// Trade allowances, cover a year's emissions, retire carbon credits.
#[derive(Debug, Args)]
pub(crate) struct CarbonArgs {
    #[command(subcommand)]
    command: CarbonCommand,
}

#[derive(Debug, Subcommand)]
enum CarbonCommand {
    /// Show the market: previous close, bands, hours, the five best prices of each side.
    Market {
        #[command(flatten)]
        remote: Remote,
    },
    /// List the deals of the last days.
    Deals {
        /// With a higher number than this.
        #[arg(long, default_value_t = 0)]
        after: u64,
        #[command(flatten)]
        remote: Remote,
    },
    /// List the one-way biddings: open ones, and those awarded in the last days.
    Biddings {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show an account with its open orders and the blocks proposed to it.
    Account(show::Whose),
    /// Show what an organisation owes for a year.
    Obligation(show::YearOf),
    /// Forecast the gap between emissions and allocation at the end of a year.
    Gap(show::YearOf),
    /// List allowances for sale or wanted, until the day closes.
    List(Order),
    /// Take from the listings of the other side, best price first.
    Take(Order),
    /// Withdraw a listing or bid, or call the proposal of a block off.
    Withdraw {
        /// The number of the order.
        order: u64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Block agreements: propose, confirm.
    #[command(subcommand)]
    Block(Block),
    /// Bid in a one-way bidding.
    Bid {
        /// The number of the bidding.
        bidding: u64,
        /// The allowances in t.
        #[arg(long, value_name = "T")]
        quantity: i64,
        /// The price in yuan/t.
        #[arg(long, value_name = "YUAN", value_parser = parse_yuan)]
        price: i64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Surrender allowances for a verified year.
    Cover {
        /// The calendar year.
        year: u16,
        /// The allowances in t.
        #[arg(long, value_name = "T")]
        quantity: i64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Allocate allowances to an organisation (registry).
    Allocate {
        /// The number of the organisation.
        organisation: u32,
        /// The allowances in t.
        #[arg(long, value_name = "T")]
        quantity: i64,
        /// The registry's reference; one counts once.
        #[arg(long)]
        reference: u64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Carbon credits: list, transfer, retire.
    #[command(subcommand)]
    Ccer(Ccer),
    /// Send an action from a JSON file: terms, biddings, compliance periods, issue ahead,
    /// verification, closure, issue of credits. Its form is that of docs/api.md.
    Send {
        /// The file; its `carbon` says which action it is.
        file: PathBuf,
        #[command(flatten)]
        ends: Ends,
    },
}

#[derive(Debug, Subcommand)]
enum Block {
    /// Propose a block of 100,000 t or more to another party.
    Propose {
        /// The number of the other party.
        #[arg(long)]
        to: u32,
        #[command(flatten)]
        order: Order,
    },
    /// Confirm a block that was proposed to you, as the ledger shows it.
    Confirm {
        /// The number of the proposal.
        order: u64,
        #[command(flatten)]
        ends: Ends,
    },
}

#[derive(Debug, Subcommand)]
enum Ccer {
    /// List an organisation's runs of carbon credits.
    List(show::Whose),
    /// Transfer credits.
    Transfer {
        /// The number of the run.
        lot: u64,
        /// How many of it, from its start.
        #[arg(long)]
        count: u64,
        /// The number of the organisation that gets them.
        #[arg(long)]
        to: u32,
        #[command(flatten)]
        ends: Ends,
    },
    /// Retire credits for a verified year; this is final.
    Retire {
        /// The number of the run.
        lot: u64,
        /// How many of it, from its start.
        #[arg(long)]
        count: u64,
        /// The calendar year.
        #[arg(long)]
        year: u16,
        #[command(flatten)]
        ends: Ends,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Side {
    Buy,
    Sell,
}

impl From<Side> for wire::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Buy => Self::Buy,
            Side::Sell => Self::Sell,
        }
    }
}

#[derive(Debug, Args)]
struct Order {
    /// Buy or sell.
    #[arg(long)]
    side: Side,
    /// The allowances in t.
    #[arg(long, value_name = "T")]
    quantity: i64,
    /// The price in yuan/t; of a taker, the worst one.
    #[arg(long, value_name = "YUAN", value_parser = parse_yuan)]
    price: i64,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn run(args: &CarbonArgs) -> anyhow::Result<()> {
    block_on(act(&args.command))
}

async fn act(command: &CarbonCommand) -> Result<(), Failure> {
    match command {
        CarbonCommand::Market { remote } => show::market(remote).await,
        CarbonCommand::Deals { after, remote } => show::deals(remote, *after).await,
        CarbonCommand::Biddings { remote } => show::biddings(remote).await,
        CarbonCommand::Account(whose) => show::account(whose).await,
        CarbonCommand::Obligation(year) => show::obligation(year).await,
        CarbonCommand::Gap(year) => show::gap(year).await,
        CarbonCommand::Block(block) => act_on_block(block).await,
        CarbonCommand::Ccer(Ccer::List(whose)) => show::credits(whose).await,
        CarbonCommand::Allocate { organisation, quantity, reference, ends } => {
            let action = wire::Action::AllocateAllowances {
                organisation: *organisation,
                allowances_t: *quantity,
                reference: *reference,
            };
            ends.submit("allowances to organisation", action).await
        }
        command => {
            let (what, action, ends) = plain(command)?;
            ends.submit(what, wire::Action::Carbon(action)).await
        }
    }
}

/// The commands that send one action and ask nothing before.
fn plain(command: &CarbonCommand) -> Result<(&'static str, CarbonAction, &Ends), Failure> {
    Ok(match command {
        CarbonCommand::List(order) => {
            let listing = wire::CarbonListing {
                side: order.side.into(),
                allowances_t: order.quantity,
                price_fen_per_t: order.price,
            };
            ("listing", CarbonAction::List(listing), &order.ends)
        }
        CarbonCommand::Take(order) => {
            let take = wire::CarbonTake {
                side: order.side.into(),
                allowances_t: order.quantity,
                limit_fen_per_t: order.price,
            };
            ("deal", CarbonAction::Take(take), &order.ends)
        }
        CarbonCommand::Withdraw { order, ends } => {
            let withdrawal = wire::CarbonWithdrawal { order: *order };
            ("withdrawn order", CarbonAction::Withdraw(withdrawal), ends)
        }
        CarbonCommand::Bid { bidding, quantity, price, ends } => {
            let bid = wire::CarbonBid {
                bidding: *bidding,
                allowances_t: *quantity,
                price_fen_per_t: *price,
            };
            ("bid", CarbonAction::Bid(bid), ends)
        }
        CarbonCommand::Cover { year, quantity, ends } => {
            let cover = wire::Cover { year: *year, allowances_t: *quantity };
            ("surrendered for", CarbonAction::Cover(cover), ends)
        }
        CarbonCommand::Ccer(Ccer::Transfer { lot, count, to, ends }) => {
            let transfer = wire::CreditTransfer { lot: *lot, count: *count, to: *to };
            ("run", CarbonAction::TransferCredits(transfer), ends)
        }
        CarbonCommand::Ccer(Ccer::Retire { lot, count, year, ends }) => {
            let retirement = wire::CreditRetirement { lot: *lot, count: *count, year: *year };
            ("retired run", CarbonAction::RetireCredits(retirement), ends)
        }
        CarbonCommand::Send { file, ends } => ("action on", read_json(file)?, ends),
        _ => return Err(Failure::Usage("the command sends no action".to_owned())),
    })
}

async fn act_on_block(block: &Block) -> Result<(), Failure> {
    match block {
        Block::Propose { to, order } => {
            let proposal = wire::BlockProposal {
                side: order.side.into(),
                counterparty: *to,
                allowances_t: order.quantity,
                price_fen_per_t: order.price,
            };
            let action = wire::Action::Carbon(CarbonAction::ProposeBlock(proposal));
            order.ends.submit("proposal", action).await
        }
        Block::Confirm { order, ends } => {
            let client = ends.remote.client()?;
            let key = ends.signer.read()?;
            let identity = client.identity(key.public().into()).await?;
            let account = client.carbon_account(identity.organisation).await?;
            let row = account.orders.iter().find(|row| row.id == *order);
            let none = || Failure::Usage(format!("no block {order} was proposed to you"));
            let proposal = row.and_then(|row| row.proposal).ok_or_else(none)?;
            let confirmation = wire::BlockConfirmation { order: *order, proposal };
            let action = wire::Action::Carbon(CarbonAction::ConfirmBlock(confirmation));
            ends.submit("deal", action).await
        }
    }
}
