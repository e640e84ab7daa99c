//! Settlement: contracts, compensation and its levy, deviations, emissions, certificates.

mod contract;
mod scheme;
mod seal;
mod spot;

pub(super) use self::spot::spot_method;
use super::{Caller, Failure};
use crate::event::Event;
use crate::ids::{OrderId, OrganisationId, SessionId, TradeId, UnitId};
use crate::records::{
    AccountKind, LineItem, OrderStatus, Phase, Role, Session, StatementLine, Trade,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::game::Stage;
use duet_units::{DeliveryDay, Emissions, Energy, Price};
use std::collections::{BTreeMap, BTreeSet};

/// Metered energy of each unit and period of the day.
type Metered = BTreeMap<(UnitId, u8), Energy>;
/// Whose money, and which part of it.
type Account = (OrganisationId, AccountKind);

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
        let rule = self.rules.get(session.rule);
        if rule.is_some_and(|rule| spot_method(rule).is_some()) {
            for period in 0..session.terms.resolution.periods() {
                if self.real_time_price(session, period).is_none() {
                    return Err(Rejection::PricesMissing.of("period", period, 0));
                }
            }
        }
        // Every period, not only those with a contract: what a unit does besides is a deviation.
        let mut units: BTreeSet<UnitId> = self
            .contracts(session.day, session.terms.resolution)
            .map_err(|broken| Rejection::OutOfRange.of(broken.0, 0, 0))?
            .into_keys()
            .map(|(unit, _)| unit)
            .collect();
        // Who uses energy without a contract pays for it, so its meter cannot stay silent. All
        // units are registered from the beginning of the channel.
        let all = self.units.rows().iter();
        units.extend(all.filter(|(_, unit)| unit.technology.consumes()).map(|(id, _)| *id));
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
        let lines = self.day_lines((id, &session), &metered)?;
        for line in &lines {
            let (from, to) = self.accounts(line);
            self.post(from, to, line.amount)?;
        }
        let count = u32::try_from(lines.len()).map_err(|_| BrokenInvariant("lines of a day"))?;
        let emissions = self.book_emissions(session.day, &metered)?;
        self.keep_deviation((id, &session), &metered)?;
        self.keep_openings(id, &metered);
        let lots = self.issue_certificates(session.day, &metered, events)?;
        let result_hash = self.result_hash(id, &lines, &lots);
        let month = session.day.month();
        let calendar = self.calendar_of(id);
        self.state_lines(month, &calendar, &lines)?;
        self.meter_month((id, &session), &metered)?;
        for (place, line) in (0_u32..).zip(lines) {
            self.lines.insert((id, place), line);
        }
        self.move_orders(id, None, OrderStatus::Delivered, OrderStatus::Settled);
        self.share_carbon(id)?;
        self.end_day(session.day);
        if let Some(row) = self.sessions.get_mut(id) {
            row.result_hash = Some(result_hash);
        }
        self.seal(id, result_hash);
        self.assert_conserved()?;
        events.push(Event::SessionSettled { session: id, lines: count, emissions, result_hash });
        Ok(u64::from(id.0))
    }

    /// The lines of a day by the rule of its session.
    fn day_lines(
        &self,
        (id, session): (SessionId, &Session),
        metered: &Metered,
    ) -> Result<Vec<StatementLine>, BrokenInvariant> {
        let mut lines = Vec::new();
        let method = spot_method(self.rule_of(session)?);
        for (other, row) in self.covering(session.day) {
            let whole = self.trades_by_period(other);
            for (period, trades) in self.trades_of_day(other, session.day)? {
                let at = (id, period);
                let all: Vec<(TradeId, &Trade)> = trades.iter().map(|(id, t)| (*id, t)).collect();
                let mut as_traded = all.clone();
                if method.is_some() {
                    // Of the day, only the second stage is settled as it was traded.
                    as_traded.retain(|(_, trade)| trade.stage == Stage::Second);
                    self.prepayment_lines(at, &all, &mut lines)?;
                }
                self.contract_lines(at, &as_traded, &mut lines)?;
                if let Some(whole) = whole.get(&period).filter(|_| row.day == session.day) {
                    self.fee_lines((id, row), whole, &mut lines)?;
                }
                if other == id {
                    self.compensation_lines(session, at, &all, &mut lines)?;
                }
            }
        }
        match method {
            None => self.deviation_lines(id, session, metered, &mut lines)?,
            Some(method) => self.spot_lines((id, session), metered, method, &mut lines)?,
        }
        self.scheme_lines((id, session), metered, &mut lines)?;
        Ok(lines)
    }

    /// From and to which account a line is posted.
    fn accounts(&self, line: &StatementLine) -> (Account, Account) {
        let below_zero = line.price.is_some_and(|price| price < Price::ZERO);
        let trust = (self.exchange, AccountKind::Clearing);
        let (payer, payee) =
            ((line.payer, AccountKind::Available), (line.payee, AccountKind::Available));
        match line.item {
            // At a price below zero the seller pays, which it did not do in advance.
            LineItem::Contract if below_zero => (payer, payee),
            // The buyer paid these into the exchange's trust when the bank confirmed.
            LineItem::Contract | LineItem::Compensation | LineItem::Prepayment => (trust, payee),
            LineItem::Levy => (payer, trust),
            LineItem::Deviation
            | LineItem::Fee
            | LineItem::DayAhead
            | LineItem::RealTime
            | LineItem::Difference
            | LineItem::SpotContract
            | LineItem::DeviationCharge
            | LineItem::Recovery
            | LineItem::TrueUp
            | LineItem::Correction
            | LineItem::GreenValue
            | LineItem::GreenShortfall => (payer, payee),
        }
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
    pub(super) fn assert_conserved(&self) -> Result<(), BrokenInvariant> {
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

    /// What a period cleared at, or the reference price if it did not.
    pub(super) fn deviation_price(
        &self,
        (session, row): (SessionId, &Session),
        period: u8,
    ) -> Price {
        let clearing = self.clearings.get((session, period));
        clearing.and_then(|clearing| clearing.price).unwrap_or(row.terms.reference_price)
    }

    /// Metered minus contracted energy of every metered unit, against the grid company, at the
    /// first stage's price of the period.
    fn deviation_lines(
        &self,
        session: SessionId,
        row: &Session,
        metered: &Metered,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let contracts = self.contracts(row.day, row.terms.resolution)?;
        for ((unit, period), energy) in metered {
            let contracted = contracts.get(&(*unit, *period)).copied().unwrap_or_default();
            let deviation = energy.minus(contracted)?;
            if deviation.is_zero() {
                continue;
            }
            let price = self.deviation_price((session, row), *period);
            let what = (deviation, Some(price), price.cost_of(deviation)?);
            let item = LineItem::Deviation;
            lines.extend(self.against_grid((session, *period), (*unit, item), what)?);
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
}
