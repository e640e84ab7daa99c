//! The two things that a node takes from the world outside its messages: what time it is on the
//! market's clock, and to be woken later. Both are closures, so that the same node runs on the
//! wall clock, on an accelerated clock and in simulation.

use duet_units::ClockTime;
use futures::future::BoxFuture;
use std::{fmt, sync::Arc, time::Duration};

/// The market's clock and the runtime's timer.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> ClockTime + Send + Sync>,
    sleep: Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    /// A clock that reads market time from `now` and waits on the clock of `runtime`.
    pub fn new<E>(runtime: E, now: impl Fn() -> ClockTime + Send + Sync + 'static) -> Self
    where
        E: commonware_runtime::Clock + Sync,
    {
        let runtime = Arc::new(runtime);
        Self {
            now: Arc::new(now),
            sleep: Arc::new(move |duration| {
                let runtime = runtime.clone();
                Box::pin(async move { runtime.sleep(duration).await })
            }),
        }
    }

    /// A clock whose market time is the runtime's time.
    pub fn of_runtime<E>(runtime: E) -> Self
    where
        E: commonware_runtime::Clock + Sync,
    {
        let runtime = Arc::new(runtime);
        let (reader, sleeper) = (runtime.clone(), runtime);
        Self {
            now: Arc::new(move || {
                let since = reader.current().duration_since(std::time::UNIX_EPOCH);
                let ms = since.map_or(0, |since| since.as_millis());
                ClockTime::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
            }),
            sleep: Arc::new(move |duration| {
                let runtime = sleeper.clone();
                Box::pin(async move { runtime.sleep(duration).await })
            }),
        }
    }

    /// The market's time.
    #[must_use]
    pub fn now(&self) -> ClockTime {
        (self.now)()
    }

    /// Waits on the runtime's clock.
    pub async fn sleep(&self, duration: Duration) {
        (self.sleep)(duration).await;
    }
}
