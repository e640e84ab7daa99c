//! Settlement of a day at spot prices, by either of the two official methods.

use super::Metered;
use crate::apply::hours::hour_of;
use crate::ids::{SessionId, TradeId, UnitId};
use crate::records::{
    LineItem, MarketRule, ReferencePrice, Session, SettlementMethod, StatementLine, Trade,
};
use crate::state::{BrokenInvariant, State};
use duet_market::game::Stage;
use duet_market::settlement::Item;
use duet_market::settlement::spot::{Method, SpotEnergy, SpotPrices, settle_spot};
use duet_units::{Energy, MicroYuan, Money, OverflowError, Price, Resolution};
use std::collections::BTreeMap;

/// What a unit traded for one period.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    /// In sessions ahead of the joint one.
    contracted: Energy,
    /// Its value.
    value: MicroYuan,
    /// In the first stage of the joint session: the market of the day ahead.
    first: Energy,
    /// In the second stage, which is settled as traded.
    second: Energy,
}

/// The method that a rule lays down; none without a spot market.
pub(in crate::apply) const fn spot_method(rule: &MarketRule) -> Option<Method> {
    match rule.settlement {
        SettlementMethod::Contract => None,
        SettlementMethod::One => Some(Method::One),
        SettlementMethod::Two => Some(Method::Two),
    }
}

impl State {
    /// The published real-time price of a period of a day.
    pub(in crate::apply) fn real_time_price(&self, row: &Session, period: u8) -> Option<Price> {
        let published = self.prices.get(row.day)?;
        let index = match (published.prices.len(), row.terms.resolution) {
            (24, resolution) => hour_of(period, resolution),
            (96, Resolution::Quarter) => period,
            _ => return None,
        };
        published.prices.get(usize::from(index)).copied()
    }

    /// Gives back what buyers paid in advance for trades that are settled at spot prices.
    pub(super) fn prepayment_lines(
        &self,
        (session, period): (SessionId, u8),
        trades: &[(TradeId, &Trade)],
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        for (id, trade) in trades {
            if trade.stage == Stage::Second || trade.paid <= Money::ZERO {
                continue;
            }
            let (payee, unit, _) = self.order_of(trade.buy)?;
            lines.push(StatementLine {
                session,
                period,
                item: LineItem::Prepayment,
                unit,
                trade: Some(*id),
                payer: self.exchange,
                payee,
                energy: trade.quantity,
                price: Some(trade.buyer_price),
                amount: trade.paid,
            });
        }
        Ok(())
    }

    /// Every unit that was metered or traded, against the grid company: contracts, the market of
    /// the day ahead, the real-time market. A unit that is not metered bought back all that it had;
    /// what is left of it is the difference of its prices.
    pub(super) fn spot_lines(
        &self,
        (id, row): (SessionId, &Session),
        metered: &Metered,
        method: Method,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let mut positions = self.spot_positions((id, row))?;
        for key in metered.keys() {
            positions.entry(*key).or_default();
        }
        let rule = self.rule_of(row)?;
        for (key, position) in &positions {
            let energy = metered.get(key).copied().unwrap_or_default();
            let cleared = self.clearings.get((id, key.1)).and_then(|clearing| clearing.price);
            let real_time = self
                .real_time_price(row, key.1)
                .ok_or(BrokenInvariant("prices are published before a day is settled"))?;
            let day_ahead = cleared.unwrap_or(row.terms.reference_price);
            let reference = match rule.reference {
                ReferencePrice::Notice => row.terms.reference_price,
                ReferencePrice::DayAhead => day_ahead,
                ReferencePrice::RealTime => real_time,
            };
            let ahead = position.contracted.plus(position.first)?;
            let energy = SpotEnergy {
                contracted: position.contracted,
                contract_value: position.value,
                day_ahead: cleared.map(|_| ahead),
                metered: energy.minus(position.second)?,
            };
            let prices = SpotPrices { day_ahead, real_time, reference };
            for line in settle_spot(&energy, &prices, method)? {
                let item = match line.item {
                    Item::DayAhead => LineItem::DayAhead,
                    Item::RealTime => LineItem::RealTime,
                    Item::Difference => LineItem::Difference,
                    Item::Contract | Item::Deviation | Item::TrueUp => LineItem::SpotContract,
                };
                if line.amount.is_zero() {
                    continue;
                }
                let price = (!line.quantity.is_zero()).then_some(line.price);
                let what = (line.quantity, price, line.amount);
                lines.extend(self.against_grid((id, key.1), (key.0, item), what)?);
            }
        }
        Ok(())
    }

    /// A line between a unit's owner and the grid company. A positive amount is what a generator
    /// is paid and a consumer pays; a negative one turns payer and payee round.
    pub(in crate::apply) fn against_grid(
        &self,
        (session, period): (SessionId, u8),
        (unit, item): (UnitId, LineItem),
        (energy, price, amount): (Energy, Option<Price>, Money),
    ) -> Result<Option<StatementLine>, OverflowError> {
        let Some(row) = self.units.get(unit) else { return Ok(None) };
        let owner_is_paid = (amount >= Money::ZERO) != row.technology.consumes();
        let (payer, payee) =
            if owner_is_paid { (self.grid, row.owner) } else { (row.owner, self.grid) };
        let amount = amount.max(amount.negated()?);
        let trade = None;
        Ok(Some(StatementLine {
            session,
            period,
            item,
            unit,
            trade,
            payer,
            payee,
            energy,
            price,
            amount,
        }))
    }

    fn spot_positions(
        &self,
        (id, row): (SessionId, &Session),
    ) -> Result<BTreeMap<(UnitId, u8), Position>, BrokenInvariant> {
        let mut positions: BTreeMap<(UnitId, u8), Position> = BTreeMap::new();
        for part in self.parts_of_day(row.day, row.terms.resolution)? {
            for order in [part.trade.buy, part.trade.sell] {
                let Some(order) = self.orders.get(order) else { continue };
                let adds = self.opens(order.unit, order.side);
                let energy = if adds { part.energy } else { part.energy.negated()? };
                let position = positions.entry((order.unit, part.period)).or_default();
                position.add((part.trade.session == id, part.trade), energy)?;
            }
        }
        Ok(positions)
    }
}

impl Position {
    fn add(
        &mut self,
        (is_joint, trade): (bool, &Trade),
        energy: Energy,
    ) -> Result<(), BrokenInvariant> {
        match (is_joint, trade.stage) {
            (false, _) => {
                self.contracted = self.contracted.plus(energy)?;
                self.value = self.value.plus(trade.buyer_price.value_of(energy)?)?;
            }
            (true, Stage::First) => self.first = self.first.plus(energy)?,
            (true, Stage::Second) => self.second = self.second.plus(energy)?,
        }
        Ok(())
    }
}
