//! Postings, deposits, payments.

use super::{Caller, Failure};
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId, PaymentId, SessionId, TradeId};
use crate::records::{
    AccountKey, AccountKind, Balance, OrderStatus, Payment, PaymentState, Role, Trade,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_units::{Money, OverflowError};
use std::collections::{BTreeMap, BTreeSet};

/// The most money of one deposit or correction: 1e15 fen, ten trillion yuan.
pub(super) const AMOUNT_MAX_FEN: i128 = 1_000_000_000_000_000;

/// The amount of one delivery day for all days of a product.
pub(super) fn times(amount: Money, days: u16) -> Result<Money, OverflowError> {
    let overflow = OverflowError { operation: "amount of all delivery days", unit: "fen" };
    amount.fen().checked_mul(days.into()).map(Money::from_fen).ok_or(overflow)
}

impl State {
    /// Moves `amount` from one account to another; the one place where money moves, so balances
    /// always sum to zero.
    pub(super) fn post(
        &mut self,
        from: (OrganisationId, AccountKind),
        to: (OrganisationId, AccountKind),
        amount: Money,
    ) -> Result<(), BrokenInvariant> {
        if amount < Money::ZERO {
            return Err(BrokenInvariant("a posting is never negative"));
        }
        if amount.is_zero() || from == to {
            return Ok(());
        }
        let taken = self.balance(from.0, from.1).minus(amount)?;
        let held = !matches!(from.1, AccountKind::Available | AccountKind::External);
        if taken < Money::ZERO && held {
            return Err(BrokenInvariant("money that is held is never overdrawn"));
        }
        let given = self.balance(to.0, to.1).plus(amount)?;
        let key = |(organisation, kind)| AccountKey { organisation, kind };
        self.balances.insert(key(from), Balance { amount: taken });
        self.balances.insert(key(to), Balance { amount: given });
        Ok(())
    }

    pub(super) fn check_deposit(
        &self,
        caller: &Caller,
        (organisation, amount, reference): (OrganisationId, Money, u64),
    ) -> Result<(), Refusal> {
        caller.needs(&[Role::Bank])?;
        if amount <= Money::ZERO {
            return Err(Rejection::AmountNotPositive.of("amount", amount.fen(), 0));
        }
        if self.organisations.get(organisation).is_none() {
            return Err(Rejection::UnknownOrganisation.of("organisation", organisation.0, 0));
        }
        if amount.fen() > AMOUNT_MAX_FEN {
            return Err(Rejection::AmountTooLarge.of("amount", amount.fen(), AMOUNT_MAX_FEN));
        }
        self.check_reference(caller, reference)
    }

    /// References make deposits and allocations count once, however often they are sent.
    pub(super) fn check_reference(&self, caller: &Caller, reference: u64) -> Result<(), Refusal> {
        if self.references.get((caller.organisation, reference)).is_some() {
            return Err(Rejection::ReferenceUsed.of("reference", reference, 0));
        }
        Ok(())
    }

    pub(super) fn deposit(
        &mut self,
        caller: Caller,
        request: (OrganisationId, Money, u64),
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_deposit(&caller, request)?;
        let (organisation, amount, reference) = request;
        let bank = (self.bank, AccountKind::External);
        self.post(bank, (organisation, AccountKind::Available), amount)?;
        self.references.insert((caller.organisation, reference), ());
        events.push(Event::Deposited { organisation, amount });
        Ok(u64::from(organisation.0))
    }

    pub(super) fn check_payment(
        &self,
        caller: &Caller,
        payment: PaymentId,
    ) -> Result<Payment, Refusal> {
        caller.needs(&[Role::Bank])?;
        let row = self
            .payments
            .get(payment)
            .ok_or(Rejection::UnknownPayment.of("payment", payment.0, 0))?;
        if row.state != PaymentState::Proposed {
            return Err(Rejection::PaymentNotProposed.of("payment", payment.0, 0));
        }
        Ok(row.clone())
    }

    pub(super) fn confirm_payment(
        &mut self,
        caller: Caller,
        id: PaymentId,
        confirmed: bool,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let payment = self.check_payment(&caller, id)?;
        events.push(Event::PaymentResolved { payment: id, confirmed });
        if confirmed {
            let escrow = (payment.payer, AccountKind::Escrow);
            self.post(escrow, (self.exchange, AccountKind::Clearing), payment.amount)?;
            self.end_payment(id, PaymentState::Confirmed, Money::ZERO);
            self.pass_on_payment(payment.session, payment.payer);
        } else {
            self.fail_payment(id, &payment, events)?;
        }
        if self.payments_resolved(payment.session) {
            self.pass_on_to_sellers(payment.session);
        }
        Ok(id.0)
    }

    /// Whether every payment of the session is confirmed or failed.
    pub(super) fn payments_resolved(&self, session: SessionId) -> bool {
        self.payments
            .rows()
            .values()
            .all(|payment| payment.session != session || payment.state != PaymentState::Proposed)
    }

    pub(super) fn end_payment(&mut self, id: PaymentId, state: PaymentState, drawn: Money) {
        if let Some(row) = self.payments.get_mut(id) {
            (row.state, row.drawn) = (state, drawn);
        }
    }

    /// The payer's orders follow its payment: one is paid if any of its trades stands, else in
    /// default.
    pub(super) fn pass_on_payment(&mut self, session: SessionId, payer: OrganisationId) {
        // A matched order has a trade.
        let trades = self.members.trades(session, payer).filter_map(|id| self.trades.get(id));
        let mut stand: BTreeMap<OrderId, bool> = BTreeMap::new();
        for trade in trades {
            *stand.entry(trade.buy).or_default() |= !trade.defaulted;
        }
        for (id, stands) in stand {
            let matched = self
                .orders
                .get(id)
                .is_some_and(|order| order.owner == payer && order.status == OrderStatus::Matched);
            if matched && let Some(order) = self.orders.get_mut(id) {
                order.status = if stands { OrderStatus::Paid } else { OrderStatus::Defaulted };
                order.escrow = Money::ZERO;
            }
        }
    }

    /// The orders of a side of a session that have a trade which is not in default.
    fn standing(&self, session: SessionId, side: impl Fn(&Trade) -> OrderId) -> BTreeSet<OrderId> {
        let trades = self.session_trades(session).into_iter();
        trades
            .filter_map(|id| self.trades.get(id))
            .filter(|trade| !trade.defaulted)
            .map(side)
            .collect()
    }

    /// Takes a trade and what it moved out again.
    pub(super) fn default_trade(&mut self, id: TradeId) -> Result<(), BrokenInvariant> {
        let Some(trade) = self.trades.get_mut(id) else { return Ok(()) };
        trade.defaulted = true;
        let (buy, sell, energy) = (trade.buy, trade.sell, trade.quantity.negated()?);
        for order in [buy, sell] {
            self.add_position(order, energy)?;
            self.count_traded(order, energy)?;
        }
        Ok(())
    }

    /// Once no payment is open, a sell order is paid if any of its trades is, else in default.
    pub(super) fn pass_on_to_sellers(&mut self, session: SessionId) {
        let paid = self.standing(session, |trade| trade.sell);
        for id in self.session_orders(session) {
            let matched = self.orders.get(id).is_some_and(|order| {
                order.status == OrderStatus::Matched && order.side == duet_market::order::Side::Sell
            });
            if matched && let Some(order) = self.orders.get_mut(id) {
                order.status =
                    if paid.contains(&id) { OrderStatus::Paid } else { OrderStatus::Defaulted };
            }
        }
    }
}
