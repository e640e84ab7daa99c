//! Step curves, orders over several periods, and orders with a minimum: taken into the book whole
//! or refused whole.
//!
//! Every order of a curve or of a linked order is held to the rules of a single order, and all of
//! them together to every limit on a sum. Of all rules that fail, the lowest number is reported.

use super::order::Entry;
use super::rolling::hold;
use super::{Caller, Failure};
use crate::action::{AuctionAction, LinkedRequest, MinimumRequest, OrderRequest, StepCurve};
use crate::event::Event;
use crate::ids::{LinkedOrderId, OrderId, OrganisationId, SessionId};
use crate::records::{
    AccountKind, Counter, LinkedOrder, LinkedState, Order, OrderStatus, Role, Session, Unit,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{BasisPoints, Energy, Money, OverflowError, Price};
use std::collections::BTreeMap;

/// The most steps of one period of a curve, ...
const PERIOD_STEPS_MAX: usize = 20;
/// ... and of all its periods.
const CURVE_STEPS_MAX: usize = 400;
/// The most linked orders and orders with a minimum that stand in a session: each may cost a round
/// of its clearing.
const SESSION_CONDITIONS_MAX: usize = 100;
/// The most of them that an organisation may place in a session, withdrawn ones counted.
const OWN_CONDITIONS_MAX: usize = 20;

/// The refusal with the lowest number so far.
#[derive(Default)]
struct Lowest(Option<Refusal>);

impl Lowest {
    fn take<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(refusal) => {
                if self.0.is_none_or(|lowest| refusal.rejection < lowest.rejection) {
                    self.0 = Some(refusal);
                }
                None
            }
        }
    }

    fn done(self) -> Result<(), Refusal> {
        self.0.map_or(Ok(()), Err)
    }
}

impl StepCurve {
    /// The orders of its steps, by period, the best first.
    fn requests(&self) -> Vec<OrderRequest> {
        let steps = self.periods.iter().flat_map(|of| of.steps.iter().map(move |s| (of.period, s)));
        let request = |(period, step): (u8, &crate::action::CurveStep)| OrderRequest {
            session: self.session,
            unit: self.unit,
            side: self.side,
            period,
            limit: step.limit,
            quantity: step.quantity,
            conductivity: self.conductivity,
            reference: self.reference,
            time_in_force: TimeInForce::Gtc,
        };
        steps.map(request).collect()
    }

    fn check_shape(&self) -> Result<(), Refusal> {
        let total: usize = self.periods.iter().map(|of| of.steps.len()).sum();
        if total == 0 || total > CURVE_STEPS_MAX {
            let most = i64::try_from(CURVE_STEPS_MAX).unwrap_or(i64::MAX);
            return Err(Rejection::BadStepCurve.of("steps", count(total), most));
        }
        let mut last = None;
        for of in &self.periods {
            if last.is_some_and(|last| last >= of.period) {
                return Err(Rejection::BadStepCurve.of("period", of.period, 0));
            }
            last = Some(of.period);
            let steps = of.steps.len();
            if steps == 0 || steps > PERIOD_STEPS_MAX {
                return Err(Rejection::BadStepCurve.of("steps", count(steps), 20));
            }
            for (step, next) in of.steps.iter().zip(of.steps.iter().skip(1)) {
                let falls_back = match self.side {
                    Side::Buy => next.limit >= step.limit,
                    Side::Sell => next.limit <= step.limit,
                };
                if falls_back {
                    let (price, before) = (next.limit, step.limit.milli_yuan_per_mwh());
                    let price = price.milli_yuan_per_mwh();
                    return Err(Rejection::BadStepCurve.of("limit", price, before));
                }
            }
        }
        Ok(())
    }
}

impl LinkedRequest {
    /// The orders of its periods.
    fn requests(&self) -> Vec<OrderRequest> {
        let request = |point: &crate::records::CurvePoint| OrderRequest {
            session: self.session,
            unit: self.unit,
            side: self.side,
            period: point.period,
            limit: self.limit,
            quantity: point.energy,
            conductivity: BasisPoints::ZERO,
            reference: self.reference,
            time_in_force: TimeInForce::Gtc,
        };
        self.curve.iter().map(request).collect()
    }

    fn check_shape(&self) -> Result<(), Refusal> {
        let mut last = None;
        for point in &self.curve {
            if last.is_some_and(|last| last >= point.period) {
                return Err(Rejection::BadLinkedCurve.of("period", point.period, 0));
            }
            last = Some(point.period);
        }
        last.map(drop).ok_or_else(|| Rejection::BadLinkedCurve.of("curve", 0, 1))
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

impl State {
    pub(super) fn check_auction(
        &self,
        caller: &Caller,
        action: &AuctionAction,
    ) -> Result<(), Refusal> {
        match action {
            AuctionAction::SubmitCurve(curve) => self.check_curve(caller, curve).map(drop),
            AuctionAction::SubmitLinked(request) => self.check_linked(caller, request).map(drop),
            AuctionAction::SubmitMinimum(request) => self.check_minimum(caller, request).map(drop),
            AuctionAction::WithdrawLinked(id) => self.check_linked_withdrawal(caller, *id),
        }
    }

    pub(super) fn apply_auction(
        &mut self,
        caller: Caller,
        action: &AuctionAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            AuctionAction::SubmitCurve(curve) => {
                let orders = self.check_curve(&caller, curve)?;
                Ok(self.place_all(orders, events)?.0)
            }
            AuctionAction::SubmitLinked(request) => {
                let orders = self.check_linked(&caller, request)?;
                self.place_linked(&caller, request, orders, events)
            }
            AuctionAction::SubmitMinimum(request) => {
                let order = self.check_minimum(&caller, request)?;
                let id = self.place(order, events)?;
                self.minimums.insert(id, request.minimum);
                Ok(id.0)
            }
            AuctionAction::WithdrawLinked(id) => self.withdraw_linked(&caller, *id, events),
        }
    }

    /// Places orders one after the other and returns the number of the first.
    fn place_all(
        &mut self,
        orders: Vec<Order>,
        events: &mut Vec<Event>,
    ) -> Result<OrderId, Failure> {
        let first = self.progress().next_order;
        for order in orders {
            self.place(order, events)?;
        }
        Ok(first)
    }

    fn check_curve(&self, caller: &Caller, curve: &StepCurve) -> Result<Vec<Order>, Refusal> {
        let requests = curve.requests();
        let mut lowest = Lowest::default();
        let orders = self.check_parts(caller, (&requests, Entry::Curve), &mut lowest);
        lowest.take(curve.check_shape());
        lowest.done()?;
        self.check_covered(caller, &requests, &orders)?;
        Ok(orders)
    }

    fn check_linked(&self, caller: &Caller, order: &LinkedRequest) -> Result<Vec<Order>, Refusal> {
        let requests = order.requests();
        let mut lowest = Lowest::default();
        let mut orders = self.check_parts(caller, (&requests, Entry::Linked), &mut lowest);
        lowest.take(order.check_shape());
        lowest.take(self.check_conditions_left(order.session, caller.organisation));
        lowest.done()?;
        if let Some(session) = self.sessions.get(order.session) {
            for part in &mut orders {
                part.escrow = hold_linked(part, session)?;
            }
        }
        self.check_covered(caller, &requests, &orders)?;
        Ok(orders)
    }

    fn check_minimum(&self, caller: &Caller, request: &MinimumRequest) -> Result<Order, Refusal> {
        let order = &request.order;
        let mut lowest = Lowest::default();
        let checked = lowest.take(self.check_order_as(caller, order, Entry::Minimum));
        lowest.take(self.check_conditions_left(order.session, caller.organisation));
        let (least, most) = (request.minimum, order.quantity);
        if least <= Energy::ZERO || least > most {
            let refusal = Rejection::BadMinimum.of("minimum", least.kwh(), most.kwh());
            lowest.take::<()>(Err(refusal));
        }
        lowest.done()?;
        checked.ok_or_else(|| Rejection::UnknownOrder.of("order", 0, 0))
    }

    /// Holds requests of one unit and side to the rules of single orders, and to the limits on
    /// their sums.
    fn check_parts(
        &self,
        caller: &Caller,
        (requests, entry): (&[OrderRequest], Entry),
        lowest: &mut Lowest,
    ) -> Vec<Order> {
        let mut orders = Vec::with_capacity(requests.len());
        if requests.is_empty() {
            lowest.take(caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser]));
        }
        for request in requests {
            orders.extend(lowest.take(self.check_order_as(caller, request, entry)));
        }
        // The first alone has told if session or unit is unknown.
        if let Some(first) = requests.first()
            && let (Some(session), Some(unit)) =
                (self.sessions.get(first.session), self.units.get(first.unit))
        {
            lowest.take(self.check_sums(requests, unit, session));
        }
        orders
    }

    /// Holds orders of one unit and side that come together to the limits on their sums, and to the
    /// guarantee.
    pub(super) fn check_together(&self, requests: &[OrderRequest]) -> Result<(), Refusal> {
        let Some(first) = requests.first() else { return Ok(()) };
        let (Some(unit), Some(session)) =
            (self.units.get(first.unit), self.sessions.get(first.session))
        else {
            return Ok(());
        };
        self.check_sums(requests, unit, session)?;
        let quantity = Energy::sum(requests.iter().map(|request| request.quantity))?;
        self.check_guarantee(&OrderRequest { quantity, ..first.clone() }, unit, session)
    }

    fn check_sums(
        &self,
        requests: &[OrderRequest],
        unit: &Unit,
        session: &Session,
    ) -> Result<(), Refusal> {
        let mut periods: BTreeMap<u8, OrderRequest> = BTreeMap::new();
        for request in requests {
            let nothing = || OrderRequest { quantity: Energy::ZERO, ..request.clone() };
            let sum = periods.entry(request.period).or_insert_with(nothing);
            sum.quantity = sum.quantity.plus(request.quantity)?;
        }
        for sum in periods.values() {
            self.check_quantity(sum, unit, session)?;
        }
        if let Some(first) = requests.first() {
            let more = u32::try_from(requests.len()).unwrap_or(u32::MAX);
            self.check_orders_left(unit.owner, (first.session, session), more)?;
        }
        self.check_limits_of(requests, unit, session)
    }

    /// The owner's money and guarantee cover all orders.
    fn check_covered(
        &self,
        caller: &Caller,
        requests: &[OrderRequest],
        orders: &[Order],
    ) -> Result<(), Refusal> {
        let Some(first) = requests.first() else { return Ok(()) };
        let due = Money::sum(orders.iter().map(|order| order.escrow))?;
        let available = self.balance(caller.organisation, AccountKind::Available);
        if first.side == Side::Buy && available < due {
            return Err(Rejection::InsufficientFunds.of("funds", available.fen(), due.fen()));
        }
        let quantity = Energy::sum(requests.iter().map(|request| request.quantity))?;
        let total = OrderRequest { quantity, ..first.clone() };
        match (self.units.get(first.unit), self.sessions.get(first.session)) {
            (Some(unit), Some(session)) => {
                self.check_guarantee(&total, unit, session)?;
                self.check_dunning(unit.owner)
            }
            _ => Ok(()),
        }
    }

    /// Whether one more linked order or order with a minimum fits.
    fn check_conditions_left(
        &self,
        session: SessionId,
        owner: OrganisationId,
    ) -> Result<(), Refusal> {
        let (mut standing, mut own) = (0_usize, 0_usize);
        let mut counted = |of: OrganisationId, stands: bool| {
            standing = standing.saturating_add(usize::from(stands));
            own = own.saturating_add(usize::from(of == owner));
        };
        for row in self.linked_orders.rows().values().filter(|row| row.session == session) {
            counted(row.owner, row.state == LinkedState::Pending);
        }
        let minimums = self.minimums.rows().keys().filter_map(|id| self.orders.get(*id));
        for row in minimums.filter(|row| row.session == session) {
            counted(row.owner, row.status == OrderStatus::Pending);
        }
        if standing >= SESSION_CONDITIONS_MAX || own >= OWN_CONDITIONS_MAX {
            return Err(Rejection::TooManyConditions.of("orders", count(standing), count(own)));
        }
        Ok(())
    }

    fn place_linked(
        &mut self,
        caller: &Caller,
        request: &LinkedRequest,
        orders: Vec<Order>,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let parts = u8::try_from(orders.len()).unwrap_or(u8::MAX);
        let first = self.place_all(orders, events)?;
        let id = LinkedOrderId(self.next_number(Counter::LinkedOrder));
        let row = LinkedOrder {
            session: request.session,
            owner: caller.organisation,
            unit: request.unit,
            side: request.side,
            limit: request.limit,
            first,
            parts,
            reference: request.reference,
            accepted_at: caller.time,
            state: LinkedState::Pending,
        };
        for order in row.orders() {
            self.links.insert(order, id);
        }
        self.linked_orders.insert(id, row);
        let (session, owner) = (request.session, caller.organisation);
        events.push(Event::LinkedPlaced { linked: id, session, owner });
        Ok(id.0)
    }

    fn check_linked_withdrawal(&self, caller: &Caller, id: LinkedOrderId) -> Result<(), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let row = self.linked_orders.get(id);
        let row = row.ok_or_else(|| Rejection::UnknownLinked.of("linked", id.0, 0))?;
        // Its parts stand and fall together.
        self.check_cancel(caller, row.first).map(drop)
    }

    fn withdraw_linked(
        &mut self,
        caller: &Caller,
        id: LinkedOrderId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_linked_withdrawal(caller, id)?;
        let parts: Vec<OrderId> =
            self.linked_orders.get(id).into_iter().flat_map(LinkedOrder::orders).collect();
        for order in parts {
            self.release_order(order, OrderStatus::Cancelled, events)?;
        }
        self.end_linked(id, LinkedState::Withdrawn, events);
        Ok(id.0)
    }
}

/// What a part of a linked order holds: all of them together are enough for any prices with a mean
/// up to the limit. Where prices can be below zero, what one period pays back comes only with the
/// settlement, so what the others may cost above the limit is held, too.
fn hold_linked(part: &Order, session: &Session) -> Result<Money, OverflowError> {
    let below = session.terms.floor.min(Price::ZERO);
    let reach = part.limit.minus(below)?;
    hold((part.side, reach), part.quantity, session.days)
}
