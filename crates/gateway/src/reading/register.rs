//! One cumulative register: what flowed between two samples, over rollovers and resets.

use duet_units::ClockTime;

/// What is known of a register from its point map entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterRule {
    /// The count after which it begins again at zero.
    pub rollover: u64,
    /// Watt-hours for one count.
    pub wh_per_count: u32,
    /// The most power that can flow, in kW.
    pub max_kw: u32,
}

/// Clocks of stations jitter; a burst of this length at full power is not held against a sample.
const JITTER_MS: i64 = 2_000;

/// What one sample did to the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first sample: it says where the register stands, not what flowed.
    First,
    /// Seen before.
    Duplicate,
    /// Older than what is known; a later position already holds its energy.
    Late,
    /// Energy flowed since the last sample.
    Advance {
        /// How much, in Wh.
        wh: i64,
    },
    /// It cannot follow the last sample; it waits for a second one that agrees with it.
    Suspect,
    /// A second sample agrees with a suspect one: the register began anew there.
    Reset {
        /// What flowed since the suspect sample, in Wh.
        wh: i64,
    },
}

/// The last known position of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The count.
    pub raw: u64,
    /// When.
    pub at: ClockTime,
}

/// A register and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    rule: RegisterRule,
    last: Option<Position>,
    suspect: Option<Position>,
}

impl Register {
    /// A register of which nothing has been seen, or which was last seen at `last`.
    #[must_use]
    pub const fn new(rule: RegisterRule, last: Option<Position>) -> Self {
        Self { rule, last, suspect: None }
    }

    /// Where it stood last.
    #[must_use]
    pub const fn last(&self) -> Option<Position> {
        self.last
    }

    /// Takes one sample. A sample that goes back, or forward further than power allows, is not
    /// believed until a second one agrees with it; a lone wrong value thus changes nothing.
    pub fn take(&mut self, raw: u64, at: ClockTime) -> Step {
        let sample = Position { raw, at };
        if raw >= self.rule.rollover {
            return Step::Suspect;
        }
        let Some(last) = self.last else {
            self.last = Some(sample);
            return Step::First;
        };
        if at < last.at || (at == last.at && raw != last.raw) {
            return Step::Late;
        }
        if at == last.at {
            return Step::Duplicate;
        }
        if let Some(wh) = self.flowed(last, sample) {
            self.last = Some(sample);
            self.suspect = None;
            return Step::Advance { wh };
        }
        let confirmed = self.suspect.filter(|s| s.at < at).and_then(|s| self.flowed(s, sample));
        match confirmed {
            Some(wh) => {
                self.last = Some(sample);
                self.suspect = None;
                Step::Reset { wh }
            }
            None => {
                self.suspect = Some(sample);
                Step::Suspect
            }
        }
    }

    /// The energy between two positions in Wh, over at most one rollover; `None` if it is more
    /// than can have flowed, or if so much can have flowed that the register cannot tell.
    fn flowed(&self, from: Position, to: Position) -> Option<i64> {
        let counts = if to.raw >= from.raw {
            to.raw - from.raw
        } else {
            self.rule.rollover - from.raw + to.raw
        };
        let wh_per_count = i64::from(self.rule.wh_per_count);
        let wh = i64::try_from(counts).ok()?.checked_mul(wh_per_count)?;
        let full = i64::try_from(self.rule.rollover).ok()?.saturating_mul(wh_per_count);
        let elapsed = to.at.unix_ms().saturating_sub(from.at.unix_ms()).saturating_add(JITTER_MS);
        let most = i128::from(self.rule.max_kw) * i128::from(elapsed) / 3_600;
        // A coarse register moves a whole count at once.
        let most = most + i128::from(wh_per_count);
        (i128::from(wh) <= most && most < i128::from(full)).then_some(wh)
    }
}
