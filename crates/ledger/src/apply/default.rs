//! Payments that the bank reports failed: the guarantee is drawn, what it does not cover is
//! unwound, and the payer orders again once its guarantee is topped up.
//!
//! # Source
//!
//! market-rules.md 6 (13): dunning and guarantee draw.

use super::money::times;
use crate::event::Event;
use crate::ids::{OrganisationId, PaymentId, TradeId};
use crate::records::{AccountKind, Dunning, Payment, PaymentState};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_units::Money;

/// How long the guarantee that is asked after a failed payment stays pledged: 30 days.
const LEVEL_KEPT_MS: i64 = 30 * 24 * 3_600_000;

impl State {
    /// Draws what the payer's guarantee covers: the whole payment, or else trade by trade, in the
    /// order in which they were made. The other trades are taken out again.
    pub(super) fn fail_payment(
        &mut self,
        id: PaymentId,
        payment: &Payment,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Payment { payer, amount, session, .. } = *payment;
        self.post((payer, AccountKind::Escrow), (payer, AccountKind::Available), amount)?;
        let held = self.balance(payer, AccountKind::Guarantee);
        let (drawn, unwound) = self.covered(payment, held)?;
        let trust = (self.exchange, AccountKind::Clearing);
        self.post((payer, AccountKind::Guarantee), trust, drawn)?;
        for trade in unwound {
            self.default_trade(trade)?;
        }
        let whole = drawn == amount;
        self.end_payment(id, if whole { PaymentState::Drawn } else { PaymentState::Failed }, drawn);
        self.pass_on_payment(session, payer);
        if drawn > Money::ZERO {
            events.push(Event::GuaranteeDrawn { organisation: payer, payment: id, amount: drawn });
        }
        self.demand(payer, (held, amount, drawn), events)?;
        self.assert_conserved()
    }

    /// How much of a payment a guarantee covers, and the trades that it does not.
    fn covered(
        &self,
        payment: &Payment,
        held: Money,
    ) -> Result<(Money, Vec<TradeId>), BrokenInvariant> {
        if held >= payment.amount {
            return Ok((payment.amount, Vec::new()));
        }
        let days = self.sessions.get(payment.session).map_or(1, |session| session.days);
        let (mut drawn, mut unwound) = (Money::ZERO, Vec::new());
        for id in self.members.trades(payment.session, payment.payer) {
            let Some(trade) = self.trades.get(id) else { continue };
            if self.orders.get(trade.buy).is_none_or(|order| order.owner != payment.payer) {
                continue;
            }
            let cost = times(trade.paid, days)?;
            if cost > Money::ZERO && cost <= held.minus(drawn)? {
                drawn = drawn.plus(cost)?;
            } else {
                unwound.push(id);
            }
        }
        Ok((drawn, unwound))
    }

    /// Asks for the guarantee that was held, and for no less than the payment that failed.
    fn demand(
        &mut self,
        payer: OrganisationId,
        (held, amount, drawn): (Money, Money, Money),
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let before = self.dunnings.get(payer).cloned();
        let zero = Money::ZERO;
        let mut row = before.unwrap_or(Dunning {
            level: zero,
            drawn: zero,
            unwound: zero,
            payments: 0,
            since: self.time(),
        });
        row.level = row.level.max(held).max(amount);
        row.drawn = row.drawn.plus(drawn)?;
        row.unwound = row.unwound.plus(amount.minus(drawn)?)?;
        row.payments = row.payments.saturating_add(1);
        row.since = self.time();
        events.push(Event::GuaranteeDemanded { organisation: payer, level: row.level });
        self.dunnings.insert(payer, row);
        Ok(())
    }

    /// Refuses an order of an organisation whose guarantee is not topped up after a failed payment.
    pub(super) fn check_dunning(&self, organisation: OrganisationId) -> Result<(), Refusal> {
        let Some(row) = self.dunnings.get(organisation) else { return Ok(()) };
        let held = self.balance(organisation, AccountKind::Guarantee);
        if held < row.level {
            return Err(Rejection::TopUpDue.of("guarantee", held.fen(), row.level.fen()));
        }
        Ok(())
    }

    /// The guarantee that an organisation is asked for after a failed payment: none once it was
    /// topped up and 30 days have gone by.
    #[must_use]
    pub fn dunning(&self, organisation: OrganisationId) -> Option<&Dunning> {
        let held = self.balance(organisation, AccountKind::Guarantee);
        self.dunnings
            .get(organisation)
            .filter(|row| held < row.level || self.time() < row.since.plus_ms(LEVEL_KEPT_MS))
    }

    /// Forgets a demand that was met for long enough.
    pub(super) fn end_dunning(&mut self, organisation: OrganisationId) {
        if self.dunning(organisation).is_none() {
            self.dunnings.remove(organisation);
        }
    }
}
