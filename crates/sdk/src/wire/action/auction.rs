//! Curves, orders over several periods, and orders with a minimum, as JSON.

use super::{Action, ActionError, OrderRequest};
use crate::wire::{CurvePoint, Side, request};
use duet_ledger::{AuctionAction, LinkedOrderId, SessionId, UnitId};
use duet_units::{BasisPoints, Energy, Price};

request! {
    /// One step of a curve.
    CurveStep {
        /// The limit price of its energy; of a sell order, without carbon.
        limit_milli_yuan_per_mwh: i64 = limit: Price::from_milli_yuan_per_mwh,
            Price::milli_yuan_per_mwh;
        /// The energy.
        quantity_kwh: i64 = quantity: Energy::from_kwh, Energy::kwh;
    }
}

request! {
    /// The steps of one period.
    PeriodSteps {
        /// The delivery period within the day.
        period: u8 = period: |period: u8| period, |period: u8| period;
        /// The steps, best first: prices rise for a sale and fall for a purchase.
        steps: Vec<CurveStep> = steps: all, all;
    }
}

request! {
    /// A step curve over the periods of a session: one order a step, all or none accepted.
    StepCurve {
        /// The session.
        session: u32 = session: SessionId, |session: SessionId| session.0;
        /// The unit that delivers or uses the energy.
        unit: u32 = unit: UnitId, |unit: UnitId| unit.0;
        /// Buy or sell.
        side: Side = side: duet_ledger::Side::from, Side::from;
        /// The declared conductivity; zero for purchases.
        conductivity_bp: i64 = conductivity: BasisPoints::from_bp, BasisPoints::bp;
        /// The owner's own reference, which every order of the curve carries.
        reference: u64 = reference: |reference: u64| reference, |reference: u64| reference;
        /// The periods, ascending: at most 20 steps each, and 400 in all.
        periods: Vec<PeriodSteps> = periods: all, all;
    }
}

request! {
    /// An order over several periods, filled in full in all of them or in none, at a mean price.
    LinkedRequest {
        /// The session.
        session: u32 = session: SessionId, |session: SessionId| session.0;
        /// The unit that delivers or uses the energy.
        unit: u32 = unit: UnitId, |unit: UnitId| unit.0;
        /// Buy or sell.
        side: Side = side: duet_ledger::Side::from, Side::from;
        /// The worst acceptable mean price of all its energy.
        limit_milli_yuan_per_mwh: i64 = limit: Price::from_milli_yuan_per_mwh,
            Price::milli_yuan_per_mwh;
        /// The energy of each period, ascending by period.
        curve: Vec<CurvePoint> = curve: points, wire_points;
        /// The owner's own reference.
        reference: u64 = reference: |reference: u64| reference, |reference: u64| reference;
    }
}

request! {
    /// An order that is filled to a minimum or not at all.
    MinimumRequest {
        /// The order.
        order: OrderRequest = order: duet_ledger::OrderRequest::from, OrderRequest::from;
        /// The least energy to fill.
        minimum_kwh: i64 = minimum: Energy::from_kwh, Energy::kwh;
    }
}

fn all<A, B: From<A>>(from: Vec<A>) -> Vec<B> {
    from.into_iter().map(Into::into).collect()
}

fn points(wire: Vec<CurvePoint>) -> Vec<duet_ledger::CurvePoint> {
    let point = |point: CurvePoint| duet_ledger::CurvePoint {
        period: point.period,
        energy: Energy::from_kwh(point.energy_kwh),
    };
    wire.into_iter().map(point).collect()
}

fn wire_points(rows: Vec<duet_ledger::CurvePoint>) -> Vec<CurvePoint> {
    let point = |row: duet_ledger::CurvePoint| CurvePoint {
        period: row.period,
        energy_kwh: row.energy.kwh(),
    };
    rows.into_iter().map(point).collect()
}

impl From<StepCurve> for AuctionAction {
    fn from(wire: StepCurve) -> Self {
        Self::SubmitCurve(wire.into())
    }
}

impl From<LinkedRequest> for AuctionAction {
    fn from(wire: LinkedRequest) -> Self {
        Self::SubmitLinked(wire.into())
    }
}

impl From<MinimumRequest> for AuctionAction {
    fn from(wire: MinimumRequest) -> Self {
        Self::SubmitMinimum(wire.into())
    }
}

/// The withdrawal of the linked order with this number.
pub(super) const fn withdrawal(linked: u64) -> AuctionAction {
    AuctionAction::WithdrawLinked(LinkedOrderId(linked))
}

impl TryFrom<AuctionAction> for Action {
    type Error = ActionError;

    fn try_from(action: AuctionAction) -> Result<Self, ActionError> {
        Ok(match action {
            AuctionAction::SubmitCurve(row) => Self::SubmitCurve(row.into()),
            AuctionAction::SubmitLinked(row) => Self::SubmitLinked(row.into()),
            AuctionAction::SubmitMinimum(row) => Self::SubmitMinimum(row.into()),
            AuctionAction::WithdrawLinked(id) => Self::WithdrawLinked { linked: id.0 },
            _ => return Err(ActionError),
        })
    }
}
