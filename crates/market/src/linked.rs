//! Orders with a condition: energy in several periods, all or nothing, at a mean price; and energy
//! of one period that is filled to a minimum or not at all.
//!
//! **Acceptance rule.** Start with every such order in the book. Clear each period with the
//! multi-period orders as energy that must trade, whatever the price. Then reject one order:
//!
//! 1. if multi-period orders are not filled in full in all their periods, the latest of them;
//! 2. else, if some pay more (get less) on the mean of their energy than their limit, the one with
//!    the lowest gain per kWh (rounded down), of equal ones the latest;
//! 3. else, if orders are filled, but below their minimum, the latest one of the earliest period.
//!
//! Repeat until nothing is left to reject. Each round rejects one order for good, so there are at
//! most as many rounds as orders with a condition, plus one.
//!
//! So an accepted order never loses. A rejected one may look acceptable at the final prices, as on
//! other power exchanges: with it in the book they would have been others.

mod round;

use duet_units::{BasisPoints, Energy, OverflowError, Price};

use crate::auction::CallRule;
use crate::order::{Order, Rationing, Side};
use round::{Must, PeriodBook, Quote};

/// An order over several periods, filled whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiPeriodOrder {
    /// Buy or sell.
    pub side: Side,
    /// The worst acceptable mean price of all its energy.
    pub limit: Price,
    /// The energy of each period; zero where it does not trade.
    pub quantities: Vec<Energy>,
}

/// The condition of one order of a period: filled to a minimum or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// The period.
    pub period: usize,
    /// The order's position in it.
    pub order: usize,
    /// The least energy to fill; at most the order's quantity.
    pub energy: Energy,
}

/// All orders of a session.
#[derive(Clone, Copy, Debug)]
pub struct LinkedBook<'a> {
    /// The orders of each period, in order of priority.
    pub periods: &'a [Vec<Order>],
    /// The multi-period orders, in order of priority.
    pub linked: &'a [MultiPeriodOrder],
    /// The orders with a minimum.
    pub minimums: &'a [Minimum],
}

/// How the price of a period is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceRule {
    /// Of a call auction: inside the competitive interval.
    Call(CallRule),
    /// The uniform marginal price of centralised bidding: so far below the bid of the last matched
    /// pair (see [`crate::auction::uniform`]).
    LastPair {
        /// The share of the pair's spread.
        k1: BasisPoints,
        /// How orders at the margin share what is left.
        rationing: Rationing,
    },
}

impl PriceRule {
    const fn call(&self) -> CallRule {
        match *self {
            Self::Call(rule) => rule,
            Self::LastPair { rationing, .. } => CallRule { rationing, ..CallRule::MIDPOINT },
        }
    }
}

/// The result of one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodClearing {
    /// The lowest and the highest competitive price, accepted multi-period orders included; as in
    /// [`Clearing`](crate::auction::Clearing). An end that only these orders make is the other end.
    pub interval: Option<(Price, Price)>,
    /// The price; `None` if nothing trades.
    pub price: Option<Price>,
    /// The energy traded, multi-period orders included.
    pub volume: Energy,
    /// The filled energy of the period's own orders, by position.
    pub fills: Vec<Energy>,
}

/// Why a multi-period order was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The book could not fill it whole, or it asks for nothing.
    NotFilled,
    /// It would have lost against its limit.
    AtALoss,
}

/// The result of all periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedClearing {
    /// The periods.
    pub periods: Vec<PeriodClearing>,
    /// Positions of the accepted multi-period orders, ascending.
    pub accepted: Vec<usize>,
    /// Positions of the others with the reason, in the order of their rejection.
    pub rejected: Vec<(usize, Reason)>,
    /// Positions among the minimums of the orders that fell short, in the order of rejection.
    pub short: Vec<usize>,
}

/// Clears periods together with the multi-period orders that link them, by the acceptance rule of
/// this module.
///
/// A must-trade order sets no price: where one end of a period's interval (or of its last pair)
/// comes from such orders alone the price is the other end, and where both do it lies between
/// their limits. Orders of nothing, and orders for another number of periods, are rejected. A
/// period's own orders are sorted once; a round costs their logarithm.
///
/// # Errors
///
/// Returns [`OverflowError`] as [`clear`](crate::auction::clear) does, if a limit is the least or
/// the highest integer, or if a product does not fit.
pub fn clear_linked(
    book: &LinkedBook<'_>,
    rule: &PriceRule,
) -> Result<LinkedClearing, OverflowError> {
    let mut auction = Auction::new(book, rule)?;
    auction.quote_all()?;
    while let Some(worst) = auction.worst()? {
        auction.reject(worst)?;
    }
    auction.result()
}

/// What is rejected next.
#[derive(Clone, Copy)]
enum Worst {
    /// A multi-period order, by its place among those that are still accepted.
    Linked(usize, Reason),
    /// An order below its minimum, by its position among the minimums.
    Short(usize),
}

/// The book between two rounds.
struct Auction<'a> {
    linked: &'a [MultiPeriodOrder],
    minimums: &'a [Minimum],
    rule: &'a PriceRule,
    periods: Vec<PeriodBook>,
    quotes: Vec<Quote>,
    accepted: Vec<usize>,
    rejected: Vec<(usize, Reason)>,
    short: Vec<usize>,
}

impl<'a> Auction<'a> {
    fn new(book: &LinkedBook<'a>, rule: &'a PriceRule) -> Result<Self, OverflowError> {
        let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
        for (position, order) in book.linked.iter().enumerate() {
            let total = Energy::sum(order.quantities.iter().copied())?;
            if order.quantities.len() == book.periods.len() && !total.is_zero() {
                accepted.push(position);
            } else {
                rejected.push((position, Reason::NotFilled));
            }
        }
        let periods: Result<_, _> = book.periods.iter().cloned().map(PeriodBook::new).collect();
        Ok(Self {
            linked: book.linked,
            minimums: book.minimums,
            rule,
            periods: periods?,
            quotes: Vec::new(),
            accepted,
            rejected,
            short: Vec::new(),
        })
    }

    fn members(&self) -> impl Iterator<Item = &'a MultiPeriodOrder> + '_ {
        self.accepted.iter().filter_map(|position| self.linked.get(*position))
    }

    /// The must-trade energy of a period.
    fn must(&self, period: usize) -> Result<Must, OverflowError> {
        let mut must = Must::default();
        for order in self.members() {
            let energy = order.quantities.get(period).copied().unwrap_or_default();
            must.add(order.side, order.limit, energy)?;
        }
        Ok(must)
    }

    fn quote_all(&mut self) -> Result<(), OverflowError> {
        for (period, book) in self.periods.iter().enumerate() {
            self.quotes.push(book.quote(&self.must(period)?, self.rule)?);
        }
        Ok(())
    }

    /// Clears a period once more, after an order was rejected.
    fn quote(&mut self, period: usize) -> Result<(), OverflowError> {
        let must = self.must(period)?;
        if let (Some(book), Some(quote)) = (self.periods.get(period), self.quotes.get_mut(period)) {
            *quote = book.quote(&must, self.rule)?;
        }
        Ok(())
    }

    fn worst(&self) -> Result<Option<Worst>, OverflowError> {
        let not_filled = self.members().enumerate().filter(|(_, order)| !self.fills(order)).last();
        if let Some((place, _)) = not_filled {
            return Ok(Some(Worst::Linked(place, Reason::NotFilled)));
        }
        let mut lowest: Option<(i128, usize)> = None;
        for (place, order) in self.members().enumerate() {
            let gain = self.gain_per_kwh(order)?;
            if gain < 0 && lowest.is_none_or(|(least, _)| gain <= least) {
                lowest = Some((gain, place));
            }
        }
        if let Some((_, place)) = lowest {
            return Ok(Some(Worst::Linked(place, Reason::AtALoss)));
        }
        Ok(self.first_short()?.map(Worst::Short))
    }

    /// Whether an order gets all its energy.
    fn fills(&self, order: &MultiPeriodOrder) -> bool {
        let mut both = order.quantities.iter().zip(&self.quotes);
        both.all(|(energy, quote)| energy.is_zero() || quote.is_whole(order.side))
    }

    /// What an order gains per kWh at the prices of the round, in milli-yuan/MWh, rounded down.
    fn gain_per_kwh(&self, order: &MultiPeriodOrder) -> Result<i128, OverflowError> {
        let overflow = OverflowError { operation: "gain of an order", unit: "micro-yuan" };
        let limit = i128::from(order.limit.milli_yuan_per_mwh());
        let (mut gain, mut energy) = (0_i128, 0_i128);
        for (quote, quantity) in self.quotes.iter().zip(&order.quantities) {
            let price = i128::from(quote.price.milli_yuan_per_mwh());
            let better = match order.side {
                Side::Buy => limit.checked_sub(price),
                Side::Sell => price.checked_sub(limit),
            };
            let part = better.and_then(|better| better.checked_mul(quantity.kwh().into()));
            gain = part.and_then(|part| gain.checked_add(part)).ok_or(overflow)?;
            energy = energy.checked_add(quantity.kwh().into()).ok_or(overflow)?;
        }
        gain.checked_div_euclid(energy).ok_or(overflow)
    }

    /// The latest order of the earliest period that is filled below its minimum.
    fn first_short(&self) -> Result<Option<usize>, OverflowError> {
        for (period, (book, quote)) in self.periods.iter().zip(&self.quotes).enumerate() {
            let own = self.minimums.iter().enumerate().filter(|(_, row)| row.period == period);
            // Better orders are filled whole, others not at all.
            let mut rationed =
                own.clone().filter(|(_, row)| book.limit(row.order) == quote.cleared);
            if rationed.next().is_none() {
                continue;
            }
            let (_, fills) = book.fills(&self.must(period)?, quote, self.rule)?;
            let falls_short = |row: &Minimum| {
                let fill = fills.get(row.order).copied().unwrap_or_default();
                !fill.is_zero() && fill < row.energy
            };
            let latest = own.filter(|(_, row)| falls_short(row)).max_by_key(|(_, row)| row.order);
            if let Some((place, _)) = latest {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn reject(&mut self, worst: Worst) -> Result<(), OverflowError> {
        match worst {
            Worst::Linked(place, reason) => {
                let position = self.accepted.remove(place);
                self.rejected.push((position, reason));
                let Some(order) = self.linked.get(position) else { return Ok(()) };
                for (period, energy) in order.quantities.iter().enumerate() {
                    if !energy.is_zero() {
                        self.quote(period)?;
                    }
                }
                Ok(())
            }
            Worst::Short(place) => {
                self.short.push(place);
                let Some(row) = self.minimums.get(place) else { return Ok(()) };
                if let Some(book) = self.periods.get_mut(row.period) {
                    book.remove(row.order)?;
                }
                self.quote(row.period)
            }
        }
    }

    fn result(self) -> Result<LinkedClearing, OverflowError> {
        let mut periods = Vec::with_capacity(self.periods.len());
        for (period, (book, quote)) in self.periods.iter().zip(&self.quotes).enumerate() {
            let (volume, fills) = book.fills(&self.must(period)?, quote, self.rule)?;
            let price = (!volume.is_zero()).then_some(quote.price);
            periods.push(PeriodClearing { interval: quote.interval, price, volume, fills });
        }
        let Self { accepted, rejected, short, .. } = self;
        Ok(LinkedClearing { periods, accepted, rejected, short })
    }
}
