//! Calendar months in UTC+8: what statements, certificates and green power are settled by.

use crate::time::{ClockTime, DeliveryDay, civil_from_days, days_from_civil};
use std::fmt;

/// A calendar month in UTC+8, counted from January 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// A month given as months since January 1970.
    #[must_use]
    pub const fn from_months(months: i32) -> Self {
        Self(months)
    }

    /// The months since January 1970.
    #[must_use]
    pub const fn months(self) -> i32 {
        self.0
    }

    /// The month `months` later; stays at the end of time if that does not fit.
    #[must_use]
    pub const fn plus(self, months: i32) -> Self {
        Self(self.0.saturating_add(months))
    }

    /// Its year in the Gregorian calendar.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.0.div_euclid(12).saturating_add(1970)
    }

    /// Its first day; a month beyond the days that can be counted begins on the last of them.
    #[must_use]
    pub fn first_day(self) -> DeliveryDay {
        let end = DeliveryDay::from_days(if self.0 < 0 { i32::MIN } else { i32::MAX });
        let month = u32::try_from(self.0.rem_euclid(12).saturating_add(1)).unwrap_or(1);
        days_from_civil(self.year(), month, 1).map_or(end, DeliveryDay::from_days)
    }

    /// The instant at which it starts.
    #[must_use]
    pub fn start(self) -> ClockTime {
        self.first_day().start()
    }

    /// Reads a month written `YYYY-MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        DeliveryDay::parse(&format!("{text}-01")).map(DeliveryDay::month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.0.rem_euclid(12).saturating_add(1))
    }
}

impl DeliveryDay {
    /// The month that it lies in.
    #[must_use]
    pub fn month(self) -> Month {
        let (year, month, _) = civil_from_days(self.days());
        let months = year.saturating_sub(1970).saturating_mul(12).saturating_add(month);
        // The years of all days that can be counted fit.
        Month(i32::try_from(months.saturating_sub(1)).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_the_days_from_its_first_to_the_next_first() {
        for months in -2_000..3_000 {
            let month = Month::from_months(months);
            let (first, next) = (month.first_day(), month.plus(1).first_day());
            assert_eq!((first.month(), next.month()), (month, month.plus(1)), "{month}");
            assert_eq!(DeliveryDay::from_days(next.days() - 1).month(), month, "{month}");
            assert!((28..=31).contains(&(next.days() - first.days())), "{month}");
            assert_eq!(first.to_string(), format!("{month}-01"));
        }
    }

    #[test]
    fn months_are_written_and_read_back() {
        let month = Month::parse("2026-02").unwrap();
        assert_eq!((month.to_string().as_str(), month.year()), ("2026-02", 2026));
        assert_eq!(month.plus(11).to_string(), "2027-01");
        assert_eq!(month.start(), DeliveryDay::parse("2026-02-01").unwrap().start());
        for wrong in ["2026-13", "2026-00", "2026", "2026-2", "", "26-02"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
        assert_eq!(DeliveryDay::from_days(i32::MAX).month().first_day().month().year(), 5_881_580);
        assert_eq!(Month::from_months(i32::MAX).first_day().days(), i32::MAX);
    }
}
