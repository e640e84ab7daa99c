//! Market time in the simulated world: it passes as fast as the world lets it.

use duet_units::ClockTime;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// How often market time moves on.
const STEP: Duration = Duration::from_millis(50);

/// The market's clock of a simulated world, shared by all validators of it.
///
/// Time stands still until it is told to pass, so that no gate closes before the orders that the
/// world means to place are final, however slow the machine is.
#[derive(Clone, Debug)]
pub struct WorldClock(Arc<AtomicI64>);

impl WorldClock {
    /// A clock that stands at `time`.
    #[must_use]
    pub fn at(time: ClockTime) -> Self {
        Self(Arc::new(AtomicI64::new(time.unix_ms())))
    }

    /// The market's time.
    #[must_use]
    pub fn now(&self) -> ClockTime {
        ClockTime::from_unix_ms(self.0.load(Ordering::Relaxed))
    }

    /// Moves time on to `target` at once; time that has passed stays passed.
    pub fn jump_to(&self, target: ClockTime) {
        self.0.fetch_max(target.unix_ms(), Ordering::Relaxed);
    }

    /// Lets time pass evenly until `target`, over `lasting` of the runtime's clock, which `runtime`
    /// waits on.
    pub async fn pass_to(&self, target: ClockTime, lasting: Duration, runtime: &duet_node::Clock) {
        let (start, steps) = (self.now(), lasting.as_millis() / STEP.as_millis());
        let steps = i64::try_from(steps).unwrap_or(i64::MAX);
        let whole = target.unix_ms() - start.unix_ms();
        for step in 1..steps {
            runtime.sleep(STEP).await;
            let passed = i128::from(whole) * i128::from(step) / i128::from(steps);
            self.jump_to(start.plus_ms(i64::try_from(passed).unwrap_or(0)));
        }
        self.jump_to(target);
    }
}
