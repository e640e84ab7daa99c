//! Market time: the block's clock, delivery days and delivery periods, all in UTC+8.

use std::fmt;

const MS_PER_DAY: i64 = 86_400_000;
const UTC8_OFFSET_MS: i64 = 8 * 3_600_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. It enters only through a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockTime(i64);

impl ClockTime {
    /// An instant given in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// The milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// The instant `ms` milliseconds later; stays at the end of time if that does not fit.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The delivery day that this instant lies in.
    #[must_use]
    pub fn day(self) -> DeliveryDay {
        let days = self.0.saturating_add(UTC8_OFFSET_MS).div_euclid(MS_PER_DAY);
        DeliveryDay(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }
}

/// A day of delivery: a calendar day in UTC+8, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryDay(i32);

impl DeliveryDay {
    /// A day given as days since 1970-01-01.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// The days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day after; the last representable day is its own successor.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The instant at which the day starts: 00:00 in UTC+8.
    #[must_use]
    pub fn start(self) -> ClockTime {
        ClockTime(i64::from(self.0).saturating_mul(MS_PER_DAY).saturating_sub(UTC8_OFFSET_MS))
    }

    /// Reads a day written `YYYY-MM-DD`; `None` if it is not one of the proleptic Gregorian
    /// calendar.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
        if y.len() != 4 || m.len() != 2 || d.len() != 2 {
            return None;
        }
        let day = Self(days_from_civil(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)?);
        // A day that does not exist (31 April) is another one when written back.
        (day.to_string() == text).then_some(day)
    }
}

impl fmt::Display for DeliveryDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = civil_from_days(self.0);
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

/// How many delivery periods a day has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// 24 periods of one hour.
    Hour,
    /// 96 periods of a quarter of an hour.
    Quarter,
}

impl Resolution {
    /// The number of periods of a day. China keeps UTC+8 all year, so every day has the same.
    #[must_use]
    pub const fn periods(self) -> u8 {
        match self {
            Self::Hour => 24,
            Self::Quarter => 96,
        }
    }

    /// The length of one period in milliseconds.
    #[must_use]
    pub const fn period_ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Quarter => 900_000,
        }
    }
}

/// The interval in which energy flows: half open, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryPeriod {
    day: DeliveryDay,
    resolution: Resolution,
    index: u8,
}

impl DeliveryPeriod {
    /// The period `index` of `day`, counted from 0; `None` if the day has no such period.
    #[must_use]
    pub fn new(day: DeliveryDay, resolution: Resolution, index: u8) -> Option<Self> {
        (index < resolution.periods()).then_some(Self { day, resolution, index })
    }

    /// The day it lies in.
    #[must_use]
    pub const fn day(self) -> DeliveryDay {
        self.day
    }

    /// Its position in the day, counted from 0.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.index
    }

    /// The length of the periods of its day.
    #[must_use]
    pub const fn resolution(self) -> Resolution {
        self.resolution
    }

    /// The instant at which it starts.
    #[must_use]
    pub fn start(self) -> ClockTime {
        self.day.start().plus_ms(self.resolution.period_ms().saturating_mul(self.index.into()))
    }

    /// The instant at which it has ended.
    #[must_use]
    pub fn end(self) -> ClockTime {
        self.start().plus_ms(self.resolution.period_ms())
    }
}

// The two calendar conversions below use the well-known shift of the year to begin in March, so
// that the leap day is the last day of the year and months follow one linear rule.

pub(crate) fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i32::try_from(month).ok()?.checked_add(9)?.rem_euclid(12);
    let day_of_year = shifted
        .checked_mul(153)?
        .checked_add(2)?
        .checked_div(5)?
        .checked_add(i32::try_from(day).ok()?)?
        .checked_sub(1)?;
    let day_of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.div_euclid(4))?
        .checked_sub(year_of_era.div_euclid(100))?
        .checked_add(day_of_year)?;
    era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)
}

pub(crate) fn civil_from_days(days: i32) -> (i64, i64, i64) {
    let shifted = i64::from(days).saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let doe = shifted.rem_euclid(146_097);
    let leap_days = doe
        .div_euclid(1_460)
        .saturating_sub(doe.div_euclid(36_524))
        .saturating_add(doe.div_euclid(146_096));
    let yoe = doe.saturating_sub(leap_days).div_euclid(365);
    let start = yoe
        .saturating_mul(365)
        .saturating_add(yoe.div_euclid(4))
        .saturating_sub(yoe.div_euclid(100));
    let doy = doe.saturating_sub(start);
    let mp = doy.saturating_mul(5).saturating_add(2).div_euclid(153);
    let first = mp.saturating_mul(153).saturating_add(2).div_euclid(5);
    let day = doy.saturating_sub(first).saturating_add(1);
    let month = if mp < 10 { mp.saturating_add(3) } else { mp.saturating_sub(9) };
    let year = yoe.saturating_add(era.saturating_mul(400)).saturating_add(i64::from(month <= 2));
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_and_read_back() {
        assert_eq!(DeliveryDay::from_days(0).to_string(), "1970-01-01");
        assert_eq!(DeliveryDay::parse("2026-07-06").map(DeliveryDay::days), Some(20_640));
        for days in -700_000..800_000 {
            if days % 97 == 0 {
                let day = DeliveryDay::from_days(days);
                let text = day.to_string();
                if text.len() == 10 {
                    assert_eq!(DeliveryDay::parse(&text), Some(day), "{text}");
                }
            }
        }
        for wrong in ["2026-02-29", "2026-13-01", "2026-04-31", "2026-4-1", "", "2026-07", "x-y-z"]
        {
            assert_eq!(DeliveryDay::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_starts_at_midnight_in_china() {
        let day = DeliveryDay::parse("2026-07-06").unwrap();
        assert_eq!(day.start().day(), day);
        assert_eq!(day.start().plus_ms(-1).day().next(), day);
        let last = DeliveryPeriod::new(day, Resolution::Quarter, 95).unwrap();
        assert_eq!(last.end(), day.next().start());
        assert_eq!(DeliveryPeriod::new(day, Resolution::Hour, 24), None);
    }
}
