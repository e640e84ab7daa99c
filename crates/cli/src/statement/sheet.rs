//! A statement as a workbook.

use super::HEAD;
use anyhow::Context as _;
use duet_sdk::wire::{Formula, StatementLine};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use std::path::Path;

/// Whole numbers up to here are exact in a cell, which holds a double.
const EXACT_MAX: i128 = 1 << 53;

/// Writes the lines, one a row, with the formula in words.
pub(super) fn write(path: &Path, session: u32, lines: &[StatementLine]) -> anyhow::Result<()> {
    let mut book = Workbook::new();
    fill(book.add_worksheet(), session, lines).context("make the workbook")?;
    book.save(path).with_context(|| format!("write {}", path.display()))
}

fn fill(sheet: &mut Worksheet, session: u32, lines: &[StatementLine]) -> Result<(), XlsxError> {
    sheet.set_name(format!("session {session}"))?;
    let bold = Format::new().set_bold();
    for (column, name) in (0_u16..).zip(HEAD.iter().chain(&["formula", "formula (zh)"])) {
        sheet.write_with_format(0, column, *name, &bold)?;
    }
    let money = Format::new().set_num_format("0.00");
    let price = Format::new().set_num_format("0.000");
    for (row, line) in (1_u32..).zip(lines) {
        sheet.write(row, 0, format!("{}/{}", line.session, line.place))?;
        sheet.write(row, 1, line.period)?;
        sheet.write(row, 2, crate::remote::name(&line.item))?;
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
        sheet.write(row, 10, formula.en)?;
        sheet.write(row, 11, formula.zh)?;
    }
    Ok(())
}

/// Writes an integer of a unit as a number of a larger one; as text where a double is not exact.
fn number(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: i128,
    (parts, format): (u32, &Format),
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
mod tests {
    use super::*;
    use crate::statement::tests::line;

    #[test]
    fn a_workbook_is_a_zip_file_that_holds_the_rows() {
        let mut book = Workbook::new();
        let huge = StatementLine { amount_fen: duet_sdk::wire::Big(i128::MAX), ..line() };
        fill(book.add_worksheet(), 2, &[line(), huge]).unwrap();
        let bytes = book.save_to_buffer().unwrap();
        assert_eq!(&bytes[..2], b"PK");
    }
}
