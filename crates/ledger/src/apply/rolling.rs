//! Orders that match on arrival: at the price of the order already in the book, the best price
//! first, at one price the earlier order first (market-rules.md 4.6).

use super::money::times;
use super::period::clear_period;
use crate::action::OrderRequest;
use crate::book::Standing;
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId, SessionId};
use crate::records::{AccountKind, Mode, Order, OrderStatus, Phase, Session, Withdrawal};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::game;
use duet_market::game::Design;
use duet_market::order::Side;
use duet_market::rolling::{TimeInForce, mean, median};
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
        let (session, period) = (order.session, order.period);
        let price = self.arrival_price(incoming, &order);
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
        if self.last_prices_lead(session) {
            self.last_prices.insert((session, period), price);
        }
        events.push(Event::TradeMade { trade, session, period, quantity: energy, price });
        Ok(())
    }

    /// Whether the last price of a session's period leads the next.
    fn last_prices_lead(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(|row| matches!(row.mode, Mode::Continuous(_)))
    }

    /// At which price an incoming order trades with one in the book: at the price of the one in
    /// the book, and after a call at the median of the last price, bid and ask.
    fn arrival_price(&self, incoming: OrderId, resting: &Order) -> Price {
        let Some(order) = self.orders.get(incoming) else { return resting.limit };
        if !self.last_prices_lead(order.session) {
            return resting.limit;
        }
        let (bid, ask) = match order.side {
            Side::Buy => (order.limit, resting.limit),
            Side::Sell => (resting.limit, order.limit),
        };
        let last = self.last_prices.get((order.session, order.period));
        last.map_or_else(|| mean(bid, ask), |last| median(*last, bid, ask))
    }

    /// Clears the call of a session with a continuous phase; what it leaves of orders stays in the
    /// book. If a sum does not fit its integer, the session is called off.
    pub(super) fn call(
        &mut self,
        session: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Some(row) = self.sessions.get(session).cloned() else { return Ok(()) };
        let mut cleared = Vec::new();
        for period in 0..row.terms.resolution.periods() {
            let book = self.books.get(&(session, period)).cloned().unwrap_or_default();
            let orders: Vec<_> = book.iter().filter_map(|id| self.game_order(*id)).collect();
            match clear_period(&orders, &row, Design::None)? {
                Ok(of) => cleared.push((period, book, of.clearing, of.trades)),
                Err(OverflowError { .. }) => return self.void_session(session, events),
            }
        }
        let (mut count, mut volume) = (0_u64, Energy::ZERO);
        for (period, book, clearing, trades) in cleared {
            count = count.saturating_add(u64::try_from(trades.len()).unwrap_or(0));
            volume = volume.plus(clearing.volume)?;
            let traders = self.call_trades(&book, &trades)?;
            if let (Mode::Continuous(terms), Some(price)) = (row.mode, clearing.price)
                && traders >= terms.n1.into()
            {
                self.last_prices.insert((session, period), price);
            }
            self.clearings.insert((session, period), clearing);
        }
        let height = self.height();
        if let Some(row) = self.sessions.get_mut(session) {
            row.called = Some(height);
            row.phase = Phase::Continuous;
        }
        for id in self.session_orders(session) {
            self.restore_standing(id)?;
        }
        events.push(Event::CallCleared { session, trades: count, volume });
        Ok(())
    }

    /// Makes the trades of one period of a call, and returns how many participants they have.
    fn call_trades(
        &mut self,
        book: &[OrderId],
        trades: &[game::Trade],
    ) -> Result<usize, BrokenInvariant> {
        let order = |place: usize| {
            book.get(place).copied().ok_or(BrokenInvariant("a trade is between orders of its book"))
        };
        let mut traders = BTreeSet::new();
        for trade in trades {
            let pair = (order(trade.buy)?, order(trade.sell)?);
            for id in [pair.0, pair.1] {
                traders.extend(self.orders.get(id).map(|order| order.owner));
            }
            self.fill_now(pair.0, trade.quantity, trade.paid)?;
            self.fill_now(pair.1, trade.quantity, Money::ZERO)?;
            self.trade_now(pair, trade.quantity, trade.buyer_price)?;
        }
        Ok(traders.len())
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
    pub(super) fn owed(&self, order: &Order) -> Result<Money, OverflowError> {
        let days = self.sessions.get(order.session).map_or(1, |session| session.days);
        order.escrow.minus(hold((order.side, order.limit), order.left()?, days)?)
    }

    /// Lets the orders of a session arrive, and their owners withdraw them, as they once did.
    pub(super) fn replay_arrivals(
        &mut self,
        session: SessionId,
        ids: &[OrderId],
        called: Option<u64>,
    ) -> Result<(), BrokenInvariant> {
        let mut withdrawals: BTreeSet<(OrderId, OrderId)> = BTreeSet::new();
        for (id, order) in self.orders.rows() {
            let late = |row: &&Withdrawal| row.height >= called.unwrap_or(0);
            if let Some(row) = order.withdrawn.as_ref().filter(late)
                && order.session == session
            {
                withdrawals.insert((row.before, *id));
            }
        }
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
        self.enter(id)?;
        self.arrive(id, &mut Vec::new())
    }

    /// Takes an order into its book and its money into escrow.
    pub(super) fn enter(&mut self, id: OrderId) -> Result<(), BrokenInvariant> {
        let Some(order) = self.orders.get_mut(id) else { return Ok(()) };
        let (owner, key) = (order.owner, (order.session, order.period));
        let (unit, side, quantity) = (order.unit, order.side, order.quantity);
        let days = self.sessions.get(key.0).map_or(1, |session| session.days);
        let escrow = hold((side, order.limit), quantity, days)?;
        order.escrow = escrow;
        self.post((owner, AccountKind::Available), (owner, AccountKind::Escrow), escrow)?;
        self.commit((key.0, unit, key.1), side, quantity)?;
        self.books.entry(key).or_default().push(id);
        Ok(())
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
