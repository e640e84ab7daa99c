//! Placing and withdrawing orders.

use super::position::Period;
use super::rolling::{hold, standing};
use super::{Caller, Failure};
use crate::action::OrderRequest;
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId, SessionId, UnitId};
use crate::records::{
    AccountKind, ListingRole, Mode, Order, OrderStatus, Phase, Role, Session, Unit, Withdrawal,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::carbon::Offer;
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{BasisPoints, ClockTime, Energy, Money, OverflowError, Resolution};

/// The most orders of one session.
const SESSION_ORDERS_MAX: u32 = 1_000_000;
/// The most orders of one member in a session.
const OWN_ORDERS_MAX: u32 = 100_000;

/// How an order comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// By itself.
    Order,
    /// As a take of a listing.
    Take(OrderId),
    /// As a party's side of a contract, whose money is checked as a whole.
    Contract,
    /// As a step of a curve, which is held to sums as a whole.
    Curve,
    /// As a period of an order over several, which is held to sums as a whole.
    Linked,
    /// By itself, with a minimum.
    Minimum,
}

impl State {
    /// Holds a request to every rule, in the order of their numbers, and returns the order that
    /// it makes.
    pub(super) fn check_order(
        &self,
        caller: &Caller,
        request: &OrderRequest,
    ) -> Result<Order, Refusal> {
        self.check_order_as(caller, request, Entry::Order)
    }

    /// As [`Self::check_order`], for an order that comes in some way.
    pub(super) fn check_order_as(
        &self,
        caller: &Caller,
        request: &OrderRequest,
        entry: Entry,
    ) -> Result<Order, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let session = self.open_session_for(request, caller.time)?;
        let unit = self.units.get(request.unit).ok_or(Rejection::UnknownUnit.of(
            "unit",
            request.unit.0,
            0,
        ))?;
        if unit.owner != caller.organisation {
            return Err(Rejection::NotYours.of("unit", request.unit.0, 0));
        }
        let opens = unit.technology.consumes() == (request.side == Side::Buy);
        if session.mode.is_joint() && !opens {
            return Err(Rejection::WrongSide.of("side", i64::from(request.side == Side::Sell), 0));
        }
        self.check_quantity(request, unit, session)?;
        check_price(request, session)?;
        self.check_orders_left(caller.organisation, (request.session, session), 1)?;
        self.check_direction(request, opens)?;
        self.check_arrival(caller.organisation, request, session)?;
        self.check_mode(caller, request, (session, entry))?;
        let offer = self.effective(request, unit, session)?;
        let escrow = hold((request.side, request.limit), request.quantity, session.days)?;
        let order = accepted(caller, request, (session, offer, escrow));
        if matches!(entry, Entry::Curve | Entry::Linked) {
            return Ok(order);
        }
        self.check_limits(request, unit, session)?;
        let available = self.balance(caller.organisation, AccountKind::Available);
        let alone = entry != Entry::Contract && request.side == Side::Buy;
        if alone && available < escrow {
            return Err(Rejection::InsufficientFunds.of("funds", available.fen(), escrow.fen()));
        }
        self.check_guarantee(request, unit, session)?;
        self.check_dunning(unit.owner)?;
        Ok(order)
    }

    fn open_session_for(
        &self,
        request: &OrderRequest,
        time: ClockTime,
    ) -> Result<&Session, Refusal> {
        let id = request.session;
        let session =
            self.sessions.get(id).ok_or(Rejection::UnknownSession.of("session", id.0, 0))?;
        let periods = session.terms.resolution.periods();
        if request.period >= periods {
            return Err(Rejection::UnknownPeriod.of("period", request.period, periods));
        }
        match session.phase {
            Phase::Announced => {
                Err(Rejection::GateNotOpen.of("time", time.unix_ms(), session.gate_open.unix_ms()))
            }
            Phase::Open | Phase::Continuous if time < session.closes_at() => Ok(session),
            Phase::Halted if time < session.closes_at() => {
                Err(Rejection::SessionHalted.of("session", id.0, 0))
            }
            _ => {
                Err(Rejection::GateClosed.of("time", time.unix_ms(), session.closes_at().unix_ms()))
            }
        }
    }

    pub(super) fn check_quantity(
        &self,
        request: &OrderRequest,
        unit: &Unit,
        session: &Session,
    ) -> Result<(), Refusal> {
        let terms = &session.terms;
        let quantity = request.quantity.kwh();
        if quantity <= 0 {
            return Err(Rejection::QuantityNotPositive.of("quantity", quantity, 0));
        }
        if quantity.checked_rem(terms.lot.kwh()) != Some(0) {
            return Err(Rejection::OffLot.of("quantity", quantity, terms.lot.kwh()));
        }
        let opens = unit.technology.consumes() == (request.side == Side::Buy);
        let (resolution, index) = (terms.resolution, request.period);
        let days = (session.day, session.last_day());
        let (least, with_open) = self.held(&[request.unit], days, Period { resolution, index })?;
        let most = if opens {
            period_energy(unit, resolution).minus(with_open)?
        } else {
            // What is bought back, open orders of every session counted, is at most what is held
            // (Shandong rules 4.4.17(2), 4.4.18).
            least
        };
        if request.quantity > most {
            return Err(Rejection::OverCapacity.of("quantity", quantity, most.kwh()));
        }
        Ok(())
    }

    /// Whether so many more orders of a member fit into a session.
    pub(super) fn check_orders_left(
        &self,
        owner: OrganisationId,
        (id, session): (SessionId, &Session),
        more: u32,
    ) -> Result<(), Refusal> {
        let own = self.members.orders(id, owner);
        let counts = [
            ("session", session.orders, SESSION_ORDERS_MAX),
            ("orders of the member", own, OWN_ORDERS_MAX),
        ];
        for (field, count, most) in counts {
            let count = count.saturating_add(more);
            if count > most {
                return Err(Rejection::TooManyOrders.of(field, count, most));
            }
        }
        Ok(())
    }

    /// A unit buys or sells in one period of a session, not both (Shandong rules 4.4.17(5)); so do
    /// all units of an organisation, to which [`State::check_limits_of`] holds every order.
    fn check_direction(&self, request: &OrderRequest, opens: bool) -> Result<(), Refusal> {
        let key = (request.session, request.unit, request.period);
        for rows in [&self.commitments, &self.positions] {
            let energy = rows.get(&key).copied().unwrap_or_default();
            if (opens && energy < Energy::ZERO) || (!opens && energy > Energy::ZERO) {
                return Err(Rejection::BothDirections.of("side", energy.kwh(), 0));
            }
        }
        Ok(())
    }

    /// Counts the energy of an order that is, or is no longer, pending.
    pub(crate) fn commit(
        &mut self,
        key: (SessionId, UnitId, u8),
        side: Side,
        energy: Energy,
    ) -> Result<(), OverflowError> {
        let energy = if self.opens(key.1, side) { energy } else { energy.negated()? };
        let committed = self.commitments.entry(key).or_default();
        *committed = committed.plus(energy)?;
        Ok(())
    }

    pub(super) fn submit_order(
        &mut self,
        caller: Caller,
        request: &OrderRequest,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let order = self.check_order(&caller, request)?;
        if let Some(Mode::Listing(_)) = self.sessions.get(order.session).map(|row| row.mode) {
            let role = ListingRole { lists: true, side: order.side };
            self.listing_roles.insert((order.session, order.owner), role);
        }
        let id = self.place(order, events)?;
        if self.sessions.get(request.session).is_some_and(Session::matches_on_arrival) {
            self.arrive(id, events)?;
        }
        Ok(id.0)
    }

    /// Takes an order that was checked into its book, and its money into escrow.
    pub(super) fn place(
        &mut self,
        order: Order,
        events: &mut Vec<Event>,
    ) -> Result<OrderId, Failure> {
        let owner = (order.owner, AccountKind::Available);
        self.post(owner, (order.owner, AccountKind::Escrow), order.escrow)?;
        let id = self.change_progress(|progress| {
            let id = progress.next_order;
            progress.next_order = id.next();
            progress.accepted = progress.accepted.saturating_add(1);
            id
        });
        let mut order = order;
        if let Some(session) = self.sessions.get_mut(order.session) {
            order.sequence = session.orders;
            session.orders = session.orders.saturating_add(1);
        }
        let key = (order.session, order.unit, order.period);
        self.commit(key, order.side, order.quantity).map_err(Refusal::from)?;
        self.books.entry((order.session, order.period)).or_default().push(id);
        let (session, owner) = (order.session, order.owner);
        self.members.add_order(session, owner);
        self.orders.insert(id, order);
        events.push(Event::OrderAccepted { order: id, session, owner });
        Ok(id)
    }

    pub(super) fn check_cancel(&self, caller: &Caller, id: OrderId) -> Result<Order, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let order = self.orders.get(id).ok_or(Rejection::UnknownOrder.of("order", id.0, 0))?;
        let session = self.sessions.get(order.session);
        // A halted session keeps its book, and the right to withdraw, beyond its gate.
        let closed = |session: &Session| {
            session.phase != Phase::Halted && session.closes_at() <= caller.time
        };
        if session.is_some_and(closed) {
            return Err(Rejection::GateClosed.of("order", id.0, 0));
        }
        if order.owner != caller.organisation {
            return Err(Rejection::NotYours.of("order", id.0, 0));
        }
        if order.status != OrderStatus::Pending {
            return Err(Rejection::OrderNotPending.of("order", id.0, 0));
        }
        let frozen =
            |session: &Session| session.phase != Phase::Halted && session.is_frozen(caller.time);
        if session.is_some_and(frozen) {
            return Err(Rejection::CancellationClosed.of("order", id.0, 0));
        }
        if session.is_some_and(|session| session.mode == Mode::Bilateral) {
            return Err(Rejection::WrongMode.of("order", id.0, 0));
        }
        self.check_listing_free(id)?;
        Ok(order.clone())
    }

    /// As [`Self::check_cancel`], for an order by its own number.
    pub(super) fn check_cancel_alone(
        &self,
        caller: &Caller,
        id: OrderId,
    ) -> Result<Order, Refusal> {
        let order = self.check_cancel(caller, id)?;
        if let Some(linked) = self.links.get(id) {
            return Err(Rejection::PartOfLinked.of("order", id.0, linked.0));
        }
        Ok(order)
    }

    pub(super) fn cancel_order(
        &mut self,
        caller: Caller,
        id: OrderId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_cancel_alone(&caller, id)?;
        self.release_order(id, OrderStatus::Cancelled, events)?;
        Ok(id.0)
    }

    /// Takes a pending order out of its book, gives back what is held for what of it is not filled,
    /// and ends it: it is matched if anything of it is filled, else in this status.
    pub(super) fn release_order(
        &mut self,
        id: OrderId,
        status: OrderStatus,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Some(order) = self.orders.get(id).cloned() else { return Ok(()) };
        let left = order.left()?;
        let keep = if order.filled.is_zero() { Money::ZERO } else { self.owed(&order)? };
        self.hold_exactly(order.owner, order.escrow, keep)?;
        if let Some(listing) = self.takes.get(id).copied() {
            self.count_taken(listing, order.quantity.negated()?)?;
        }
        let key = (order.session, order.unit, order.period);
        self.commit(key, order.side, left.negated()?)?;
        // What stands only for a moment was never in the book.
        if order.time_in_force == TimeInForce::Gtc
            && let Some(book) = self.live.get_mut(&(order.session, order.period))
        {
            book.take(standing(id, &order, left), left);
        }
        let (height, before) = (self.height(), self.progress().next_order);
        let withdrawn = (status == OrderStatus::Cancelled).then_some(Withdrawal { height, before });
        let status = if order.filled.is_zero() { status } else { OrderStatus::Matched };
        // Numbers rise in order of acceptance, so a book is sorted.
        if status == OrderStatus::Cancelled
            && let Some(book) = self.books.get_mut(&(order.session, order.period))
            && let Ok(place) = book.binary_search(&id)
        {
            book.remove(place);
        }
        if let Some(row) = self.orders.get_mut(id) {
            row.status = status;
            row.escrow = keep;
            row.withdrawn = withdrawn;
        }
        let (session, owner) = (order.session, order.owner);
        events.push(Event::OrderCancelled { order: id, session, owner });
        Ok(())
    }
}

/// The order that a request makes.
fn accepted(
    caller: &Caller,
    request: &OrderRequest,
    (session, offer, escrow): (&Session, Offer, Money),
) -> Order {
    Order {
        session: request.session,
        sequence: session.orders,
        owner: caller.organisation,
        signer: caller.signer,
        unit: request.unit,
        side: request.side,
        period: request.period,
        limit: request.limit,
        quantity: request.quantity,
        conductivity: request.conductivity,
        effective: offer.ask,
        registered_ask: offer.registered_ask,
        rent: offer.rent,
        reference: request.reference,
        accepted_at: caller.time,
        escrow,
        filled: Energy::ZERO,
        status: OrderStatus::Pending,
        time_in_force: request.time_in_force,
        withdrawn: None,
    }
}

fn check_price(request: &OrderRequest, session: &Session) -> Result<(), Refusal> {
    let terms = &session.terms;
    let limit = request.limit.milli_yuan_per_mwh();
    if limit.checked_rem(terms.tick.milli_yuan_per_mwh()) != Some(0) {
        return Err(Rejection::OffTick.of("limit", limit, terms.tick.milli_yuan_per_mwh()));
    }
    if request.limit < terms.floor {
        return Err(Rejection::OutsideBand.of("limit", limit, terms.floor.milli_yuan_per_mwh()));
    }
    if request.limit > terms.ceiling {
        return Err(Rejection::OutsideBand.of("limit", limit, terms.ceiling.milli_yuan_per_mwh()));
    }
    let most = match request.side {
        Side::Sell if session.mode.is_joint() => BasisPoints::ONE,
        Side::Buy | Side::Sell => BasisPoints::ZERO,
    };
    if request.conductivity < BasisPoints::ZERO || request.conductivity > most {
        let declared = request.conductivity.bp();
        return Err(Rejection::BadConductivity.of("conductivity", declared, most.bp()));
    }
    Ok(())
}

/// The most energy that a unit delivers or uses in one period.
pub(super) fn period_energy(unit: &Unit, resolution: Resolution) -> Energy {
    let kw_ms = unit.capacity.kw().saturating_mul(resolution.period_ms());
    Energy::from_kwh(kw_ms.div_euclid(3_600_000))
}
