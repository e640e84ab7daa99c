//! Orders and trades.

use super::{Big, Hex32, mirror, view};
use serde::{Deserialize, Serialize};

mirror! {
    /// The side of an order.
    Side {
        /// Takes energy.
        Buy,
        /// Gives energy.
        Sell,
    }
}

/// How long an order stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until it is filled or withdrawn, or the session ends.
    #[default]
    Day,
    /// What does not fill at once is released.
    ImmediateOrCancel,
    /// It fills at once and whole, or not at all.
    FillOrKill,
}

impl From<duet_ledger::TimeInForce> for TimeInForce {
    fn from(value: duet_ledger::TimeInForce) -> Self {
        match value {
            duet_ledger::TimeInForce::Gtc => Self::Day,
            duet_ledger::TimeInForce::Ioc => Self::ImmediateOrCancel,
            duet_ledger::TimeInForce::Fok => Self::FillOrKill,
        }
    }
}

impl From<TimeInForce> for duet_ledger::TimeInForce {
    fn from(value: TimeInForce) -> Self {
        match value {
            TimeInForce::Day => Self::Gtc,
            TimeInForce::ImmediateOrCancel => Self::Ioc,
            TimeInForce::FillOrKill => Self::Fok,
        }
    }
}

mirror! {
    /// The stage of a clearing.
    Stage {
        /// The call auction.
        First,
        /// The compensated auction of what the first left.
        Second,
    }
}

mirror! {
    /// Where an order stands; the last four are final.
    OrderStatus {
        /// In the book, waiting for the gate to close.
        Pending,
        /// Filled, at least in part; the rest is released.
        Matched,
        /// Paid for.
        Paid,
        /// Instructed to the units.
        Dispatched,
        /// Metered.
        Delivered,
        /// Settled: final.
        Settled,
        /// Withdrawn by its owner: final.
        Cancelled,
        /// Not filled when the gate closed, or the session was called off: final.
        Expired,
        /// Every trade of it failed to be paid: final.
        Defaulted,
    }
}

view! {
    /// An accepted order.
    Order(id: duet_ledger::OrderId, row: &duet_ledger::Order) {
        /// Its number.
        id: u64 = id.0;
        /// Its session.
        session: u32 = row.session.0;
        /// Its place in the session, counted from 0 in order of acceptance.
        sequence: u32 = row.sequence;
        /// Whose it is.
        owner: u32 = row.owner.0;
        /// Who signed it.
        signer: Hex32 = row.signer.into();
        /// The unit that delivers or uses the energy.
        unit: u32 = row.unit.0;
        /// Buy or sell.
        side: Side = row.side.into();
        /// The delivery period within the day.
        period: u8 = row.period;
        /// The limit price as declared: of a sell order, without carbon.
        limit_milli_yuan_per_mwh: i64 = row.limit.milli_yuan_per_mwh();
        /// The energy offered or wanted.
        quantity_kwh: i64 = row.quantity.kwh();
        /// The declared conductivity of the carbon price; zero for a buy order.
        conductivity_bp: i64 = row.conductivity.bp();
        /// The price that the auction sees: the limit and, for a sell order, the carbon adder.
        effective_milli_yuan_per_mwh: i64 = row.effective.milli_yuan_per_mwh();
        /// The unit's registered cost with the same adder; zero for a buy order.
        registered_ask_milli_yuan_per_mwh: i64 = row.registered_ask.milli_yuan_per_mwh();
        /// The over-conduction rent; zero for a buy order.
        rent_milli_yuan_per_mwh: i64 = row.rent.milli_yuan_per_mwh();
        /// The owner's own reference.
        reference: u64 = row.reference;
        /// When it was accepted.
        accepted_at_ms: i64 = row.accepted_at.unix_ms();
        /// Money held for it.
        escrow_fen: Big = Big(row.escrow.fen());
        /// The energy filled in both stages.
        filled_kwh: i64 = row.filled.kwh();
        /// Where it stands.
        status: OrderStatus = row.status.into();
    }
}

view! {
    /// A matched pair: who delivers to whom.
    Trade(id: duet_ledger::TradeId, row: &duet_ledger::Trade) {
        /// Its number.
        id: u64 = id.0;
        /// Its session.
        session: u32 = row.session.0;
        /// The delivery period within the day.
        period: u8 = row.period;
        /// The stage in which it was matched.
        stage: Stage = row.stage.into();
        /// The buy order.
        buy: u64 = row.buy.0;
        /// The sell order.
        sell: u64 = row.sell.0;
        /// The energy.
        quantity_kwh: i64 = row.quantity.kwh();
        /// What the buyer pays per unit.
        buyer_price_milli_yuan_per_mwh: i64 = row.buyer_price.milli_yuan_per_mwh();
        /// What the seller receives per unit.
        seller_price_milli_yuan_per_mwh: i64 = row.seller_price.milli_yuan_per_mwh();
        /// What the buyer pays.
        paid_fen: Big = Big(row.paid.fen());
        /// What the seller receives.
        received_fen: Big = Big(row.received.fen());
        /// Whether the buyer failed to pay.
        defaulted: bool = row.defaulted;
    }
}
