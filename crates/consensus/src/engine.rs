//! Starting, holding and stopping one validator.

use crate::{
    application::Application,
    config::{CHANNELS, Config},
    key::{InvalidCommittee, ValidatorKey},
    mailbox::Mailbox,
    wiring::Wiring,
};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_runtime::{Clock, Handle as Task, Metrics, Spawner, Storage};
use futures::{
    channel::oneshot,
    future::{Future, select_all},
};
use rand_core::CryptoRng;

/// How a validator reaches its peers: TCP, or simulated.
#[expect(missing_debug_implementations, reason = "channels of the engine have none")]
pub struct Network<B, P, S, R> {
    /// Cuts off peers that send what no honest validator sends.
    pub blocker: B,
    /// Tells who the peers are.
    pub peers: P,
    /// Votes, certificates, vote requests, block requests, blocks, messages of the application.
    pub channels: [(S, R); CHANNELS],
}

/// Why a validator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The committee is not one.
    #[error(transparent)]
    Committee(#[from] InvalidCommittee),
    /// The limit of a block is not between 1 and 2,000,000 bytes.
    #[error("a block limit of {0} bytes is not between 1 and 2000000")]
    BlockLimit(usize),
    /// A peer's key is not a point of the curve.
    #[error("the key of peer {0} is not an Ed25519 public key")]
    PeerKey(std::net::SocketAddr),
    /// The archives cannot be opened.
    #[error("the archive of {archive} cannot be opened")]
    Archive {
        /// Which.
        archive: &'static str,
        /// Why.
        source: commonware_storage::archive::Error,
    },
    /// A task of the engine ended before it was up; the log says why.
    #[error("the engine stopped while it started")]
    Stopped,
}

/// A running validator. Dropping the handle leaves it running.
pub struct Handle {
    mailbox: Mailbox,
    task: Task<()>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Handle")
    }
}

impl Handle {
    /// Returns a way to ask this validator.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        self.mailbox.clone()
    }

    /// Stops all tasks of the validator at once, as a crash would; what it promised is on disk.
    pub fn stop(&self) {
        self.task.abort();
    }

    /// Waits until the validator has stopped, which it does by itself only when it cannot go on.
    pub async fn stopped(self) {
        // An abort is an error to the runtime, not to us.
        self.task.await.ok();
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn into_parts(self) -> (Mailbox, Task<()>) {
        (self.mailbox, self.task)
    }
}

/// Starts one validator of one channel on any runtime and network.
///
/// A key outside the committee follows the chain without voting.
///
/// # Errors
///
/// Returns [`StartError`] if the configuration is refused or the archives cannot be opened.
///
/// # Panics
///
/// The engine panics rather than go on if storage fails later, or if the archives hold the blocks
/// of another genesis.
pub async fn start<E, A, B, P, S, R>(
    context: E,
    config: Config,
    key: ValidatorKey,
    application: A,
    network: Network<B, P, S, R>,
) -> Result<Handle, StartError>
where
    E: Clock + CryptoRng + Metrics + Spawner + Storage,
    A: Application,
    B: Blocker<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let wiring = Wiring::new(config, &key)?;
    supervise(
        context,
        move |context| async move { wiring.start(&context, application, network).await },
    )
    .await
}

/// Runs the tasks that `start` returns under one task: when one of them ends, or the handle is
/// stopped, all end.
pub(crate) async fn supervise<E, F, Fut>(context: E, start: F) -> Result<Handle, StartError>
where
    E: Spawner,
    F: FnOnce(E) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(Mailbox, Vec<Task<()>>), StartError>> + Send,
{
    let (sender, started) = oneshot::channel();
    let task = context.child("validator").spawn(|context| async move {
        match start(context).await {
            Ok((mailbox, tasks)) => {
                // Nobody waits for the mailbox any more: run all the same.
                sender.send(Ok(mailbox)).ok();
                select_all(tasks).await.0.ok();
                tracing::error!("a task of the validator ended");
            }
            Err(error) => {
                sender.send(Err(error)).ok();
            }
        }
    });
    let mailbox = started.await.map_err(|_| StartError::Stopped)??;
    Ok(Handle { mailbox, task })
}
