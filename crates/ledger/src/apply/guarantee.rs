//! Guarantees: money that a member sets aside, and what it must cover.
//!
//! # Source
//!
//! Shandong 4.4.17 (4), 17.3.5; market-rules.md 4.2.

use super::Caller;
use super::limit::over;
use crate::action::OrderRequest;
use crate::event::Event;
use crate::ids::{OrganisationId, SessionId};
use crate::records::{AccountKind, GuaranteeRule, Role, Session, Unit};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::guarantee::{Deal, HeadroomRule, headroom, trading_risk};
use duet_units::{BasisPoints, Energy, Money, OverflowError, Price};

impl State {
    pub(super) fn check_pledge(&self, caller: &Caller, amount: Money) -> Result<(), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        if amount <= Money::ZERO {
            return Err(Rejection::AmountNotPositive.of("amount", amount.fen(), 0));
        }
        let available = self.balance(caller.organisation, AccountKind::Available);
        if available < amount {
            return Err(Rejection::InsufficientFunds.of("funds", available.fen(), amount.fen()));
        }
        Ok(())
    }

    pub(super) fn pledge(
        &mut self,
        caller: &Caller,
        amount: Money,
        events: &mut Vec<Event>,
    ) -> Result<u64, BrokenInvariant> {
        let organisation = caller.organisation;
        let guarantee = (organisation, AccountKind::Guarantee);
        self.post((organisation, AccountKind::Available), guarantee, amount)?;
        events.push(Event::GuaranteePledged { organisation, amount });
        Ok(u64::from(organisation.0))
    }

    pub(super) fn check_release(&self, caller: &Caller, amount: Money) -> Result<(), Refusal> {
        caller.needs(&[Role::Generator, Role::Retailer, Role::LargeUser])?;
        if amount <= Money::ZERO {
            return Err(Rejection::AmountNotPositive.of("amount", amount.fen(), 0));
        }
        let held = self.balance(caller.organisation, AccountKind::Guarantee);
        let needed = self.guarantee_needed(caller.organisation)?;
        let free = held.minus(needed)?;
        if free < amount {
            return Err(Rejection::GuaranteeNeeded.of("amount", amount.fen(), free.fen()));
        }
        Ok(())
    }

    pub(super) fn release_guarantee(
        &mut self,
        caller: &Caller,
        amount: Money,
        events: &mut Vec<Event>,
    ) -> Result<u64, BrokenInvariant> {
        let organisation = caller.organisation;
        self.end_dunning(organisation);
        let guarantee = (organisation, AccountKind::Guarantee);
        self.post(guarantee, (organisation, AccountKind::Available), amount)?;
        events.push(Event::GuaranteeReleased { organisation, amount });
        Ok(u64::from(organisation.0))
    }

    /// The least guarantee that covers an organisation's orders and contracts in the sessions whose
    /// rule asks for one, no less than the trading risk of these contracts, and no less than what
    /// is asked for after a failed payment.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit.
    pub fn guarantee_needed(&self, organisation: OrganisationId) -> Result<Money, OverflowError> {
        let (mut covered, mut risk) = (Money::ZERO, Money::ZERO);
        for (id, session, rule) in self.guaranteed() {
            let energy = self.guaranteed_energy(organisation, (id, session))?;
            covered = covered.plus(cover(energy, session.terms.reference_price, rule)?)?;
            risk = risk.plus(self.session_risk(organisation, (id, session), rule)?)?;
        }
        let asked = self.dunning(organisation).map_or(Money::ZERO, |row| row.level);
        Ok(covered.max(risk).max(asked))
    }

    /// The live sessions whose rule asks for a guarantee. One without a positive reference price
    /// cannot reckon its energy, and asks for none.
    fn guaranteed(&self) -> impl Iterator<Item = (SessionId, &Session, &GuaranteeRule)> {
        let rows = self.sessions.rows().iter();
        rows.filter(|(_, row)| row.phase.is_live() && row.terms.reference_price > Price::ZERO)
            .filter_map(|(id, row)| {
                let rule = self.rules.get(row.rule)?.guarantee.as_ref()?;
                Some((*id, row, rule))
            })
    }

    /// What an organisation has ordered and traded in a session, on the days that are not settled.
    fn guaranteed_energy(
        &self,
        organisation: OrganisationId,
        (id, session): (SessionId, &Session),
    ) -> Result<Energy, OverflowError> {
        let mut sum = Energy::ZERO;
        for rows in [&self.commitments, &self.positions] {
            for energy in self.of_organisation(rows, organisation, id) {
                sum = sum.plus(energy.max(energy.negated()?))?;
            }
        }
        over(sum, session.days.saturating_sub(session.settled_days).into())
    }

    /// What an organisation's contracts of a session cost above their value after the haircut.
    fn session_risk(
        &self,
        organisation: OrganisationId,
        (id, session): (SessionId, &Session),
        rule: &GuaranteeRule,
    ) -> Result<Money, OverflowError> {
        let (mut bought, mut sold) = (Vec::new(), Vec::new());
        let days = session.days.saturating_sub(session.settled_days).into();
        for trade in self.trades.rows().values() {
            if trade.session != id || trade.defaulted {
                continue;
            }
            let quantity = over(trade.quantity, days)?;
            let is_of =
                |order| self.orders.get(order).is_some_and(|order| order.owner == organisation);
            if is_of(trade.buy) {
                bought.push(Deal { quantity, price: trade.buyer_price });
            }
            if is_of(trade.sell) {
                sold.push(Deal { quantity, price: trade.seller_price });
            }
        }
        // The haircut takes the whole value at most.
        let haircut = rule.margin.min(BasisPoints::ONE);
        let risk = trading_risk(&bought, &sold, session.terms.reference_price, haircut)?;
        Ok(risk.risk.max(Money::ZERO))
    }

    /// Holds an order to its owner's guarantee, if the session's rule asks for one.
    pub(super) fn check_guarantee(
        &self,
        request: &OrderRequest,
        unit: &Unit,
        session: &Session,
    ) -> Result<(), Refusal> {
        let mut others = Money::ZERO;
        let mut asked = None;
        for (id, row, rule) in self.guaranteed() {
            let energy = self.guaranteed_energy(unit.owner, (id, row))?;
            if id == request.session {
                asked = Some((rule, energy));
            } else {
                others = others.plus(cover(energy, row.terms.reference_price, rule)?)?;
            }
        }
        let Some((rule, used)) = asked else { return Ok(()) };
        let held = self.balance(unit.owner, AccountKind::Guarantee).minus(others)?;
        let rule = HeadroomRule {
            usable: rule.usable,
            reference: session.terms.reference_price,
            margin: rule.margin,
        };
        let free = headroom(held.max(Money::ZERO), &rule)?;
        let wanted = used.plus(over(request.quantity, session.days.into())?)?;
        if wanted > free {
            return Err(Rejection::GuaranteeTooLow.of("quantity", wanted.kwh(), free.kwh()));
        }
        Ok(())
    }
}

/// The least guarantee whose headroom is `energy`: `energy * reference * (1 + Q) / H`, rounded up.
fn cover(energy: Energy, reference: Price, rule: &GuaranteeRule) -> Result<Money, OverflowError> {
    let overflow = OverflowError { operation: "guarantee for energy", unit: "fen" };
    let whole = BasisPoints::ONE;
    let divisor = i128::from(rule.usable.bp()).checked_mul(whole.bp().into()).ok_or(overflow)?;
    // The value in micro-yuan is a ten-thousandth of a fen.
    reference
        .value_of(energy)?
        .micro_yuan()
        .checked_mul(whole.plus(rule.margin)?.bp().into())
        .and_then(i128::checked_neg)
        .and_then(|value| value.checked_div_euclid(divisor))
        .and_then(i128::checked_neg)
        .map(Money::from_fen)
        .ok_or(overflow)
}
