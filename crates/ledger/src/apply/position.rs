//! Positions: what each unit owes or is owed of a delivery day, over all sessions.

use crate::ids::{OrderId, SessionId, UnitId};
use crate::records::{Phase, Session};
use crate::state::{BrokenInvariant, State};
use duet_market::curve::split_evenly;
use duet_market::order::Side;
use duet_units::{DeliveryDay, Energy, OverflowError, Resolution};
use std::collections::BTreeMap;

/// Quarters of an hour.
const QUARTERS: u8 = 4;

/// A delivery period of a day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub(super) day: DeliveryDay,
    pub(super) resolution: Resolution,
    pub(super) index: u8,
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

    /// The least and the most that `unit` holds of a period, over all sessions: contracts alone,
    /// and contracts with the open orders that would add to them.
    pub(super) fn held(
        &self,
        unit: UnitId,
        period: Period,
    ) -> Result<(Energy, Energy), OverflowError> {
        let (mut firm, mut open) = (Energy::ZERO, Energy::ZERO);
        for (id, session) in self.covering(period.day) {
            let of = |rows: &BTreeMap<(SessionId, UnitId, u8), Energy>| {
                in_period(rows, (id, unit), session.terms.resolution, period)
            };
            firm = firm.plus(of(&self.positions)?)?;
            open = open.plus(of(&self.commitments)?.max(Energy::ZERO))?;
        }
        Ok((firm, firm.plus(open)?))
    }

    /// The positions of all units on a day, by period of `resolution`. Contracts for an hour are
    /// split evenly over its quarters (Jiangsu rules art. 79).
    pub(super) fn contracts(
        &self,
        day: DeliveryDay,
        resolution: Resolution,
    ) -> Result<BTreeMap<(UnitId, u8), Energy>, BrokenInvariant> {
        let mut contracts: BTreeMap<(UnitId, u8), Energy> = BTreeMap::new();
        for (id, session) in self.covering(day) {
            let rows = self.positions.range((id, UnitId(0), 0)..=(id, UnitId(u32::MAX), u8::MAX));
            for ((_, unit, index), energy) in rows {
                let parts = match (session.terms.resolution, resolution) {
                    (Resolution::Hour, Resolution::Quarter) => {
                        split_evenly(*energy, QUARTERS.into())?
                    }
                    (Resolution::Quarter, Resolution::Hour) => {
                        return Err(BrokenInvariant("a day is settled in its shortest periods"));
                    }
                    _ => vec![*energy],
                };
                let width = u8::try_from(parts.len()).unwrap_or(1);
                for (n, part) in (0_u8..).zip(parts) {
                    let at = index.saturating_mul(width).saturating_add(n);
                    let sum = contracts.entry((*unit, at)).or_default();
                    *sum = sum.plus(part)?;
                }
            }
        }
        self.take_out_cuts(day, &mut contracts)?;
        // A trade in default, or all bought back, is no contract.
        contracts.retain(|_, energy| !energy.is_zero());
        Ok(contracts)
    }
}

/// The energy that rows in periods of `resolution` have in `period`; of an hour in a quarter, its
/// fourth part rounded up.
fn in_period(
    rows: &BTreeMap<(SessionId, UnitId, u8), Energy>,
    (session, unit): (SessionId, UnitId),
    resolution: Resolution,
    period: Period,
) -> Result<Energy, OverflowError> {
    let at = |index: u8| rows.get(&(session, unit, index)).copied().unwrap_or_default();
    match (resolution, period.resolution) {
        (Resolution::Hour, Resolution::Quarter) => {
            let hour = at(period.index.checked_div(QUARTERS).unwrap_or(0)).kwh();
            let up = hour.saturating_add(i64::from(QUARTERS).saturating_sub(1));
            Ok(Energy::from_kwh(up.div_euclid(QUARTERS.into())))
        }
        (Resolution::Quarter, Resolution::Hour) => {
            let first = period.index.saturating_mul(QUARTERS);
            Energy::sum((first..first.saturating_add(QUARTERS)).map(at))
        }
        _ => Ok(at(period.index)),
    }
}
