//! `duet auction`: step curves, orders over several periods, and what an auction came to.

mod sheet;

use crate::order::{Ordered, Whose};
use crate::remote::{Ends, Failure, Remote, block_on, name, table, yuan_per_mwh};
use clap::{Args, Subcommand};
use duet_sdk::wire::{
    self, Auction, CurvePoint, LinkedOrder, LinkedRequest, MinimumRequest, Session, StepCurve,
};
use std::path::PathBuf;

/// Auctions that clear when their gate closes: curves, linked orders, results.
#[derive(Debug, Args)]
pub(crate) struct AuctionArgs {
    #[command(subcommand)]
    command: AuctionCommand,
}

#[derive(Debug, Subcommand)]
enum AuctionCommand {
    /// Show the notice of a session: product, gates, price rule, price band.
    Notice(Of),
    /// Place a step curve from a file: all of its steps are accepted, or none.
    Curve(Curve),
    /// Place an order over several periods, filled in all of them or in none, at a mean price.
    Linked(Linked),
    /// Place an order that is filled to a minimum or not at all.
    Minimum(MinimumArgs),
    /// Withdraw an order over several periods.
    Withdraw(Withdraw),
    /// Show what an auction came to: prices, orders at the margin, linked orders.
    #[command(visible_alias = "result")]
    Show(Of),
}

#[derive(Debug, Args)]
struct Of {
    /// The session.
    session: u32,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Curve {
    #[command(flatten)]
    whose: Whose,
    /// A CSV file with a row for each step: period, price in yuan/MWh, quantity in kWh. Periods
    /// rise; in a period prices rise for a sale and fall for a purchase.
    #[arg(long, value_name = "CSV")]
    file: PathBuf,
    /// The share of the carbon cost that a sale in a joint session passes on, in 1e-4.
    #[arg(long, value_name = "BP", default_value_t = 0)]
    conductivity: i64,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct Linked {
    #[command(flatten)]
    whose: Whose,
    /// The worst acceptable mean price of all its energy, in yuan/MWh.
    #[arg(long, value_name = "YUAN", value_parser = crate::remote::parse_price, allow_hyphen_values = true)]
    price: i64,
    /// The energy of a period as PERIOD:KWH; once for each period, in order.
    #[arg(long, value_name = "PERIOD:KWH", value_parser = crate::contract::parse_point, required = true)]
    point: Vec<CurvePoint>,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct MinimumArgs {
    #[command(flatten)]
    ordered: Ordered,
    /// The least of it to fill, in kWh.
    #[arg(long, value_name = "KWH")]
    minimum: i64,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct Withdraw {
    /// The number of the linked order.
    linked: u64,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn run(args: &AuctionArgs) -> anyhow::Result<()> {
    match &args.command {
        AuctionCommand::Notice(args) => block_on(notice(args)),
        AuctionCommand::Curve(args) => block_on(curve(args)),
        AuctionCommand::Linked(args) => block_on(linked(args)),
        AuctionCommand::Minimum(args) => block_on(minimum(args)),
        AuctionCommand::Withdraw(args) => block_on(withdraw(args)),
        AuctionCommand::Show(args) => block_on(show(args)),
    }
}

async fn curve(args: &Curve) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| Failure::Usage(format!("{}: {error}", args.file.display())))?;
    let side = args.whose.side.into();
    let periods = sheet::read(&text, side).map_err(|faults| {
        Failure::Usage(format!("{}:\n{}", args.file.display(), faults.join("\n")))
    })?;
    let action = wire::Action::SubmitCurve(StepCurve {
        session: args.whose.session,
        unit: args.whose.unit,
        side,
        conductivity_bp: args.conductivity,
        reference: args.whose.reference,
        periods,
    });
    args.ends.submit("curve from order", action).await
}

async fn linked(args: &Linked) -> Result<(), Failure> {
    let action = wire::Action::SubmitLinked(LinkedRequest {
        session: args.whose.session,
        unit: args.whose.unit,
        side: args.whose.side.into(),
        limit_milli_yuan_per_mwh: args.price,
        curve: args.point.clone(),
        reference: args.whose.reference,
    });
    args.ends.submit("linked order", action).await
}

async fn minimum(args: &MinimumArgs) -> Result<(), Failure> {
    let (order, minimum_kwh) = (args.ordered.request(), args.minimum);
    let action = wire::Action::SubmitMinimum(MinimumRequest { order, minimum_kwh });
    args.ends.submit("order", action).await
}

async fn withdraw(args: &Withdraw) -> Result<(), Failure> {
    let action = wire::Action::WithdrawLinked { linked: args.linked };
    args.ends.submit("withdrawn linked order", action).await
}

async fn notice(args: &Of) -> Result<(), Failure> {
    let session = args.remote.client()?.session(args.session).await?;
    args.remote.show(&session, notice_text)
}

fn notice_text(session: &Session) -> String {
    let terms = &session.terms;
    let band = [terms.floor_milli_yuan_per_mwh, terms.ceiling_milli_yuan_per_mwh].map(yuan_per_mwh);
    let share = format!("{}/{}", terms.price_numerator, terms.price_denominator);
    let rows = [
        ("session", session.id.to_string()),
        ("rule", session.rule.to_string()),
        ("mode", serde_json::to_string(&session.mode).unwrap_or_default()),
        ("product", format!("{} for {} days", session.day, session.days)),
        ("phase", name(&session.phase)),
        ("gate opens", instant(session.gate_open_ms)),
        ("gate closes", instant(session.gate_close_ms)),
        ("periods", name(&terms.resolution)),
        ("price band, yuan/MWh", format!("{} to {}", band[0], band[1])),
        ("tick, yuan/MWh", yuan_per_mwh(terms.tick_milli_yuan_per_mwh)),
        ("lot, kWh", terms.lot_kwh.to_string()),
        ("price in the interval", share),
        ("at the margin", name(&terms.rationing)),
    ];
    let rows = rows.map(|(what, value)| vec![what.to_owned(), value]);
    table(&["notice", ""], &rows)
}

async fn show(args: &Of) -> Result<(), Failure> {
    let auction = args.remote.client()?.auction(args.session).await?;
    args.remote.show(&auction, text)
}

const PERIODS: [&str; 7] =
    ["period", "yuan/MWh", "lowest", "highest", "kWh", "last buy", "last sell"];
const LINKED: [&str; 8] = ["linked", "owner", "unit", "side", "limit", "mean", "kWh", "state"];
const MINIMUMS: [&str; 7] = ["order", "owner", "period", "side", "kWh", "minimum", "filled"];

fn text(auction: &Auction) -> String {
    let price = |milli: Option<i64>| milli.map_or_else(|| "-".to_owned(), yuan_per_mwh);
    let order = |id: Option<u64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let traded = auction
        .periods
        .iter()
        .filter(|row| row.volume_kwh > 0 || row.lowest_milli_yuan_per_mwh.is_some());
    let rows: Vec<_> = traded
        .map(|row| {
            vec![
                row.period.to_string(),
                price(row.price_milli_yuan_per_mwh),
                price(row.lowest_milli_yuan_per_mwh),
                price(row.highest_milli_yuan_per_mwh),
                row.volume_kwh.to_string(),
                order(row.marginal_buy),
                order(row.marginal_sell),
            ]
        })
        .collect();
    let mut parts = Vec::new();
    if auction.periods.is_empty() {
        parts.push("not cleared yet".to_owned());
    } else if rows.is_empty() {
        parts.push("nothing traded".to_owned());
    } else {
        parts.push(table(&PERIODS, &rows));
    }
    if !auction.linked.is_empty() {
        parts.push(table(&LINKED, &auction.linked.iter().map(linked_row).collect::<Vec<_>>()));
    }
    if !auction.minimums.is_empty() {
        let rows = auction.minimums.iter().map(|row| {
            vec![
                row.order.to_string(),
                row.owner.to_string(),
                row.period.to_string(),
                name(&row.side),
                row.quantity_kwh.to_string(),
                row.minimum_kwh.to_string(),
                row.filled_kwh.to_string(),
            ]
        });
        parts.push(table(&MINIMUMS, &rows.collect::<Vec<_>>()));
    }
    parts.join("\n\n")
}

fn linked_row(order: &LinkedOrder) -> Vec<String> {
    let mean = order.mean_price_milli_yuan_per_mwh;
    vec![
        order.id.to_string(),
        order.owner.to_string(),
        order.unit.to_string(),
        name(&order.side),
        yuan_per_mwh(order.limit_milli_yuan_per_mwh),
        mean.map_or_else(|| "-".to_owned(), yuan_per_mwh),
        order.parts.iter().map(|part| part.quantity_kwh).sum::<i64>().to_string(),
        name(&order.state),
    ]
}

/// An instant in UTC+8.
fn instant(unix_ms: i64) -> String {
    let time = duet_units::ClockTime::from_unix_ms(unix_ms);
    let minutes = unix_ms.saturating_sub(time.day().start().unix_ms()).div_euclid(60_000);
    format!("{} {:02}:{:02} UTC+8", wire::Day(time.day()), minutes / 60, minutes % 60)
}
