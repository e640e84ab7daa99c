//! Published prices, and curtailment between clearing and dispatch.

use super::{Caller, Failure};
use crate::action::{Curtailment, PricePublication, ScheduleAction};
use crate::event::Event;
use crate::ids::{SessionId, TradeId};
use crate::records::{
    AccountKind, Counter, CurtailmentRecord, Cut, Mode, Phase, PublishedPrices, Role, Session,
    Trade,
};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_market::curtailment::{Cut as Order, curtail};
use duet_units::{DeliveryDay, Energy, Money};
use std::collections::BTreeMap;

/// Published prices are within 1,000 yuan/kWh, as limits of orders are.
const PRICE_MAX: i64 = 1_000_000_000;

/// Trades of limited units in one period, with the energy that each has there.
#[derive(Debug, Default)]
struct Limited {
    /// Cut in proportion.
    shared: Vec<(TradeId, Energy)>,
    /// Cut from the latest on.
    rolling: Vec<(TradeId, Energy)>,
    /// What the units bought back.
    back: Energy,
}

impl State {
    pub(super) fn check_schedule(
        &self,
        caller: &Caller,
        action: &ScheduleAction,
    ) -> Result<(), Refusal> {
        match action {
            ScheduleAction::PublishPrices(publication) => {
                self.check_prices(caller, publication).map(drop)
            }
            ScheduleAction::Curtail(curtailment) => {
                self.check_curtailment(caller, curtailment).map(drop)
            }
            ScheduleAction::Substitute(request) => {
                self.check_substitution(caller, request).map(drop)
            }
        }
    }

    pub(super) fn apply_schedule(
        &mut self,
        caller: Caller,
        action: &ScheduleAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            ScheduleAction::PublishPrices(publication) => {
                self.publish_prices(caller, publication, events)
            }
            ScheduleAction::Curtail(curtailment) => self.cut_trades(caller, curtailment, events),
            ScheduleAction::Substitute(request) => {
                self.substitute_readings(caller, request, events)
            }
        }
    }

    pub(super) fn joint_session(&self, day: DeliveryDay) -> Result<(SessionId, &Session), Refusal> {
        self.session_of_day(day).ok_or(Rejection::UnknownSession.of("day", day.days(), 0))
    }

    fn check_prices(
        &self,
        caller: &Caller,
        publication: &PricePublication,
    ) -> Result<SessionId, Refusal> {
        caller.needs(&[Role::Dispatcher])?;
        let (id, session) = self.joint_session(publication.day)?;
        let count = i64::try_from(publication.prices.len()).unwrap_or(i64::MAX);
        let periods = i64::from(session.terms.resolution.periods());
        if count != 24 && count != periods {
            return Err(Rejection::BadPrices.of("prices", count, periods));
        }
        for price in &publication.prices {
            let price = price.milli_yuan_per_mwh();
            if !(-PRICE_MAX..=PRICE_MAX).contains(&price) {
                return Err(Rejection::BadPrices.of("price", price, PRICE_MAX));
            }
        }
        if session.phase == Phase::Settled {
            return Err(Rejection::DaySettled.of("day", publication.day.days(), 0));
        }
        Ok(id)
    }

    fn publish_prices(
        &mut self,
        caller: Caller,
        publication: &PricePublication,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let session = self.check_prices(&caller, publication)?;
        let (day, prices) = (publication.day, publication.prices.clone());
        let row = PublishedPrices { prices, published_at: caller.time, by: caller.signer };
        self.prices.insert(day, row);
        events.push(Event::PricesPublished { session, day });
        Ok(u64::from(session.0))
    }

    /// Returns the joint session and what is left of each trade that is cut.
    fn check_curtailment(
        &self,
        caller: &Caller,
        request: &Curtailment,
    ) -> Result<(SessionId, Vec<(TradeId, Energy)>), Refusal> {
        caller.needs(&[Role::Dispatcher])?;
        let (id, session) = self.joint_session(request.day)?;
        let periods = session.terms.resolution.periods();
        if request.period >= periods {
            return Err(Rejection::UnknownPeriod.of("period", request.period, periods));
        }
        if session.phase != Phase::Cleared || session.dispatched {
            return Err(Rejection::WrongPhase.of("session", id.0, session.phase.code()));
        }
        for unit in &request.units {
            if self.units.get(*unit).is_none() {
                return Err(Rejection::UnknownUnit.of("unit", unit.0, 0));
            }
        }
        for (other, _) in self.covering(request.day) {
            if !self.payments_resolved(other) {
                return Err(Rejection::PaymentsOpen.of("session", other.0, 0));
            }
        }
        for (other, row) in self.covering(request.day) {
            if row.phase < Phase::Cleared {
                return Err(Rejection::SessionsOpen.of("session", other.0, row.phase.code()));
            }
        }
        let ascending = request.units.windows(2).all(|pair| pair.first() < pair.last());
        if request.units.is_empty() || !ascending || request.limit < Energy::ZERO {
            return Err(Rejection::BadLimit.of("limit", request.limit.kwh(), 0));
        }
        let limited = self.limited(session, request)?;
        let cuts = limited.cuts(request.limit)?;
        if cuts.is_empty() {
            return Err(Rejection::NothingToCut.of("limit", request.limit.kwh(), 0));
        }
        Ok((id, cuts))
    }

    fn limited(&self, joint: &Session, request: &Curtailment) -> Result<Limited, Refusal> {
        let mut limited = Limited::default();
        let parts = self
            .parts_of_day(request.day, joint.terms.resolution)
            .map_err(|broken| Rejection::OutOfRange.of(broken.0, 0, 0))?;
        for part in parts.iter().filter(|part| part.period == request.period) {
            let orders = [part.trade.buy, part.trade.sell];
            let mut of = orders
                .iter()
                .filter_map(|order| self.orders.get(*order))
                .filter(|order| request.units.binary_search(&order.unit).is_ok());
            let Some(order) = of.next() else { continue };
            if !self.opens(order.unit, order.side) {
                limited.back = limited.back.plus(part.energy)?;
            } else if part.mode == Mode::Rolling {
                limited.rolling.push((part.id, part.energy));
            } else {
                limited.shared.push((part.id, part.energy));
            }
        }
        Ok(limited)
    }

    pub(super) fn cut_trades(
        &mut self,
        caller: Caller,
        request: &Curtailment,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        let (session, cuts) = self.check_curtailment(&caller, request)?;
        let day = request.day;
        let mut total = Energy::ZERO;
        for (id, energy) in &cuts {
            let before = self.day_trade(*id, day)?;
            let key = (day, *id, request.period);
            let row = self.cuts.get(key).cloned();
            let row = row.unwrap_or(Cut { energy: Energy::ZERO, released: Money::ZERO });
            let energy_cut = row.energy.plus(*energy).map_err(Refusal::from)?;
            self.cuts.insert(key, Cut { energy: energy_cut, released: row.released });
            let after = self.day_trade(*id, day)?;
            let paid = |trade: &Trade| trade.paid.max(Money::ZERO);
            let released = paid(&before).minus(paid(&after)).map_err(Refusal::from)?;
            let (buyer, ..) = self.order_of(before.buy)?;
            let trust = (self.exchange, AccountKind::Clearing);
            self.post(trust, (buyer, AccountKind::Available), released)?;
            if let Some(row) = self.cuts.get_mut(key) {
                row.released = row.released.plus(released).map_err(Refusal::from)?;
            }
            total = total.plus(*energy).map_err(Refusal::from)?;
        }
        let trades = u32::try_from(cuts.len()).unwrap_or(u32::MAX);
        let number = self.next_number(Counter::Curtailment);
        let record = CurtailmentRecord {
            session,
            curtailment: request.clone(),
            cut: total,
            trades,
            by: caller.signer,
            time: caller.time,
            height: self.height(),
        };
        self.curtailments.insert(number, record);
        let (period, reason) = (request.period, request.reason.clone());
        events.push(Event::Curtailed { session, day, period, cut: total, trades, reason });
        Ok(number)
    }

    /// A trade as it stands for a delivery day: less what was cut of it, at its prices.
    pub(super) fn day_trade(
        &self,
        id: TradeId,
        day: DeliveryDay,
    ) -> Result<Trade, BrokenInvariant> {
        let mut trade =
            self.trades.get(id).cloned().ok_or(BrokenInvariant("a cut trade is kept"))?;
        let cuts = self.cuts.rows().range((day, id, 0)..=(day, id, u8::MAX));
        let cut = Energy::sum(cuts.map(|(_, cut)| cut.energy))?;
        if !cut.is_zero() {
            trade.quantity = trade.quantity.minus(cut)?;
            trade.paid = trade.buyer_price.cost_of(trade.quantity)?;
            trade.received = trade.seller_price.cost_of(trade.quantity)?;
        }
        Ok(trade)
    }

    /// The trades of a session that are not in default, as they stand for a delivery day.
    pub(super) fn trades_of_day(
        &self,
        session: SessionId,
        day: DeliveryDay,
    ) -> Result<BTreeMap<u8, Vec<(TradeId, Trade)>>, BrokenInvariant> {
        let mut periods: BTreeMap<u8, Vec<(TradeId, Trade)>> = BTreeMap::new();
        for (period, trades) in self.trades_by_period(session) {
            let row = periods.entry(period).or_default();
            for (id, _) in trades {
                row.push((id, self.day_trade(id, day)?));
            }
        }
        Ok(periods)
    }

    /// Drops what was kept of the schedule of a day.
    pub(super) fn forget_schedule(&mut self, session: SessionId, day: DeliveryDay) {
        self.prices.remove(day);
        self.cuts.remove_where(|(of, _, _), _| *of == day);
        self.curtailments.remove_where(|_, row| row.session == session);
    }
}

impl Limited {
    /// What is cut of each trade: the latest of the rolling match first, then all others in
    /// proportion, at unchanged prices (Jiangsu arts 94-96; Beijing art. 74).
    fn cuts(mut self, limit: Energy) -> Result<Vec<(TradeId, Energy)>, Refusal> {
        self.rolling.sort_by_key(|(id, _)| *id);
        let allowed = limit.plus(self.back)?;
        let shared = Energy::sum(self.shared.iter().map(|(_, energy)| *energy))?;
        let for_rolling = allowed.minus(shared)?.max(Energy::ZERO);
        let mut cuts = Vec::new();
        for (trades, allowed, order) in [
            (&self.shared, allowed, Order::ProRata),
            (&self.rolling, for_rolling, Order::LatestFirst),
        ] {
            let energies: Vec<Energy> = trades.iter().map(|(_, energy)| *energy).collect();
            for ((id, energy), kept) in trades.iter().zip(curtail(&energies, allowed, order)?) {
                let cut = energy.minus(kept)?;
                if !cut.is_zero() {
                    cuts.push((*id, cut));
                }
            }
        }
        cuts.sort_by_key(|(id, _)| *id);
        Ok(cuts)
    }
}
