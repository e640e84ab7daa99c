//! `duet statement trace`: from a line to its origin.

use crate::remote::{Failure, Remote, block_on, name, table, yuan, yuan_per_mwh};
use clap::Args;
use duet_sdk::{
    client::Client,
    wire::{LaterTrace, LineTrace, Order, Session, Side, StatementLine, TracedTransaction},
};
use std::str::FromStr;

/// What stands before the number of a line that was made after its day.
const LATER: &str = "later";

/// A line by session and place, as `duet statement show` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A line of a day, or one that was made later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Traced {
    OfDay(LineName),
    Later(u64),
}

impl FromStr for Traced {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((LATER, number)) => number.parse().map(Self::Later).map_err(|_| {
                format!("{text:?} is not a line: the number of a later line, for example later/3")
            }),
            Some(_) | None => text.parse().map(Self::OfDay),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Trace {
    /// The line: session and place, for example 2/17, or the number of one that was made after its
    /// day, for example later/3.
    line: Traced,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(args: &Trace) -> anyhow::Result<()> {
    block_on(async {
        let client = args.remote.client()?;
        match args.line {
            Traced::OfDay(line) => {
                let trace = client.trace(line.session, line.place).await?;
                let session = trace.traded_in.as_ref().unwrap_or(&trace.session);
                let rule = rule(&client, Some(session)).await?;
                args.remote.show(&trace, |trace| text(trace, &rule))
            }
            Traced::Later(number) => {
                let trace = client.later_trace(number).await?;
                let rule = rule(&client, trace.session.as_ref()).await?;
                args.remote.show(&trace, |trace| later_text(trace, &rule))
            }
        }
    })
}

/// The rule that a session names, and the session's mode.
async fn rule(client: &Client, session: Option<&Session>) -> Result<String, Failure> {
    let Some(session) = session else { return Ok("the session is not kept any more".to_owned()) };
    let rule = client.rule(session.rule).await?.rule;
    let mode = serde_json::to_value(session.mode).unwrap_or_default();
    let kind = mode["kind"].as_str().unwrap_or("unknown");
    let (province, version) = (rule.province, rule.version);
    Ok(format!(
        "{province} version {version}, rule {}; session {} ({kind})",
        session.rule, session.id
    ))
}

type Rows = Vec<Vec<String>>;

fn line_rows(line: &StatementLine, source: &str) -> Rows {
    let price = line.price_milli_yuan_per_mwh.map_or_else(|| "none".to_owned(), yuan_per_mwh);
    vec![
        vec!["item".into(), name(&line.item)],
        vec!["amount".into(), format!("{} yuan", yuan(line.amount_fen.0))],
        vec!["energy".into(), format!("{} kWh", line.energy_kwh)],
        vec!["price".into(), format!("{price} yuan/MWh, from {source}")],
        vec!["parties".into(), format!("{} pays {}", line.payer, line.payee)],
    ]
}

fn found_rows(transactions: &[TracedTransaction], not_found: &[String]) -> Rows {
    let found = transactions.iter().map(|found| {
        let place = format!("{} at place {}", found.height, found.index);
        vec!["block".into(), format!("{place}: {} {}", found.kind, found.transaction)]
    });
    let missing = not_found.iter().map(|what| vec!["not found".into(), what.clone()]);
    found.chain(missing).collect()
}

fn text(trace: &LineTrace, rule: &str) -> String {
    let line = &trace.line;
    let mut rows = line_rows(line, &name(&trace.price_source));
    rows.extend([
        vec!["formula".into(), trace.formula.en.clone()],
        vec![String::new(), trace.formula.zh.clone()],
        vec!["day".into(), format!("{} period {}", trace.day, line.period)],
        vec!["rule".into(), rule.to_owned()],
    ]);
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
    rows.extend(found_rows(&trace.transactions, &trace.not_found));
    if let Some(seal) = &trace.seal {
        let text = format!("block {}, result {}", seal.height, seal.result_hash);
        rows.push(vec!["sealed".into(), text]);
    }
    table(&[&format!("line {}/{}", line.session, line.place), ""], &rows)
}

fn later_text(trace: &LaterTrace, rule: &str) -> String {
    let mut rows = line_rows(&trace.line.line, &name(&trace.price_source));
    rows.extend([
        vec!["formula".into(), trace.formula.en.clone()],
        vec![String::new(), trace.formula.zh.clone()],
        vec!["month".into(), trace.line.month.to_string()],
        vec!["rule".into(), rule.to_owned()],
        vec!["made".into(), format!("block {}, by {}", trace.line.height, trace.line.by)],
    ]);
    if !trace.line.reason.is_empty() {
        rows.push(vec!["reason".into(), trace.line.reason.clone()]);
    }
    if let Some(meter) = &trace.meter {
        let month = meter.reported_kwh.unwrap_or_default();
        let text = format!(
            "unit {}: {month} kWh, its days {} kWh",
            trace.line.line.unit, meter.metered_kwh
        );
        rows.push(vec!["meter".into(), text]);
    }
    if let Some(contract) = &trace.green_contract {
        rows.push(vec![
            "contract".into(),
            format!("green contract {}, hash {}", contract.id, contract.hash),
        ]);
    }
    if let Some(objection) = &trace.objection {
        let text = format!(
            "{} of organisation {}: {}",
            objection.number, objection.organisation, objection.reason
        );
        rows.push(vec!["objection".into(), text]);
    }
    rows.extend(found_rows(&trace.transactions, &trace.not_found));
    let shown = table(&[&format!("line {LATER}/{}", trace.line.number), ""], &rows);
    match (&trace.corrects, trace.line.corrects) {
        (Some(old), _) => format!("{shown}\n\nIt corrects:\n\n{}", text(old, rule)),
        (None, Some(place)) => {
            let line = format!("{}/{place}", trace.line.line.session);
            format!("{shown}\n\nIt corrects line {line}, whose rows are not kept any more.")
        }
        (None, None) => shown,
    }
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
    use super::super::sheet::tests::later;
    use super::*;
    use duet_sdk::wire::{Formula, Hex32, LineItem, PriceSource};

    #[test]
    fn a_correction_says_why_where_and_what_it_corrects() {
        let correction = TracedTransaction {
            kind: "correct_line".to_owned(),
            height: 9,
            time_ms: 0,
            index: 1,
            transaction: Hex32([7; 32]),
        };
        let trace = LaterTrace {
            line: later(),
            formula: Formula::of(LineItem::Correction),
            price_source: PriceSource::Rule,
            session: None,
            corrects: None,
            objection: None,
            meter: None,
            green_contract: None,
            transactions: vec![correction],
            not_found: vec!["objection 4".to_owned()],
        };
        let shown = later_text(&trace, "X version 2, rule 5; session 2 (joint)");
        for said in [
            "later/3",
            "551.25 yuan",
            "-367.500 yuan/MWh, from rule",
            "6 pays 8",
            "X version 2, rule 5",
            "=1+1, a",
            "9 at place 1: correct_line 0707",
            "objection 4",
            "It corrects line 2/7, whose rows are not kept any more.",
        ] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
    }

    #[test]
    fn a_line_is_named_by_session_and_place() {
        let line: LineName = "2/17".parse().unwrap();
        assert_eq!((line.session, line.place), (2, 17));
        assert!("2".parse::<LineName>().is_err());
        assert!("2/x".parse::<LineName>().is_err());
        assert_eq!("2/17".parse(), Ok(Traced::OfDay(line)));
    }

    #[test]
    fn a_later_line_is_named_by_its_number() {
        assert_eq!("later/3".parse(), Ok(Traced::Later(3)));
        assert!("later/x".parse::<Traced>().unwrap_err().contains("later/3"));
        assert!("late/3".parse::<Traced>().unwrap_err().contains("session and place"));
    }
}
