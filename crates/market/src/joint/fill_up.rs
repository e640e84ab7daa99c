//! Using up the emissions budget between two neighbouring prices of allowances.

use super::dispatch::{Dispatch, Tie, dispatch};
use super::{Market, Period};

/// Moves `dispatches` towards the schedules at the `lower` price of allowances, period by period,
/// as long as emissions stay within `budget`. In the first period that does not fit whole it goes
/// as far as swaps of kWh allow.
pub(super) fn fill_up(market: &Market, lower: i64, budget: i128, dispatches: &mut [Dispatch]) {
    let emitted = dispatches.iter().fold(0_i128, |sum, d| sum.saturating_add(d.emissions));
    let mut room = budget.saturating_sub(emitted);
    for (period, current) in market.periods.iter().zip(dispatches) {
        let target = dispatch(period, lower, Tie::Most);
        let more = target.emissions.saturating_sub(current.emissions);
        if more <= 0 {
            continue;
        }
        if more <= room {
            room = room.saturating_sub(more);
            *current = Dispatch { price: current.price, ..target };
        } else {
            swap(period, current, &target, room);
            return;
        }
    }
}

/// Which order of a period a move changes.
#[derive(Clone, Copy)]
enum Place {
    Unit(usize),
    Demand(usize),
}

/// A change of one order towards the target, of up to `left` kWh.
#[derive(Clone, Copy)]
struct Move {
    place: Place,
    net_factor: i64,
    left: i64,
}

/// Swaps kWh until the room is used: each swap takes one move that adds generation or removes
/// consumption and one that does the opposite, so the period stays balanced.
fn swap(period: &Period, current: &mut Dispatch, target: &Dispatch, room: i128) {
    let (adding, removing) = moves(period, current, target);
    let (mut adding, mut removing) = (adding.into_iter(), removing.into_iter());
    let (mut add, mut remove) = (adding.next(), removing.next());
    let mut room = room;
    while let (Some(a), Some(r)) = (add, remove) {
        let per_kwh = i128::from(a.net_factor).saturating_sub(r.net_factor.into());
        let wanted = a.left.min(r.left);
        let fits = if 0 < per_kwh { room.div_euclid(per_kwh) } else { i128::MAX };
        let kwh = wanted.min(i64::try_from(fits).unwrap_or(i64::MAX));
        if kwh <= 0 {
            return;
        }
        a.apply(current, kwh);
        r.apply(current, kwh.saturating_neg());
        let emitted = per_kwh.saturating_mul(kwh.into());
        room = room.saturating_sub(emitted);
        current.emissions = current.emissions.saturating_add(emitted);
        add = a.after(kwh).or_else(|| adding.next());
        remove = r.after(kwh).or_else(|| removing.next());
    }
}

/// The moves that add generation or remove consumption, and those that do the opposite.
fn moves(period: &Period, current: &Dispatch, target: &Dispatch) -> (Vec<Move>, Vec<Move>) {
    let (mut adding, mut removing) = (Vec::new(), Vec::new());
    let generated = target.generated.iter().zip(&current.generated).zip(&period.units);
    for (index, ((target, now), unit)) in generated.enumerate() {
        let change = target.saturating_sub(*now);
        let (place, net_factor) = (Place::Unit(index), unit.net_factor());
        let side = if 0 < change { &mut adding } else { &mut removing };
        side.push(Move { place, net_factor, left: change.saturating_abs() });
    }
    for (index, (target, now)) in target.consumed.iter().zip(&current.consumed).enumerate() {
        let change = target.saturating_sub(*now);
        let place = Place::Demand(index);
        let side = if 0 < change { &mut removing } else { &mut adding };
        side.push(Move { place, net_factor: 0, left: change.saturating_abs() });
    }
    adding.retain(|step| step.left > 0);
    removing.retain(|step| step.left > 0);
    (adding, removing)
}

impl Move {
    /// Adds `kwh` of generation, or removes as much consumption.
    fn apply(&self, dispatch: &mut Dispatch, kwh: i64) {
        let energy = match self.place {
            Place::Unit(index) => dispatch.generated.get_mut(index),
            Place::Demand(index) => dispatch.consumed.get_mut(index),
        };
        let Some(energy) = energy else { return };
        *energy = match self.place {
            Place::Unit(_) => energy.saturating_add(kwh),
            Place::Demand(_) => energy.saturating_sub(kwh),
        };
    }

    fn after(self, kwh: i64) -> Option<Self> {
        let left = self.left.saturating_sub(kwh);
        (left > 0).then_some(Self { left, ..self })
    }
}
