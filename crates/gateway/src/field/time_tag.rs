//! Seven-octet time tags (CP56Time2a, IEC 60870-5-4, 6.8).

use duet_units::{ClockTime, DeliveryDay};
use iec104::types::time::Cp56Time2a;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// [`DeliveryDay`] is a day of UTC+8.
const DAY_OFFSET_MIN: i64 = 480;

/// The instant that a tag of a station with this offset from UTC names; `None` if the tag is
/// marked invalid or names no day.
#[must_use]
pub fn from_time_tag(tag: &Cp56Time2a, utc_offset_min: i16) -> Option<ClockTime> {
    if tag.iv {
        return None;
    }
    let day = format!("{:04}-{:02}-{:02}", 2_000 + u16::from(tag.year), tag.month, tag.day);
    let day = DeliveryDay::parse(&day)?;
    let in_day = i64::from(tag.hour) * HOUR_MS + i64::from(tag.min) * MINUTE_MS + i64::from(tag.ms);
    let shift = (DAY_OFFSET_MIN - i64::from(utc_offset_min)) * MINUTE_MS;
    Some(day.start().plus_ms(in_day + shift))
}

/// The tag of an instant at a station with this offset from UTC; `None` outside 2000 to 2099.
#[must_use]
pub fn to_time_tag(at: ClockTime, utc_offset_min: i16) -> Option<Cp56Time2a> {
    let local = at.plus_ms((i64::from(utc_offset_min) - DAY_OFFSET_MIN) * MINUTE_MS);
    let text = local.day().to_string();
    let mut parts = text.split('-');
    let year = parts.next()?.parse::<u16>().ok()?.checked_sub(2_000)?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    let in_day = local.unix_ms() - local.day().start().unix_ms();
    let weekday = (i64::from(local.day().days()) + 3).rem_euclid(7) + 1; // 1970-01-01: Thursday, 4.
    Some(Cp56Time2a {
        ms: u16::try_from(in_day % MINUTE_MS).ok()?,
        iv: false,
        min: u8::try_from(in_day / MINUTE_MS % 60).ok()?,
        summer_time: false,
        hour: u8::try_from(in_day / HOUR_MS).ok()?,
        weekday: u8::try_from(weekday).ok()?,
        day,
        month,
        year: u8::try_from(year).ok().filter(|year| *year < 100)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_the_time_of_its_station() {
        // 2026-07-06T08:09:10.250+08:00, a Monday.
        let at = ClockTime::from_unix_ms(1_783_296_550_250);
        let tag = to_time_tag(at, 480).unwrap();
        assert_eq!((tag.year, tag.month, tag.day, tag.weekday), (26, 7, 6, 1));
        assert_eq!((tag.hour, tag.min, tag.ms), (8, 9, 10_250));
        assert_eq!(from_time_tag(&tag, 480), Some(at));
        let utc = to_time_tag(at, 0).unwrap();
        assert_eq!((utc.hour, utc.day), (0, 6));
        assert_eq!(from_time_tag(&utc, 0), Some(at));
    }

    #[test]
    fn tags_that_are_invalid_or_no_day_are_no_time() {
        let at = ClockTime::from_unix_ms(1_783_296_550_250);
        let tag = to_time_tag(at, 480).unwrap();
        let wrong: [fn(&mut Cp56Time2a); 3] =
            [|t| t.iv = true, |t| (t.month, t.day) = (2, 30), |t| t.month = 0];
        for change in wrong {
            let mut tag = tag.clone();
            change(&mut tag);
            assert_eq!(from_time_tag(&tag, 480), None, "{tag:?}");
        }
        assert_eq!(to_time_tag(ClockTime::from_unix_ms(0), 480), None);
    }
}
