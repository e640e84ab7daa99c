//! `duet statement`: show the lines of a settlement, in several forms, and trace one of them.

mod month;
mod proof;
mod sheet;
mod trace;

use crate::remote::{Address, Failure, block_on, json, name, print, table, yuan, yuan_per_mwh};
use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use duet_sdk::wire::{Formula, StatementLine};
use std::path::PathBuf;

/// Show statements, in several forms, and trace a line to its origin.
#[derive(Debug, Args)]
pub(crate) struct StatementArgs {
    #[command(subcommand)]
    command: StatementCommand,
}

#[derive(Debug, Subcommand)]
enum StatementCommand {
    /// Show the lines of a settled day.
    Show(Show),
    /// Show everything that a line comes from: trade, orders, terms, readings, blocks.
    Trace(trace::Trace),
    /// Show the statements of a month: sums by item, and where they stand.
    Month(month::ShowMonth),
    /// Object to a line of your statement.
    Object(month::Object),
    /// Correct a line by a new one (exchange).
    Correct(month::Correct),
    /// Answer an objection that is not followed (exchange).
    Dismiss(month::Dismiss),
    /// Make the statements of a month final (exchange).
    Close(month::Close),
}

/// How a statement is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// JSON, as the API gives it.
    Json,
    /// A workbook.
    Xlsx,
}

#[derive(Debug, Args)]
struct Show {
    /// The joint session of the delivery day.
    session: u32,
    /// Only lines that this organisation pays or is paid by.
    #[arg(long)]
    organisation: Option<u32>,
    /// In which form.
    #[arg(long, default_value = "table")]
    format: Format,
    /// Where to write it; a workbook needs a file.
    #[arg(long, value_name = "FILE", required_if_eq("format", "xlsx"))]
    out: Option<PathBuf>,
    #[command(flatten)]
    address: Address,
}

pub(crate) fn run(args: &StatementArgs) -> anyhow::Result<()> {
    match &args.command {
        StatementCommand::Show(args) => show(args),
        StatementCommand::Trace(args) => trace::run(args),
        StatementCommand::Month(args) => month::show(args),
        StatementCommand::Object(args) => month::object(args),
        StatementCommand::Correct(args) => month::correct(args),
        StatementCommand::Dismiss(args) => month::dismiss(args),
        StatementCommand::Close(args) => month::close(args),
    }
}

fn show(args: &Show) -> anyhow::Result<()> {
    let lines = block_on(read(args))?;
    if args.format == Format::Xlsx {
        let path = args.out.as_deref().context("a workbook needs --out FILE")?;
        return sheet::write(path, args.session, &lines);
    }
    let text = match args.format {
        Format::Csv => csv(&lines),
        Format::Json => json(&lines),
        Format::Table | Format::Xlsx => {
            table(&HEAD, &lines.iter().map(row).collect::<Vec<Vec<String>>>())
        }
    };
    match &args.out {
        Some(path) => {
            std::fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))
        }
        None => {
            print(&text);
            Ok(())
        }
    }
}

/// All lines, page after page.
async fn read(args: &Show) -> Result<Vec<StatementLine>, Failure> {
    let client = args.address.client()?;
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let page = client.statement_lines(args.session, args.organisation, after).await?;
        lines.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(lines);
        }
    }
}

const HEAD: [&str; 10] =
    ["line", "period", "item", "unit", "trade", "payer", "payee", "kWh", "yuan/MWh", "yuan"];

fn row(line: &StatementLine) -> Vec<String> {
    let price = line.price_milli_yuan_per_mwh.map_or_else(String::new, yuan_per_mwh);
    vec![
        format!("{}/{}", line.session, line.place),
        line.period.to_string(),
        name(&line.item),
        line.unit.to_string(),
        line.trade.map_or_else(String::new, |trade| trade.to_string()),
        line.payer.to_string(),
        line.payee.to_string(),
        line.energy_kwh.to_string(),
        price,
        yuan(line.amount_fen.0),
    ]
}

/// The columns of the table and the formula in words.
fn csv(lines: &[StatementLine]) -> String {
    let mut text = HEAD.join(",") + ",formula,formula_zh";
    for line in lines {
        let formula = Formula::of(line.item);
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let words = [quoted(&formula.en), quoted(&formula.zh)].join(",");
        text.push_str(&format!("\n{},{words}", row(line).join(",")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use duet_sdk::wire::{Big, LineItem};

    pub(super) fn line() -> StatementLine {
        StatementLine {
            place: 7,
            session: 2,
            period: 3,
            item: LineItem::Contract,
            unit: 4,
            trade: Some(5),
            payer: 6,
            payee: 8,
            energy_kwh: 1_500,
            price_milli_yuan_per_mwh: Some(-367_500),
            amount_fen: Big(55_125),
        }
    }

    #[test]
    fn a_line_of_comma_separated_values_has_a_cell_for_each_column() {
        let text = csv(&[line()]);
        let mut rows = text.lines();
        let head = rows.next().unwrap();
        assert!(head.starts_with("line,period,item,"), "{head}");
        let row = rows.next().unwrap();
        assert!(row.starts_with("2/7,3,contract,4,5,6,8,1500,-367.500,551.25,\""), "{row}");
        assert_eq!(rows.next(), None);
    }
}
