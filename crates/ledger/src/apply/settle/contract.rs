//! Trades settled as they were made: contracts, compensation and its levy.

use crate::ids::{OrderId, OrganisationId, SessionId, TradeId, UnitId};
use crate::records::{LineItem, Session, StatementLine, Trade};
use crate::state::{BrokenInvariant, State};
use duet_market::game::Stage;
use duet_units::{Energy, Money, largest_remainder};
use std::collections::BTreeMap;

impl State {
    /// One line a trade: the buyer pays the seller what the clearing fixed, or at a price below
    /// zero the seller the buyer.
    pub(super) fn contract_lines(
        &self,
        (session, period): (SessionId, u8),
        trades: &[(TradeId, &Trade)],
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        for (id, trade) in trades {
            let (buyer, ..) = self.order_of(trade.buy)?;
            let (seller, unit, _) = self.order_of(trade.sell)?;
            let (payer, payee) =
                if trade.paid < Money::ZERO { (seller, buyer) } else { (buyer, seller) };
            lines.push(StatementLine {
                session,
                period,
                item: LineItem::Contract,
                unit,
                trade: Some(*id),
                payer,
                payee,
                energy: trade.quantity,
                price: Some(trade.buyer_price),
                amount: trade.paid.max(trade.paid.negated()?),
            });
        }
        Ok(())
    }

    /// Compensation of sellers that are paid more than their buyers pay, of the second stage or
    /// under uplift of either, and the levy on first-stage sellers that pays for it.
    ///
    /// Without defaults both are what the clearing found. A default takes away a part of the fund:
    /// then compensation is cut, in proportion, to what the rent of the remaining first-stage
    /// trades covers, so that no seller's levy exceeds the agreed share of its rent.
    pub(super) fn compensation_lines(
        &self,
        terms: &Session,
        (session, period): (SessionId, u8),
        trades: &[(TradeId, &Trade)],
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let (mut due, mut wants) = (Vec::new(), Vec::new());
        let mut rents: BTreeMap<(OrganisationId, UnitId, OrderId), i128> = BTreeMap::new();
        for (id, trade) in trades {
            let (owner, unit, rent) = self.order_of(trade.sell)?;
            if trade.stage == Stage::First {
                let value = rent.value_of(trade.quantity)?.micro_yuan();
                let sum = rents.entry((owner, unit, trade.sell)).or_default();
                *sum = sum.checked_add(value).ok_or(BrokenInvariant("sum of rents"))?;
            }
            let want = trade.received.minus(trade.paid)?;
            if trade.stage == Stage::Second || want > Money::ZERO {
                due.push((*id, owner, unit, trade.quantity));
                wants.push(want.fen());
            }
        }
        let wanted: i128 = wants.iter().sum();
        let rent: i128 = rents.values().sum();
        let fund = rent
            .checked_mul(terms.terms.fund_share.bp().into())
            .map(|share| share.div_euclid(100_000_000))
            .ok_or(BrokenInvariant("fund"))?;
        let paid = wanted.min(fund);
        if paid <= 0 {
            return Ok(());
        }
        let line = |item, unit, trade, payer, payee, energy, amount| StatementLine {
            session,
            period,
            item,
            unit,
            trade,
            payer,
            payee,
            energy,
            price: None,
            amount: Money::from_fen(amount),
        };
        let weights: Vec<i128> = rents.values().copied().collect();
        for ((owner, unit, _), amount) in rents.keys().zip(largest_remainder(paid, &weights)?) {
            let (item, none) = (LineItem::Levy, Energy::ZERO);
            lines.push(line(item, *unit, None, *owner, self.exchange, none, amount));
        }
        for ((id, owner, unit, energy), amount) in due.iter().zip(largest_remainder(paid, &wants)?)
        {
            let item = LineItem::Compensation;
            lines.push(line(item, *unit, Some(*id), self.exchange, *owner, *energy, amount));
        }
        Ok(())
    }
}
