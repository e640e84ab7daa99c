//! The time at which the node's certificate must be valid, on a board whose clock may stand in
//! 1970.
//!
//! It is the later one of the system's clock and of the latest block that the committee is known to
//! have finalized. A node can hold a proof back, but it cannot make one: the time never goes
//! beyond what the committee signed, and never back.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use duet_ledger::ChannelId;
use duet_sdk::client::{TimeProvider, UnixTime};
use duet_sdk::proof::{HeadProof, HeadProofError};
use duet_units::ClockTime;

use crate::clock::{Clock, SET_AFTER};

/// A clock that is behind the committee's asks again after this long.
const ASK_AGAIN_MS: i64 = 600_000;
/// What is this much later than the proof that is kept takes its place.
const KEEP_AGAIN_MS: i64 = 3_600_000;
/// The longest proof that is read back: a committee of a hundred has 20 kB.
const KEPT_BYTES_MAX: u64 = 256 << 10;

/// The later one of the system's clock and the latest proven block.
pub(super) struct ProvenTime {
    clock: Arc<dyn Clock>,
    channel: ChannelId,
    /// Where the last proof is kept over restarts.
    file: Option<PathBuf>,
    state: Mutex<State>,
}

struct State {
    /// It is at least this late.
    floor: ClockTime,
    /// The time of the proof that is kept.
    kept: Option<ClockTime>,
    /// When the system's clock said what, as the node was asked last.
    asked: Option<ClockTime>,
}

impl std::fmt::Debug for ProvenTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvenTime").field("floor", &self.state().floor).finish_non_exhaustive()
    }
}

impl TimeProvider for ProvenTime {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.now().unix_ms()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

impl ProvenTime {
    /// Starts from the proof that is kept in `file`, if it holds; else from this program's own age.
    pub(super) fn new(clock: Arc<dyn Clock>, channel: ChannelId, file: Option<PathBuf>) -> Self {
        let state = Mutex::new(State { floor: SET_AFTER, kept: None, asked: None });
        let time = Self { clock, channel, file, state };
        if let Some(proof) = time.file.as_deref().and_then(read) {
            match proof.verify(&time.channel) {
                Ok(header) => {
                    let kept = ClockTime::from_unix_ms(header.time_ms);
                    let mut state = time.state();
                    state.kept = Some(kept);
                    state.floor = state.floor.max(kept);
                }
                Err(error) => tracing::warn!("the kept time is not believed: {error}"),
            }
        }
        time
    }

    /// The time at which certificates are checked.
    pub(super) fn now(&self) -> ClockTime {
        self.clock.now().max(self.state().floor)
    }

    /// Whether the system's clock is certainly wrong, and the node was not asked lately.
    pub(super) fn wants_a_step(&self) -> bool {
        let (now, state) = (self.clock.now(), self.state());
        let lately = |asked: ClockTime| {
            now.unix_ms().saturating_sub(asked.unix_ms()).saturating_abs() < ASK_AGAIN_MS
        };
        now < state.floor && !state.asked.is_some_and(lately)
    }

    /// Steps forward to the time of a proven block, and keeps its proof. One that is older changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// Returns [`HeadProofError`] if the proof does not hold.
    pub(super) fn learn(&self, proof: &HeadProof) -> Result<ClockTime, HeadProofError> {
        let time = ClockTime::from_unix_ms(proof.verify(&self.channel)?.time_ms);
        let mut state = self.state();
        state.asked = Some(self.clock.now());
        state.floor = state.floor.max(time);
        let old = |kept: ClockTime| kept.plus_ms(KEEP_AGAIN_MS) <= time;
        if let Some(file) = &self.file
            && state.kept.is_none_or(old)
        {
            match write(file, proof) {
                Ok(()) => state.kept = Some(time),
                Err(error) => tracing::warn!("{}: {error}", file.display()),
            }
        }
        Ok(state.floor)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(file: &Path) -> Option<HeadProof> {
    if std::fs::metadata(file).ok()?.len() > KEPT_BYTES_MAX {
        return None;
    }
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// The whole proof or nothing: a power cut leaves the old one.
fn write(path: &Path, proof: &HeadProof) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(&serde_json::to_vec(proof)?)?;
    file.sync_all()?;
    std::fs::rename(new, path)
}
