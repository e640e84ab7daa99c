//! The gate closes: each period is cleared, trades are made, the rest is released.

use super::linked::ClearedSession;
use super::money::times;
use super::period::{Cleared, clear_period, sum_up, trade};
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId, SessionId, TradeId};
use crate::records::{
    AccountKind, Mode, Order, OrderStatus, Payment, PaymentState, PeriodClearing, Phase,
    PriceInterval, Session, Trade,
};
use crate::state::{BrokenInvariant, State};
use duet_market::game::{self, GameOrder};
use duet_market::order::Side;
use duet_units::{Energy, Money, OverflowError, Price};
use std::collections::BTreeMap;

impl State {
    /// Clears a session. If a sum of a period does not fit its integer, which the limits on terms
    /// and capacities exclude, the whole session is called off, so that nothing is half done.
    pub(super) fn clear_session(
        &mut self,
        session: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Some(mut row) = self.sessions.get(session).cloned() else { return Ok(()) };
        if row.mode == Mode::Bilateral || row.matches_on_arrival() {
            return self.close_contracts(session, events);
        }
        self.draw(session, &mut row);
        let Ok((cleared, linked)) = self.clear_periods(session, &row)? else {
            return self.void_session(session, events);
        };
        let (mut first, mut second, mut count) = (Energy::ZERO, Energy::ZERO, 0_u64);
        for (period, book, Cleared { clearing, trades, interval }) in cleared {
            if let Some((lowest, highest)) = interval {
                self.intervals.insert((session, period), PriceInterval { lowest, highest });
            }
            first = first.plus(clearing.volume)?;
            second = second.plus(clearing.second_volume)?;
            count = count.saturating_add(u64::try_from(trades.len()).unwrap_or(0));
            self.book_trades((session, period), &book, &trades)?;
            if row.mode.is_joint() {
                self.measure((session, period), &row, &clearing)?;
            }
            self.clearings.insert((session, period), clearing);
        }
        if let Some(draw) = row.draw {
            events.push(Event::SecondStageDrawn { session, draw, held: row.held() });
        }
        events.push(Event::SessionCleared { session, trades: count, first, second });
        for (id, state) in linked {
            self.end_linked(id, state, events);
        }
        self.end_trading(session, events)
    }

    /// Clears the periods of a session, each alone or, if there are orders that link them or that
    /// have a minimum, all together. An overflow is a fault of the orders, not of the ledger.
    fn clear_periods(
        &self,
        session: SessionId,
        row: &Session,
    ) -> Result<Result<ClearedSession, OverflowError>, BrokenInvariant> {
        if self.has_conditions(session) {
            return Ok(self.clear_conditions(session, row));
        }
        let mut cleared = Vec::new();
        for period in 0..row.terms.resolution.periods() {
            let book = self.books.get(&(session, period)).cloned().unwrap_or_default();
            let orders: Vec<GameOrder> =
                book.iter().filter_map(|id| self.game_order(*id)).collect();
            let of_period = match row.mode {
                Mode::Listing(terms) => self.share_listings(row, terms, &book),
                _ => clear_period(&orders, row, row.second_stage_of(period))?,
            };
            match of_period {
                Ok(of_period) => {
                    let drawn = row.drawn(period);
                    let clearing = PeriodClearing { drawn, ..of_period.clearing };
                    cleared.push((period, book, Cleared { clearing, ..of_period }));
                }
                Err(overflow) => return Ok(Err(overflow)),
            }
        }
        Ok(Ok((cleared, Vec::new())))
    }

    /// Closes a session whose trades were made while it was open: each period is summed up.
    fn close_contracts(
        &mut self,
        session: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let (mut count, mut total) = (0_u64, Energy::ZERO);
        let mut cleared = Vec::new();
        for (period, trades) in self.trades_by_period(session) {
            count = count.saturating_add(u64::try_from(trades.len()).unwrap_or(0));
            cleared
                .push((period, sum_up(trades.iter().map(|(_, t)| (t.quantity, t.buyer_price)))?));
        }
        for (period, clearing) in cleared {
            total = total.plus(clearing.volume)?;
            self.clearings.insert((session, period), clearing);
        }
        self.expire_proposals(session);
        let (first, second) = (total, Energy::ZERO);
        events.push(Event::SessionCleared { session, trades: count, first, second });
        self.end_trading(session, events)
    }

    /// What every session comes to when its trades are made.
    fn end_trading(
        &mut self,
        session: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        self.commitments.retain(|(other, _, _), _| *other != session);
        self.live.retain(|(other, _), _| *other != session);
        self.last_prices.remove_where(|(other, _), _| *other == session);
        self.set_phase(session, Phase::Cleared);
        self.close_orders(session, events)?;
        if self.sessions.get(session).is_some_and(|row| !row.mode.is_joint()) {
            let hash = self.result_hash(session, &[], &[]);
            if let Some(row) = self.sessions.get_mut(session) {
                row.result_hash = Some(hash);
            }
        }
        Ok(())
    }

    pub(super) fn game_order(&self, id: OrderId) -> Option<GameOrder> {
        let order = self.orders.get(id)?;
        let unit = self.units.get(order.unit)?;
        let sells = order.side == Side::Sell;
        Some(GameOrder {
            order: duet_market::order::Order {
                side: order.side,
                limit: order.effective,
                quantity: order.quantity,
                emission_factor: unit.emission_factor,
            },
            registered_ask: order.registered_ask,
            registered_cost: if sells { unit.registered_cost } else { Price::ZERO },
            rent: order.rent,
        })
    }

    fn book_trades(
        &mut self,
        (session, period): (SessionId, u8),
        book: &[OrderId],
        trades: &[game::Trade],
    ) -> Result<(), BrokenInvariant> {
        let order = |place: usize| {
            book.get(place).copied().ok_or(BrokenInvariant("a trade is between orders of its book"))
        };
        for trade in trades {
            let pair = (order(trade.buy)?, order(trade.sell)?);
            self.book_trade((session, period), pair, trade)?;
        }
        Ok(())
    }

    fn book_trade(
        &mut self,
        (session, period): (SessionId, u8),
        (buy, sell): (OrderId, OrderId),
        trade: &game::Trade,
    ) -> Result<TradeId, BrokenInvariant> {
        for id in [buy, sell] {
            if let Some(row) = self.orders.get_mut(id) {
                row.filled = row.filled.plus(trade.quantity)?;
            }
            self.add_position(id, trade.quantity)?;
            self.count_traded(id, trade.quantity)?;
        }
        let id = self.change_progress(|progress| {
            let id = progress.next_trade;
            progress.next_trade = id.next();
            id
        });
        let row = Trade {
            session,
            period,
            stage: trade.stage,
            buy,
            sell,
            quantity: trade.quantity,
            buyer_price: trade.buyer_price,
            seller_price: trade.seller_price,
            paid: trade.paid,
            received: trade.received,
            defaulted: false,
        };
        if let Some(parties) = self.parties(buy, sell) {
            self.members.add_trade(session, parties, id);
        }
        self.trades.insert(id, row);
        Ok(id)
    }

    /// Trades between two pending orders while their session is open, at one price.
    pub(super) fn trade_now(
        &mut self,
        (buy, sell): (OrderId, OrderId),
        quantity: Energy,
        price: Price,
    ) -> Result<TradeId, BrokenInvariant> {
        let missing = BrokenInvariant("a trade is between orders of its book");
        for id in [buy, sell] {
            let order = self.orders.get(id).ok_or(missing)?;
            let (key, side) = ((order.session, order.unit, order.period), order.side);
            self.commit(key, side, quantity.negated()?)?;
        }
        let of = self.orders.get(buy).map(|order| (order.session, order.period)).ok_or(missing)?;
        self.book_trade(of, (buy, sell), &trade((0, 0), quantity, price)?)
    }

    /// Ends what was not filled, keeps in escrow what is owed, and proposes a payment to the bank
    /// for each buyer.
    fn close_orders(
        &mut self,
        session: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let days = self.sessions.get(session).map_or(1, |session| session.days);
        let mut owed: BTreeMap<OrderId, Money> = BTreeMap::new();
        for id in self.session_trades(session) {
            let Some(trade) = self.trades.get(id) else { continue };
            // What a buyer is owed, at a price below zero, comes with the settlement.
            let sum = owed.entry(trade.buy).or_default();
            *sum = sum.plus(times(trade.paid.max(Money::ZERO), days)?)?;
        }
        // Every buyer that filled, also one that owes nothing.
        let mut payments: BTreeMap<OrganisationId, Money> = BTreeMap::new();
        for id in self.session_orders(session) {
            let Some(order) = self.orders.get(id) else { continue };
            if order.status == OrderStatus::Expired {
                continue;
            }
            check_fill(order)?;
            let (owner, held) = (order.owner, order.escrow);
            let bought = order.side == Side::Buy && !order.filled.is_zero();
            let keep = owed.get(&id).copied().unwrap_or_default();
            self.hold_exactly(owner, held, keep)?;
            if bought {
                let sum = payments.entry(owner).or_default();
                *sum = sum.plus(keep)?;
            }
            if let Some(order) = self.orders.get_mut(id) {
                order.escrow = keep;
                order.status = if order.filled.is_zero() {
                    OrderStatus::Expired
                } else {
                    OrderStatus::Matched
                };
            }
        }
        self.propose_payments(session, payments, events)
    }

    /// Proposes to the bank what each buyer owes. Who owes nothing, at a price of zero or below,
    /// has paid.
    fn propose_payments(
        &mut self,
        session: SessionId,
        payments: BTreeMap<OrganisationId, Money>,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        for (payer, amount) in payments {
            if amount.is_zero() {
                self.pass_on_payment(session, payer);
                continue;
            }
            let mut progress = self.progress();
            let payment = progress.next_payment;
            progress.next_payment = payment.next();
            self.progress.insert((), progress);
            let (state, drawn) = (PaymentState::Proposed, Money::ZERO);
            self.payments.insert(payment, Payment { session, payer, amount, state, drawn });
            events.push(Event::PaymentProposed { payment, payer, amount });
        }
        if self.payments_resolved(session) {
            self.pass_on_to_sellers(session);
        }
        Ok(())
    }

    /// Brings what is held for an order from `held` to `keep`. The sum of an order's trades, each
    /// rounded, can be above its escrow, rounded once, by half a fen a trade: that comes out of
    /// the available balance.
    pub(super) fn hold_exactly(
        &mut self,
        owner: OrganisationId,
        held: Money,
        keep: Money,
    ) -> Result<(), BrokenInvariant> {
        let (escrow, available) = ((owner, AccountKind::Escrow), (owner, AccountKind::Available));
        if held >= keep {
            self.post(escrow, available, held.minus(keep)?)
        } else {
            self.post(available, escrow, keep.minus(held)?)
        }
    }
}

fn check_fill(order: &Order) -> Result<(), BrokenInvariant> {
    if !matches!(order.status, OrderStatus::Pending | OrderStatus::Matched) {
        return Err(BrokenInvariant("no order has ended when its gate closes"));
    }
    if order.filled > order.quantity {
        return Err(BrokenInvariant("an order is never filled beyond its quantity"));
    }
    Ok(())
}
