//! Fees of the exchange on trades.

use super::money::times;
use crate::ids::{SessionId, TradeId};
use crate::records::{LineItem, Session, StatementLine, Trade};
use crate::state::{BrokenInvariant, State};
use duet_units::Energy;

impl State {
    /// The fees of trades by their session's rule: one line a trade and side, rounded once, for the energy of
    /// all delivery days. What is zero has no line.
    pub(super) fn fee_lines(
        &self,
        (session, row): (SessionId, &Session),
        trades: &[(TradeId, &Trade)],
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let rule = self.rule_of(row)?;
        for (id, trade) in trades {
            let energy = trade.quantity.kwh().checked_mul(row.days.into()).map(Energy::from_kwh);
            let energy = energy.ok_or(BrokenInvariant("energy of all delivery days"))?;
            let value = times(trade.paid, row.days)?;
            for (order, fee) in [(trade.buy, rule.buyer_fee), (trade.sell, rule.seller_fee)] {
                let amount = fee.fee(energy, value)?;
                if amount.is_zero() {
                    continue;
                }
                let (payer, unit, _) = self.order_of(order)?;
                lines.push(StatementLine {
                    session,
                    period: trade.period,
                    item: LineItem::Fee,
                    unit,
                    trade: Some(*id),
                    payer,
                    payee: self.exchange,
                    energy,
                    price: None,
                    amount,
                });
            }
        }
        Ok(())
    }
}
