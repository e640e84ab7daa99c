//! `duet statement trace`: from a line to its origin.

use crate::remote::{Remote, block_on, name, table, yuan, yuan_per_mwh};
use clap::Args;
use duet_sdk::wire::{LineTrace, Order, Side};
use std::str::FromStr;

/// A line by session and place, as `duet statement show` names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineName {
    pub(super) session: u32,
    pub(super) place: u32,
}

impl FromStr for LineName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not a line: session and place, for example 2/17");
        let (session, place) = text.split_once('/').ok_or_else(refused)?;
        let number = |part: &str| part.parse::<u32>().map_err(|_| refused());
        Ok(Self { session: number(session)?, place: number(place)? })
    }
}

#[derive(Debug, Args)]
pub(super) struct Trace {
    /// The line, for example 2/17: session and place.
    line: LineName,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(args: &Trace) -> anyhow::Result<()> {
    block_on(async {
        let client = args.remote.client()?;
        let trace = client.trace(args.line.session, args.line.place).await?;
        args.remote.show(&trace, text)
    })
}

fn text(trace: &LineTrace) -> String {
    let line = &trace.line;
    let price = line.price_milli_yuan_per_mwh.map_or_else(|| "none".to_owned(), yuan_per_mwh);
    let mut rows = vec![
        vec!["item".into(), name(&line.item)],
        vec!["amount".into(), format!("{} yuan", yuan(line.amount_fen.0))],
        vec!["energy".into(), format!("{} kWh", line.energy_kwh)],
        vec!["price".into(), format!("{price} yuan/MWh, from {}", name(&trace.price_source))],
        vec!["formula".into(), trace.formula.en.clone()],
        vec![String::new(), trace.formula.zh.clone()],
        vec!["day".into(), format!("{} period {}", trace.day, line.period)],
        vec!["parties".into(), format!("{} pays {}", line.payer, line.payee)],
        vec!["rule".into(), rule(trace)],
    ];
    if let Some(trade) = &trace.trade {
        let prices = [trade.buyer_price_milli_yuan_per_mwh, trade.seller_price_milli_yuan_per_mwh];
        let [buyer, seller] = prices.map(yuan_per_mwh);
        let text =
            format!("{}: {} kWh, buyer {buyer}, seller {seller}", trade.id, trade.quantity_kwh);
        rows.push(vec!["trade".into(), text]);
    }
    rows.extend(trace.orders.iter().map(|order| vec!["order".into(), order_text(order)]));
    for reading in &trace.readings {
        let text = format!(
            "unit {} period {}: {} kWh, {}, version {}",
            reading.unit,
            reading.period,
            reading.energy_kwh,
            name(&reading.quality),
            reading.version
        );
        rows.push(vec!["reading".into(), text]);
    }
    for found in &trace.transactions {
        let text = format!(
            "{} at place {}: {} {}",
            found.height, found.index, found.kind, found.transaction
        );
        rows.push(vec!["block".into(), text]);
    }
    rows.extend(trace.not_found.iter().map(|what| vec!["not found".into(), what.clone()]));
    if let Some(seal) = &trace.seal {
        rows.push(vec![
            "sealed".into(),
            format!("block {}, result {}", seal.height, seal.result_hash),
        ]);
    }
    table(&[&format!("line {}/{}", line.session, line.place), ""], &rows)
}

/// Under which session and mode the line came about.
fn rule(trace: &LineTrace) -> String {
    let session = trace.traded_in.as_ref().unwrap_or(&trace.session);
    let mode = serde_json::to_value(session.mode).unwrap_or_default();
    let kind = mode["kind"].as_str().unwrap_or("unknown").to_owned();
    format!("session {} ({kind})", session.id)
}

fn order_text(order: &Order) -> String {
    let side = if order.side == Side::Buy { "buys" } else { "sells" };
    format!(
        "{}: organisation {} {side} {} kWh at {}, filled {}",
        order.id,
        order.owner,
        order.quantity_kwh,
        yuan_per_mwh(order.limit_milli_yuan_per_mwh),
        order.filled_kwh
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_named_by_session_and_place() {
        let line: LineName = "2/17".parse().unwrap();
        assert_eq!((line.session, line.place), (2, 17));
        assert!("2".parse::<LineName>().is_err());
        assert!("2/x".parse::<LineName>().is_err());
    }
}
