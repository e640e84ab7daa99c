//! Orders that match on arrival: at the price of the order already in the book, the best price
//! first, at one price the earlier order first (market-rules.md 4.6).

use super::money::times;
use crate::action::OrderRequest;
use crate::book::Standing;
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId};
use crate::records::{AccountKind, Order, OrderStatus, Session};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{Energy, Money, OverflowError, Price};
use std::collections::BTreeSet;

/// What a buy order of so much holds for `days`: its value at the limit, rounded up. A sell order
/// holds nothing.
pub(super) fn hold(
    (side, limit): (Side, Price),
    quantity: Energy,
    days: u16,
) -> Result<Money, OverflowError> {
    // A sell order's value must fit, too: it bounds what its trades are worth.
    let a_day = limit.value_of(quantity)?.rounded_up()?;
    let total = times(a_day.max(Money::ZERO), days)?;
    Ok(if side == Side::Buy { total } else { Money::ZERO })
}

impl State {
    /// Refuses an order that would meet one of the same organisation (Shandong 4.4.17(5)), and a
    /// time in force that the session has no use for.
    pub(super) fn check_arrival(
        &self,
        owner: OrganisationId,
        request: &OrderRequest,
        session: &Session,
    ) -> Result<(), Refusal> {
        if let Some(book) = self.live.get(&(request.session, request.period))
            && book.has_own(owner, request.side, request.limit)
        {
            let limit = request.limit.milli_yuan_per_mwh();
            return Err(Rejection::SelfTrade.of("limit", limit, 0));
        }
        if request.time_in_force != TimeInForce::Gtc && !session.matches_on_arrival() {
            return Err(Rejection::BadTimeInForce.of("session", request.session.0, 0));
        }
        Ok(())
    }

    /// Trades a new order with the book; then lets the rest stand, or releases it.
    pub(super) fn arrive(
        &mut self,
        id: OrderId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Some(order) = self.orders.get(id).cloned() else { return Ok(()) };
        let key = (order.session, order.period);
        let mut met = self
            .live
            .get(&key)
            .map_or_else(Vec::new, |book| book.meets(order.side, order.limit, order.quantity));
        let met_energy = Energy::sum(met.iter().map(|(_, energy)| *energy))?;
        if order.time_in_force == TimeInForce::Fok && met_energy < order.quantity {
            met.clear();
        }
        for (resting, energy) in met {
            self.make_trade(id, (resting, energy), events)?;
        }
        let Some(order) = self.orders.get(id).cloned() else { return Ok(()) };
        let left = order.left()?;
        if left.is_zero() {
            return Ok(());
        }
        if order.time_in_force == TimeInForce::Gtc {
            self.live.entry(key).or_default().insert(standing(id, &order, left));
            return Ok(());
        }
        self.release_order(id, OrderStatus::Expired, events)
    }

    /// Makes one trade of an incoming order with one in the book.
    fn make_trade(
        &mut self,
        incoming: OrderId,
        (resting, energy): (OrderId, Energy),
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let missing = BrokenInvariant("an order in a book has a row");
        let order = self.orders.get(resting).cloned().ok_or(missing)?;
        let (session, period, price) = (order.session, order.period, order.limit);
        let standing = standing(resting, &order, order.left()?);
        if let Some(book) = self.live.get_mut(&(session, period)) {
            book.take(standing, energy);
        }
        let (buy, sell) = match order.side {
            Side::Buy => (resting, incoming),
            Side::Sell => (incoming, resting),
        };
        self.fill_now(buy, energy, price.cost_of(energy)?)?;
        self.fill_now(sell, energy, Money::ZERO)?;
        let trade = self.trade_now((buy, sell), energy, price)?;
        events.push(Event::TradeMade { trade, session, period, quantity: energy, price });
        Ok(())
    }

    /// Moves a part of an order from what is open to what is filled and owed. `paid` is what its
    /// owner pays for it on a day. [`State::trade_now`] counts the fill.
    fn fill_now(
        &mut self,
        id: OrderId,
        energy: Energy,
        paid: Money,
    ) -> Result<(), BrokenInvariant> {
        let Some(order) = self.orders.get(id).cloned() else { return Ok(()) };
        let days = self.sessions.get(order.session).map_or(1, |session| session.days);
        let before = order.left()?;
        let after = before.minus(energy)?;
        let terms = (order.side, order.limit);
        let keep = order
            .escrow
            .minus(hold(terms, before, days)?)?
            .plus(hold(terms, after, days)?)?
            .plus(times(paid.max(Money::ZERO), days)?)?;
        self.hold_exactly(order.owner, order.escrow, keep)?;
        if let Some(row) = self.orders.get_mut(id) {
            row.escrow = keep;
            if after.is_zero() {
                row.status = OrderStatus::Matched;
            }
        }
        Ok(())
    }

    /// What a pending order that is filled in part holds for that part.
    pub(super) fn owed(&self, order: &Order) -> Result<Money, BrokenInvariant> {
        let days = self.sessions.get(order.session).map_or(1, |session| session.days);
        Ok(order.escrow.minus(hold((order.side, order.limit), order.left()?, days)?)?)
    }

    /// Lets the orders of a session arrive, and their owners withdraw them, as they once did.
    pub(super) fn replay_arrivals(&mut self, ids: &[OrderId]) -> Result<(), BrokenInvariant> {
        let withdrawn = |id: &OrderId| {
            let order = self.orders.get(*id)?;
            order.withdrawn.as_ref().map(|row| (row.before, *id))
        };
        let mut withdrawals: BTreeSet<(OrderId, OrderId)> =
            ids.iter().filter_map(withdrawn).collect();
        for id in ids {
            let later = withdrawals.split_off(&(id.next(), OrderId(0)));
            for (_, withdrawn) in std::mem::replace(&mut withdrawals, later) {
                self.replay_withdrawal(withdrawn)?;
            }
            self.replay_arrival(*id)?;
        }
        withdrawals.into_iter().try_for_each(|(_, id)| self.replay_withdrawal(id))
    }

    fn replay_arrival(&mut self, id: OrderId) -> Result<(), BrokenInvariant> {
        let Some(order) = self.orders.get_mut(id) else { return Ok(()) };
        let (owner, key) = (order.owner, (order.session, order.period));
        let (unit, side, quantity) = (order.unit, order.side, order.quantity);
        let days = self.sessions.get(key.0).map_or(1, |session| session.days);
        let escrow = hold((side, order.limit), quantity, days)?;
        order.escrow = escrow;
        self.post((owner, AccountKind::Available), (owner, AccountKind::Escrow), escrow)?;
        self.commit((key.0, unit, key.1), side, quantity)?;
        self.books.entry(key).or_default().push(id);
        self.arrive(id, &mut Vec::new())
    }

    fn replay_withdrawal(&mut self, id: OrderId) -> Result<(), BrokenInvariant> {
        if self.orders.get(id).is_none_or(|order| order.status != OrderStatus::Pending) {
            return Err(BrokenInvariant("an order is pending when it is withdrawn"));
        }
        self.release_order(id, OrderStatus::Cancelled, &mut Vec::new())
    }

    /// Puts a pending order that was restored into its book, if its session matches on arrival.
    pub(crate) fn restore_standing(&mut self, id: OrderId) -> Result<(), OverflowError> {
        let Some(order) = self.orders.get(id) else { return Ok(()) };
        let on_arrival =
            self.sessions.get(order.session).is_some_and(|row| row.matches_on_arrival());
        if on_arrival && order.status == OrderStatus::Pending {
            let standing = standing(id, order, order.left()?);
            self.live.entry((order.session, order.period)).or_default().insert(standing);
        }
        Ok(())
    }
}

/// An order as its book sees it.
pub(super) const fn standing(id: OrderId, order: &Order, left: Energy) -> Standing {
    Standing { id, owner: order.owner, side: order.side, limit: order.limit, left }
}
