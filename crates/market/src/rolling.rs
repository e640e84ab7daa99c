//! Continuous trading: a book in price-time priority on a ladder of ticks.
//!
//! The same book serves the rolling match, where a trade is made at the price of the order already
//! in the book, and the continuous phase after a call auction, where it is made at the median of
//! the previous price and the two limits. A resting order is never changed, only withdrawn.

mod bitmap;
mod ladder;

use duet_units::{BasisPoints, Energy, Price};

use crate::auction::uniform::price_below;
use crate::order::Side;
use ladder::{Ladder, Name, Resting, slot_of};

/// The prices at which orders may stand: `floor + k * tick` for `k` below `levels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The lowest price.
    pub floor: Price,
    /// The step between prices; positive.
    pub tick: Price,
    /// The number of prices; at most [`Grid::LEVELS_MAX`].
    pub levels: u32,
}

impl Grid {
    /// The most levels of a grid: 16,777,216, enough for 0 to 1,500 yuan/MWh in steps of 0.001.
    pub const LEVELS_MAX: u32 = 1 << 24;

    /// The level of a price; `None` if it is not on the grid.
    fn level_of(&self, price: Price) -> Option<usize> {
        let above = price.milli_yuan_per_mwh().checked_sub(self.floor.milli_yuan_per_mwh())?;
        let tick = self.tick.milli_yuan_per_mwh();
        if above < 0 || above.checked_rem(tick)? != 0 {
            return None;
        }
        let level = u32::try_from(above.checked_div(tick)?).ok()?;
        if level < self.levels { usize::try_from(level).ok() } else { None }
    }

    /// The price of a level of the grid.
    fn price_of(&self, level: usize) -> Price {
        // The level came from `level_of`, so neither operation saturates.
        let above = i64::try_from(level).unwrap_or(i64::MAX);
        let above = above.saturating_mul(self.tick.milli_yuan_per_mwh());
        Price::from_milli_yuan_per_mwh(self.floor.milli_yuan_per_mwh().saturating_add(above))
    }
}

/// At which price an incoming order trades with one in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pricing {
    /// At the price of the order in the book (Jiangsu art. 58; Shandong 4.5.35).
    Maker,
    /// At the median of the previous price, the bid and the ask (Shandong 4.5.18-20). The first
    /// previous price is the price of the call auction; without one, because nothing or too few
    /// took part in it, the first trade is at the mean of bid and ask.
    Median {
        /// The last price.
        previous: Option<Price>,
    },
}

/// How long an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeInForce {
    /// Until it is filled or withdrawn, or the session ends.
    Gtc,
    /// What does not fill at once is dropped.
    Ioc,
    /// It fills at once and whole, or not at all.
    Fok,
}

/// Names an order that stands, or stood, in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(Name);

/// An incoming order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Buy or sell.
    pub side: Side,
    /// The worst acceptable price; on the grid.
    pub limit: Price,
    /// How much; positive.
    pub quantity: Energy,
    /// How long it stands.
    pub time_in_force: TimeInForce,
}

/// A trade of an incoming order with one in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The order in the book.
    pub resting: Ticket,
    /// The energy.
    pub quantity: Energy,
    /// The price for both.
    pub price: Price,
}

/// Why a book does not take an order or was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookRejection {
    /// The grid has no levels or too many, or its tick or highest price does not fit.
    #[error("the grid of prices is empty or too large")]
    Grid,
    /// The limit is not a price of the grid.
    #[error("the limit is not on the grid of prices")]
    OffGrid,
    /// The quantity is not positive.
    #[error("the quantity is not positive")]
    NoQuantity,
    /// The book can name no further order, or the energy at the price would not fit.
    #[error("the book is full")]
    Full,
}

/// What a level of the book shows: a price and the energy there, but not whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// The energy of all orders at this price.
    pub quantity: Energy,
}

/// How many levels of each side are shown (Jiangsu 58).
pub const LEVELS_SHOWN: usize = 5;

/// A book of one product.
#[derive(Clone, Debug)]
pub struct Book {
    grid: Grid,
    pricing: Pricing,
    bids: Ladder,
    asks: Ladder,
    orders: Vec<Resting>,
}

impl Book {
    /// An empty book.
    ///
    /// # Errors
    ///
    /// Returns [`BookRejection::Grid`] for a grid that is empty, too large or out of range.
    pub fn new(grid: Grid, pricing: Pricing) -> Result<Self, BookRejection> {
        let highest = i64::from(grid.levels)
            .checked_mul(grid.tick.milli_yuan_per_mwh())
            .and_then(|width| width.checked_add(grid.floor.milli_yuan_per_mwh()));
        let in_range = 0 < grid.levels && grid.levels <= Grid::LEVELS_MAX;
        let levels = usize::try_from(grid.levels).map_err(|_| BookRejection::Grid)?;
        if !in_range || grid.tick <= Price::ZERO || highest.is_none() {
            return Err(BookRejection::Grid);
        }
        let (bids, asks) = (Ladder::new(Side::Buy, levels), Ladder::new(Side::Sell, levels));
        Ok(Self { grid, pricing, bids, asks, orders: Vec::new() })
    }

    /// Takes an order: trades it with the best opposite orders, the earlier one first at the same
    /// price, and appends the trades to `fills`; then lets the rest stand if its time in force
    /// says so, and returns its ticket. Takes constant time per trade.
    ///
    /// # Errors
    ///
    /// Returns the [`BookRejection`] for an order off the grid, without energy, or beyond what the
    /// book can hold. A refused order has changed nothing.
    pub fn submit(
        &mut self,
        incoming: Incoming,
        fills: &mut Vec<Fill>,
    ) -> Result<Option<Ticket>, BookRejection> {
        let Incoming { side, limit, quantity, time_in_force } = incoming;
        let level = self.grid.level_of(limit).ok_or(BookRejection::OffGrid)?;
        if quantity <= Energy::ZERO {
            return Err(BookRejection::NoQuantity);
        }
        let standing = self.ladder(side).energy_at(level);
        if self.orders.len() >= ORDERS_MAX || standing.checked_add(quantity.kwh()).is_none() {
            return Err(BookRejection::Full);
        }
        if time_in_force == TimeInForce::Fok && !self.can_fill(&incoming, level) {
            return Ok(None);
        }
        let left = self.trade(&incoming, level, fills);
        if left == 0 || time_in_force != TimeInForce::Gtc {
            return Ok(None);
        }
        let ladder = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        Ok(ladder.push(&mut self.orders, (side, level, left)).map(Ticket))
    }

    /// Takes an order out of the book and returns the energy it still had; `None` if it no longer
    /// stands there. Takes constant time.
    pub fn withdraw(&mut self, ticket: Ticket) -> Option<Energy> {
        let Resting { left, side, .. } = *self.orders.get(slot_of(ticket.0))?;
        if left == 0 {
            return None;
        }
        let ladder = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        ladder.take(&mut self.orders, ticket.0, left);
        Some(Energy::from_kwh(left))
    }

    /// The energy an order still has in the book; `None` if it is filled or withdrawn.
    #[must_use]
    pub fn standing(&self, ticket: Ticket) -> Option<Energy> {
        let resting = self.orders.get(slot_of(ticket.0))?;
        (resting.left > 0).then_some(Energy::from_kwh(resting.left))
    }

    /// The best levels of a side, best first, at most [`LEVELS_SHOWN`].
    #[must_use]
    pub fn depth(&self, side: Side) -> Vec<Level> {
        let ladder = self.ladder(side);
        let levels = std::iter::successors(ladder.best(), |level| ladder.worse_than(*level));
        let show = |level| Level {
            price: self.grid.price_of(level),
            quantity: Energy::from_kwh(ladder.energy_at(level)),
        };
        levels.take(LEVELS_SHOWN).map(show).collect()
    }

    const fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// Whether the book holds enough for the whole order at its limit or better.
    fn can_fill(&self, incoming: &Incoming, limit: usize) -> bool {
        let opposite = self.ladder(incoming.side.opposite());
        let levels = std::iter::successors(opposite.best(), |level| opposite.worse_than(*level));
        let mut left = incoming.quantity.kwh();
        for level in levels.take_while(|level| crosses(incoming.side, limit, *level)) {
            left = left.saturating_sub(opposite.energy_at(level));
            if left <= 0 {
                return true;
            }
        }
        false
    }

    /// Trades the order with the book and returns what is left of it.
    fn trade(&mut self, incoming: &Incoming, limit: usize, fills: &mut Vec<Fill>) -> i64 {
        let opposite = match incoming.side {
            Side::Buy => &mut self.asks,
            Side::Sell => &mut self.bids,
        };
        let mut left = incoming.quantity.kwh();
        while left > 0
            && let Some(level) = opposite.best()
            && crosses(incoming.side, limit, level)
            && let Some(name) = opposite.earliest(level)
            && let Some(resting) = self.orders.get(slot_of(name))
        {
            let kwh = left.min(resting.left);
            let price = self.pricing.trade(incoming, self.grid.price_of(level));
            opposite.take(&mut self.orders, name, kwh);
            fills.push(Fill { resting: Ticket(name), quantity: Energy::from_kwh(kwh), price });
            left = left.saturating_sub(kwh);
        }
        left
    }
}

/// How many orders a book can name in its life.
const ORDERS_MAX: usize = 1 << 31;

/// Whether an order with its limit at one level trades with an opposite order at another.
const fn crosses(side: Side, limit: usize, opposite: usize) -> bool {
    match side {
        Side::Buy => opposite <= limit,
        Side::Sell => limit <= opposite,
    }
}

impl Pricing {
    /// The price of a trade of `incoming` with an order at `resting`.
    fn trade(&mut self, incoming: &Incoming, resting: Price) -> Price {
        match self {
            Self::Maker => resting,
            Self::Median { previous } => {
                let (bid, ask) = match incoming.side {
                    Side::Buy => (incoming.limit, resting),
                    Side::Sell => (resting, incoming.limit),
                };
                let price = previous.map_or_else(|| mean(bid, ask), |last| median(last, bid, ask));
                *previous = Some(price);
                price
            }
        }
    }
}

/// The median of the previous price and two limits that meet: `ask <= bid`.
///
/// # Source
///
/// Shandong 2026-04 art. 4.5.18-20; official example V3.
#[must_use]
pub fn median(previous: Price, bid: Price, ask: Price) -> Price {
    previous.min(bid).max(ask)
}

/// The mean of two limits, rounded half away from zero.
#[must_use]
pub fn mean(bid: Price, ask: Price) -> Price {
    // A mean always lies between its two prices, so it fits.
    price_below(bid, ask, BasisPoints::from_bp(5_000)).unwrap_or(ask)
}
