//! `duet order`: place, list and withdraw orders.

use crate::remote::{Ends, Failure, Remote, block_on, name, table, yuan_per_mwh};
use clap::{Args, Subcommand, ValueEnum};
use duet_sdk::{
    client::OrderFilter,
    wire::{self, Order, OrderRequest},
};

/// Place, list and withdraw orders.
#[derive(Debug, Args)]
pub(crate) struct OrderArgs {
    #[command(subcommand)]
    command: OrderCommand,
}

#[derive(Debug, Subcommand)]
enum OrderCommand {
    /// Place an order and wait until it is final.
    Place(Place),
    /// List orders by number.
    List(List),
    /// Withdraw a pending order.
    Cancel(Cancel),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Side {
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TimeInForce {
    Day,
    ImmediateOrCancel,
    FillOrKill,
}

/// Whose energy is ordered, and where.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// The session.
    #[arg(long)]
    pub(crate) session: u32,
    /// The unit that delivers or uses the energy.
    #[arg(long)]
    pub(crate) unit: u32,
    /// Buy or sell.
    #[arg(long)]
    pub(crate) side: Side,
    /// Your own reference.
    #[arg(long, default_value_t = 0)]
    pub(crate) reference: u64,
}

/// What is ordered.
#[derive(Debug, Args)]
pub(crate) struct Ordered {
    #[command(flatten)]
    whose: Whose,
    /// The delivery period within the day, from 0.
    #[arg(long)]
    period: u8,
    /// The limit price in yuan/MWh, for example 367.5; of a sell order, without carbon.
    #[arg(long, value_name = "YUAN", value_parser = crate::remote::parse_price, allow_hyphen_values = true)]
    price: i64,
    /// The energy in kWh.
    #[arg(long, value_name = "KWH")]
    quantity: i64,
}

#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    ordered: Ordered,
    /// The share of the carbon cost that a sell order passes on, in 1e-4: 6500 is 65 %. A sell
    /// order must say it.
    #[arg(long, value_name = "BP", required_if_eq("side", "sell"))]
    conductivity: Option<i64>,
    /// How long it stands; anything but a day only where orders match on arrival.
    #[arg(long, value_enum, default_value_t = TimeInForce::Day)]
    time_in_force: TimeInForce,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct List {
    /// Of this session.
    #[arg(long)]
    session: Option<u32>,
    /// Of this organisation.
    #[arg(long)]
    owner: Option<u32>,
    /// In this status: pending, matched, paid, dispatched, delivered, settled, cancelled, expired
    /// or defaulted.
    #[arg(long)]
    status: Option<String>,
    /// On this side.
    #[arg(long)]
    side: Option<Side>,
    /// With a higher number than this.
    #[arg(long)]
    after: Option<u64>,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Cancel {
    /// The number of the order.
    order: u64,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn run(args: &OrderArgs) -> anyhow::Result<()> {
    match &args.command {
        OrderCommand::Place(args) => block_on(place(args)),
        OrderCommand::List(args) => block_on(list(args)),
        OrderCommand::Cancel(args) => block_on(cancel(args)),
    }
}

impl Ordered {
    /// The order, without carbon cost and for the day.
    pub(crate) fn request(&self) -> OrderRequest {
        OrderRequest {
            session: self.whose.session,
            unit: self.whose.unit,
            side: self.whose.side.into(),
            period: self.period,
            limit_milli_yuan_per_mwh: self.price,
            quantity_kwh: self.quantity,
            conductivity_bp: 0,
            reference: self.whose.reference,
            time_in_force: wire::TimeInForce::Day,
        }
    }
}

async fn place(args: &Place) -> Result<(), Failure> {
    let time_in_force = match args.time_in_force {
        TimeInForce::Day => wire::TimeInForce::Day,
        TimeInForce::ImmediateOrCancel => wire::TimeInForce::ImmediateOrCancel,
        TimeInForce::FillOrKill => wire::TimeInForce::FillOrKill,
    };
    let conductivity_bp = args.conductivity.unwrap_or(0);
    let order = OrderRequest { conductivity_bp, time_in_force, ..args.ordered.request() };
    args.ends.submit("order", wire::Action::SubmitOrder(order)).await
}

async fn list(args: &List) -> Result<(), Failure> {
    let side = args.side.map(|side| match side {
        Side::Buy => "buy".to_owned(),
        Side::Sell => "sell".to_owned(),
    });
    let filter = OrderFilter {
        session: args.session,
        owner: args.owner,
        status: args.status.clone(),
        side,
        after: args.after,
        limit: Some(args.limit),
    };
    let page = args.remote.client()?.orders(&filter).await?;
    args.remote.show(&page, |page| {
        let mut text = table(&HEAD, &page.items.iter().map(row).collect::<Vec<_>>());
        if let Some(next) = page.next {
            text.push_str(&format!("\nmore: --after {next}"));
        }
        text
    })
}

const HEAD: [&str; 9] =
    ["order", "session", "period", "side", "owner", "yuan/MWh", "kWh", "filled", "status"];

fn row(order: &Order) -> Vec<String> {
    vec![
        order.id.to_string(),
        order.session.to_string(),
        order.period.to_string(),
        name(&order.side),
        order.owner.to_string(),
        yuan_per_mwh(order.limit_milli_yuan_per_mwh),
        order.quantity_kwh.to_string(),
        order.filled_kwh.to_string(),
        name(&order.status),
    ]
}

async fn cancel(args: &Cancel) -> Result<(), Failure> {
    let action = wire::Action::CancelOrder { order: args.order };
    args.ends.submit("cancelled order", action).await
}
