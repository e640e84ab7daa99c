//! `duet bilateral` and `duet listing`: contracts between two members, and takes of listings.

use crate::order::{Ordered, Side};
use crate::remote::{Ends, Failure, Remote, block_on, name, table, yuan_per_mwh};
use clap::{Args, Subcommand};
use duet_sdk::wire::{
    self, AllowanceLeg, Big, CertificateLeg, ContractConfirmation, ContractTerms, CurvePoint,
    ListingTake, Proposal,
};

/// Contracts between two members: both sign the hash of the same terms.
#[derive(Debug, Args)]
pub(crate) struct BilateralArgs {
    #[command(subcommand)]
    command: BilateralCommand,
}

#[derive(Debug, Subcommand)]
enum BilateralCommand {
    /// Propose a contract to another member.
    Propose(Propose),
    /// Read a proposed contract, check its hash and sign it.
    Confirm(Confirm),
    /// Take a proposal back, or decline it.
    Withdraw(Withdraw),
    /// List proposed contracts by number.
    List(List),
}

/// A posted quantity at a price, and takes of it.
#[derive(Debug, Args)]
pub(crate) struct ListingArgs {
    #[command(subcommand)]
    command: ListingCommand,
}

#[derive(Debug, Subcommand)]
enum ListingCommand {
    /// Post energy at a price.
    Post(Post),
    /// Take of a posted order at its price.
    Take(Take),
}

#[derive(Debug, Args)]
struct Propose {
    /// The bilateral session.
    #[arg(long)]
    session: u32,
    /// Your unit.
    #[arg(long)]
    unit: u32,
    /// The other member's unit.
    #[arg(long)]
    counterparty: u32,
    /// What you do: buy or sell.
    #[arg(long)]
    side: Side,
    /// The price in yuan/MWh.
    #[arg(long, value_name = "YUAN", value_parser = crate::remote::parse_price, allow_hyphen_values = true)]
    price: i64,
    /// The energy of a period as PERIOD:KWH; once for each period, in order.
    #[arg(long, value_name = "PERIOD:KWH", value_parser = parse_point, required = true)]
    point: Vec<CurvePoint>,
    /// Allowances that the seller of the energy hands over, in t ...
    #[arg(long, value_name = "T", requires = "allowance_price")]
    allowances: Option<i64>,
    /// ... and what the buyer pays for each, in fen.
    #[arg(long, value_name = "FEN")]
    allowance_price: Option<i64>,
    /// Certificates that the seller hands over, as RUN:COUNT ...
    #[arg(long, value_name = "RUN:COUNT", value_parser = parse_lot, requires = "certificate_price")]
    certificates: Option<(u64, u64)>,
    /// ... and what the buyer pays for each, in fen.
    #[arg(long, value_name = "FEN")]
    certificate_price: Option<i64>,
    /// Your own reference.
    #[arg(long, default_value_t = 0)]
    reference: u64,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct Confirm {
    /// The number of the proposal.
    proposal: u64,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct Withdraw {
    /// The number of the proposal.
    proposal: u64,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct List {
    /// Of this session.
    #[arg(long)]
    session: Option<u32>,
    /// That this organisation proposed or is asked to sign.
    #[arg(long)]
    party: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Post {
    #[command(flatten)]
    ordered: Ordered,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct Take {
    /// The number of the posted order.
    listing: u64,
    /// Your unit.
    #[arg(long)]
    unit: u32,
    /// The energy in kWh.
    #[arg(long, value_name = "KWH")]
    quantity: i64,
    /// Your own reference.
    #[arg(long, default_value_t = 0)]
    reference: u64,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn bilateral(args: &BilateralArgs) -> anyhow::Result<()> {
    match &args.command {
        BilateralCommand::Propose(args) => block_on(propose(args)),
        BilateralCommand::Confirm(args) => block_on(confirm(args)),
        BilateralCommand::Withdraw(args) => block_on(withdraw(args)),
        BilateralCommand::List(args) => block_on(list(args)),
    }
}

pub(crate) fn listing(args: &ListingArgs) -> anyhow::Result<()> {
    match &args.command {
        ListingCommand::Post(args) => block_on(post(args)),
        ListingCommand::Take(args) => block_on(take(args)),
    }
}

async fn propose(args: &Propose) -> Result<(), Failure> {
    let leg = |allowances_t, price_fen_per_t| AllowanceLeg { allowances_t, price_fen_per_t };
    let run = |(lot, count), fen: i64| CertificateLeg { lot, count, price_fen: Big(fen.into()) };
    let terms = ContractTerms {
        session: args.session,
        unit: args.unit,
        counterparty: args.counterparty,
        side: args.side.into(),
        price_milli_yuan_per_mwh: args.price,
        curve: args.point.clone(),
        allowances: args.allowances.zip(args.allowance_price).map(|(t, fen)| leg(t, fen)),
        certificates: args.certificates.zip(args.certificate_price).map(|(l, fen)| run(l, fen)),
        reference: args.reference,
    };
    let action = wire::Action::ProposeContract(terms);
    args.ends.submit("proposal", action).await
}

/// Signs what was read: the hash is made anew from the terms that the node shows.
async fn confirm(args: &Confirm) -> Result<(), Failure> {
    let client = args.ends.remote.client()?;
    let proposal = client.contract(args.proposal).await?;
    let terms: duet_ledger::ContractTerms = proposal.terms.into();
    let hash = wire::Hex32(terms.hash());
    if hash != proposal.hash {
        let fault = "the node shows terms whose hash is not the one that it names; not signed";
        return Err(Failure::Usage(fault.to_owned()));
    }
    let signed = ContractConfirmation { proposal: args.proposal, hash };
    let action = wire::Action::ConfirmContract(signed);
    args.ends.submit("signed proposal", action).await
}

async fn withdraw(args: &Withdraw) -> Result<(), Failure> {
    let action = wire::Action::WithdrawContract { proposal: args.proposal };
    args.ends.submit("ended proposal", action).await
}

const HEAD: [&str; 9] =
    ["proposal", "session", "proposer", "side", "unit", "with", "yuan/MWh", "kWh a day", "state"];

async fn list(args: &List) -> Result<(), Failure> {
    let page = args.remote.client()?.contracts(args.session, args.party).await?;
    args.remote.show(&page, |page| table(&HEAD, &page.items.iter().map(row).collect::<Vec<_>>()))
}

fn row(proposal: &Proposal) -> Vec<String> {
    let terms = &proposal.terms;
    vec![
        proposal.id.to_string(),
        terms.session.to_string(),
        proposal.proposer.to_string(),
        name(&terms.side),
        terms.unit.to_string(),
        terms.counterparty.to_string(),
        yuan_per_mwh(terms.price_milli_yuan_per_mwh),
        terms.curve.iter().map(|point| point.energy_kwh).sum::<i64>().to_string(),
        name(&proposal.state),
    ]
}

async fn post(args: &Post) -> Result<(), Failure> {
    args.ends.submit("listing", wire::Action::SubmitOrder(args.ordered.request())).await
}

async fn take(args: &Take) -> Result<(), Failure> {
    let action = wire::Action::TakeListing(ListingTake {
        listing: args.listing,
        unit: args.unit,
        quantity_kwh: args.quantity,
        reference: args.reference,
    });
    args.ends.submit("order", action).await
}

pub(crate) fn parse_point(text: &str) -> Result<CurvePoint, String> {
    let refused = || format!("{text:?} is not PERIOD:KWH, for example 8:12000");
    let (period, energy) = text.split_once(':').ok_or_else(refused)?;
    Ok(CurvePoint {
        period: period.parse().map_err(|_| refused())?,
        energy_kwh: energy.parse().map_err(|_| refused())?,
    })
}

fn parse_lot(text: &str) -> Result<(u64, u64), String> {
    let refused = || format!("{text:?} is not RUN:COUNT, for example 3:120");
    let (lot, count) = text.split_once(':').ok_or_else(refused)?;
    Ok((lot.parse().map_err(|_| refused())?, count.parse().map_err(|_| refused())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_runs_are_two_whole_numbers() {
        assert_eq!(parse_point("8:12000"), Ok(CurvePoint { period: 8, energy_kwh: 12_000 }));
        assert_eq!(parse_lot("3:120"), Ok((3, 120)));
        for text in ["", "8", "8:", ":1", "256:1", "8:1.5", "8:1:2"] {
            assert!(parse_point(text).is_err(), "{text}");
        }
        assert!(parse_lot("-1:2").is_err());
    }
}
