//! Settlement with a spot market, by either of the two official methods.

use duet_units::{Energy, MicroYuan, OverflowError, Price};

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
    /// The same at the prices of its contracts; not zero where what was sold was bought back at
    /// another price.
    pub contract_value: MicroYuan,
    /// Cleared day ahead; `None` where there is no day-ahead market.
    pub day_ahead: Option<Energy>,
    /// Metered.
    pub metered: Energy,
}

/// The prices of one participant in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpotPrices {
    /// Day-ahead price; of no effect where there is no day-ahead market.
    pub day_ahead: Price,
    /// Real-time price.
    pub real_time: Price,
    /// Day-ahead or real-time price at the reference point of the contracts.
    pub reference: Price,
}

/// Settles one participant and one period with a spot market. The amount of contracts comes from
/// their exact value; the price of their line is their mean, for information.
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
    let contracts = |item, against| contract_line(item, energy, against);
    let mut lines = Vec::with_capacity(3);
    match method {
        Method::One => lines.extend([
            line(first_item, first_energy, first_price)?,
            contracts(Item::Difference, prices.reference)?,
        ]),
        Method::Two => lines.extend([
            contracts(Item::Contract, prices.reference.minus(first_price)?)?,
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

/// Contracts at what their value is above another price's.
fn contract_line(item: Item, energy: &SpotEnergy, against: Price) -> Result<Line, OverflowError> {
    let quantity = energy.contracted;
    let value = energy.contract_value.minus(against.value_of(quantity)?)?;
    // Sold and bought back: what is left is the difference of the prices.
    let item = if quantity.is_zero() { Item::Difference } else { item };
    let price = value.mean_price(quantity).unwrap_or_default();
    Ok(Line { item, quantity, price, amount: value.rounded()? })
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

    #[test]
    fn contracts_of_several_prices_are_rounded_once() {
        let milli = Price::from_milli_yuan_per_mwh;
        let of = |kwh, price| milli(price).value_of(Energy::from_kwh(kwh)).unwrap();
        let energy = SpotEnergy {
            contracted: Energy::from_kwh(666_667),
            contract_value: of(333_333, 400_000).plus(of(333_334, 400_001)).unwrap(),
            day_ahead: None,
            metered: Energy::ZERO,
        };
        let prices =
            SpotPrices { day_ahead: Price::ZERO, real_time: Price::ZERO, reference: Price::ZERO };
        let lines = settle_spot(&energy, &prices, Method::One).unwrap();
        // 333,333 x 400,000 + 333,334 x 400,001 micro-yuan; the mean, 400,000.5 rounded, would
        // give 34 fen more.
        let exact = 333_333_i128 * 400_000 + 333_334 * 400_001;
        assert_eq!(lines[1].amount.fen(), (exact + 5_000) / 10_000);
        assert_eq!(lines[1].price, milli(400_001));
        assert_eq!(
            lines[1].price.cost_of(energy.contracted).unwrap().fen() - lines[1].amount.fen(),
            34
        );
    }

    #[test]
    fn what_was_bought_back_leaves_its_difference_by_either_method() {
        let energy = SpotEnergy {
            contracted: Energy::ZERO,
            contract_value: MicroYuan::from_micro_yuan(-20_000),
            day_ahead: Some(Energy::ZERO),
            metered: Energy::ZERO,
        };
        let price = Price::from_milli_yuan_per_mwh(400_000);
        let prices = SpotPrices { day_ahead: price, real_time: price, reference: price };
        for method in [Method::One, Method::Two] {
            let lines = settle_spot(&energy, &prices, method).unwrap();
            let left: Vec<_> = lines.iter().filter(|line| !line.amount.is_zero()).collect();
            assert_eq!(left.len(), 1);
            assert_eq!((left[0].item, left[0].amount), (Item::Difference, Money::from_fen(-2)));
        }
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
                contract_value: price(contract).value_of(kwh(contracted)).unwrap(),
                day_ahead: day_ahead.map(kwh),
                metered: kwh(metered),
            };
            let prices = SpotPrices {
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
