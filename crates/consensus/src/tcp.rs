//! A validator over TCP, and the runtime that hosts it.

use crate::{
    application::Application,
    config::{CHANNELS, Config, MAILBOX, MESSAGES_PER_SECOND, message_bytes_max},
    engine::{Handle, Network, StartError, supervise},
    erased::AnyApplication,
    key::{ValidatorKey, public_key},
    wiring::Wiring,
};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519::PrivateKey};
use commonware_p2p::{
    Address, AddressableManager as _,
    authenticated::{self, lookup},
};
use commonware_runtime::{Quota, Runner as _, Supervisor as _, tokio};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, ordered::Map};
use futures::future::BoxFuture;
use std::{
    fs::{File, TryLockError},
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Difference of two peers' clocks at which they still accept each other, and age of a greeting.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);
const GREETING_AGE_MAX: Duration = Duration::from_secs(10);
/// A peer that restarts is dialled again after this; few and known peers need no longer pause.
const RECONNECT: Duration = Duration::from_secs(1);
const DIAL_EVERY: Duration = Duration::from_millis(500);
/// A connection that answers no ping within this is closed.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long a peer that sent an invalid message is cut off.
const BLOCKED_FOR: Duration = Duration::from_hours(1);
/// Greetings per second from one address: co-located validators share one.
const GREETINGS_PER_SECOND: u32 = 16;

/// Where a validator is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its public key.
    pub key: [u8; 32],
    /// The address that it listens on, and whose IP it dials from.
    pub address: SocketAddr,
}

/// Where this validator listens, and where it finds the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// All validators of the channel, this one included; nobody else can connect.
    pub peers: Vec<Peer>,
}

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Another process, for example a second start of this one, uses the directory.
    #[error("storage directory {0} is in use by another process")]
    InUse(PathBuf),
    /// The directory cannot be made or locked.
    #[error("storage directory {directory} cannot be used")]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Runs `main` on the engine's production runtime, with storage below `storage`, and returns what
/// it returns. Tasks that it started end with it.
///
/// # Errors
///
/// Returns [`HostError`] if another process holds the directory, which the runtime itself would
/// wait for in silence.
pub fn run<F, Fut>(storage: &Path, workers: usize, main: F) -> Result<Fut::Output, HostError>
where
    F: FnOnce(tokio::Context) -> Fut,
    Fut: Future,
{
    check_free(storage)?;
    let config = tokio::Config::new()
        .with_storage_directory(storage)
        .with_worker_threads(workers)
        .with_tcp_nodelay(Some(true));
    Ok(tokio::Runner::new(config).start(main))
}

/// Tries the runtime's lock on the directory and lets it go again. A process that starts in
/// between makes the runtime wait, as it always did.
fn check_free(storage: &Path) -> Result<(), HostError> {
    let failed = |source| HostError::Directory { directory: storage.to_owned(), source };
    std::fs::create_dir_all(storage).map_err(failed)?;
    let hold = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(storage.join(".hold"))
        .map_err(failed)?;
    match hold.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(HostError::InUse(storage.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Starts one validator over authenticated, encrypted TCP.
///
/// Private addresses are welcome: the keys of `endpoint.peers` decide who connects.
///
/// # Errors
///
/// Returns [`StartError`] if the configuration is refused or the archives cannot be opened.
///
/// # Panics
///
/// As [`start`](crate::start); and the network panics if it cannot listen.
pub async fn serve_tcp(
    context: tokio::Context,
    config: Config,
    key: ValidatorKey,
    application: impl Application,
    endpoint: Endpoint,
) -> Result<Handle, StartError> {
    serve(context, config, key, (AnyApplication::new(application), endpoint)).await
}

/// Boxed and without a type parameter, so that the engine is compiled here.
fn serve(
    context: tokio::Context,
    config: Config,
    key: ValidatorKey,
    (application, endpoint): (AnyApplication, Endpoint),
) -> BoxFuture<'static, Result<Handle, StartError>> {
    Box::pin(async move { listen(context, config, key, (application, endpoint)).await })
}

async fn listen(
    context: tokio::Context,
    config: Config,
    key: ValidatorKey,
    (application, endpoint): (AnyApplication, Endpoint),
) -> Result<Handle, StartError> {
    let mut addresses = Vec::with_capacity(endpoint.peers.len());
    for peer in &endpoint.peers {
        let key = public_key(&peer.key).ok_or(StartError::PeerKey(peer.address))?;
        addresses.push((key, Address::from(peer.address)));
    }
    let addresses: Map<_, _> = Map::from_iter_dedup(addresses);
    let settings = settings(&config, &key.private_key(), &endpoint, &addresses);
    let wiring = Wiring::new(config, &key)?;
    supervise(context, move |context| async move {
        let (mut network, mut oracle) = lookup::Network::new(context.child("network"), settings);
        oracle.track(0, addresses);
        let quota = Quota::per_second(NZU32!(MESSAGES_PER_SECOND));
        let channels =
            std::array::from_fn::<_, CHANNELS, _>(|id| network.register(id as u64, quota));
        let network_of_engine = Network { blocker: oracle.clone(), peers: oracle, channels };
        let (mailbox, mut tasks) = wiring.start(&context, application, network_of_engine).await?;
        tasks.push(network.start());
        Ok((mailbox, tasks))
    })
    .await
}

type Handshake = Cups<Sake<PrivateKey>, ChaCha20Poly1305>;

fn settings(
    config: &Config,
    key: &PrivateKey,
    endpoint: &Endpoint,
    addresses: &Map<commonware_cryptography::ed25519::PublicKey, Address>,
) -> lookup::Config<Handshake> {
    let handshake = Cups::new(
        Sake {
            signer: key.clone(),
            synchrony_bound: CLOCK_SKEW_MAX,
            max_handshake_age: GREETING_AGE_MAX,
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let validators = u32::try_from(config.committee.len()).unwrap_or(u32::MAX);
    let quota = Quota::per_second(NZU32!(GREETINGS_PER_SECOND));
    lookup::Config {
        allow_private_ips: true,
        peer_connection_cooldown: RECONNECT,
        dial_frequency: DIAL_EVERY,
        ping_frequency: PING_EVERY,
        block_duration: BLOCKED_FOR,
        allowed_handshake_rate_per_ip: quota,
        ..lookup::Config::recommended(
            handshake,
            &[&config.namespace[..], b"_P2P"].concat(),
            endpoint.listen,
            authenticated::peer_set_limit(addresses.keys(), &key.public_key()),
            message_bytes_max(validators, config.block_bytes_max),
            MAILBOX,
        )
    }
}
