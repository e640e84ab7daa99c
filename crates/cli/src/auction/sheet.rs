//! Step curves as CSV: one step a row, every fault named by its line and field.

use duet_sdk::wire::{CurveStep, PeriodSteps, Side};

const HEAD: [&str; 3] = ["period", "price", "quantity"];
/// As the ledger has them.
const PERIOD_STEPS_MAX: usize = 20;
const CURVE_STEPS_MAX: usize = 400;

/// The steps of a file by period, or every fault that it has.
pub(super) fn read(text: &str, side: Side) -> Result<Vec<PeriodSteps>, Vec<String>> {
    let (mut periods, mut faults): (Vec<PeriodSteps>, Vec<String>) = (Vec::new(), Vec::new());
    let mut lines = (1_usize..).zip(text.trim_start_matches('\u{feff}').lines());
    let head: Vec<&str> =
        lines.next().map(|(_, line)| line.split(',').map(str::trim).collect()).unwrap_or_default();
    if head != HEAD {
        return Err(vec![format!("line 1: the columns are {}", HEAD.join(","))]);
    }
    let mut steps = 0_usize;
    for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        steps = steps.saturating_add(1);
        match step(row) {
            Ok((period, step)) => {
                faults.extend(add(&mut periods, (period, step), side).map(|f| at(line, &f)));
            }
            Err(of_row) => faults.extend(of_row.iter().map(|fault| at(line, fault))),
        }
    }
    if steps == 0 || steps > CURVE_STEPS_MAX {
        faults.push(format!("{steps} steps: a curve has 1 to {CURVE_STEPS_MAX}"));
    }
    if faults.is_empty() { Ok(periods) } else { Err(faults) }
}

fn at(line: usize, fault: &str) -> String {
    format!("line {line}, {fault}")
}

/// One row, or the fault of each of its fields.
fn step(row: &str) -> Result<(u8, CurveStep), Vec<String>> {
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let [period, price, quantity] = fields[..] else {
        return Err(vec![format!("{} fields: a row has {}", fields.len(), HEAD.join(","))]);
    };
    let mut faults = Vec::new();
    let period_read = period.parse::<u8>().ok().filter(|period| *period < 96);
    if period_read.is_none() {
        faults.push(format!("period: {period:?} is not a period of the day, from 0"));
    }
    let price_read = crate::remote::parse_price(price);
    if let Err(fault) = &price_read {
        faults.push(format!("price: {fault}"));
    }
    let quantity_read = quantity.parse::<i64>().ok().filter(|kwh| 0 < *kwh);
    if quantity_read.is_none() {
        faults.push(format!("quantity: {quantity:?} is not a number of kWh above zero"));
    }
    match (period_read, price_read, quantity_read) {
        (Some(period), Ok(limit_milli_yuan_per_mwh), Some(quantity_kwh)) => {
            Ok((period, CurveStep { limit_milli_yuan_per_mwh, quantity_kwh }))
        }
        _ => Err(faults),
    }
}

/// Adds a step; says what is wrong with its place.
fn add(
    periods: &mut Vec<PeriodSteps>,
    (period, step): (u8, CurveStep),
    side: Side,
) -> Option<String> {
    let Some(last) = periods.last_mut().filter(|last| last.period == period) else {
        let back = periods.last().is_some_and(|last| last.period > period);
        periods.push(PeriodSteps { period, steps: vec![step] });
        return back.then(|| "period: periods rise from row to row".to_owned());
    };
    let before = last.steps.last().map(|step| step.limit_milli_yuan_per_mwh);
    let price = step.limit_milli_yuan_per_mwh;
    last.steps.push(step);
    let falls_back = before.is_some_and(|before| match side {
        Side::Buy => price >= before,
        Side::Sell => price <= before,
    });
    if falls_back {
        let way = if side == Side::Buy { "fall for a purchase" } else { "rise for a sale" };
        return Some(format!("price: prices of a period {way}"));
    }
    let many = last.steps.len() > PERIOD_STEPS_MAX;
    many.then(|| format!("period: a period has at most {PERIOD_STEPS_MAX} steps"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_periods_with_their_steps() {
        let text = "period,price,quantity\n0,300,1000\n0,310.5,2000\n\n7,-5,500\n";
        let periods = read(text, Side::Sell).unwrap();
        let short: Vec<_> = periods.iter().map(|of| (of.period, of.steps.len())).collect();
        assert_eq!(short, [(0, 2), (7, 1)]);
        let second = &periods[0].steps[1];
        assert_eq!((second.limit_milli_yuan_per_mwh, second.quantity_kwh), (310_500, 2_000));
    }

    #[test]
    fn every_fault_is_named_by_its_line_and_field() {
        let text = "period,price,quantity\n96,3O0,0\n1,300,5\n1,300,5\n0,300\n0,200,5\n";
        let faults = read(text, Side::Sell).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|f| f.split(':').next().unwrap()).collect();
        assert_eq!(
            places,
            [
                "line 2, period",
                "line 2, price",
                "line 2, quantity",
                "line 4, price",
                "line 5, 2 fields",
                "line 6, period"
            ]
        );
        assert!(
            read("", Side::Buy).is_err() && read("period,price,quantity\n", Side::Buy).is_err()
        );
        assert_eq!(read("a,b,c\n0,1,1\n", Side::Buy).unwrap_err().len(), 1);
        let falling = "period,price,quantity\n0,300,1\n0,299,1\n";
        assert!(read(falling, Side::Buy).is_ok() && read(falling, Side::Sell).is_err());
    }
}
