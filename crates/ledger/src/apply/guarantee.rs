//! Guarantees: money that a member sets aside, and what it must cover.
//!
//! # Source
//!
//! Shandong 4.4.17 (4), 17.3.5, 17.3.6; market-rules.md 4.2.

use super::Caller;
use super::limit::over;
use crate::action::OrderRequest;
use crate::event::Event;
use crate::ids::{OrganisationId, SessionId};
use crate::records::{AccountKind, GuaranteeRule, PaymentState, Phase, Role, Session, Unit};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::guarantee::{
    Deal, Exposure, HeadroomRule, headroom, settlement_risk, trading_risk,
};
use duet_units::{BasisPoints, Energy, Money, Month, OverflowError, Price};
use std::collections::BTreeMap;

/// How many months before the current one count for the highest use.
const MONTHS_OF_USE: i32 = 12;

/// The settlement risk of an organisation, and what it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementRisk {
    /// What its account is overdrawn by.
    pub overdue: Money,
    /// Payments proposed to the bank; held in escrow, so no risk.
    pub billed: Money,
    /// Trades of sessions that have not cleared; held in escrow, so no risk.
    pub unbilled: Money,
    /// The use of an average day of the month with the highest use.
    pub daily_use: Energy,
    /// What a kWh of it is reckoned at.
    pub unit_charge: Price,
    /// What the guarantee must cover: what is overdue and three days of use, at least 10,000 yuan.
    pub risk: Money,
}

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
    /// rule asks for one, no less than the trading risk of these contracts; on top of that the
    /// settlement risk, and no less in all than what is asked for after a failed payment.
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
        let settling = self
            .settlement_exposure(organisation)?
            .map_or(Ok(Money::ZERO), |exposure| settlement_risk(&exposure))?;
        Ok(covered.max(risk).plus(settling)?.max(asked))
    }

    /// What an organisation owes or will owe that the ledger does not hold in escrow already: its
    /// overdrawn balance, and its use at the highest unit charge of the live sessions whose rule
    /// asks for a guarantee; none without such a session.
    fn settlement_exposure(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<Exposure>, OverflowError> {
        let charges = self.guaranteed().map(|(_, _, rule)| rule.unit_charge);
        let Some(unit_charge) = charges.max() else { return Ok(None) };
        let available = self.balance(organisation, AccountKind::Available);
        Ok(Some(Exposure {
            overdue: available.negated()?.max(Money::ZERO),
            billed: Money::ZERO,
            unbilled: Money::ZERO,
            daily_use: self.daily_use(organisation)?,
            unit_charge,
        }))
    }

    /// The use of an average settled day of the month, of the last twelve, in which that was
    /// highest, rounded up.
    fn daily_use(&self, organisation: OrganisationId) -> Result<Energy, OverflowError> {
        let last = self.time().day().month();
        let mut months: BTreeMap<Month, (Energy, u32)> = BTreeMap::new();
        for unit in self.owned(organisation) {
            if self.units.get(unit).is_none_or(|row| !row.technology.consumes()) {
                continue;
            }
            let keys = (unit, last.plus(MONTHS_OF_USE.saturating_neg()))..=(unit, last);
            for ((_, month), row) in self.unit_months.rows().range(keys) {
                let (energy, days) = months.entry(*month).or_default();
                *energy = energy.plus(row.energy)?;
                *days |= row.days;
            }
        }
        let mean = |(energy, days): &(Energy, u32)| {
            // Rounding up is rounding the opposite number down.
            let down = energy.kwh().saturating_neg().checked_div_euclid(days.count_ones().into());
            down.map_or(0, i64::saturating_neg)
        };
        Ok(Energy::from_kwh(months.values().map(mean).max().unwrap_or(0)))
    }

    /// The settlement risk of an organisation with its parts; none without a live session whose
    /// rule asks for a guarantee.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit.
    ///
    /// # Source
    ///
    /// Shandong 17.3.6.
    pub fn settlement_risk(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<SettlementRisk>, OverflowError> {
        let Some(exposure) = self.settlement_exposure(organisation)? else { return Ok(None) };
        let open = self
            .payments
            .rows()
            .values()
            .filter(|row| row.payer == organisation && row.state == PaymentState::Proposed);
        let billed = Money::sum(open.map(|row| row.amount))?;
        let matched = self.orders.rows().values().filter(|row| {
            let session = self.sessions.get(row.session);
            row.owner == organisation
                && !row.filled.is_zero()
                && session.is_some_and(|session| session.phase < Phase::Cleared)
        });
        let mut unbilled = Money::ZERO;
        for order in matched {
            unbilled = unbilled.plus(self.owed(order)?)?;
        }
        let Exposure { overdue, daily_use, unit_charge, .. } = exposure;
        let risk = settlement_risk(&exposure)?;
        Ok(Some(SettlementRisk { overdue, billed, unbilled, daily_use, unit_charge, risk }))
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
        let trades = self.members.trades(id, organisation).filter_map(|id| self.trades.get(id));
        for trade in trades.filter(|trade| !trade.defaulted) {
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
        if let Some(exposure) = self.settlement_exposure(unit.owner)? {
            others = others.plus(settlement_risk(&exposure)?)?;
        }
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
