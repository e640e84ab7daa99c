//! What `duet carbon` shows.

use crate::remote::{Failure, Remote, name, read_key, table, yuan};
use clap::Args;
use duet_sdk::{
    client::Client,
    wire::{
        CarbonAccountDetail, CarbonBidding, CarbonDeal, CarbonMarket, CreditLot, GapForecast,
        Hours, Obligation,
    },
};
use std::path::PathBuf;

/// Which organisation.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The number of the organisation; without it, the one that --key acts for.
    #[arg(required_unless_present = "key")]
    organisation: Option<u32>,
    /// The key file of one of its members.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

/// A year of an organisation.
#[derive(Debug, Args)]
pub(super) struct YearOf {
    /// The calendar year.
    #[arg(long)]
    year: u16,
    #[command(flatten)]
    whose: Whose,
}

impl Whose {
    async fn find(&self, client: &Client) -> Result<u32, Failure> {
        match (self.organisation, &self.key) {
            (Some(organisation), _) => Ok(organisation),
            (None, Some(path)) => {
                let key = read_key(path)?;
                Ok(client.identity(key.public().into()).await?.organisation)
            }
            (None, None) => Err(Failure::Usage("name an organisation or a --key".into())),
        }
    }
}

fn price(fen: i64) -> String {
    yuan(fen.into())
}

pub(super) async fn market(remote: &Remote) -> Result<(), Failure> {
    let market = remote.client()?.carbon_market().await?;
    remote.show(&market, market_text)
}

fn market_text(market: &CarbonMarket) -> String {
    let band = |low: Option<i64>, high: Option<i64>| {
        let shown = |end: Option<i64>| end.map_or_else(|| "none".to_owned(), price);
        format!("{} to {} yuan/t", shown(low), shown(high))
    };
    let hours = |hours: &Hours| {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        format!("{} to {}", clock(hours.from_minute), clock(hours.until_minute))
    };
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let terms = &market.terms;
    let facts = [
        row("previous close", format!("{} yuan/t", price(market.previous_close_fen_per_t))),
        row("close so far", format!("{} yuan/t", price(market.close_fen_per_t))),
        row("dealt", format!("{} t", market.dealt_t)),
        row("listings", band(market.listed_lowest_fen_per_t, market.listed_highest_fen_per_t)),
        row("blocks", band(market.block_lowest_fen_per_t, market.block_highest_fen_per_t)),
        row("hours", format!("{}, {}", hours(&terms.morning), hours(&terms.afternoon))),
        row("hours of blocks", hours(&terms.block)),
    ];
    let sells = market.book.sell.iter().rev().map(|level| ("sell", level));
    let buys = market.book.buy.iter().map(|level| ("buy", level));
    let level = |(side, level): (&str, &duet_sdk::wire::CarbonLevel)| {
        vec![side.to_owned(), price(level.price_fen_per_t), level.allowances_t.to_string()]
    };
    let book: Vec<_> = sells.chain(buys).map(level).collect();
    let head = table(&[&market.day.to_string(), ""], &facts);
    format!("{head}\n\n{}", table(&["side", "yuan/t", "t"], &book))
}

pub(super) async fn deals(remote: &Remote, after: u64) -> Result<(), Failure> {
    let page = remote.client()?.carbon_deals(after).await?;
    remote.show(&page, |page| {
        let row = |deal: &CarbonDeal| {
            vec![
                deal.id.to_string(),
                name(&deal.mode),
                price(deal.price_fen_per_t),
                deal.allowances_t.to_string(),
                yuan(deal.amount_fen.0),
                deal.time_ms.to_string(),
            ]
        };
        let rows: Vec<_> = page.items.iter().map(row).collect();
        table(&["deal", "mode", "yuan/t", "t", "yuan", "time (ms)"], &rows)
    })
}

pub(super) async fn biddings(remote: &Remote) -> Result<(), Failure> {
    let page = remote.client()?.carbon_biddings().await?;
    remote.show(&page, |page| {
        let row = |bidding: &CarbonBidding| {
            vec![
                bidding.id.to_string(),
                bidding.owner.to_string(),
                name(&bidding.side),
                price(bidding.reserve_fen_per_t),
                bidding.allowances_t.to_string(),
                name(&bidding.pricing),
                bidding.opens_ms.to_string(),
                bidding.closes_ms.to_string(),
                name(&bidding.state),
                bidding.awarded_t.to_string(),
            ]
        };
        let rows: Vec<_> = page.items.iter().map(row).collect();
        let head = [
            "bidding",
            "owner",
            "side",
            "reserve yuan/t",
            "t",
            "pricing",
            "opens (ms)",
            "closes (ms)",
            "state",
            "awarded t",
        ];
        table(&head, &rows)
    })
}

pub(super) async fn account(whose: &Whose) -> Result<(), Failure> {
    let client = whose.remote.client()?;
    let detail = client.carbon_account(whose.find(&client).await?).await?;
    whose.remote.show(&detail, account_text)
}

fn account_text(detail: &CarbonAccountDetail) -> String {
    let account = &detail.account;
    let facts = [
        ("free", account.free_t),
        ("of it sellable today", detail.sellable_t),
        ("locked", account.locked_t),
        ("surrendered", account.surrendered_t),
        ("expired", account.expired_t),
        ("net sales", account.net_sales_t),
        ("given for nothing", account.given_t),
    ];
    let facts = facts.map(|(name, tonnes)| vec![name.to_owned(), tonnes.to_string()]);
    let order = |order: &duet_sdk::wire::CarbonOrder| {
        let kind = match (order.counterparty, order.owner == detail.organisation) {
            (None, _) => "listing".to_owned(),
            (Some(to), true) => format!("block to {to}"),
            (Some(_), false) => format!("block of {}", order.owner),
        };
        let side = name(&order.side);
        let (fen, tonnes) = (order.price_fen_per_t, order.allowances_t);
        vec![order.id.to_string(), kind, side, price(fen), tonnes.to_string()]
    };
    let orders: Vec<_> = detail.orders.iter().map(order).collect();
    let head = table(&[&format!("organisation {}", detail.organisation), "t"], &facts);
    format!("{head}\n\n{}", table(&["order", "kind", "side", "yuan/t", "t"], &orders))
}

pub(super) async fn obligation(year: &YearOf) -> Result<(), Failure> {
    let client = year.whose.remote.client()?;
    let id = year.whose.find(&client).await?;
    let row = client.obligation(year.year, id).await?;
    year.whose.remote.show(&row, obligation_text)
}

fn obligation_text(row: &Obligation) -> String {
    let state = name(&row.state);
    let facts = [
        ("issued ahead", row.pre_issued_t),
        ("allocated", row.allocated_t),
        ("verified emissions", row.verified_t),
        ("due", row.due_t),
        ("of it over-issued", row.over_issued_t),
        ("surrendered", row.surrendered_t),
        ("carbon credits", row.offset_t),
        ("outstanding", row.outstanding_t),
        ("banked", row.banked_t),
    ];
    let facts = facts.map(|(name, tonnes)| vec![name.to_owned(), tonnes.to_string()]);
    table(&[&format!("organisation {} in {}: {state}", row.organisation, row.year), "t"], &facts)
}

pub(super) async fn gap(year: &YearOf) -> Result<(), Failure> {
    let client = year.whose.remote.client()?;
    let id = year.whose.find(&client).await?;
    let forecast = client.carbon_gap(year.year, id).await?;
    year.whose.remote.show(&forecast, gap_text)
}

fn gap_text(forecast: &GapForecast) -> String {
    let to_date = forecast.emissions_to_date_g.0 / 1_000_000;
    let facts = [
        vec!["emissions to date".to_owned(), to_date.to_string()],
        vec!["emissions of the year".to_owned(), forecast.emissions_t.to_string()],
        vec!["allocation of the year".to_owned(), forecast.allocation_t.to_string()],
        vec!["gap".to_owned(), forecast.gap_t.to_string()],
        vec!["carbon credits at most".to_owned(), forecast.offset_cap_t.to_string()],
    ];
    let head =
        format!("{} at the pace of {} to {}", forecast.year, forecast.first_day, forecast.last_day);
    table(&[&head, "t"], &facts)
}

pub(super) async fn credits(whose: &Whose) -> Result<(), Failure> {
    let client = whose.remote.client()?;
    let page = client.credits(whose.find(&client).await?).await?;
    whose.remote.show(&page, |page| {
        let rows: Vec<_> = page.items.iter().map(credit_row).collect();
        table(&["run", "project", "vintage", "first", "count", "retired for"], &rows)
    })
}

fn credit_row(lot: &CreditLot) -> Vec<String> {
    vec![
        lot.id.to_string(),
        lot.project.clone(),
        lot.vintage.to_string(),
        lot.first.to_string(),
        lot.count.to_string(),
        lot.retired_for.map(|year| year.to_string()).unwrap_or_default(),
    ]
}
