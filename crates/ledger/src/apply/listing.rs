//! Listings: one side posts energy at a price, the other takes of it.

use super::order::Entry;
use super::period::{Cleared, period_clearing, trade};
use super::{Caller, Failure};
use crate::action::{ListingTake, OrderRequest};
use crate::event::Event;
use crate::ids::OrderId;
use crate::records::{ListingRole, ListingTerms, Mode, Order, OrderStatus, Role, Session};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_market::listing::{Sharing, Source, Take, share};
use duet_market::order::Side;
use duet_market::rolling::TimeInForce;
use duet_units::{BasisPoints, Energy, OverflowError};
use std::collections::BTreeMap;

/// How long a window of takers is (Beijing rules art. 76): 15 minutes.
const WINDOW_MS: i64 = 900_000;

impl State {
    /// Whether the session's mode takes orders that come in this way.
    pub(super) fn check_mode(
        &self,
        caller: &Caller,
        request: &OrderRequest,
        (session, entry): (&Session, Entry),
    ) -> Result<(), Refusal> {
        let id = request.session;
        let fits = match session.mode {
            Mode::Bilateral => entry == Entry::Contract,
            Mode::Listing(_) => matches!(entry, Entry::Order | Entry::Take(_)),
            Mode::Call | Mode::Uniform(_) => {
                matches!(entry, Entry::Order | Entry::Curve | Entry::Linked | Entry::Minimum)
            }
            Mode::Joint | Mode::Pairwise(_) => matches!(entry, Entry::Order | Entry::Curve),
            Mode::Continuous(_) => {
                let called = session.called.is_some();
                entry == Entry::Order || (entry == Entry::Curve && !called)
            }
            Mode::Rolling => entry == Entry::Order,
        };
        if !fits {
            return Err(Rejection::WrongMode.of("session", id.0, 0));
        }
        let Mode::Listing(terms) = session.mode else { return Ok(()) };
        let role = ListingRole { lists: entry == Entry::Order, side: request.side };
        let one_sided = role.lists && terms.listers.is_some_and(|side| side != role.side);
        let before = self.listing_roles.get((id, caller.organisation));
        if one_sided || before.is_some_and(|before| *before != role) {
            return Err(Rejection::RoleFixed.of("side", u8::from(role.side == Side::Sell), 0));
        }
        match entry {
            Entry::Take(listing) => self.check_left(listing, request.quantity, terms.sharing),
            _ => Ok(()),
        }
    }

    /// Whether a listing is there to be taken of; by time, only what is left of it.
    fn check_left(&self, id: OrderId, wanted: Energy, sharing: Sharing) -> Result<(), Refusal> {
        let pending = self.orders.get(id).filter(|row| row.status == OrderStatus::Pending);
        let listing = pending.ok_or(Rejection::NotListed.of("listing", id.0, 0))?;
        let taken = self.taken.get(&id).copied().unwrap_or_default();
        let left = listing.quantity.minus(taken)?;
        if sharing == Sharing::Time && wanted > left {
            return Err(Rejection::ListingTaken.of("quantity", wanted.kwh(), left.kwh()));
        }
        Ok(())
    }

    pub(super) fn check_listing_take(
        &self,
        caller: &Caller,
        take: &ListingTake,
    ) -> Result<Order, Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        let id = take.listing;
        let unknown = || Rejection::NotListed.of("listing", id.0, 0);
        let listing = self.orders.get(id).filter(|_| self.takes.get(id).is_none());
        let listing = listing.ok_or_else(unknown)?;
        let session = self.sessions.get(listing.session).ok_or_else(unknown)?;
        if !matches!(session.mode, Mode::Listing(_)) {
            return Err(unknown());
        }
        let request = OrderRequest {
            session: listing.session,
            unit: take.unit,
            side: listing.side.opposite(),
            period: listing.period,
            limit: listing.limit,
            quantity: take.quantity,
            conductivity: BasisPoints::ZERO,
            reference: take.reference,
            time_in_force: TimeInForce::Gtc,
        };
        self.check_order_as(caller, &request, Entry::Take(id))
    }

    pub(super) fn take_listing(
        &mut self,
        caller: Caller,
        take: &ListingTake,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let order = self.check_listing_take(&caller, take)?;
        let (session, side, quantity) = (order.session, order.side, order.quantity);
        let id = self.place(order, events)?;
        self.takes.insert(id, take.listing);
        self.count_taken(take.listing, quantity).map_err(Refusal::from)?;
        let role = ListingRole { lists: false, side };
        self.listing_roles.insert((session, caller.organisation), role);
        Ok(id.0)
    }

    /// Counts energy that is, or is no longer, taken of a listing.
    pub(super) fn count_taken(
        &mut self,
        listing: OrderId,
        quantity: Energy,
    ) -> Result<(), OverflowError> {
        let taken = self.taken.entry(listing).or_default();
        *taken = taken.plus(quantity)?;
        Ok(())
    }

    /// A listing that somebody has taken of stays.
    pub(super) fn check_listing_free(&self, id: OrderId) -> Result<(), Refusal> {
        if self.taken.get(&id).is_some_and(|taken| !taken.is_zero()) {
            return Err(Rejection::ListingTaken.of("order", id.0, 0));
        }
        Ok(())
    }

    /// Shares out every listing of a period; trades name orders by their place in `book`.
    pub(super) fn share_listings(
        &self,
        session: &Session,
        terms: ListingTerms,
        book: &[OrderId],
    ) -> Result<Cleared, OverflowError> {
        let (mut trades, mut volume) = (Vec::new(), Energy::ZERO);
        let mut takers_of: BTreeMap<OrderId, Vec<(usize, &Order)>> = BTreeMap::new();
        for (place, id) in book.iter().enumerate() {
            if let (Some(listing), Some(row)) = (self.takes.get(*id), self.orders.get(*id)) {
                takers_of.entry(*listing).or_default().push((place, row));
            }
        }
        for (place, id) in book.iter().enumerate() {
            let Some(listing) = self.orders.get(*id) else { continue };
            let Some(takers) = takers_of.get(id) else { continue };
            let takes: Vec<Take> =
                takers.iter().map(|(_, taker)| self.take_of(session, taker)).collect();
            let shares = share(listing.quantity, &takes, terms.sharing)?;
            for ((taker, _), energy) in takers.iter().zip(shares) {
                if energy.is_zero() {
                    continue;
                }
                let pair =
                    if listing.side == Side::Sell { (*taker, place) } else { (place, *taker) };
                volume = volume.plus(energy)?;
                trades.push(trade(pair, energy, listing.limit)?);
            }
        }
        // Every listing has its own price; a period has none.
        Ok(Cleared::plain(period_clearing(None, volume), trades))
    }

    fn take_of(&self, session: &Session, taker: &Order) -> Take {
        let after = taker.accepted_at.unix_ms().saturating_sub(session.gate_open.unix_ms());
        let clean = taker.side == Side::Sell
            && self.units.get(taker.unit).is_some_and(|unit| unit.technology.is_renewable());
        Take {
            quantity: taker.quantity,
            window: u32::try_from(after.div_euclid(WINDOW_MS)).unwrap_or(0),
            source: if clean { Source::Clean } else { Source::Other },
        }
    }
}
