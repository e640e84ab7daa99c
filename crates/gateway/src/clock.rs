//! The clock: the one place where the gateway reads the time of day.

use duet_units::ClockTime;

/// 2026-01-01T00:00:00Z. A board without a battery starts in 1970; before this instant its clock
/// has not been set, certificates cannot be checked and samples cannot be given to periods.
pub(crate) const SET_AFTER: ClockTime = ClockTime::from_unix_ms(1_767_225_600_000);

/// Where the time of day comes from. Tests bring their own.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> ClockTime;
}

/// The clock of the operating system, which its time service (NTP) keeps.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the seam through which wall time enters")]
    fn now(&self) -> ClockTime {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let ms = since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        ClockTime::from_unix_ms(ms)
    }
}

/// A clock that is some time ahead of another one, for trials at another time of day.
#[derive(Clone, Copy, Debug)]
pub struct Ahead<C> {
    /// The other clock.
    pub clock: C,
    /// How far ahead, in milliseconds; behind, if negative.
    pub ms: i64,
}

impl<C: Clock> Clock for Ahead<C> {
    fn now(&self) -> ClockTime {
        self.clock.now().plus_ms(self.ms)
    }
}

/// Whether the clock has been set since the board started.
#[must_use]
pub fn is_set(now: ClockTime) -> bool {
    now >= SET_AFTER
}
