//! What a real session would have come to under another carbon price, conductivity or demand.
//!
//! The [`Book`] is what a session was cleared from: its terms, and its orders with what carbon
//! needs to know of their units. It is cleared again by the code of `duet-market` as it was and
//! as changed; and once more with allowances: energy and one budget of emissions together, by
//! bisection on the price of allowances, with the certificate that shows how near to the best
//! the result is (trading-game.md 1.7).
//!
//! Traders would not have offered the same under other terms. The study answers what the
//! mechanism does with the same offers, not what the market would do.

mod book;
mod budget;
mod replay;
mod show;

pub use book::{Book, BookError, BookOrder, BookRationing, BookSide, BookTerms, Recorded};
pub use budget::Budgeted;
pub use replay::{Cleared, PeriodCleared};

use duet_units::{BasisPoints, CarbonPrice, OverflowError};
use serde::Serialize;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The carbon price; as it was if nothing is said.
    pub carbon_price: Option<CarbonPrice>,
    /// The conductivity of every seller; each its own if nothing is said.
    pub conductivity: Option<BasisPoints>,
    /// All demand as a share of what it was.
    pub demand: BasisPoints,
    /// The budget of the joint clearing: by what share of what a price of allowances could avoid
    /// the emissions above the benchmarks are cut, from what they are without a budget.
    pub cut: BasisPoints,
}

impl Default for Change {
    fn default() -> Self {
        let cut = BasisPoints::from_bp(1_000);
        Self { carbon_price: None, conductivity: None, demand: BasisPoints::ONE, cut }
    }
}

/// The study of one session.
#[derive(Clone, Debug, Serialize)]
pub struct WhatIf {
    /// The book's name.
    pub name: String,
    /// Its orders.
    pub orders: usize,
    /// How many periods the node has cleared.
    pub periods_recorded: usize,
    /// In how many of them the book, cleared again as it was, comes to the same.
    pub periods_reproduced: usize,
    /// The session as it was.
    pub before: Cleared,
    /// The session as changed.
    pub after: Cleared,
    /// The changed book cleared together with a budget of emissions; nothing if no price of
    /// allowances up to 10,000 yuan/t keeps the budget.
    pub budgeted: Option<Budgeted>,
}

impl WhatIf {
    /// Clears a book as it was, as changed, and with a budget.
    ///
    /// # Errors
    ///
    /// Returns a [`BookError`] if the book is not well-formed or a number does not fit.
    pub fn run(book: &Book, change: &Change) -> Result<Self, BookError> {
        book.check()?;
        let before = Cleared::of(book)?;
        let changed = book.changed(change)?;
        let after = Cleared::of(&changed)?;
        let budgeted = Budgeted::of(&changed, change.cut)?;
        Ok(Self {
            name: book.name.clone(),
            orders: book.orders.len(),
            periods_recorded: book.recorded.len(),
            periods_reproduced: before.like(&book.recorded),
            before,
            after,
            budgeted,
        })
    }
}

const NOT_FITTING: OverflowError = OverflowError { operation: "what-if study", unit: "its sums" };
