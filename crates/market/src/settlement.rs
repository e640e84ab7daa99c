//! Settlement: contracts and metered energy turned into statement lines.
//!
//! Amounts are written from the generator's side: positive is received. A user's statement has
//! the same lines, and pays them.

pub mod spot;

use duet_units::{Energy, Money, Price};

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
