//! `duet session prices|curtail`: what the dispatcher does between clearing and settlement.

use crate::remote::{Ends, block_on, parse_price};
use clap::Args;
use duet_sdk::wire::{Action, Curtailment, Day, PricePublication};

/// Publish the real-time prices of a day (dispatcher).
#[derive(Debug, Args)]
pub(crate) struct PricesArgs {
    /// The delivery day, as YYYY-MM-DD.
    day: Day,
    /// The prices in yuan/MWh, one an hour or a quarter of an hour, by commas.
    #[arg(long, required = true, value_name = "YUAN,...", value_delimiter = ',',
        value_parser = parse_price, allow_hyphen_values = true)]
    prices: Vec<i64>,
    #[command(flatten)]
    ends: Ends,
}

/// Cut traded energy to what the security check allows (dispatcher).
#[derive(Debug, Args)]
pub(crate) struct CurtailArgs {
    /// The delivery day, as YYYY-MM-DD.
    day: Day,
    /// The period, of those by which the day is settled.
    #[arg(long)]
    period: u8,
    /// The units that share the limit, ascending, by commas.
    #[arg(long, required = true, value_name = "UNIT,...", value_delimiter = ',')]
    units: Vec<u32>,
    /// The most that they may hold under contract together, in kWh.
    #[arg(long, value_name = "KWH")]
    limit: i64,
    /// Why, for the public log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn prices(args: &PricesArgs) -> anyhow::Result<()> {
    let (day, prices_milli_yuan_per_mwh) = (args.day, args.prices.clone());
    let action = Action::PublishPrices(PricePublication { day, prices_milli_yuan_per_mwh });
    block_on(async { args.ends.submit("prices of session", action).await })
}

pub(crate) fn curtail(args: &CurtailArgs) -> anyhow::Result<()> {
    let action = Action::Curtail(Curtailment {
        day: args.day,
        period: args.period,
        units: args.units.clone(),
        limit_kwh: args.limit,
        reason: args.reason.clone(),
    });
    block_on(async { args.ends.submit("curtailment", action).await })
}
