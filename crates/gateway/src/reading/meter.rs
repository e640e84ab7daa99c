//! One meter: periods closed, estimated by rule, corrected.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use duet_ledger::UnitId;
use duet_units::{ClockTime, DeliveryPeriod, Energy, Resolution};

use super::register::{Position, Register, RegisterRule, Step};
use super::{Flags, PeriodReading, Sample};

/// How many periods back a reading can still be corrected: two days of quarter-hours.
pub(super) const WINDOW: usize = 192;

/// How a meter's samples become readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterRule {
    /// The unit, as the ledger numbers it.
    pub unit: u32,
    /// Its register.
    pub register: RegisterRule,
    /// The length of a period.
    pub resolution: Resolution,
    /// The longest time between samples that is not a gap, in milliseconds.
    pub gap_ms: i64,
    /// How long after its end a period waits for a sample, in milliseconds.
    pub close_after_ms: i64,
}

/// Where the register stood at the limit of two periods, in Wh since the meter was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Boundary {
    pub(super) wh: i64,
    pub(super) flags: Flags,
    /// Carried on by rule because no later sample had come; a later sample replaces it.
    pub(super) provisional: bool,
}

/// What was reported of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reported {
    pub(super) kwh: i64,
    pub(super) flags: Flags,
    pub(super) version: u16,
}

/// What the samples inside a period said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) flags: Flags,
    pub(super) last: ClockTime,
}

/// A meter: its register, and its periods that are open or may still be corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    pub(super) rule: MeterRule,
    pub(super) register: Register,
    pub(super) total_wh: i64,
    /// Wh in one period, of the last period that was measured.
    pub(super) rate_wh: i64,
    /// Whether anything changed since the last look for readings.
    pub(super) changed: bool,
    // All three by the start of the period, in milliseconds.
    pub(super) boundaries: BTreeMap<i64, Boundary>,
    pub(super) seen: BTreeMap<i64, Seen>,
    pub(super) reported: BTreeMap<i64, Reported>,
}

impl Meter {
    /// A meter of which nothing has been seen.
    #[must_use]
    pub const fn new(rule: MeterRule) -> Self {
        Self {
            register: Register::new(rule.register, None),
            rule,
            total_wh: 0,
            rate_wh: 0,
            changed: false,
            boundaries: BTreeMap::new(),
            seen: BTreeMap::new(),
            reported: BTreeMap::new(),
        }
    }

    /// The unit that it meters.
    #[must_use]
    pub const fn unit(&self) -> u32 {
        self.rule.unit
    }

    /// All energy counted since the meter was first seen, in Wh.
    #[must_use]
    pub const fn total_wh(&self) -> i64 {
        self.total_wh
    }

    /// Takes one sample. A sample that the device marks invalid, old or blocked moves nothing, but
    /// marks the period that it falls into.
    pub fn take(&mut self, sample: &Sample) -> Step {
        let unusable = Flags::INVALID | Flags::STALE;
        if sample.flags.intersects(unusable) {
            self.mark(sample.at, sample.flags);
            return Step::Suspect;
        }
        let from = self.register.last();
        let step = self.register.take(sample.raw, sample.at);
        match step {
            Step::First => self.begin(sample.at),
            Step::Advance { wh } => self.advance(from, sample.at, wh, Flags::GOOD),
            Step::Reset { wh } => self.advance(from, sample.at, wh, Flags::RESET),
            Step::Suspect => self.mark(sample.at, Flags::IMPLAUSIBLE),
            Step::Duplicate | Step::Late => return step,
        }
        self.mark(sample.at, sample.flags);
        step
    }

    /// The readings that `now` has to be reported: of periods that have ended and were measured
    /// past their end, of those whose time to wait is over, and corrections of earlier ones.
    pub fn close(&mut self, now: ClockTime) -> Vec<PeriodReading> {
        self.carry_on(now);
        let mut readings = Vec::new();
        if !std::mem::take(&mut self.changed) {
            return readings;
        }
        let starts: Vec<i64> = self.boundaries.keys().copied().collect();
        for pair in starts.windows(2) {
            let [start, end] = pair else { continue };
            if end - start == self.period_ms() {
                readings.extend(self.report(*start, *end));
            }
        }
        self.forget();
        readings
    }

    /// The first sample: the period that it falls into has begun without us, unless it is exactly
    /// its start.
    fn begin(&mut self, at: ClockTime) {
        let start = self.start_of(at.unix_ms());
        let flags = if start == at.unix_ms() { Flags::GOOD } else { Flags::MISSING };
        let boundary = Boundary { wh: self.total_wh, flags, provisional: false };
        self.boundaries.insert(start, boundary);
        self.changed = true;
    }

    /// Energy flowed: every limit of periods on the way gets its share by time, rounded down, so
    /// that the rest is counted after it.
    fn advance(&mut self, from: Option<Position>, to: ClockTime, wh: i64, flags: Flags) {
        let from = from.map_or(to, |p| p.at).unix_ms();
        let to = to.unix_ms();
        let elapsed = (to - from).max(1);
        let gap = if elapsed > self.rule.gap_ms {
            Flags::ESTIMATED | Flags::MISSING
        } else {
            Flags::GOOD
        };
        let first = self.start_of(from) + self.period_ms();
        let window = i64::try_from(WINDOW).unwrap_or(i64::MAX) * self.period_ms();
        let mut at = first.max(self.start_of(to) - window).max(self.oldest());
        while at <= to {
            let share = i128::from(wh) * i128::from(at - from) / i128::from(elapsed);
            let wh = self.total_wh + i64::try_from(share).unwrap_or(wh);
            let flags = if at == to { flags } else { flags | gap };
            self.boundaries.insert(at, Boundary { wh, flags, provisional: false });
            at += self.period_ms();
        }
        self.changed = true;
        // What was carried on beyond this sample started from an older position.
        self.boundaries.retain(|at, boundary| *at <= to || !boundary.provisional);
        self.total_wh += wh;
        if flags != Flags::GOOD {
            self.mark(ClockTime::from_unix_ms(to), flags);
        }
    }

    /// Estimates by rule the limits that have waited long enough: the power of the last measured
    /// period goes on.
    fn carry_on(&mut self, now: ClockTime) {
        let Some(last) = self.register.last() else { return };
        let last_at = last.at.unix_ms();
        let due = now.unix_ms() - self.rule.close_after_ms;
        let first = self.start_of(last_at) + self.period_ms();
        let window = i64::try_from(WINDOW).unwrap_or(i64::MAX) * self.period_ms();
        let mut at = first.max(self.start_of(due) - window).max(self.oldest());
        while at <= due {
            let elapsed = i128::from(at - last_at);
            let wh = i128::from(self.rate_wh) * elapsed / i128::from(self.period_ms());
            let wh = self.total_wh.saturating_add(i64::try_from(wh).unwrap_or(0));
            let flags = Flags::ESTIMATED | Flags::MISSING;
            let rule = Boundary { wh, flags, provisional: true };
            if let Entry::Vacant(entry) = self.boundaries.entry(at) {
                entry.insert(rule);
                self.changed = true;
            }
            at += self.period_ms();
        }
    }

    fn report(&mut self, start: i64, end: i64) -> Option<PeriodReading> {
        let (from, to) = (*self.boundaries.get(&start)?, *self.boundaries.get(&end)?);
        let seen = self.seen.get(&start).copied();
        let flags = from.flags | to.flags | seen.map_or(Flags::GOOD, |s| s.flags);
        let kwh = to.wh.div_euclid(1_000) - from.wh.div_euclid(1_000);
        if !flags.intersects(Flags::ESTIMATED | Flags::RESET) {
            self.rate_wh = to.wh - from.wh;
        }
        let before = self.reported.get(&start);
        if before.is_some_and(|r| r.kwh == kwh && r.flags == flags) {
            return None;
        }
        let version = before.map_or(1, |r| r.version.saturating_add(1));
        let period = self.period(start)?;
        self.reported.insert(start, Reported { kwh, flags, version });
        let source_time = seen.map_or(period.start(), |s| s.last);
        let energy = Energy::from_kwh(kwh);
        Some(PeriodReading {
            unit: UnitId(self.rule.unit),
            period,
            version,
            energy,
            flags,
            source_time,
        })
    }

    fn mark(&mut self, at: ClockTime, flags: Flags) {
        let start = self.start_of(at.unix_ms());
        let seen = self.seen.entry(start).or_insert(Seen { flags, last: at });
        if !seen.flags.contains(flags) {
            seen.flags = seen.flags | flags;
            self.changed |= self.reported.contains_key(&start);
        }
        seen.last = seen.last.max(at);
    }

    fn forget(&mut self) {
        while self.boundaries.len() > WINDOW {
            self.boundaries.pop_first();
        }
        let oldest = self.oldest();
        self.reported = self.reported.split_off(&oldest);
        self.seen = self.seen.split_off(&oldest);
        while self.seen.len() > WINDOW {
            // Samples with tags far in the future would fill it otherwise.
            self.seen.pop_last();
        }
    }

    /// The oldest limit of periods that is kept. What lies before it has been reported and forgotten;
    /// told again, it would begin anew at version 1.
    fn oldest(&self) -> i64 {
        self.boundaries.first_key_value().map_or(i64::MIN, |(at, _)| *at)
    }

    const fn period_ms(&self) -> i64 {
        self.rule.resolution.period_ms()
    }

    /// The start of the period that `at` lies in. Delivery days begin at a full hour of UTC, so
    /// periods do not need the calendar.
    const fn start_of(&self, at: i64) -> i64 {
        at - at.rem_euclid(self.period_ms())
    }

    fn period(&self, start: i64) -> Option<DeliveryPeriod> {
        let day = ClockTime::from_unix_ms(start).day();
        let index = (start - day.start().unix_ms()) / self.period_ms();
        DeliveryPeriod::new(day, self.rule.resolution, u8::try_from(index).ok()?)
    }
}
