//! Limits with hysteresis: a value that trembles at a limit does not make the alarm tremble.

use std::fmt;

use serde::Deserialize;

use super::iio::Channel;

/// The limits of one channel, from the point map. Values are thousandths of the channel's unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Its name in reports.
    pub name: String,
    /// The stem of its files under the IIO device, for example `in_temp0`.
    pub input: String,
    /// What it measures.
    pub kind: Channel,
    /// The divider before the input: what is measured is the input's value times the first number
    /// by the second. For a current, the shunt and its amplifier.
    #[serde(default = "no_divider")]
    pub divider: [u32; 2],
    /// Below this is an alarm.
    pub low_alarm: Option<i64>,
    /// Below this is a warning.
    pub low_warn: Option<i64>,
    /// Above this is a warning.
    pub high_warn: Option<i64>,
    /// Above this is an alarm.
    pub high_alarm: Option<i64>,
    /// How far back inside a limit the value must be before the level falls.
    pub hysteresis: i64,
}

const fn no_divider() -> [u32; 2] {
    [1, 1]
}

impl Limit {
    /// Whether there are values at which the channel stands well again, and an input to read.
    pub(crate) fn is_sound(&self) -> bool {
        let ordered = |below: Option<i64>, above: Option<i64>| {
            below.zip(above).is_none_or(|(below, above)| below <= above)
        };
        let low = self.low_alarm.max(self.low_warn).map(|l| l.saturating_add(self.hysteresis));
        let highs = [self.high_warn, self.high_alarm].into_iter().flatten();
        let high = highs.min().map(|h| h.saturating_sub(self.hysteresis));
        self.hysteresis >= 0
            && !self.divider.contains(&0)
            && ordered(self.low_alarm, self.low_warn)
            && ordered(self.high_warn, self.high_alarm)
            && ordered(low, high)
    }
}

/// How a channel stands, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Inside all limits.
    Normal,
    /// Outside a warning limit.
    Warning,
    /// The sensor shows what cannot be.
    SensorFault,
    /// Outside an alarm limit.
    Alarm,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::SensorFault => "sensor fault",
            Self::Alarm => "alarm",
        })
    }
}

/// A channel and how it stood last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    limit: Limit,
    level: Level,
}

impl Watch {
    /// A channel that has not been read yet.
    #[must_use]
    pub const fn new(limit: Limit) -> Self {
        Self { limit, level: Level::Normal }
    }

    /// Its limits.
    #[must_use]
    pub const fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Takes a value (`None`: a sensor fault) and returns how the channel stands now.
    pub fn take(&mut self, value: Option<i64>) -> Level {
        self.level = match value {
            None => Level::SensorFault,
            Some(value) => {
                let strict = self.level_of(value, 0);
                // It stays at the level it had until it is back inside by the hysteresis.
                let slack = self.level_of(value, self.limit.hysteresis);
                let held =
                    if self.level == Level::SensorFault { Level::Normal } else { self.level };
                strict.max(slack.min(held))
            }
        };
        self.level
    }

    /// The level of a value if every limit were `inside` further in.
    fn level_of(&self, value: i64, inside: i64) -> Level {
        let below = |limit: Option<i64>| limit.is_some_and(|l| value < l.saturating_add(inside));
        let above = |limit: Option<i64>| limit.is_some_and(|l| value > l.saturating_sub(inside));
        if below(self.limit.low_alarm) || above(self.limit.high_alarm) {
            Level::Alarm
        } else if below(self.limit.low_warn) || above(self.limit.high_warn) {
            Level::Warning
        } else {
            Level::Normal
        }
    }
}
