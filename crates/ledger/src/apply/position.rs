//! Positions: what each unit owes or is owed of a delivery day, over all sessions.

use super::hours::{QUARTERS, hour_of, parts_of};
use crate::ids::{OrderId, SessionId, TradeId, UnitId};
use crate::records::{Mode, Phase, Session, Trade};
use crate::state::{BrokenInvariant, State};
use duet_market::order::Side;
use duet_units::{DeliveryDay, Energy, OverflowError, Resolution};
use std::collections::BTreeMap;

/// A delivery period of any day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub(super) resolution: Resolution,
    pub(super) index: u8,
}

/// What a trade has in one period of a day's settlement.
#[derive(Clone, Copy, Debug)]
pub(super) struct TradePart<'a> {
    pub(super) id: TradeId,
    pub(super) trade: &'a Trade,
    /// The mode of its session.
    pub(super) mode: Mode,
    pub(super) period: u8,
    /// Less what was cut.
    pub(super) energy: Energy,
}

impl State {
    /// The sessions, called off ones left out, whose product is delivered on `day`.
    pub(super) fn covering(&self, day: DeliveryDay) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions
            .rows()
            .iter()
            .filter(move |(_, session)| session.phase != Phase::Void && session.covers(day))
            .map(|(id, session)| (*id, session))
    }

    /// Adds to the position of a unit: generating units count what they sell less what they buy
    /// back, points of consumption the reverse.
    pub(crate) fn add_position(
        &mut self,
        order: OrderId,
        traded: Energy,
    ) -> Result<(), OverflowError> {
        let Some(order) = self.orders.get(order) else { return Ok(()) };
        let energy = if self.opens(order.unit, order.side) { traded } else { traded.negated()? };
        let key = (order.session, order.unit, order.period);
        let position = self.positions.entry(key).or_default();
        *position = position.plus(energy)?;
        Ok(())
    }

    /// Whether an order on `side` adds to the position of `unit`.
    pub(super) fn opens(&self, unit: UnitId, side: Side) -> bool {
        self.units.get(unit).is_some_and(|unit| unit.technology.consumes() == (side == Side::Buy))
    }

    /// The least and the most that units can come to hold of a period on any of some days, over
    /// all sessions: their contracts with the open orders that would take from them, and with those
    /// that would add. It takes as long for a product of a year as for one of a day.
    pub(super) fn held(
        &self,
        units: &[UnitId],
        (first, last): (DeliveryDay, DeliveryDay),
        period: Period,
    ) -> Result<(Energy, Energy), OverflowError> {
        // What is held changes only where a session's days begin or are over.
        let mut changes: BTreeMap<DeliveryDay, (Energy, Energy)> = BTreeMap::new();
        for (id, session) in self.sessions.rows() {
            let (from, until) = (session.day.max(first), session.last_day().min(last).next());
            if session.phase == Phase::Void || until <= from {
                continue;
            }
            let (low, high) = self.held_in((*id, session), units, period)?;
            if low.is_zero() && high.is_zero() {
                continue;
            }
            for (day, low, high) in [(from, low, high), (until, low.negated()?, high.negated()?)] {
                let (least, most) = changes.entry(day).or_default();
                (*least, *most) = (least.plus(low)?, most.plus(high)?);
            }
        }
        let begin = changes.remove(&first).unwrap_or_default();
        let (mut now, mut extremes) = (begin, begin);
        for (low, high) in changes.range(..=last).map(|(_, change)| *change) {
            now = (now.0.plus(low)?, now.1.plus(high)?);
            extremes = (extremes.0.min(now.0), extremes.1.max(now.1));
        }
        Ok(extremes)
    }

    /// As [`Self::held`], in one session.
    fn held_in(
        &self,
        (id, session): (SessionId, &Session),
        units: &[UnitId],
        period: Period,
    ) -> Result<(Energy, Energy), OverflowError> {
        let (mut least, mut most) = (Energy::ZERO, Energy::ZERO);
        for unit in units {
            let of = |index: u8| {
                let row = (id, *unit, index);
                let held = self.positions.get(&row).copied().unwrap_or_default();
                let open = self.commitments.get(&row).copied().unwrap_or_default();
                Ok((held.plus(open.min(Energy::ZERO))?, held.plus(open.max(Energy::ZERO))?))
            };
            let (low, high) = in_period(of, session.terms.resolution, period)?;
            (least, most) = (least.plus(low)?, most.plus(high)?);
        }
        Ok((least, most))
    }

    /// What each trade that is not in default has in each period of a day's settlement, less what
    /// was cut of it there.
    pub(super) fn parts_of_day(
        &self,
        day: DeliveryDay,
        resolution: Resolution,
    ) -> Result<Vec<TradePart<'_>>, BrokenInvariant> {
        let sessions: BTreeMap<SessionId, &Session> = self.covering(day).collect();
        let mut parts = Vec::new();
        for (id, trade) in self.trades.rows().iter().filter(|(_, trade)| !trade.defaulted) {
            let Some(session) = sessions.get(&trade.session) else { continue };
            let resolutions = (session.terms.resolution, resolution);
            for (period, whole) in parts_of((trade.period, trade.quantity), resolutions)? {
                let cut = self.cuts.get((day, *id, period));
                let energy = whole.minus(cut.map_or(Energy::ZERO, |cut| cut.energy))?;
                parts.push(TradePart { id: *id, trade, mode: session.mode, period, energy });
            }
        }
        Ok(parts)
    }

    /// The positions of all units on a day, by period of `resolution`: the parts of their trades,
    /// so that what one side has in a period the other side has, too.
    pub(super) fn contracts(
        &self,
        day: DeliveryDay,
        resolution: Resolution,
    ) -> Result<BTreeMap<(UnitId, u8), Energy>, BrokenInvariant> {
        let mut contracts: BTreeMap<(UnitId, u8), Energy> = BTreeMap::new();
        for TradePart { trade, period, energy, .. } in self.parts_of_day(day, resolution)? {
            for order in [trade.buy, trade.sell] {
                let Some(order) = self.orders.get(order) else { continue };
                let adds = self.opens(order.unit, order.side);
                let sum = contracts.entry((order.unit, period)).or_default();
                *sum = if adds { sum.plus(energy)? } else { sum.minus(energy)? };
            }
        }
        // What was all bought back, or cut, is no contract.
        contracts.retain(|_, energy| !energy.is_zero());
        Ok(contracts)
    }
}

/// The energies that rows in periods of `resolution` have in `period`. A quarter has the part
/// of its hour that one trade would have there: the first have what does not divide by four.
fn in_period(
    of: impl Fn(u8) -> Result<(Energy, Energy), OverflowError>,
    resolution: Resolution,
    period: Period,
) -> Result<(Energy, Energy), OverflowError> {
    match (resolution, period.resolution) {
        (Resolution::Hour, Resolution::Quarter) => {
            let (low, high) = of(hour_of(period.index, period.resolution))?;
            let nth = period.index.checked_rem(QUARTERS).unwrap_or(0);
            Ok((fourth(low, nth), fourth(high, nth)))
        }
        (Resolution::Quarter, Resolution::Hour) => {
            let first = period.index.saturating_mul(QUARTERS);
            let (mut low, mut high) = (Energy::ZERO, Energy::ZERO);
            for index in first..first.saturating_add(QUARTERS) {
                let (least, most) = of(index)?;
                (low, high) = (low.plus(least)?, high.plus(most)?);
            }
            Ok((low, high))
        }
        _ => of(period.index),
    }
}

/// What the quarter `nth` has of an hour: the more of the hour, the more of each quarter.
fn fourth(hour: Energy, nth: u8) -> Energy {
    let quarters = i64::from(QUARTERS);
    let all = hour.kwh().saturating_abs();
    let rest = all.checked_rem(quarters).unwrap_or(0);
    let part = all.checked_div(quarters).unwrap_or(0);
    let part = part.saturating_add(i64::from(i64::from(nth) < rest));
    Energy::from_kwh(part.saturating_mul(hour.kwh().signum()))
}
