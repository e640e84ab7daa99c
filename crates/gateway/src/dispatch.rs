//! From a final dispatch to a set-point: what the gateway follows, and what it refuses.
//!
//! A device is moved only by a dispatch that is final on the ledger, and only within the limits
//! that its owner wrote into the point map. The ledger cannot widen them.

mod guard;
mod proof;

pub use guard::{Image, SetpointRule};
pub use proof::{DispatchProofError, verify_dispatch};

use std::collections::BTreeMap;
use std::sync::Arc;

use duet_ledger::{Acknowledgement, Dispatch, DispatchId};
use duet_units::{ClockTime, DeliveryDay, Resolution};

use crate::field::CommandFailure;

/// How long after a command that failed, or moved only part of the way, the next one follows.
const RETRY_MS: i64 = 10_000;
/// A command of which nothing was heard for so long has been given up by whoever carried it.
const IN_FLIGHT_MS: i64 = 20_000;
/// How far ahead of the gateway's clock a dispatch may have been issued.
const AHEAD_MS: i64 = 60_000;
/// Dispatches of days further ahead than this are not taken: they can be issued again in time.
const DAYS_AHEAD: i32 = 8;

/// Why a dispatch is not followed. The numbers go into acknowledgements and are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// 1: The gateway has no set-point for the unit.
    #[error("the gateway has no set-point for the unit")]
    UnknownUnit,
    /// 2: The day is over, or too far ahead.
    #[error("the day of the dispatch is over or too far ahead")]
    NotNow,
    /// 3: It was issued in the future of the gateway's clock.
    #[error("the dispatch was issued in the future")]
    FromTheFuture,
    /// 4: It does not have a set-point for each period of a day.
    #[error("the dispatch has the wrong number of set-points")]
    WrongLength,
    /// 5: A set-point is outside the unit's local limits.
    #[error("a set-point is outside the unit's limits")]
    OutsideLimits,
    /// 6: A later dispatch for the same unit and day is followed.
    #[error("a later dispatch is followed")]
    Superseded,
    /// 20: An interlock is open.
    #[error("an interlock is open")]
    Interlock,
    /// 21: The power or a state that must be known is too old, or not good.
    #[error("a value that must be known is not")]
    NotKnown,
    /// 30 to 36: The station did not take the command.
    #[error(transparent)]
    Station(#[from] CommandFailure),
}

impl Cause {
    /// The stable number.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::UnknownUnit => 1,
            Self::NotNow => 2,
            Self::FromTheFuture => 3,
            Self::WrongLength => 4,
            Self::OutsideLimits => 5,
            Self::Superseded => 6,
            Self::Interlock => 20,
            Self::NotKnown => 21,
            Self::Station(CommandFailure::NotConnected) => 30,
            Self::Station(CommandFailure::OutOfRange) => 31,
            Self::Station(CommandFailure::SelectRefused) => 32,
            Self::Station(CommandFailure::ExecuteRefused) => 33,
            Self::Station(CommandFailure::Timeout) => 34,
            Self::Station(CommandFailure::Exception(_)) => 35,
            Self::Station(CommandFailure::ReadBack(_)) => 36,
        }
    }
}

/// A command that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The unit.
    pub unit: u32,
    /// The set-point, by its name in the point map.
    pub name: Arc<str>,
    /// What is written, in counts of the point.
    pub counts: i64,
    /// Its number, which its outcome must name.
    pub number: u64,
}

/// Where a unit stands with the set-point of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    period: ClockTime,
    /// What was sent last, in W, and whether the station took it.
    sent: Option<(i64, bool)>,
    tried_at: ClockTime,
    blocked: Option<Cause>,
    /// The command whose outcome is waited for, and when it was sent.
    in_flight: Option<(u64, ClockTime)>,
}

/// Follows dispatches.
#[derive(Clone, Debug)]
pub struct Follower {
    rules: BTreeMap<u32, SetpointRule>,
    followed: BTreeMap<(u32, DeliveryDay), (DispatchId, Vec<i64>)>,
    standing: BTreeMap<u32, Standing>,
    /// The number of the last command.
    last: u64,
}

impl Follower {
    /// A follower for these set-points.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = SetpointRule>) -> Self {
        let rules = rules.into_iter().map(|rule| (rule.unit, rule)).collect();
        Self { rules, followed: BTreeMap::new(), standing: BTreeMap::new(), last: 0 }
    }

    /// Takes a dispatch that is final; returns the answer that the ledger is owed. A dispatch that
    /// is followed already is accepted again and changes nothing.
    pub fn consider(
        &mut self,
        id: DispatchId,
        dispatch: &Dispatch,
        now: ClockTime,
    ) -> Acknowledgement {
        match self.check(id, dispatch, now) {
            Ok(setpoints) => {
                self.followed.insert((dispatch.unit.0, dispatch.day), (id, setpoints));
                self.followed.retain(|(_, day), _| *day >= now.day());
                Acknowledgement { dispatch: id, accepted: true, cause: 0 }
            }
            Err(cause) => Acknowledgement { dispatch: id, accepted: false, cause: cause.code() },
        }
    }

    fn check(
        &self,
        id: DispatchId,
        dispatch: &Dispatch,
        now: ClockTime,
    ) -> Result<Vec<i64>, Cause> {
        let rule = self.rules.get(&dispatch.unit.0).ok_or(Cause::UnknownUnit)?;
        let days = i64::from(dispatch.day.days()) - i64::from(now.day().days());
        if !(0..=i64::from(DAYS_AHEAD)).contains(&days) {
            return Err(Cause::NotNow);
        }
        if dispatch.issued_at > now.plus_ms(AHEAD_MS) {
            return Err(Cause::FromTheFuture);
        }
        resolution(dispatch.setpoints.len()).ok_or(Cause::WrongLength)?;
        let setpoints: Vec<i64> = dispatch.setpoints.iter().map(|p| p.kw()).collect();
        if !setpoints.iter().all(|kw| rule.allows(*kw)) {
            return Err(Cause::OutsideLimits);
        }
        match self.followed.get(&(dispatch.unit.0, dispatch.day)) {
            Some((followed, _)) if *followed > id => Err(Cause::Superseded),
            Some(_) | None => Ok(setpoints),
        }
    }

    /// The commands that are due now: of each unit whose set-point of this period has not been
    /// reached, with what its plant shows. A unit is told one thing at a time.
    pub fn due(&mut self, image: &Image, now: ClockTime) -> Vec<Due> {
        let rules = self.rules.values();
        let mut due = Vec::new();
        for rule in rules {
            let Some((period, target_kw)) = target(&self.followed, rule.unit, now) else {
                continue;
            };
            if rule.is_no_instruction(target_kw) {
                continue;
            }
            let in_flight = None;
            let fresh = Standing { period, sent: None, tried_at: period, blocked: None, in_flight };
            let standing = self.standing.entry(rule.unit).or_insert(fresh);
            if standing.period != period {
                *standing = Standing { in_flight: standing.in_flight, ..fresh };
            }
            if standing.in_flight.is_some_and(|(_, at)| now < at.plus_ms(IN_FLIGHT_MS)) {
                continue;
            }
            let target = target_kw.saturating_mul(1_000);
            let reached = standing.sent == Some((rule.writable(target), true));
            // What the plant shows is looked at again every time; a station that failed is given time.
            let failed = matches!(standing.blocked, Some(Cause::Station(_)));
            let waiting = standing.sent.is_some() || failed;
            if reached || (waiting && now < standing.tried_at.plus_ms(RETRY_MS)) {
                continue;
            }
            standing.tried_at = now;
            match rule.decide(target, image, now) {
                Ok(watts) => {
                    standing.sent = Some((watts, false));
                    standing.blocked = None;
                    self.last += 1;
                    standing.in_flight = Some((self.last, now));
                    let (name, counts) = (rule.name.clone(), watts / rule.w_per_count);
                    due.push(Due { unit: rule.unit, name, counts, number: self.last });
                }
                Err(cause) => standing.blocked = Some(cause),
            }
        }
        due
    }

    /// Takes what came of the command of this number. What was sent in an earlier period says
    /// nothing about this one's set-point.
    pub fn outcome(&mut self, unit: u32, number: u64, outcome: Result<(), CommandFailure>) {
        let Some(standing) = self.standing.get_mut(&unit) else { return };
        if standing.in_flight.is_none_or(|(waited, _)| waited != number) {
            return;
        }
        standing.in_flight = None;
        if standing.sent.is_none() {
            return;
        }
        match outcome {
            Ok(()) => {
                standing.sent = standing.sent.map(|(watts, _)| (watts, true));
                standing.blocked = None;
            }
            Err(failure) => standing.blocked = Some(failure.into()),
        }
    }

    /// The units that do not follow the dispatch of this period, and why.
    pub fn blocked(&self) -> impl Iterator<Item = (u32, Cause)> {
        self.standing.iter().filter_map(|(unit, s)| Some((*unit, s.blocked?)))
    }
}

fn resolution(setpoints: usize) -> Option<Resolution> {
    match setpoints {
        24 => Some(Resolution::Hour),
        96 => Some(Resolution::Quarter),
        _ => None,
    }
}

/// The period that `now` is in, and the set-point of `unit` for it.
fn target(
    followed: &BTreeMap<(u32, DeliveryDay), (DispatchId, Vec<i64>)>,
    unit: u32,
    now: ClockTime,
) -> Option<(ClockTime, i64)> {
    let day = now.day();
    let (_, setpoints) = followed.get(&(unit, day))?;
    let period_ms = resolution(setpoints.len())?.period_ms();
    let index = (now.unix_ms() - day.start().unix_ms()) / period_ms;
    let start = day.start().plus_ms(index * period_ms);
    Some((start, *setpoints.get(usize::try_from(index).ok()?)?))
}

#[cfg(test)]
mod tests;
