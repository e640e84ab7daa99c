//! Statement lines as a table, comma-separated values, JSON and a workbook.

use crate::remote::{json, name, print, table, yuan, yuan_per_mwh};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use duet_sdk::wire::{Formula, LaterLine, StatementLine};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};
use serde::Serialize;
use std::path::PathBuf;

/// Whole numbers up to here are exact in a cell, which holds a double.
const EXACT_MAX: i128 = 1 << 53;

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

/// In which form, and where to.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// In which form.
    #[arg(long, default_value = "table")]
    format: Format,
    /// Where to write it; a workbook needs a file.
    #[arg(long, value_name = "FILE", required_if_eq("format", "xlsx"))]
    out: Option<PathBuf>,
}

/// A line of a sheet.
pub(super) trait Row: Serialize {
    /// The columns that these lines have besides.
    const MORE: &'static [&'static str];

    /// What `duet statement trace` calls it.
    fn name(&self) -> String;
    /// The line.
    fn line(&self) -> &StatementLine;
    /// The cells of the columns that it has besides.
    fn more(&self) -> Vec<String>;
}

impl Row for StatementLine {
    const MORE: &'static [&'static str] = &[];

    fn name(&self) -> String {
        format!("{}/{}", self.session, self.place)
    }

    fn line(&self) -> &StatementLine {
        self
    }

    fn more(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Row for LaterLine {
    const MORE: &'static [&'static str] = &["corrects", "reason"];

    fn name(&self) -> String {
        format!("later/{}", self.number)
    }

    fn line(&self) -> &StatementLine {
        &self.line
    }

    fn more(&self) -> Vec<String> {
        let corrects = self.corrects.map(|place| format!("{}/{place}", self.line.session));
        vec![corrects.unwrap_or_default(), self.reason.clone()]
    }
}

/// Lines under one heading.
pub(super) struct Sheet<'a, R> {
    pub(super) title: String,
    pub(super) lines: &'a [R],
}

const HEAD: [&str; 10] =
    ["line", "period", "item", "unit", "trade", "payer", "payee", "kWh", "yuan/MWh", "yuan"];
const WORDS: [&str; 2] = ["formula", "formula_zh"];

impl<R: Row> Sheet<'_, R> {
    pub(super) fn write(&self, output: &Output) -> anyhow::Result<()> {
        let text = match output.format {
            Format::Xlsx => return self.save(output),
            Format::Csv => self.csv(),
            Format::Json => json(&self.lines),
            Format::Table => {
                let head: Vec<&str> = HEAD.iter().chain(R::MORE).copied().collect();
                table(&head, &self.lines.iter().map(cells).collect::<Vec<_>>())
            }
        };
        match &output.out {
            Some(path) => std::fs::write(path, text + "\n")
                .with_context(|| format!("write {}", path.display())),
            None => {
                print(&text);
                Ok(())
            }
        }
    }

    /// The columns of the table and the formula in words.
    fn csv(&self) -> String {
        let head: Vec<&str> = HEAD.iter().chain(R::MORE).chain(&WORDS).copied().collect();
        let mut text = head.join(",");
        for row in self.lines {
            let formula = Formula::of(row.line().item);
            let mut all = cells(row);
            all.extend([formula.en, formula.zh]);
            let quoted: Vec<String> = all.iter().map(|cell| quoted(cell)).collect();
            text.push('\n');
            text.push_str(&quoted.join(","));
        }
        text
    }

    fn save(&self, output: &Output) -> anyhow::Result<()> {
        let path = output.out.as_deref().context("a workbook needs --out FILE")?;
        let mut book = Workbook::new();
        self.fill(book.add_worksheet()).context("make the workbook")?;
        book.save(path).with_context(|| format!("write {}", path.display()))
    }

    fn fill(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        use rust_xlsxwriter::Format;
        sheet.set_name(&self.title)?;
        let bold = Format::new().set_bold();
        let head = HEAD.iter().chain(R::MORE).chain(&WORDS);
        for (column, name) in (0_u16..).zip(head) {
            sheet.write_with_format(0, column, *name, &bold)?;
        }
        let money = Format::new().set_num_format("0.00");
        let price = Format::new().set_num_format("0.000");
        for (row, named) in (1_u32..).zip(self.lines) {
            let line = named.line();
            sheet.write(row, 0, named.name())?;
            sheet.write(row, 1, line.period)?;
            sheet.write(row, 2, name(&line.item))?;
            sheet.write(row, 3, line.unit)?;
            if let Some(trade) = line.trade {
                sheet.write(row, 4, trade.to_string())?;
            }
            sheet.write(row, 5, line.payer)?;
            sheet.write(row, 6, line.payee)?;
            number(sheet, (row, 7), line.energy_kwh.into(), (1, &Format::new()))?;
            if let Some(milli) = line.price_milli_yuan_per_mwh {
                number(sheet, (row, 8), milli.into(), (1_000, &price))?;
            }
            number(sheet, (row, 9), line.amount_fen.0, (100, &money))?;
            let formula = Formula::of(line.item);
            let words = named.more().into_iter().chain([formula.en, formula.zh]);
            for (column, text) in (10_u16..).zip(words) {
                sheet.write(row, column, text)?;
            }
        }
        Ok(())
    }
}

fn cells<R: Row>(row: &R) -> Vec<String> {
    let line = row.line();
    let price = line.price_milli_yuan_per_mwh.map_or_else(String::new, yuan_per_mwh);
    let mut cells = vec![
        row.name(),
        line.period.to_string(),
        name(&line.item),
        line.unit.to_string(),
        line.trade.map_or_else(String::new, |trade| trade.to_string()),
        line.payer.to_string(),
        line.payee.to_string(),
        line.energy_kwh.to_string(),
        price,
        yuan(line.amount_fen.0),
    ];
    cells.extend(row.more());
    cells
}

/// A cell of comma-separated values (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Writes an integer of a unit as a number of a larger one; as text where a double is not exact.
fn number(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: i128,
    (parts, format): (u32, &rust_xlsxwriter::Format),
) -> Result<(), XlsxError> {
    if value.abs() > EXACT_MAX {
        sheet.write(row, column, format!("{value}/{parts}"))?;
        return Ok(());
    }
    let cell = value as f64 / f64::from(parts);
    sheet.write_with_format(row, column, cell, format)?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use duet_sdk::wire::{Big, CalendarMonth, Hex32, LineItem};
    use std::io::Read as _;

    pub(in crate::statement) fn line() -> StatementLine {
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

    pub(in crate::statement) fn later() -> LaterLine {
        LaterLine {
            number: 3,
            month: "2026-07".parse::<CalendarMonth>().unwrap(),
            line: StatementLine { item: LineItem::Correction, ..line() },
            corrects: Some(7),
            objection: None,
            green_contract: None,
            by: Hex32([0; 32]),
            time_ms: 0,
            height: 9,
            reason: "=1+1, a \"slip\"".to_owned(),
        }
    }

    #[test]
    fn a_line_of_comma_separated_values_has_a_cell_for_each_column() {
        let text = Sheet { title: String::new(), lines: &[line()] }.csv();
        let mut rows = text.lines();
        let head = rows.next().unwrap();
        assert!(head.starts_with("line,period,item,"), "{head}");
        let row = rows.next().unwrap();
        assert!(row.starts_with("2/7,3,contract,4,5,6,8,1500,-367.500,551.25,"), "{row}");
        assert_eq!(head.split(',').count(), cells(&line()).len() + WORDS.len());
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn a_later_line_says_what_it_corrects_and_why() {
        let text = Sheet { title: String::new(), lines: &[later()] }.csv();
        let row = text.lines().nth(1).unwrap();
        assert!(row.starts_with("later/3,3,correction,"), "{row}");
        assert!(row.contains(",551.25,2/7,\"=1+1, a \"\"slip\"\"\","), "{row}");
    }

    /// The cells of a workbook's only sheet, as they stand in its file.
    fn written<R: Row>(sheet: &Sheet<'_, R>) -> (String, String) {
        let mut book = Workbook::new();
        sheet.fill(book.add_worksheet()).unwrap();
        let bytes = std::io::Cursor::new(book.save_to_buffer().unwrap());
        let mut zip = zip::ZipArchive::new(bytes).unwrap();
        let mut part = |name: &str| {
            let mut text = String::new();
            zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
            text
        };
        (part("xl/worksheets/sheet1.xml"), part("xl/sharedStrings.xml"))
    }

    #[test]
    fn a_workbook_holds_numbers_as_numbers_and_words_as_words() {
        let (cells, words) = written(&Sheet { title: "2026-07".to_owned(), lines: &[later()] });
        for cell in ["<v>1500</v>", "<v>-367.5</v>", "<v>551.25</v>"] {
            assert!(cells.contains(cell), "{cell}: {cells}");
        }
        assert!(!cells.contains("<f>"), "a word that begins with = is no formula: {cells}");
        for word in ["later/3", "correction", "=1+1, a &quot;slip&quot;", "2/7"] {
            assert!(words.contains(&word.replace("&quot;", "\"")), "{word}: {words}");
        }
    }

    #[test]
    fn an_amount_that_a_double_does_not_hold_is_a_word() {
        let huge = StatementLine { amount_fen: Big(i128::MAX), ..line() };
        let (_, words) = written(&Sheet { title: "2".to_owned(), lines: &[huge] });
        assert!(words.contains(&format!("{}/100", i128::MAX)), "{words}");
    }
}
