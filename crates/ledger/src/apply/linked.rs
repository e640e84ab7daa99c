//! The clearing of a session with orders over several periods or with a minimum, by the acceptance
//! rule of [`duet_market::linked`].

use super::period::{Cleared, call_rule, uniform};
use crate::event::Event;
use crate::ids::{LinkedOrderId, OrderId, SessionId};
use crate::records::{LinkedOrder, LinkedState, Mode, Session};
use crate::sealed::ReplayError;
use crate::state::State;
use duet_market::auction::Clearing;
use duet_market::linked::{
    LinkedBook, LinkedClearing, Minimum, MultiPeriodOrder, PriceRule, Reason, clear_linked,
};
use duet_market::order::{Order, Side};
use duet_units::{Energy, OverflowError};
use std::collections::BTreeMap;

/// The periods of a cleared session, each with its book, and what became of the linked orders.
pub(super) type ClearedSession =
    (Vec<(u8, Vec<OrderId>, Cleared)>, Vec<(LinkedOrderId, LinkedState)>);

/// Where an order of a period's book is.
#[derive(Clone, Copy)]
enum Place {
    /// Among the orders of its own.
    Own(usize),
    /// A part of the linked order with this position.
    Part(usize),
}

/// The books of a session as the acceptance rule takes them.
#[derive(Default)]
struct Books {
    periods: Vec<Vec<Order>>,
    places: Vec<Vec<(Place, Order)>>,
    linked: Vec<MultiPeriodOrder>,
    minimums: Vec<Minimum>,
}

impl State {
    pub(super) fn has_conditions(&self, session: SessionId) -> bool {
        let minimums = self.minimums.rows().keys().filter_map(|id| self.orders.get(*id));
        self.standing_linked(session).next().is_some()
            || minimums.filter(|row| row.session == session).count() > 0
    }

    fn standing_linked(
        &self,
        session: SessionId,
    ) -> impl Iterator<Item = (LinkedOrderId, &LinkedOrder)> {
        let rows = self.linked_orders.rows().iter();
        rows.filter(move |(_, row)| row.session == session && row.state == LinkedState::Pending)
            .map(|(id, row)| (*id, row))
    }

    pub(super) fn clear_conditions(
        &self,
        session: SessionId,
        row: &Session,
    ) -> Result<ClearedSession, OverflowError> {
        let rule = match row.mode {
            Mode::Uniform(k1) => PriceRule::LastPair { k1, rationing: row.terms.rationing },
            _ => PriceRule::Call(call_rule(&row.terms)),
        };
        let books = self.conditional_books(session, row);
        let Books { periods, linked, minimums, .. } = &books;
        let clearing = clear_linked(&LinkedBook { periods, linked, minimums }, &rule)?;
        let mut cleared = Vec::with_capacity(periods.len());
        for (period, of) in (0_u8..).zip(books.period_clearings(&clearing)) {
            let book = self.books.get(&(session, period)).cloned().unwrap_or_default();
            let (orders, clearing) = of;
            cleared.push((period, book, uniform(&orders, &clearing)?));
        }
        let mut states: Vec<LinkedState> = vec![LinkedState::Accepted; linked.len()];
        for (position, reason) in clearing.rejected {
            if let Some(state) = states.get_mut(position) {
                *state = match reason {
                    Reason::NotFilled => LinkedState::NotFilled,
                    Reason::AtALoss => LinkedState::AtALoss,
                };
            }
        }
        let ids = self.standing_linked(session).map(|(id, _)| id);
        Ok((cleared, ids.zip(states).collect()))
    }

    fn conditional_books(&self, session: SessionId, row: &Session) -> Books {
        let periods = row.terms.resolution.periods();
        let mut books = Books::default();
        let mut positions: BTreeMap<LinkedOrderId, usize> = BTreeMap::new();
        for (position, (id, linked)) in self.standing_linked(session).enumerate() {
            positions.insert(id, position);
            let quantities = vec![Energy::ZERO; periods.into()];
            let (side, limit) = (linked.side, linked.limit);
            books.linked.push(MultiPeriodOrder { side, limit, quantities });
        }
        for period in 0..periods {
            let (mut own, mut places) = (Vec::new(), Vec::new());
            for id in self.books.get(&(session, period)).into_iter().flatten() {
                let Some(game_order) = self.game_order(*id) else { continue };
                let mut order = game_order.order;
                let position = self.links.get(*id).and_then(|linked| positions.get(linked));
                if let Some(position) = position.copied() {
                    let linked = books.linked.get_mut(position);
                    let part = linked.and_then(|of| of.quantities.get_mut(usize::from(period)));
                    if let Some(part) = part {
                        *part = order.quantity;
                    }
                    // Whatever the price: it is paired as the best of its side.
                    order.limit = match order.side {
                        Side::Buy => row.terms.ceiling,
                        Side::Sell => row.terms.floor,
                    };
                    places.push((Place::Part(position), order));
                    continue;
                }
                if let Some(energy) = self.minimums.get(*id).copied() {
                    books.minimums.push(Minimum {
                        period: period.into(),
                        order: own.len(),
                        energy,
                    });
                }
                places.push((Place::Own(own.len()), order));
                own.push(order);
            }
            books.periods.push(own);
            books.places.push(places);
        }
        books
    }

    /// Ends an order over several periods.
    pub(super) fn end_linked(
        &mut self,
        id: LinkedOrderId,
        state: LinkedState,
        events: &mut Vec<Event>,
    ) {
        if let Some(row) = self.linked_orders.get_mut(id) {
            row.state = state;
            let session = row.session;
            events.push(Event::LinkedEnded { linked: id, session, state });
        }
    }

    /// Ends what is left of them with a session that is called off.
    pub(super) fn expire_linked(&mut self, session: SessionId, events: &mut Vec<Event>) {
        let left: Vec<LinkedOrderId> = self.standing_linked(session).map(|(id, _)| id).collect();
        for id in left {
            self.end_linked(id, LinkedState::Expired, events);
        }
    }

    /// Makes a replayed order a part of its linked order.
    pub(super) fn replay_link(
        &mut self,
        (id, linked): (OrderId, LinkedOrderId),
        withdrawn: bool,
    ) -> Result<(), ReplayError> {
        let order = self.orders.get(id).cloned().ok_or(ReplayError::Missing("an order"))?;
        self.links.insert(id, linked);
        if let Some(row) = self.linked_orders.get_mut(linked) {
            let same = (row.session, row.owner, row.side, row.limit)
                == (order.session, order.owner, order.side, order.limit);
            row.parts = row.parts.saturating_add(1);
            return if same { Ok(()) } else { Err(ReplayError::Missing("a linked order")) };
        }
        let state = if withdrawn { LinkedState::Withdrawn } else { LinkedState::Pending };
        let row = LinkedOrder {
            session: order.session,
            owner: order.owner,
            unit: order.unit,
            side: order.side,
            limit: order.limit,
            first: id,
            parts: 1,
            reference: order.reference,
            accepted_at: order.accepted_at,
            state,
        };
        self.linked_orders.insert(linked, row);
        Ok(())
    }

    /// The filled orders of a period that set its price: the purchase with the lowest and the sale
    /// with the highest limit, of several the last; parts of linked orders set none.
    #[must_use]
    pub fn marginal_orders(&self, session: SessionId, period: u8) -> [Option<OrderId>; 2] {
        let (mut bid, mut ask) = (None, None);
        for id in self.books.get(&(session, period)).into_iter().flatten() {
            let Some(order) = self.orders.get(*id).filter(|order| !order.filled.is_zero()) else {
                continue;
            };
            if self.links.get(*id).is_some() {
                continue;
            }
            let limit = order.effective;
            match order.side {
                Side::Buy if bid.is_none_or(|(of, _)| limit <= of) => bid = Some((limit, *id)),
                Side::Sell if ask.is_none_or(|(of, _)| limit >= of) => ask = Some((limit, *id)),
                _ => {}
            }
        }
        [bid, ask].map(|end| end.map(|(_, id)| id))
    }
}

impl Books {
    /// The periods with all their orders, parts of linked ones included.
    fn period_clearings(&self, of: &LinkedClearing) -> Vec<(Vec<Order>, Clearing)> {
        let mut periods = Vec::with_capacity(self.places.len());
        for (places, period) in self.places.iter().zip(&of.periods) {
            let fill = |(place, order): &(Place, Order)| match place {
                Place::Own(place) => period.fills.get(*place).copied().unwrap_or_default(),
                Place::Part(linked) if of.accepted.contains(linked) => order.quantity,
                Place::Part(_) => Energy::ZERO,
            };
            let fills = places.iter().map(fill).collect();
            let clearing = Clearing {
                interval: period.interval,
                price: period.price,
                volume: period.volume,
                fills,
            };
            periods.push((places.iter().map(|(_, order)| *order).collect(), clearing));
        }
        periods
    }
}
