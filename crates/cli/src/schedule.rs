//! `duet session prices|curtail|curve`: what the dispatcher does between clearing and settlement.

use crate::remote::{Ends, Remote, block_on, parse_price, table};
use clap::Args;
use duet_sdk::wire::{Action, Curtailment, Day, DispatchCurve, PricePublication};

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

/// Show the day of a dispatch as a power curve of 96 points, between two hours interpolated.
/// Devices follow the setpoints, by whose energy the day is settled.
#[derive(Debug, Args)]
pub(crate) struct CurveArgs {
    /// The number of the dispatch.
    dispatch: u64,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn curve(args: &CurveArgs) -> anyhow::Result<()> {
    block_on(async {
        let curve = args.remote.client()?.dispatch_curve(args.dispatch).await?;
        args.remote.show(&curve, curve_text)
    })
}

fn curve_text(curve: &DispatchCurve) -> String {
    let rows: Vec<Vec<String>> = curve
        .points
        .iter()
        .map(|point| {
            let (hour, minute) = (point.minute / 60, point.minute % 60);
            let time = format!("{hour:02}:{minute:02}");
            vec![time, point.power_kw.to_string(), point.hour.to_string()]
        })
        .collect();
    let head = format!("dispatch {}  unit {}  day {}", curve.dispatch, curve.unit, curve.day);
    format!("{head}\n{}", table(&["time", "kW", "of hour"], &rows))
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
