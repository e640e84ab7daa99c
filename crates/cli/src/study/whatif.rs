//! `duet study whatif`: a session's book under other terms.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use duet_sdk::wire::{self, Rationing, SealedBook, Side};
use duet_study::scenario::Scenario;
use duet_study::whatif::{
    Book, BookOrder, BookRationing, BookSide, BookTerms, Change, Recorded, WhatIf,
};
use duet_units::{BasisPoints, CarbonPrice};

use super::{Output, folder};
use crate::remote::{Address, block_on, read_json};

/// Where the book comes from, and what is changed.
#[derive(Debug, Args)]
pub(super) struct WhatIfArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    address: Address,
    /// The day of the scenario, for --scenario.
    #[arg(long, default_value_t = 0)]
    day: u32,
    /// The carbon price, in yuan/t; as it was if nothing is said.
    #[arg(long, value_name = "YUAN_PER_T", value_parser = hundredths)]
    carbon_price: Option<i64>,
    /// The conductivity of every seller, 0 to 1; each its own if nothing is said.
    #[arg(long, value_name = "SHARE", value_parser = ten_thousandths)]
    rho: Option<i64>,
    /// By what factor all demand is multiplied.
    #[arg(long, value_name = "FACTOR", value_parser = ten_thousandths, default_value = "1")]
    demand: i64,
    /// The budget of the joint clearing: by what share, 0 to 1, of what a price of allowances could
    /// avoid the emissions above the benchmarks are cut, from what they are without a budget.
    #[arg(long, value_name = "SHARE", value_parser = ten_thousandths, default_value = "0.1")]
    cut: i64,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The sealed book of this session of a node.
    #[arg(long)]
    session: Option<u32>,
    /// The sealed book in this file, as `duet session export` writes it.
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    /// A day of this scenario: its folder, or the scenario.toml in it.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

/// Runs the study.
///
/// # Errors
///
/// Returns an error if the book cannot be had or played, or a file cannot be written.
pub(super) fn run(args: &WhatIfArgs) -> anyhow::Result<()> {
    let book = book(args)?;
    let change = Change {
        carbon_price: args.carbon_price.map(CarbonPrice::from_fen_per_t),
        conductivity: args.rho.map(BasisPoints::from_bp),
        demand: BasisPoints::from_bp(args.demand),
        cut: BasisPoints::from_bp(args.cut),
    };
    let study = WhatIf::run(&book, &change)?;
    args.output.write(&study, &study.text(), &study.files())
}

fn book(args: &WhatIfArgs) -> anyhow::Result<Book> {
    match &args.source {
        Source { session: Some(session), .. } => {
            of_sealed(&block_on(async { Ok(args.address.client()?.sealed_book(*session).await?) })?)
        }
        Source { book: Some(path), .. } => of_sealed(&read_json(path)?),
        Source { scenario: Some(path), .. } => {
            Ok(Book::of_scenario(&Scenario::load(folder(path))?, args.day))
        }
        Source { session: None, book: None, scenario: None } => anyhow::bail!("no book is named"),
    }
}

/// The book of the session that a sealed book is about, with what it cleared at.
fn of_sealed(sealed: &SealedBook) -> anyhow::Result<Book> {
    let id = sealed.input.session;
    let session = sealed.input.sessions.iter().find(|session| session.id == id);
    let session = session.with_context(|| format!("the book does not hold session {id}"))?;
    ensure!(
        session.mode == wire::Mode::Joint,
        "session {id} is no joint session: only these have carbon in their offers"
    );
    let units: BTreeMap<u32, &wire::Unit> =
        sealed.input.units.iter().map(|unit| (unit.id, unit)).collect();
    let mut orders: Vec<&wire::SealedOrder> =
        session.orders.iter().filter(|order| !order.cancelled).collect();
    orders.sort_by_key(|order| order.sequence);
    let recorded = sealed.result.clearings.iter().filter(|clearing| clearing.session == id);
    let recorded = recorded.map(|clearing| Recorded {
        period: clearing.period,
        price_milli_yuan_per_mwh: clearing.price_milli_yuan_per_mwh,
        volume_kwh: clearing.volume_kwh,
        second_volume_kwh: clearing.second_volume_kwh,
    });
    Ok(Book {
        name: format!("session {id}, {}", session.day),
        periods: duet_units::Resolution::from(session.terms.resolution).periods(),
        terms: terms(&session.terms),
        orders: orders
            .iter()
            .map(|order| book_order(order, units.get(&order.unit).copied()))
            .collect(),
        recorded: recorded.collect(),
    })
}

fn terms(terms: &wire::SessionTerms) -> BookTerms {
    BookTerms {
        carbon_price_fen_per_t: terms.carbon_price_fen_per_t,
        ceiling_milli_yuan_per_mwh: terms.ceiling_milli_yuan_per_mwh,
        price_numerator: terms.price_numerator.into(),
        price_denominator: terms.price_denominator.into(),
        rationing: match terms.rationing {
            Rationing::ProRata => BookRationing::ProRata,
            Rationing::Time => BookRationing::Time,
            Rationing::GreenFirst => BookRationing::GreenFirst,
        },
        second_stage: terms.second_stage.into(),
        compensation_cap_milli_yuan_per_mwh: terms.compensation_cap_milli_yuan_per_mwh,
        fund_share_bp: terms.fund_share_bp,
    }
}

fn book_order(order: &wire::SealedOrder, unit: Option<&wire::Unit>) -> BookOrder {
    let unit = unit.filter(|_| order.side == Side::Sell);
    BookOrder {
        period: order.period,
        side: match order.side {
            Side::Buy => BookSide::Buy,
            Side::Sell => BookSide::Sell,
        },
        limit_milli_yuan_per_mwh: order.limit_milli_yuan_per_mwh,
        quantity_kwh: order.quantity_kwh,
        conductivity_bp: order.conductivity_bp,
        registered_cost_milli_yuan_per_mwh: unit
            .map_or(0, |unit| unit.registered_cost_milli_yuan_per_mwh),
        emission_factor_g_per_kwh: unit.map_or(0, |unit| unit.emission_factor_g_per_kwh),
        benchmark_g_per_kwh: unit.map_or(0, |unit| unit.benchmark_g_per_kwh),
    }
}

fn hundredths(text: &str) -> Result<i64, String> {
    decimal(text, 2)
}

fn ten_thousandths(text: &str) -> Result<i64, String> {
    decimal(text, 4)
}

/// Reads a number that is not negative with at most so many decimals, as that many-th parts.
fn decimal(text: &str, places: usize) -> Result<i64, String> {
    let refused = || format!("{text:?} is not a number with at most {places} decimals");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > places {
        return Err(refused());
    }
    format!("{whole}{fraction:0<places$}").parse().map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        assert_eq!((hundredths("95.96"), ten_thousandths("0.65")), (Ok(9_596), Ok(6_500)));
        assert_eq!((hundredths("100"), ten_thousandths("1")), (Ok(10_000), Ok(10_000)));
        for text in ["", ".5", "5.", "-1", "1.234", "1e3"] {
            assert!(hundredths(text).is_err(), "{text}");
        }
    }
}
