//! Settlement: contracts and metered energy turned into statement lines.
//!
//! Amounts are written from the generator's side: positive is received. A user's statement has
//! the same lines, and pays them.

pub mod spot;

use duet_units::{Energy, Money, OverflowError, Price};

/// What a statement line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// Energy of a contract, at its price.
    Contract,
    /// Metered energy above (or, negative, below) all contracts, at the deviation price.
    Deviation,
    /// Energy of the day-ahead market, or what it has above the contracts.
    DayAhead,
    /// Energy of the real-time market, or what the meter has above the market before it.
    RealTime,
    /// Contracted energy at the difference of contract and reference price.
    Difference,
    /// A month's meter reading above the sum of its days.
    TrueUp,
}

/// A line of a statement. Its amount was rounded once and is never rounded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub item: Item,
    /// The energy, in kWh; negative for a shortage.
    pub quantity: Energy,
    /// The price the amount comes from.
    pub price: Price,
    /// The amount, in fen.
    pub amount: Money,
}

/// What one trade contributes to a statement of one delivery period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The contracted energy.
    pub quantity: Energy,
    /// Its price.
    pub price: Price,
    /// Its amount as it was fixed when it was traded, in fen.
    pub amount: Money,
}

/// Settles one participant and one delivery period: contracts at their amounts, the deviation at
/// one price. Gives one line per contract and, last, the line of the deviation, also when it is
/// zero, so that a reader sees that the meter agreed.
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum or the deviation's amount does not fit.
///
/// # Source
///
/// Settlement without a spot market: market-rules.md 4.9.
pub fn settle(
    contracts: &[Contract],
    metered: Energy,
    deviation_price: Price,
) -> Result<Vec<Line>, OverflowError> {
    let mut lines = Vec::with_capacity(contracts.len().saturating_add(1));
    for Contract { quantity, price, amount } in contracts.iter().copied() {
        lines.push(Line { item: Item::Contract, quantity, price, amount });
    }
    let contracted = Energy::sum(contracts.iter().map(|contract| contract.quantity))?;
    let quantity = metered.minus(contracted)?;
    let amount = deviation_price.cost_of(quantity)?;
    lines.push(Line { item: Item::Deviation, quantity, price: deviation_price, amount });
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_bought_back_at_the_deviation_price() {
        let price = Price::from_milli_yuan_per_mwh(380_000);
        let quantity = Energy::from_kwh(1_000);
        let contract = Contract { quantity, price, amount: Money::from_fen(38_000) };
        let deviation_price = Price::from_milli_yuan_per_mwh(400_000);
        let lines = settle(&[contract], Energy::from_kwh(900), deviation_price).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].amount, Money::from_fen(38_000));
        assert_eq!(lines[1].quantity, Energy::from_kwh(-100));
        assert_eq!(lines[1].amount, Money::from_fen(-4_000));
    }

    #[test]
    fn extremes_are_errors() {
        let price = Price::MAX;
        let most = Contract { quantity: Energy::MAX, price, amount: Money::ZERO };
        assert!(settle(&[most, most], Energy::ZERO, Price::ZERO).is_err());
        assert!(settle(&[most], Energy::from_kwh(-2), Price::ZERO).is_err());
        assert!(settle(&[most], Energy::ZERO, price).is_ok(), "fen are 128 bits wide");
    }
}
