//! Settlement: contracts, compensation and its levy, deviations, emissions, certificates.

use super::{Caller, Failure};
use crate::codec::Encode;
use crate::event::Event;
use crate::hash::{Digest, hash};
use crate::ids::{OrderId, OrganisationId, SessionId, TradeId, UnitId};
use crate::records::{
    AccountKind, LineItem, Mode, OrderStatus, Phase, Role, Seal, Session, StatementLine, Trade,
};
use crate::rejection::{Refusal, Rejection};
use crate::sealed::SealedInput;
use crate::state::{BrokenInvariant, State};
use duet_market::game::Stage;
use duet_units::{DeliveryDay, Emissions, Energy, Money, Price, largest_remainder};
use std::collections::{BTreeMap, BTreeSet};

const RESULT_DOMAIN: &[u8] = b"duet/session-result/v1";

/// How many seals are kept: of five years and more, as books must be (market-rules.md 4.16).
const SEALS_KEPT: usize = 2_000;

/// Metered energy of each unit and period of the day.
type Metered = BTreeMap<(UnitId, u8), Energy>;
/// A trade's name on every chain.
type TradePlace = (Mode, DeliveryDay, u64);

impl State {
    pub(super) fn check_settle(
        &self,
        caller: &Caller,
        id: SessionId,
    ) -> Result<(Session, Metered), Refusal> {
        caller.needs(&[Role::Exchange])?;
        let session =
            self.sessions.get(id).ok_or(Rejection::UnknownSession.of("session", id.0, 0))?;
        if session.phase != Phase::Cleared || !session.dispatched || !session.mode.is_joint() {
            return Err(Rejection::WrongPhase.of("session", id.0, session.phase.code()));
        }
        let metered: Metered = self
            .readings
            .rows()
            .iter()
            .filter(|((_, day, _), _)| *day == session.day)
            .map(|((unit, _, period), row)| ((*unit, *period), row.energy))
            .collect();
        // Every period, not only those with a contract: what a unit does besides is a deviation.
        let units: BTreeSet<UnitId> = self
            .contracts(session.day, session.terms.resolution)
            .map_err(|broken| Rejection::OutOfRange.of(broken.0, 0, 0))?
            .into_keys()
            .map(|(unit, _)| unit)
            .collect();
        for unit in units {
            for period in 0..session.terms.resolution.periods() {
                if !metered.contains_key(&(unit, period)) {
                    return Err(Rejection::MissingReadings.of("unit", unit.0, period));
                }
            }
        }
        Ok((session.clone(), metered))
    }

    pub(super) fn settle_session(
        &mut self,
        caller: Caller,
        id: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (session, metered) = self.check_settle(&caller, id)?;
        let mut lines = Vec::new();
        for (other, row) in self.covering(session.day) {
            for (period, trades) in self.trades_by_period(other) {
                self.contract_lines((id, period), &trades, &mut lines)?;
                if row.day == session.day {
                    self.fee_lines((id, row), &trades, &mut lines)?;
                }
                if other == id {
                    self.compensation_lines(&session, (id, period), &trades, &mut lines)?;
                }
            }
        }
        self.deviation_lines(id, &session, &metered, &mut lines)?;
        for line in &lines {
            let below_zero = line.price.is_some_and(|price| price < Price::ZERO);
            let from = match line.item {
                // At a price below zero the seller pays, which it did not do in advance.
                LineItem::Contract if below_zero => (line.payer, AccountKind::Available),
                // The buyer paid these into the exchange's trust when the bank confirmed.
                LineItem::Contract | LineItem::Compensation => {
                    (self.exchange, AccountKind::Clearing)
                }
                LineItem::Levy
                | LineItem::Deviation
                | LineItem::Fee
                | LineItem::TrueUp
                | LineItem::Correction => (line.payer, AccountKind::Available),
            };
            let to = match line.item {
                LineItem::Levy => (self.exchange, AccountKind::Clearing),
                LineItem::Contract
                | LineItem::Compensation
                | LineItem::Deviation
                | LineItem::Fee
                | LineItem::TrueUp
                | LineItem::Correction => (line.payee, AccountKind::Available),
            };
            self.post(from, to, line.amount)?;
        }
        let count = u32::try_from(lines.len()).map_err(|_| BrokenInvariant("lines of a day"))?;
        let emissions = self.book_emissions(session.day, &metered)?;
        self.keep_openings(id, &metered);
        let lots = self.issue_certificates(session.day, &metered, events)?;
        let result_hash = self.result_hash(id, &lines, &lots);
        let month = session.day.month();
        self.state_lines(month, self.calendar_of(id), &lines)?;
        let price = |period| self.deviation_price((id, &session), period);
        let prices: BTreeMap<u8, Price> =
            (0..session.terms.resolution.periods()).map(|period| (period, price(period))).collect();
        self.meter_month(month, &metered, |period| {
            prices.get(&period).copied().unwrap_or_default()
        })?;
        for (place, line) in (0_u32..).zip(lines) {
            self.lines.insert((id, place), line);
        }
        self.move_orders(id, None, OrderStatus::Delivered, OrderStatus::Settled);
        self.end_day(session.day);
        if let Some(row) = self.sessions.get_mut(id) {
            row.result_hash = Some(result_hash);
        }
        self.seal(id, result_hash);
        self.assert_conserved()?;
        events.push(Event::SessionSettled { session: id, lines: count, emissions, result_hash });
        Ok(u64::from(id.0))
    }

    /// Keeps what units get for their energy, and what they had metered and not certified: the
    /// certificates of the day depend on it.
    fn keep_openings(&mut self, id: SessionId, metered: &Metered) {
        for unit in metered.keys().map(|(unit, _)| *unit).collect::<BTreeSet<UnitId>>() {
            if let Some(opening) = self.certified.get(unit).map(|row| (row.kind, row.carry)) {
                self.openings.insert((id, unit), opening);
            }
        }
    }

    /// Keeps the hashes that the book and the lines of the day can be held to when they are gone.
    fn seal(&mut self, id: SessionId, result: Digest) {
        let Some(input) = SealedInput::of(self, id) else { return };
        let (lines_root, lines) = self.lines_root(id);
        let seal = Seal {
            day: self.sessions.get(id).map_or_else(DeliveryDay::default, |session| session.day),
            settled_at: self.time(),
            height: self.height(),
            book: input.hash(),
            result,
            lines_root,
            lines,
        };
        self.seals.insert(id, seal);
        self.seals.keep_last(SEALS_KEPT);
    }

    /// The hash of what a session cleared at.
    pub(crate) fn clearing_hash(&self, id: SessionId) -> Digest {
        self.result_hash(id, &[], &[])
    }

    /// Counts the day as settled in every session that covers it; the last day ends a session.
    fn end_day(&mut self, day: DeliveryDay) {
        let covering: Vec<SessionId> = self.covering(day).map(|(id, _)| id).collect();
        for id in covering {
            let Some(row) = self.sessions.get_mut(id) else { continue };
            row.settled_days = row.settled_days.saturating_add(1);
            if row.settled_days < row.days {
                continue;
            }
            row.phase = Phase::Settled;
            self.move_orders(id, None, OrderStatus::Dispatched, OrderStatus::Settled);
        }
    }

    /// What must hold over the whole state after every settlement.
    fn assert_conserved(&self) -> Result<(), BrokenInvariant> {
        let totals = self.totals()?;
        if !totals.money.is_zero() {
            return Err(BrokenInvariant("all balances sum to zero"));
        }
        if totals.allocated != totals.held {
            return Err(BrokenInvariant("allowances are free or surrendered, once"));
        }
        if totals.certificates_issued != totals.certificates_held {
            return Err(BrokenInvariant("every certificate is in one run"));
        }
        Ok(())
    }

    /// The trades of a session that are not in default, by period.
    pub(super) fn trades_by_period(
        &self,
        session: SessionId,
    ) -> BTreeMap<u8, Vec<(TradeId, &Trade)>> {
        let mut periods: BTreeMap<u8, Vec<(TradeId, &Trade)>> = BTreeMap::new();
        for (id, trade) in self.trades.rows() {
            if trade.session == session && !trade.defaulted {
                periods.entry(trade.period).or_default().push((*id, trade));
            }
        }
        periods
    }

    pub(super) fn order_of(
        &self,
        id: OrderId,
    ) -> Result<(OrganisationId, UnitId, Price), BrokenInvariant> {
        self.orders
            .get(id)
            .map(|order| (order.owner, order.unit, order.rent))
            .ok_or(BrokenInvariant("the orders of a trade are kept until it is settled"))
    }

    /// One line a trade: the buyer pays the seller what the clearing fixed, or at a price below
    /// zero the seller the buyer.
    fn contract_lines(
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

    /// Compensation of second-stage sellers, and the levy on first-stage sellers that pays for it.
    ///
    /// Without defaults both are what the clearing found. A default takes away a part of the fund:
    /// then compensation is cut, in proportion, to what the rent of the remaining first-stage
    /// trades covers, so that no seller's levy exceeds the agreed share of its rent.
    fn compensation_lines(
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
            match trade.stage {
                Stage::First => {
                    let value = rent.value_of(trade.quantity)?.micro_yuan();
                    let sum = rents.entry((owner, unit, trade.sell)).or_default();
                    *sum = sum.checked_add(value).ok_or(BrokenInvariant("sum of rents"))?;
                }
                Stage::Second => {
                    due.push((*id, owner, unit, trade.quantity));
                    wants.push(trade.received.minus(trade.paid)?.fen());
                }
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

    /// What a period cleared at, or the reference price if it did not.
    fn deviation_price(&self, (session, row): (SessionId, &Session), period: u8) -> Price {
        let clearing = self.clearings.get((session, period));
        clearing.and_then(|clearing| clearing.price).unwrap_or(row.terms.reference_price)
    }

    /// Metered minus contracted energy of every metered unit, against the grid company, at the
    /// first stage's price of the period. A negative price turns payer and payee round.
    fn deviation_lines(
        &self,
        session: SessionId,
        row: &Session,
        metered: &Metered,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let contracts = self.contracts(row.day, row.terms.resolution)?;
        for ((unit, period), energy) in metered {
            let Some(meter) = self.units.get(*unit) else { continue };
            let contracted = contracts.get(&(*unit, *period)).copied().unwrap_or_default();
            let deviation = energy.minus(contracted)?;
            if deviation.is_zero() {
                continue;
            }
            let price = self.deviation_price((session, row), *period);
            let amount = price.cost_of(deviation)?;
            // A generator is paid for more, a consumer pays for more.
            let owner_is_paid = (amount >= Money::ZERO) != meter.technology.consumes();
            let (payer, payee) =
                if owner_is_paid { (self.grid, meter.owner) } else { (meter.owner, self.grid) };
            lines.push(StatementLine {
                session,
                period: *period,
                item: LineItem::Deviation,
                unit: *unit,
                trade: None,
                payer,
                payee,
                energy: deviation,
                price: Some(price),
                amount: amount.max(amount.negated()?),
            });
        }
        Ok(())
    }

    fn book_emissions(
        &mut self,
        day: DeliveryDay,
        metered: &Metered,
    ) -> Result<Emissions, BrokenInvariant> {
        let mut total = Emissions::ZERO;
        for ((unit, _), energy) in metered {
            let Some(unit) = self.units.get(*unit).cloned() else { continue };
            let owner = unit.owner;
            let emissions = unit.emission_factor.emissions_of(*energy)?;
            if unit.technology.consumes() || emissions.is_zero() {
                continue;
            }
            total = total.plus(emissions)?;
            let mut account = self.carbon_account(owner);
            account.emissions = account.emissions.plus(emissions)?;
            self.carbon.insert(owner, account);
            self.book_year(day, &unit, (*energy, emissions))?;
        }
        Ok(total)
    }

    /// The hash of what the day came to. Orders and trades are named by their place in the
    /// session, and no heights or times enter, so that the same book gives the same hash on every
    /// chain.
    pub(super) fn result_hash(
        &self,
        session: SessionId,
        lines: &[StatementLine],
        lots: &[(UnitId, u64)],
    ) -> Digest {
        let mut bytes = Vec::new();
        for ((_, period), clearing) in
            self.clearings.rows().range((session, 0)..=(session, u8::MAX))
        {
            period.encode(&mut bytes);
            clearing.encode(&mut bytes);
        }
        let places = self.trade_places();
        let place = |id: OrderId| self.orders.get(id).map_or(u32::MAX, |order| order.sequence);
        let trades = self.session_trades(session);
        for id in &trades {
            let Some(trade) = self.trades.get(*id) else { continue };
            (trade.period, trade.stage).encode(&mut bytes);
            (place(trade.buy), place(trade.sell)).encode(&mut bytes);
            (trade.quantity, trade.buyer_price, trade.seller_price).encode(&mut bytes);
            (trade.paid, trade.received, trade.defaulted).encode(&mut bytes);
        }
        for line in lines {
            (line.period, line.item, line.unit).encode(&mut bytes);
            line.trade.and_then(|id| places.get(&id)).encode(&mut bytes);
            (line.payer, line.payee).encode(&mut bytes);
            (line.energy, line.price, line.amount).encode(&mut bytes);
        }
        for lot in lots {
            lot.encode(&mut bytes);
        }
        hash(RESULT_DOMAIN, &[&bytes])
    }

    /// Names every trade without its number on this chain: by the mode and first delivery day of
    /// its session, and its place among the trades of that session.
    fn trade_places(&self) -> BTreeMap<TradeId, TradePlace> {
        let mut counts: BTreeMap<SessionId, u64> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (id, trade) in self.trades.rows() {
            let Some(session) = self.sessions.get(trade.session) else { continue };
            let count = counts.entry(trade.session).or_default();
            places.insert(*id, (session.mode, session.day, *count));
            *count = count.saturating_add(1);
        }
        places
    }
}
