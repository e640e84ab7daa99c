//! Settlement with a spot market, by either of the two official methods.

use duet_units::{Energy, OverflowError, Price};

use super::{Item, Line};

/// How contracts and spot energy are split into lines. The totals are equal before rounding and
/// may differ by two fen after it, so a rule names one method and never mixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// All energy at spot prices, contracts as differences.
    One,
    /// Contracts in full, spot energy as deviations from them.
    Two,
}

/// The energy of one participant in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpotEnergy {
    /// Contracted over the medium and long term.
    pub contracted: Energy,
    /// Cleared day ahead; `None` where there is no day-ahead market.
    pub day_ahead: Option<Energy>,
    /// Metered.
    pub metered: Energy,
}

/// The prices of one participant in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpotPrices {
    /// Mean price of the contracts.
    pub contract: Price,
    /// Day-ahead price; of no effect where there is no day-ahead market.
    pub day_ahead: Price,
    /// Real-time price.
    pub real_time: Price,
    /// Day-ahead or real-time price at the reference point of the contracts.
    pub reference: Price,
}

/// Settles one participant and one period with a spot market.
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum, difference or product does not fit.
///
/// # Source
///
/// NDRC/NEA 2023-1217 arts 84, 91, 92; vectors V5, V5b.
pub fn settle_spot(
    energy: &SpotEnergy,
    prices: &SpotPrices,
    method: Method,
) -> Result<Vec<Line>, OverflowError> {
    // Without a day-ahead market the real-time market is the first, and there is no second.
    let (first_item, first_energy, first_price) =
        energy.day_ahead.map_or((Item::RealTime, energy.metered, prices.real_time), |day_ahead| {
            (Item::DayAhead, day_ahead, prices.day_ahead)
        });
    let difference = prices.contract.minus(prices.reference)?;
    let mut lines = Vec::with_capacity(3);
    match method {
        Method::One => lines.extend([
            line(first_item, first_energy, first_price)?,
            line(Item::Difference, energy.contracted, difference)?,
        ]),
        Method::Two => lines.extend([
            line(Item::Contract, energy.contracted, difference.plus(first_price)?)?,
            line(first_item, first_energy.minus(energy.contracted)?, first_price)?,
        ]),
    }
    if let Some(day_ahead) = energy.day_ahead {
        let deviation = energy.metered.minus(day_ahead)?;
        lines.push(line(Item::RealTime, deviation, prices.real_time)?);
    }
    Ok(lines)
}

/// The month-end line: what the month's meter reading has above the sum of the days, at the month's
/// weighted real-time price.
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum or product does not fit.
///
/// # Source
///
/// Shandong 14.5.8.
pub fn true_up(month: Energy, days: &[Energy], real_time: Price) -> Result<Line, OverflowError> {
    line(Item::TrueUp, month.minus(Energy::sum(days.iter().copied())?)?, real_time)
}

fn line(item: Item, quantity: Energy, price: Price) -> Result<Line, OverflowError> {
    Ok(Line { item, quantity, price, amount: price.cost_of(quantity)? })
}

#[cfg(test)]
mod tests {
    use duet_units::Money;
    use proptest::prelude::*;

    use super::*;

    fn total(lines: &[Line]) -> i128 {
        Money::sum(lines.iter().map(|line| line.amount)).unwrap().fen()
    }

    #[test]
    fn the_month_is_trued_up_at_its_mean_price() {
        let days = [Energy::from_kwh(100), Energy::from_kwh(200)];
        let price = Price::from_milli_yuan_per_mwh(400_000);
        let line = true_up(Energy::from_kwh(290), &days, price).unwrap();
        assert_eq!((line.item, line.quantity.kwh(), line.amount.fen()), (Item::TrueUp, -10, -400));
    }

    proptest! {
        #[test]
        fn the_two_methods_differ_by_at_most_two_fen(
            (contracted, day_ahead, metered) in (0..9_999_i64, proptest::option::of(0..9_999_i64), 0..9_999_i64),
            (contract, da, rt, reference) in
                (0..999_999_i64, -99_999..999_999_i64, -99_999..999_999_i64, 0..999_999_i64),
        ) {
            let kwh = Energy::from_kwh;
            let price = Price::from_milli_yuan_per_mwh;
            let energy = SpotEnergy {
                contracted: kwh(contracted),
                day_ahead: day_ahead.map(kwh),
                metered: kwh(metered),
            };
            let prices = SpotPrices {
                contract: price(contract),
                day_ahead: price(da),
                real_time: price(rt),
                reference: price(reference),
            };
            let one = settle_spot(&energy, &prices, Method::One).unwrap();
            let two = settle_spot(&energy, &prices, Method::Two).unwrap();
            prop_assert!((total(&one) - total(&two)).abs() <= 2);
            prop_assert_eq!(day_ahead.is_none() || one.last() == two.last(), true);
        }
    }
}
