//! Nodes on this machine's runtime, clock, disk and network.
//!
//! Everything here is without type parameters where it can be, so that the engine's runtime is
//! compiled into this crate and not into every program.

use crate::{Clock, ExecutionError, Handle, NodeConfig, prepare};
use commonware_runtime::{Supervisor as _, tokio::Context};
use duet_consensus::{Endpoint, HostError, StartError, ValidatorKey, serve_tcp};
use duet_units::ClockTime;
use futures::future::BoxFuture;
use std::{fmt, future::Future, path::Path};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its store.
    #[error("the store: {0}")]
    Store(#[from] ExecutionError),
    /// Its engine.
    #[error("the engine: {0}")]
    Engine(#[from] StartError),
}

/// The runtime that nodes run on.
pub struct Host(Context);

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

/// A node whose engine runs.
#[derive(Debug)]
pub struct Running {
    /// What the rest of the program asks.
    pub handle: Handle,
    engine: duet_consensus::Handle,
}

impl Running {
    /// Waits until the engine has stopped, which it does by itself only when it cannot go on.
    pub async fn stopped(self) {
        self.engine.stopped().await;
    }
}

/// Runs `main` on the machine's runtime with storage below `folder`.
///
/// # Errors
///
/// Returns [`HostError`] if another process uses the folder.
pub fn run<F, Fut>(folder: &Path, main: F) -> Result<Fut::Output, HostError>
where
    F: FnOnce(Host) -> Fut,
    Fut: Future,
{
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    duet_consensus::run(folder, workers, |context| main(Host(context)))
}

impl Host {
    /// The machine's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::of_runtime(self.0.child("clock"))
    }

    /// A clock that reads market time from `now`.
    #[must_use]
    pub fn clock_reading(&self, now: impl Fn() -> ClockTime + Send + Sync + 'static) -> Clock {
        Clock::new(self.0.child("clock"), now)
    }

    /// Starts a validator: recovers its state, then joins its peers.
    #[must_use]
    pub fn start(
        &self,
        config: NodeConfig,
        clock: Clock,
        seed: [u8; 32],
        endpoint: Endpoint,
    ) -> BoxFuture<'static, Result<Running, NodeError>> {
        let own = self.0.child("node").with_attribute("name", &config.name);
        Box::pin(async move {
            let prepared = prepare(&own, &config, clock).await?;
            let key = ValidatorKey::from_seed(seed);
            let application = prepared.application();
            let engine = serve_tcp(own, config.engine(), key, application, endpoint).await?;
            Ok(Running { handle: prepared.handle(engine.mailbox()), engine })
        })
    }
}
