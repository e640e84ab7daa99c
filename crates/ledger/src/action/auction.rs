//! What members do in sessions that clear when their gate closes, beside single orders.

use super::OrderRequest;
use crate::codec::{cases, record};
use crate::ids::{LinkedOrderId, SessionId, UnitId};
use crate::records::CurvePoint;
use duet_market::order::Side;
use duet_units::{BasisPoints, Energy, Price};

record! {
    /// One step of a curve.
    pub struct CurveStep {
        /// The limit price of its energy; of a sell order, without carbon.
        pub limit: Price,
        /// The energy.
        pub quantity: Energy,
    }
}

record! {
    /// The steps of one period.
    pub struct PeriodSteps {
        /// The delivery period within the day.
        pub period: u8,
        /// The steps, best first: prices rise for a sale and fall for a purchase.
        pub steps: Vec<CurveStep>,
    }
}

record! {
    /// A step curve over the periods of a session: one order a step, all or none accepted.
    pub struct StepCurve {
        /// The session.
        pub session: SessionId,
        /// The unit that delivers or uses the energy.
        pub unit: UnitId,
        /// Buy or sell.
        pub side: Side,
        /// The declared conductivity; zero for purchases.
        pub conductivity: BasisPoints,
        /// The owner's own reference, which every order of the curve carries.
        pub reference: u64,
        /// The periods, ascending.
        pub periods: Vec<PeriodSteps>,
    }
}

record! {
    /// An order over several periods, filled in full in all of them or in none, at a mean price.
    pub struct LinkedRequest {
        /// The session.
        pub session: SessionId,
        /// The unit that delivers or uses the energy.
        pub unit: UnitId,
        /// Buy or sell.
        pub side: Side,
        /// The worst acceptable mean price of all its energy.
        pub limit: Price,
        /// The energy of each period, ascending by period.
        pub curve: Vec<CurvePoint>,
        /// The owner's own reference.
        pub reference: u64,
    }
}

record! {
    /// An order that is filled to a minimum or not at all.
    pub struct MinimumRequest {
        /// The order.
        pub order: OrderRequest,
        /// The least energy to fill.
        pub minimum: Energy,
    }
}

cases! {
    /// What members do in sessions that clear when their gate closes, beside single orders.
    pub enum AuctionAction ("auction action") {
        /// Places a step curve.
        SubmitCurve(StepCurve) = 1,
        /// Places an order over several periods.
        SubmitLinked(LinkedRequest) = 2,
        /// Places an order with a minimum.
        SubmitMinimum(MinimumRequest) = 3,
        /// Withdraws an order over several periods.
        WithdrawLinked(LinkedOrderId) = 4,
    }
}
