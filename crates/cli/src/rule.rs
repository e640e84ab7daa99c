//! `duet rule`: rules of the market, limits before trading, guarantees.

use crate::remote::{Ends, Failure, Remote, block_on, json, read_json, table, yuan, yuan_per_mwh};
use clap::{Args, Subcommand};
use duet_sdk::{
    client::Client,
    wire::{self, MarketRule, PublishedRule},
};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

/// Rules of the market, limits before trading, guarantees.
#[derive(Debug, Args)]
pub(crate) struct RuleArgs {
    #[command(subcommand)]
    command: RuleCommand,
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    /// List the published rules by number.
    List(List),
    /// Show a rule in full, in the form that `publish` reads.
    Show(Show),
    /// Show the parameters in which two rules differ.
    Diff(Diff),
    /// Publish a rule from a JSON file and wait until it is final.
    Publish(Publish),
    /// Show what an organisation may still trade, and its guarantee.
    Limits(Limits),
    /// Set the limits of an organisation for a month of delivery, as the exchange.
    SetLimits(SetLimits),
    /// Put available money into your guarantee.
    Pledge(Guarantee),
    /// Take money out of your guarantee.
    Release(Guarantee),
}

#[derive(Debug, Args)]
struct Limits {
    /// The number of the organisation.
    organisation: u32,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct SetLimits {
    /// The number of the organisation.
    organisation: u32,
    /// The month of delivery.
    #[arg(long, value_name = "YYYY-MM")]
    month: wire::CalendarMonth,
    /// The highest net position.
    #[arg(long, value_name = "KWH")]
    net: i64,
    /// The highest cumulative position.
    #[arg(long, value_name = "KWH")]
    cumulative: i64,
    /// The share of the net position that may be traded back, in 1e-4.
    #[arg(long, value_name = "BP", default_value_t = 10_000)]
    back: i64,
    /// The most of one hour.
    #[arg(long, value_name = "KWH")]
    hourly: Option<i64>,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct Guarantee {
    /// How much, in fen.
    #[arg(value_name = "FEN")]
    amount: i128,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct List {
    /// Of this province.
    #[arg(long)]
    province: Option<String>,
    /// In effect on this delivery day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<wire::Day>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Show {
    /// The number of the rule.
    rule: u32,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Diff {
    /// The number of a rule, or a JSON file.
    old: String,
    /// The number of another, or a JSON file.
    new: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Publish {
    /// The rule, as `show` prints it.
    file: PathBuf,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn run(args: &RuleArgs) -> anyhow::Result<()> {
    match &args.command {
        RuleCommand::List(args) => block_on(list(args)),
        RuleCommand::Show(args) => block_on(show(args)),
        RuleCommand::Diff(args) => block_on(diff(args)),
        RuleCommand::Publish(args) => block_on(publish(args)),
        RuleCommand::Limits(args) => block_on(limits(args)),
        RuleCommand::SetLimits(args) => block_on(set_limits(args)),
        RuleCommand::Pledge(args) => {
            let action = wire::Action::PledgeGuarantee { amount_fen: wire::Big(args.amount) };
            block_on(guarantee(args, action))
        }
        RuleCommand::Release(args) => {
            let action = wire::Action::ReleaseGuarantee { amount_fen: wire::Big(args.amount) };
            block_on(guarantee(args, action))
        }
    }
}

async fn list(args: &List) -> Result<(), Failure> {
    let page = args.remote.client()?.rules(args.province.as_deref(), args.day).await?;
    args.remote.show(&page, |page| table(&HEAD, &page.items.iter().map(row).collect::<Vec<_>>()))
}

const HEAD: [&str; 8] =
    ["rule", "province", "version", "from", "until", "tick yuan/MWh", "lot kWh", "deviation"];

fn row(published: &PublishedRule) -> Vec<String> {
    let rule = &published.rule;
    let scheme = serde_json::to_value(&rule.deviation).unwrap_or_default();
    vec![
        published.id.to_string(),
        rule.province.clone(),
        rule.version.to_string(),
        rule.effective_from.to_string(),
        rule.effective_until.map_or_else(String::new, |day| day.to_string()),
        yuan_per_mwh(rule.trading.tick_milli_yuan_per_mwh),
        rule.trading.lot_kwh.to_string(),
        scheme["scheme"].as_str().unwrap_or_default().to_owned(),
    ]
}

async fn show(args: &Show) -> Result<(), Failure> {
    let published = args.remote.client()?.rule(args.rule).await?;
    args.remote.show(&published, |published| json(&published.rule))
}

async fn diff(args: &Diff) -> Result<(), Failure> {
    let client = args.remote.client()?;
    let (old, new) = (rule_of(&client, &args.old).await?, rule_of(&client, &args.new).await?);
    let changes = changes(&old, &new);
    args.remote.show(&changes, |changes| {
        if changes.is_empty() {
            return "no parameter differs".to_owned();
        }
        let rows = changes
            .iter()
            .map(|(field, [old, new])| vec![field.clone(), old.to_string(), new.to_string()]);
        table(&["parameter", "old", "new"], &rows.collect::<Vec<_>>())
    })
}

/// The rule with this number, or the one in this file.
async fn rule_of(client: &Client, named: &str) -> Result<MarketRule, Failure> {
    match named.parse() {
        Ok(number) => Ok(client.rule(number).await?.rule),
        Err(_) => read_json(named.as_ref()),
    }
}

/// The parameters that differ, each with its old and new value, by name.
fn changes(old: &MarketRule, new: &MarketRule) -> BTreeMap<String, [Value; 2]> {
    let (old, new) = (leaves(old), leaves(new));
    let value = |of: &BTreeMap<String, Value>, field| of.get(field).cloned().unwrap_or_default();
    let fields = old.keys().chain(new.keys());
    fields
        .map(|field| (field.clone(), [value(&old, field), value(&new, field)]))
        .filter(|(_, [old, new])| old != new)
        .collect()
}

/// Every parameter by its dotted name.
fn leaves(rule: &MarketRule) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), serde_json::to_value(rule).unwrap_or_default())];
    while let Some((name, value)) = open.pop() {
        if let Value::Object(fields) = value {
            let below = |field: String| {
                if name.is_empty() { field } else { format!("{name}.{field}") }
            };
            open.extend(fields.into_iter().map(|(field, value)| (below(field), value)));
        } else {
            found.insert(name, value);
        }
    }
    found
}

async fn publish(args: &Publish) -> Result<(), Failure> {
    let action = wire::Action::PublishRule(Box::new(read_json(&args.file)?));
    args.ends.submit("rule", action).await
}

async fn limits(args: &Limits) -> Result<(), Failure> {
    let limits = args.remote.client()?.limits(args.organisation).await?;
    args.remote.show(&limits, |limits| {
        let (held, needed) = (yuan(limits.guarantee_fen.0), yuan(limits.guarantee_needed_fen.0));
        let months = limits.months.iter().map(month_row).collect::<Vec<_>>();
        let asked = limits.dunning.as_ref().map_or_else(String::new, dunning);
        let months = table(&MONTH_HEAD, &months);
        let risk = limits.settlement_risk.as_ref().map_or_else(String::new, settlement_risk);
        format!("guarantee {held} yuan, needed {needed} yuan\n{risk}{asked}{months}")
    })
}

fn settlement_risk(row: &wire::SettlementRisk) -> String {
    let [risk, overdue, billed, unbilled] =
        [row.risk_fen, row.overdue_fen, row.billed_fen, row.unbilled_fen].map(|x| yuan(x.0));
    let (kwh, charge) = (row.daily_use_kwh, row.unit_charge_milli_yuan_per_mwh);
    format!(
        "settlement risk {risk} yuan: overdue {overdue}, three days of {kwh} kWh at {charge} \
         milli-yuan/MWh, at least 10000.00; in escrow: billed {billed}, not yet billed {unbilled}\n"
    )
}

fn dunning(row: &wire::Dunning) -> String {
    let [level, drawn, unwound] =
        [row.level_fen, row.drawn_fen, row.unwound_fen].map(|x| yuan(x.0));
    let payments = row.payments;
    format!(
        "{payments} payments failed: {drawn} yuan drawn, {unwound} yuan unwound; orders are taken \
         from a guarantee of {level} yuan on\n"
    )
}

const MONTH_HEAD: [&str; 7] =
    ["month", "net kWh", "limit", "cumulative", "limit", "open", "open back"];

fn month_row(month: &wire::MonthLimits) -> Vec<String> {
    let limit = |of: fn(&wire::SetLimits) -> i64| {
        month.limits.as_ref().map_or_else(String::new, |limits| of(limits).to_string())
    };
    vec![
        month.month.to_string(),
        month.net_kwh.to_string(),
        limit(|limits| limits.net_kwh),
        month.cumulative_kwh.to_string(),
        limit(|limits| limits.cumulative_kwh),
        month.open_enlarging_kwh.to_string(),
        month.open_reducing_kwh.to_string(),
    ]
}

async fn set_limits(args: &SetLimits) -> Result<(), Failure> {
    let action = wire::Action::SetLimits(wire::SetLimits {
        organisation: args.organisation,
        month: args.month,
        net_kwh: args.net,
        cumulative_kwh: args.cumulative,
        back_bp: args.back,
        hourly_kwh: args.hourly,
    });
    args.ends.submit("limits of organisation", action).await
}

async fn guarantee(args: &Guarantee, action: wire::Action) -> Result<(), Failure> {
    args.ends.submit("guarantee of organisation", action).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = r#"{"province":"X","version":1,"effective_from":"2026-07-06",
        "effective_until":null,"notice_hours":24,"trading":{"tick_milli_yuan_per_mwh":1,
        "lot_kwh":2,"floor_milli_yuan_per_mwh":-3,"ceiling_milli_yuan_per_mwh":4,
        "price_numerator":5,"price_denominator":6,"rationing":"time","k1_bp":7,"k2_bp":8,"n1":9,
        "sharing":"windows","second_stage":"uplift","compensation_cap_milli_yuan_per_mwh":10,
        "fund_share_bp":11,"second_stage_chance_bp":5000},"buyer_fee":{"per_energy_milli_yuan_per_mwh":0,"of_value_ppm":0,
        "fixed_fen":"0","min_fen":"0","cap_fen":null},"seller_fee":{
        "per_energy_milli_yuan_per_mwh":0,"of_value_ppm":0,"fixed_fen":"0","min_fen":"0",
        "cap_fen":null},"deviation":{"scheme":"price"},"settlement":"contract",
        "reference":"notice","cost_basis":"full","calendar":{"statement_day":5,
        "objection_days":1,"final_day":8,"bill_day":10},"guarantee":null}"#;

    #[test]
    fn a_difference_names_the_parameter_and_both_values() {
        let old: MarketRule = serde_json::from_str(RULE).unwrap();
        let mut new = old.clone();
        assert_eq!(changes(&old, &new), BTreeMap::new());
        new.trading.tick_milli_yuan_per_mwh = 10;
        new.deviation = wire::Deviation::FreeBand { free_bp: 300, share_bp: 500 };
        let found: Vec<(String, [Value; 2])> = changes(&old, &new).into_iter().collect();
        let expected = [
            ("deviation.free_bp", [Value::Null, 300.into()]),
            ("deviation.scheme", ["price".into(), "free_band".into()]),
            ("deviation.share_bp", [Value::Null, 500.into()]),
            ("trading.tick_milli_yuan_per_mwh", [1.into(), 10.into()]),
        ];
        assert_eq!(found, expected.map(|(field, values)| (field.to_owned(), values)));
    }
}
