//! Orders and trades.

use crate::codec::{coded, record};
use crate::ids::{OrderId, OrganisationId, PublicKey, SessionId, UnitId};
use duet_market::game::Stage;
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{BasisPoints, ClockTime, Energy, Money, OverflowError, Price};

coded! {
    /// Where an order stands; the last five are final.
    pub enum OrderStatus ("order status") {
        /// In the book, waiting for the gate to close.
        Pending = 0,
        /// Filled, at least in part; the rest is released. In a continuous book an order with a
        /// rest stays pending.
        Matched = 1,
        /// Paid for.
        Paid = 2,
        /// Instructed to the units.
        Dispatched = 3,
        /// Metered.
        Delivered = 4,
        /// Settled: final.
        Settled = 5,
        /// Withdrawn by its owner: final.
        Cancelled = 6,
        /// Not filled when the gate closed, or the session was called off: final.
        Expired = 7,
        /// Every trade of it failed to be paid: final.
        Defaulted = 8,
    }
}

impl OrderStatus {
    /// Whether the order was filled, whatever came of it.
    #[must_use]
    pub const fn was_filled(self) -> bool {
        !matches!(self, Self::Pending | Self::Cancelled | Self::Expired)
    }
}

record! {
    /// When an order was withdrawn.
    pub struct Withdrawal {
        /// In the block of this height ...
        pub height: u64,
        /// ... before the order of this number was accepted.
        pub before: OrderId,
    }
}

record! {
    /// An accepted order.
    pub struct Order {
        /// Its session.
        pub session: SessionId,
        /// Its place in the session, counted from 0 in order of acceptance.
        pub sequence: u32,
        /// Whose it is.
        pub owner: OrganisationId,
        /// Who signed it.
        pub signer: PublicKey,
        /// The unit that delivers or uses the energy.
        pub unit: UnitId,
        /// Buy or sell.
        pub side: Side,
        /// The delivery period within the day.
        pub period: u8,
        /// The limit price as declared: of a sell order, without carbon.
        pub limit: Price,
        /// The energy offered or wanted, on each delivery day.
        pub quantity: Energy,
        /// The declared conductivity of the carbon price; zero for a buy order.
        pub conductivity: BasisPoints,
        /// The price that the auction sees: the limit and, for a sell order, the carbon adder.
        pub effective: Price,
        /// The unit's registered cost with the same adder; zero for a buy order.
        pub registered_ask: Price,
        /// The over-conduction rent; zero for a buy order.
        pub rent: Price,
        /// The owner's own reference, for its records.
        pub reference: u64,
        /// When it was accepted.
        pub accepted_at: ClockTime,
        /// Money held for it.
        pub escrow: Money,
        /// The energy filled, on each delivery day; in a joint session in both stages.
        pub filled: Energy,
        /// Where it stands.
        pub status: OrderStatus,
        /// How long it stands.
        pub time_in_force: TimeInForce,
        /// When its owner withdrew it, or the rest of it.
        pub withdrawn: Option<Withdrawal>,
    }
}

impl Order {
    /// What of it is not filled.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] only for an order that was filled beyond its quantity.
    pub fn left(&self) -> Result<Energy, OverflowError> {
        self.quantity.minus(self.filled)
    }
}

record! {
    /// A matched pair: who delivers to whom.
    pub struct Trade {
        /// Its session.
        pub session: SessionId,
        /// The delivery period within the day.
        pub period: u8,
        /// The stage in which it was matched.
        pub stage: Stage,
        /// The buy order.
        pub buy: OrderId,
        /// The sell order.
        pub sell: OrderId,
        /// The energy, on each delivery day.
        pub quantity: Energy,
        /// What the buyer pays per unit.
        pub buyer_price: Price,
        /// What the seller receives per unit.
        pub seller_price: Price,
        /// What the buyer pays for each delivery day.
        pub paid: Money,
        /// What the seller receives for each delivery day; the difference is compensation from the levy.
        pub received: Money,
        /// Whether the buyer failed to pay; then nothing is owed on either side.
        pub defaulted: bool,
    }
}
