//! Orders over several periods, and what an auction says about its prices.

use crate::codec::{coded, record};
use crate::ids::{OrderId, OrganisationId, SessionId, UnitId};
use duet_market::order::Side;
use duet_units::{ClockTime, Price};

coded! {
    /// Where an order over several periods stands; all but the first are final.
    pub enum LinkedState ("state of a linked order") {
        /// Waiting for the gate to close.
        Pending = 0,
        /// Filled in full in all its periods.
        Accepted = 1,
        /// Rejected: the book could not fill it whole.
        NotFilled = 2,
        /// Rejected: it would have lost against its limit.
        AtALoss = 3,
        /// Withdrawn by its owner.
        Withdrawn = 4,
        /// The session was called off.
        Expired = 5,
    }
}

record! {
    /// An order over several periods: one order a period, which stand and fall together.
    pub struct LinkedOrder {
        /// Its session.
        pub session: SessionId,
        /// Whose it is.
        pub owner: OrganisationId,
        /// The unit that delivers or uses the energy.
        pub unit: UnitId,
        /// Buy or sell.
        pub side: Side,
        /// The worst acceptable mean price of all its energy.
        pub limit: Price,
        /// The order of its first period; those of the others are numbered on from there.
        pub first: OrderId,
        /// How many periods it has.
        pub parts: u8,
        /// The owner's own reference.
        pub reference: u64,
        /// When it was accepted into the book.
        pub accepted_at: ClockTime,
        /// Where it stands.
        pub state: LinkedState,
    }
}

impl LinkedOrder {
    /// The orders of its periods.
    pub fn orders(&self) -> impl Iterator<Item = OrderId> + use<> {
        let first = self.first.0;
        (0..u64::from(self.parts)).map(move |place| OrderId(first.saturating_add(place)))
    }
}

record! {
    /// The competitive prices of a period: between them, supply and demand are equal.
    pub struct PriceInterval {
        /// The lowest; if nothing trades, the best bid.
        pub lowest: Price,
        /// The highest; if nothing trades, the best ask.
        pub highest: Price,
    }
}
