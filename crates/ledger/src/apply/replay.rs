//! Running a sealed book again: a state made of what the book holds, and the ledger's own rules.

use super::session::{bad_product, bad_term};
use super::{Caller, Failure};
use crate::action::{OrderRequest, SessionNotice};
use crate::ids::{OrderId, OrganisationId, PublicKey, SessionId};
use crate::records::{
    AccountKey, AccountKind, Balance, CertifiedUnit, Mode, Order, OrderStatus, PaymentState, Phase,
    PublishedPrices, Role, Roles, Session,
};
use crate::rejection::Rejection;
use crate::sealed::{ReplayError, SealedInput, SealedOrder, SealedSession};
use crate::state::{BrokenInvariant, State};
use duet_units::{Energy, Money};

/// What everyone has in a replay: orders were held to their funds when they were accepted.
const FUNDS_FEN: i128 = 1_000_000_000_000_000_000_000_000;

impl From<Failure> for ReplayError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused(refusal),
            Failure::Broken(broken) => Self::Broken(broken),
        }
    }
}

impl State {
    /// The state that a sealed book comes to.
    pub(crate) fn replayed(input: &SealedInput) -> Result<Self, ReplayError> {
        let mut state = Self::bare([0; 32], [input.exchange, input.grid, input.bank]);
        state.take_parties(input)?;
        let mut sessions: Vec<&SealedSession> = input.sessions.iter().collect();
        sessions.sort_by_key(|session| (session.gate_close, session.id));
        for session in sessions {
            state.take_session(session)?;
            state.take_agreed(session)?;
            state.clear_session(session.id, &mut Vec::new())?;
            state.resolve_payments(input.bank, session)?;
        }
        if !input.settled {
            return Ok(state);
        }
        let id = input.session;
        for curtailment in &input.curtailments {
            let dispatcher = caller(input.grid, Role::Dispatcher);
            state.cut_trades(dispatcher, curtailment, &mut Vec::new())?;
        }
        state.issue_dispatch(caller(input.grid, Role::Dispatcher), id, &mut Vec::new())?;
        let day = state.sessions.get(id).ok_or(ReplayError::Missing("a session"))?.day;
        if let Some(prices) = &input.prices {
            let by = PublicKey::from_bytes([0; 32]);
            let row = PublishedPrices { prices: prices.clone(), published_at: state.time(), by };
            state.prices.insert(day, row);
        }
        for reading in &input.readings {
            state.readings.insert((reading.unit, day, reading.period), reading.record.clone());
        }
        state.deliver_metered(id, day);
        for (unit, (kind, carry)) in &input.carries {
            let row = CertifiedUnit { kind: *kind, metered: *carry, issued: 0, carry: *carry };
            state.certified.insert(*unit, row);
        }
        state.settle_session(caller(input.exchange, Role::Exchange), id, &mut Vec::new())?;
        Ok(state)
    }

    fn take_parties(&mut self, input: &SealedInput) -> Result<(), ReplayError> {
        let mut lent = Money::ZERO;
        let funds = Money::from_fen(FUNDS_FEN);
        for (id, row) in &input.organisations {
            self.organisations.insert(*id, row.clone());
            let key = AccountKey { organisation: *id, kind: AccountKind::Available };
            self.balances.insert(key, Balance { amount: funds });
            lent = lent.plus(funds).map_err(BrokenInvariant::from)?;
        }
        let key = AccountKey { organisation: input.bank, kind: AccountKind::External };
        let amount = lent.negated().map_err(BrokenInvariant::from)?;
        self.balances.insert(key, Balance { amount });
        for (id, rule) in &input.rules {
            self.rules.insert(*id, rule.clone());
        }
        for (id, unit) in &input.units {
            if self.organisations.get(unit.owner).is_none() {
                return Err(ReplayError::Missing("an organisation"));
            }
            self.members.add_unit(unit.owner, *id);
            self.units.insert(*id, unit.clone());
        }
        Ok(())
    }

    /// Opens a session with its book as it was when the gate closed.
    fn take_session(&mut self, sealed: &SealedSession) -> Result<(), ReplayError> {
        if self.rules.get(sealed.rule).is_none() {
            return Err(ReplayError::Missing("a rule"));
        }
        let notice = SessionNotice {
            rule: sealed.rule,
            mode: sealed.mode,
            day: sealed.day,
            days: sealed.days,
            gate_open: sealed.gate_open,
            gate_close: sealed.gate_close,
            terms: sealed.terms.clone(),
        };
        if let Some((field, value)) = bad_product(&notice).or_else(|| bad_term(&notice.terms)) {
            return Err(Rejection::BadTerms.of(field, value, 0).into());
        }
        let lottery = sealed.mode.is_joint() && sealed.terms.has_lottery();
        if lottery != sealed.draw.is_some() {
            return Err(ReplayError::Missing("a draw of the second stage"));
        }
        let mut row = notice.announced();
        row.phase = Phase::Open;
        row.draw = sealed.draw;
        row.orders = u32::try_from(sealed.orders.len())
            .map_err(|_| BrokenInvariant("orders of a session"))?;
        self.sessions.insert(sealed.id, row);
        let mut orders: Vec<&SealedOrder> = sealed.orders.iter().collect();
        orders.sort_by_key(|order| order.id);
        for order in orders {
            self.take_order(sealed.id, order)?;
        }
        let mut ids: Vec<_> = sealed.orders.iter().map(|order| order.id).collect();
        ids.sort_unstable();
        if let Mode::Continuous(_) = sealed.mode {
            self.replay_call(sealed, &mut ids)?;
        }
        if self.sessions.get(sealed.id).is_some_and(Session::matches_on_arrival) {
            self.replay_arrivals(sealed.id, &ids, sealed.called)?;
        }
        Ok(())
    }

    /// Clears the call of a session as it was, and leaves what arrived after it.
    fn replay_call(
        &mut self,
        sealed: &SealedSession,
        ids: &mut Vec<OrderId>,
    ) -> Result<(), ReplayError> {
        let called = sealed.called.ok_or(ReplayError::Missing("a call"))?;
        let early = |order: Option<&Order>| {
            order.is_some_and(|order| order.accepted_at < sealed.gate_close)
        };
        let before: Vec<OrderId> =
            ids.iter().copied().filter(|id| early(self.orders.get(*id))).collect();
        ids.retain(|id| !early(self.orders.get(*id)));
        for id in before {
            let withdrawn = self.orders.get(id).and_then(|order| order.withdrawn.as_ref());
            if withdrawn.is_some_and(|row| row.height < called) {
                if let Some(order) = self.orders.get_mut(id) {
                    order.status = OrderStatus::Cancelled;
                }
                continue;
            }
            self.enter(id)?;
        }
        Ok(self.call(sealed.id, &mut Vec::new())?)
    }

    fn take_order(&mut self, id: SessionId, sealed: &SealedOrder) -> Result<(), ReplayError> {
        let session = self.sessions.get(id).ok_or(ReplayError::Missing("a session"))?;
        let unit = self.units.get(sealed.unit).ok_or(ReplayError::Missing("a unit"))?;
        if self.organisations.get(sealed.owner).is_none() {
            return Err(ReplayError::Missing("an organisation"));
        }
        if sealed.period >= session.terms.resolution.periods() {
            return Err(ReplayError::Missing("a period"));
        }
        let request = OrderRequest {
            session: id,
            unit: sealed.unit,
            side: sealed.side,
            period: sealed.period,
            limit: sealed.limit,
            quantity: sealed.quantity,
            conductivity: sealed.conductivity,
            reference: sealed.reference,
            time_in_force: sealed.time_in_force,
        };
        let offer = self.effective(&request, unit, session)?;
        // What matches on arrival is withdrawn in its turn.
        let on_arrival =
            session.matches_on_arrival() || matches!(session.mode, Mode::Continuous(_));
        let cancelled = sealed.cancelled && !on_arrival;
        let status = if cancelled { OrderStatus::Cancelled } else { OrderStatus::Pending };
        let order = Order {
            session: id,
            sequence: sealed.sequence,
            owner: sealed.owner,
            signer: sealed.signer,
            unit: sealed.unit,
            side: sealed.side,
            period: sealed.period,
            limit: sealed.limit,
            quantity: sealed.quantity,
            conductivity: sealed.conductivity,
            effective: offer.ask,
            registered_ask: offer.registered_ask,
            rent: offer.rent,
            reference: sealed.reference,
            accepted_at: sealed.accepted_at,
            escrow: Money::ZERO,
            filled: Energy::ZERO,
            status,
            time_in_force: sealed.time_in_force,
            withdrawn: sealed.withdrawn.clone(),
        };
        self.orders.insert(sealed.id, order);
        if let Some(listing) = sealed.takes {
            self.takes.insert(sealed.id, listing);
        }
        if let Some(minimum) = sealed.minimum {
            self.minimums.insert(sealed.id, minimum);
        }
        if let Some(linked) = sealed.linked {
            self.replay_link((sealed.id, linked), cancelled)?;
        }
        if !cancelled && !on_arrival {
            self.books.entry((id, sealed.period)).or_default().push(sealed.id);
        }
        Ok(())
    }

    /// Makes the trades that were made while the session was open.
    fn take_agreed(&mut self, sealed: &SealedSession) -> Result<(), ReplayError> {
        for trade in &sealed.agreed {
            for id in [trade.buy, trade.sell] {
                let order = self.orders.get(id).ok_or(ReplayError::Missing("an order"))?;
                if order.status == OrderStatus::Cancelled {
                    return Err(ReplayError::Missing("an order that was not withdrawn"));
                }
            }
            self.trade_now((trade.buy, trade.sell), trade.quantity, trade.price)?;
        }
        Ok(())
    }

    /// Lets the bank answer as it did.
    fn resolve_payments(
        &mut self,
        bank: OrganisationId,
        sealed: &SealedSession,
    ) -> Result<(), ReplayError> {
        for recorded in &sealed.payments {
            let confirmed = match recorded.state {
                PaymentState::Proposed => continue,
                PaymentState::Confirmed => true,
                PaymentState::Failed | PaymentState::Drawn => false,
            };
            let mut open = self.payments.rows().iter().filter(|(_, payment)| {
                payment.session == sealed.id
                    && payment.payer == recorded.payer
                    && payment.state == PaymentState::Proposed
            });
            // A payment that the orders do not lead to shows in what they come to.
            let Some((id, _)) = open.next() else { continue };
            let id = *id;
            // What was drawn covers the same trades as all that was pledged: those that come first.
            let payer = recorded.payer;
            let guarantee = (payer, AccountKind::Guarantee);
            self.post((payer, AccountKind::Available), guarantee, recorded.drawn)?;
            self.confirm_payment(caller(bank, Role::Bank), id, confirmed, &mut Vec::new())?;
        }
        Ok(())
    }
}

/// Whoever acted then: its right to do so is in the receipt of its transaction.
fn caller(organisation: OrganisationId, role: Role) -> Caller {
    Caller {
        signer: PublicKey::from_bytes([0; 32]),
        organisation,
        roles: Roles::of(&[role]),
        time: duet_units::ClockTime::default(),
    }
}
