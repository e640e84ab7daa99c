//! The local limits: what a unit may be told, whatever the ledger says.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use duet_units::ClockTime;

use super::Cause;
use crate::field::{FieldEvent, Value};
use crate::point_map::{PointMap, SetpointPoint};
use crate::reading::Flags;

const W_PER_KW: i64 = 1_000;

/// What the gateway last saw of every power and state of the plant.
#[derive(Clone, Debug, Default)]
pub struct Image {
    values: BTreeMap<Arc<str>, FieldEvent>,
}

impl Image {
    /// Takes a value from the field.
    pub fn take(&mut self, event: FieldEvent) {
        self.values.insert(event.name.clone(), event);
    }

    #[cfg(test)]
    pub(super) fn values_for_test(&self, name: &str) -> FieldEvent {
        self.values[name].clone()
    }

    /// A value that is good and no older than `fresh_ms`.
    fn known(&self, name: &str, fresh_ms: i64, now: ClockTime) -> Option<Value> {
        let event = self.values.get(name)?;
        let oldest = now.plus_ms(-fresh_ms);
        // Substituted values are somebody's word, not the plant's.
        (event.flags == Flags::GOOD && oldest <= event.at).then_some(event.value)
    }
}

/// What a unit may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetpointRule {
    /// The set-point, by its name in the point map.
    pub name: Arc<str>,
    /// The unit, as the ledger numbers it.
    pub unit: u32,
    /// Watts for one count of what is written.
    pub w_per_count: i64,
    /// The least it may be told, in kW.
    pub min_kw: i64,
    /// The most it may be told, in kW.
    pub max_kw: i64,
    /// The largest step from the power it makes now, in kW.
    pub max_step_kw: i64,
    /// The power point that says what it makes now.
    pub power: Arc<str>,
    /// States that must be on.
    pub interlocks: Vec<Arc<str>>,
    /// How old a value may be to count, in milliseconds.
    pub fresh_ms: i64,
}

impl SetpointRule {
    /// The rules of all set-points of a map.
    #[must_use]
    pub fn of(map: &PointMap) -> Vec<Self> {
        let iec104 = map.iec104.iter().flat_map(|s| s.setpoint.iter().map(Self::from_point));
        let modbus = map.modbus.iter().flat_map(|s| s.setpoint.iter().map(Self::from_point));
        iec104.chain(modbus).collect()
    }

    fn from_point<A>(point: &SetpointPoint<A>) -> Self {
        Self {
            name: point.name.as_str().into(),
            unit: point.unit,
            w_per_count: point.w_per_count.into(),
            min_kw: point.min_kw,
            max_kw: point.max_kw,
            max_step_kw: point.max_step_kw,
            power: point.power.as_str().into(),
            interlocks: point.interlocks.iter().map(|name| name.as_str().into()).collect(),
            fresh_ms: i64::from(point.fresh_s) * 1_000,
        }
    }

    /// Whether a dispatch may hold this set-point.
    #[must_use]
    pub fn allows(&self, kw: i64) -> bool {
        self.is_no_instruction(kw) || (self.min_kw..=self.max_kw).contains(&kw)
    }

    /// A unit that has sold nothing in a period has a set-point of zero there. Where its least is
    /// above zero that is no instruction: the gateway does not shut a unit down.
    #[must_use]
    pub const fn is_no_instruction(&self, kw: i64) -> bool {
        kw == 0 && self.min_kw > 0
    }

    /// What the unit is told on its way to `target`, in W: the target, or one largest step towards
    /// it, rounded down to what can be written.
    ///
    /// # Errors
    ///
    /// Returns the [`Cause`] that keeps the unit from being moved.
    pub fn decide(&self, target: i64, image: &Image, now: ClockTime) -> Result<i64, Cause> {
        for interlock in &self.interlocks {
            match image.known(interlock, self.fresh_ms, now) {
                Some(Value::State(true)) => {}
                Some(Value::State(false)) => return Err(Cause::Interlock),
                Some(Value::Energy(_) | Value::Power(_) | Value::Link(_)) | None => {
                    return Err(Cause::NotKnown);
                }
            }
        }
        let Some(Value::Power(power)) = image.known(&self.power, self.fresh_ms, now) else {
            return Err(Cause::NotKnown);
        };
        let step = self.max_step_kw.saturating_mul(1_000);
        let next = target.clamp(power.saturating_sub(step), power.saturating_add(step));
        // A step ends at a whole kW: single precision does not hold a large power to the watt.
        let next = match next.cmp(&target) {
            Ordering::Less => next.div_euclid(W_PER_KW).saturating_mul(W_PER_KW),
            Ordering::Equal => next,
            Ordering::Greater => (-(-next).div_euclid(W_PER_KW)).saturating_mul(W_PER_KW),
        };
        let (min, max) = (self.min_kw.saturating_mul(1_000), self.max_kw.saturating_mul(1_000));
        // A scale that leaves nothing within the limits moves nothing.
        let written = self.writable(next.clamp(min, max));
        if written <= max { Ok(written) } else { Err(Cause::OutsideLimits) }
    }

    /// What can be written for `watts`: at or below it, but not below the least.
    pub(super) const fn writable(&self, watts: i64) -> i64 {
        let below = watts.div_euclid(self.w_per_count).saturating_mul(self.w_per_count);
        let min = self.min_kw.saturating_mul(W_PER_KW);
        if below < min { below.saturating_add(self.w_per_count) } else { below }
    }
}
