//! `duet session announce`: the notice of a session by the terms of its rule.

use crate::order::Side;
use crate::remote::{Ends, Failure, block_on, parse_price, parse_yuan};
use clap::{Args, ValueEnum};
use duet_sdk::wire::{
    Action, CarbonReference, Day, Mode, Resolution, SessionNotice, SessionTerms, TradingRule,
};

/// Announce a session (exchange). What its rule lays down for matching becomes its terms: K1, K2,
/// N1, how listings are shared, the second stage and its lottery.
#[derive(Debug, Args)]
pub(crate) struct AnnounceArgs {
    /// The number of the rule of the market.
    #[arg(long)]
    rule: u32,
    /// How orders match.
    #[arg(long, value_enum, default_value_t = Matching::Joint)]
    mode: Matching,
    /// The first delivery day, as YYYY-MM-DD.
    #[arg(long)]
    day: Day,
    /// How many delivery days in a row; a joint session has one.
    #[arg(long, default_value_t = 1)]
    days: u16,
    /// A joint session without trading, to settle the contracts of a day that has begun.
    #[arg(long, conflicts_with_all = ["gate_open", "gate_close"])]
    settle_only: bool,
    /// When orders are taken from, in ms since 1970 UTC.
    #[arg(long, value_name = "MS", required_unless_present = "settle_only")]
    gate_open: Option<i64>,
    /// When the gate closes, in ms since 1970 UTC.
    #[arg(long, value_name = "MS", required_unless_present = "settle_only")]
    gate_close: Option<i64>,
    /// When the continuous phase after the call ends, in ms since 1970 UTC.
    #[arg(long, value_name = "MS", required_if_eq("mode", "continuous"))]
    until: Option<i64>,
    /// So long before the call no order can be withdrawn.
    #[arg(long, value_name = "MS", default_value_t = 300_000)]
    freeze: u32,
    /// The side that lists; else both may.
    #[arg(long)]
    listers: Option<Side>,
    /// The periods of the day.
    #[arg(long, value_enum, default_value_t = Periods::Hour)]
    periods: Periods,
    /// The price of deviations in a period without a clearing price, in yuan/MWh.
    #[arg(long, value_name = "YUAN", value_parser = parse_price, allow_hyphen_values = true)]
    reference_price: i64,
    /// The price of allowances in yuan/t, or `last-close` for the close of the last day of the
    /// allowance market that has ended when the gate opens.
    #[arg(long, value_name = "YUAN|last-close", value_parser = parse_carbon)]
    carbon_price: Carbon,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Matching {
    Joint,
    Uniform,
    Pairwise,
    Call,
    Listing,
    Bilateral,
    Rolling,
    Continuous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Periods {
    /// 24 hours.
    Hour,
    /// 96 quarters of an hour.
    Quarter,
}

/// Where the price of allowances comes from, and the price in fen/t; zero if it is the last close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Carbon {
    reference: CarbonReference,
    fen_per_t: i64,
}

fn parse_carbon(text: &str) -> Result<Carbon, String> {
    if text == "last-close" {
        return Ok(Carbon { reference: CarbonReference::LastClose, fen_per_t: 0 });
    }
    let fen_per_t = parse_yuan(text)?;
    if fen_per_t < 0 {
        return Err(format!("{text:?} is below zero"));
    }
    Ok(Carbon { reference: CarbonReference::Notice, fen_per_t })
}

pub(crate) fn announce(args: &AnnounceArgs) -> anyhow::Result<()> {
    block_on(async {
        let rule = args.ends.remote.client()?.rule(args.rule).await?.rule;
        let notice = notice(args, &rule.trading)?;
        args.ends.submit("session", Action::OpenSession(notice)).await
    })
}

/// The mode, with the parameters that the rule lays down for it.
fn mode(args: &AnnounceArgs, rule: &TradingRule) -> Result<Mode, Failure> {
    Ok(match args.mode {
        Matching::Joint => Mode::Joint,
        Matching::Uniform => Mode::Uniform { k1_bp: rule.k1_bp },
        Matching::Pairwise => Mode::Pairwise { k2_bp: rule.k2_bp },
        Matching::Call => Mode::Call,
        Matching::Listing => {
            Mode::Listing { sharing: rule.sharing, listers: args.listers.map(Into::into) }
        }
        Matching::Bilateral => Mode::Bilateral,
        Matching::Rolling => Mode::Rolling,
        Matching::Continuous => {
            let missing = || Failure::Usage("--until: a continuous session ends".to_owned());
            let until_ms = args.until.ok_or_else(missing)?;
            Mode::Continuous { until_ms, n1: rule.n1, freeze_ms: args.freeze }
        }
    })
}

fn notice(args: &AnnounceArgs, rule: &TradingRule) -> Result<SessionNotice, Failure> {
    let start = args.day.0.start().unix_ms();
    Ok(SessionNotice {
        rule: args.rule,
        mode: mode(args, rule)?,
        day: args.day,
        days: args.days,
        gate_open_ms: args.gate_open.unwrap_or(start),
        gate_close_ms: args.gate_close.unwrap_or(start),
        terms: SessionTerms {
            resolution: match args.periods {
                Periods::Hour => Resolution::Hour,
                Periods::Quarter => Resolution::Quarter,
            },
            floor_milli_yuan_per_mwh: rule.floor_milli_yuan_per_mwh,
            ceiling_milli_yuan_per_mwh: rule.ceiling_milli_yuan_per_mwh,
            tick_milli_yuan_per_mwh: rule.tick_milli_yuan_per_mwh,
            lot_kwh: rule.lot_kwh,
            reference_price_milli_yuan_per_mwh: args.reference_price,
            carbon_price_fen_per_t: args.carbon_price.fen_per_t,
            price_numerator: rule.price_numerator,
            price_denominator: rule.price_denominator,
            rationing: rule.rationing,
            second_stage: rule.second_stage,
            compensation_cap_milli_yuan_per_mwh: rule.compensation_cap_milli_yuan_per_mwh,
            fund_share_bp: rule.fund_share_bp,
            second_stage_chance_bp: rule.second_stage_chance_bp,
            carbon_reference: args.carbon_price.reference,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_of_allowances_is_named_or_the_last_close() {
        let named = |fen_per_t| Ok(Carbon { reference: CarbonReference::Notice, fen_per_t });
        assert_eq!(parse_carbon("97.49"), named(9_749));
        assert_eq!(parse_carbon("100"), named(10_000));
        let last = Carbon { reference: CarbonReference::LastClose, fen_per_t: 0 };
        assert_eq!(parse_carbon("last-close"), Ok(last));
        for text in ["-1", "1.001", "close", ""] {
            assert!(parse_carbon(text).is_err(), "{text}");
        }
    }
}
