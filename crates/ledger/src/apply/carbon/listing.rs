//! Listed agreements: listing, taking, withdrawing.

use super::super::{Caller, Failure};
use super::deal::NewDeal;
use super::terms::{Intent, TRADERS};
use crate::action::{CarbonListing, CarbonTake};
use crate::event::Event;
use crate::ids::CarbonOrderId;
use crate::records::{CarbonMode, CarbonOrder, Counter};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::allowance::listed::{self, BLOCK_FROM, Level, Listing, Take};
use duet_market::order::Side;
use duet_units::{Allowances, CarbonPrice};

/// A part of a listing that a taker gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    order: CarbonOrderId,
    allowances: Allowances,
    price: CarbonPrice,
}

impl State {
    /// The five best prices of the listings of a side, best first, without names.
    #[must_use]
    pub fn carbon_levels(&self, side: Side) -> Vec<Level> {
        let orders = self.carbon_orders.rows().values();
        let listings: Vec<Listing> = orders
            .filter(|order| order.is_listing() && order.side == side)
            .map(|order| Listing { quantity: order.allowances, price: order.price })
            .collect();
        listed::levels(&listings, side)
    }

    fn check_listed(&self, caller: &Caller, intent: Intent) -> Result<(), Refusal> {
        caller.needs(&TRADERS)?;
        self.check_means(caller, intent)?;
        let terms = &self.market()?.terms;
        self.check_hours(caller, &[&terms.morning, &terms.afternoon])?;
        if intent.allowances >= BLOCK_FROM {
            let (value, bound) = (intent.allowances.t(), BLOCK_FROM.t());
            return Err(Rejection::BlockSize.of("allowances", value, bound));
        }
        Ok(())
    }

    pub(super) fn check_listing(
        &self,
        caller: &Caller,
        listing: &CarbonListing,
    ) -> Result<(), Refusal> {
        let intent =
            Intent { side: listing.side, allowances: listing.allowances, price: listing.price };
        self.check_listed(caller, intent)?;
        self.check_band(listing.price, self.market()?.terms.listed_band)?;
        self.check_same_day(caller, intent)?;
        self.check_room(caller)
    }

    pub(super) fn list(
        &mut self,
        caller: Caller,
        listing: &CarbonListing,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_listing(&caller, listing)?;
        let order = CarbonOrder {
            owner: caller.organisation,
            side: listing.side,
            allowances: listing.allowances,
            price: listing.price,
            counterparty: None,
            bidding: None,
        };
        self.accept_order(order, events)
    }

    /// Holds what an order needs and puts it into the book.
    pub(super) fn accept_order(
        &mut self,
        order: CarbonOrder,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let owner = order.owner;
        self.hold(owner, order.intent())?;
        let id = CarbonOrderId(self.next_number(Counter::CarbonOrder));
        self.carbon_orders.insert(id, order);
        events.push(Event::CarbonOrderAccepted { order: id, owner });
        Ok(id.0)
    }

    /// Returns what the taker gets. Its own listings are passed over, as if they were not there.
    pub(super) fn check_take(
        &self,
        caller: &Caller,
        take: &CarbonTake,
    ) -> Result<Vec<Part>, Refusal> {
        let intent = Intent { side: take.side, allowances: take.allowances, price: take.limit };
        self.check_listed(caller, intent)?;
        self.check_same_day(caller, intent)?;
        let (ids, listings): (Vec<_>, Vec<_>) = self
            .carbon_orders
            .rows()
            .iter()
            .filter(|(_, order)| order.is_listing() && order.side == take.side.opposite())
            .filter(|(_, order)| order.owner != caller.organisation)
            .map(|(id, order)| (*id, Listing { quantity: order.allowances, price: order.price }))
            .unzip();
        let wanted = Take { side: take.side, quantity: take.allowances, limit: take.limit };
        // The quantity was checked above by the same rules.
        let picks = listed::take(&listings, &wanted).unwrap_or_default();
        let parts = picks.into_iter().filter_map(|pick| {
            let order = *ids.get(pick.listing)?;
            Some(Part { order, allowances: pick.quantity, price: pick.price })
        });
        let parts: Vec<Part> = parts.collect();
        if parts.is_empty() {
            return Err(Rejection::NothingListed.of("limit", take.limit.fen_per_t(), 0));
        }
        Ok(parts)
    }

    /// Deals with each listing in turn; what they do not hold is not dealt and does not stand.
    /// Returns the number of the first deal.
    pub(super) fn take(
        &mut self,
        caller: Caller,
        take: &CarbonTake,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let mut first = None;
        for part in self.check_take(&caller, take)? {
            let Some(owner) = self.carbon_orders.get(part.order).map(|order| order.owner) else {
                continue;
            };
            self.draw_on(part.order, part.allowances)?;
            let (seller, buyer) = NewDeal::parties(take.side, caller.organisation, owner);
            let deal = NewDeal {
                mode: CarbonMode::Listed,
                order: part.order,
                seller,
                buyer,
                allowances: part.allowances,
                price: part.price,
            };
            let id = self.deal(deal, events)?;
            first.get_or_insert(id.0);
        }
        Ok(first.unwrap_or(0))
    }

    /// The owner may withdraw; so may the other party of a block that was proposed to it.
    pub(super) fn check_carbon_withdrawal(
        &self,
        caller: &Caller,
        id: CarbonOrderId,
    ) -> Result<(), Refusal> {
        caller.needs(&TRADERS)?;
        let order = self.carbon_orders.get(id);
        let may = |order: &CarbonOrder| {
            order.owner == caller.organisation || order.counterparty == Some(caller.organisation)
        };
        if order.is_some_and(|order| !may(order)) {
            return Err(Rejection::NotYours.of("order", id.0, 0));
        }
        order.map(drop).ok_or(Rejection::UnknownOrder.of("order", id.0, 0))
    }

    pub(super) fn withdraw_carbon_order(
        &mut self,
        caller: Caller,
        id: CarbonOrderId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_carbon_withdrawal(&caller, id)?;
        self.end_order(id, events)?;
        Ok(id.0)
    }
}
