//! The listener: a bounded number of connections, in all and of one address, each with a bounded
//! time for its handshake, its headers and the reading of answers.

use super::Tls;
use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::server::TlsStream;
use tracing::debug;

/// What a listener bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// The most connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// The most connections of one address at once; more are closed.
    pub connections_of_one_max: usize,
    /// The longest that a client may take to send the headers of a request.
    pub header_timeout: Duration,
    /// The longest that a client may read nothing of an answer.
    pub write_timeout: Duration,
    /// The most TLS handshakes at once; more wait, in the time that they have.
    pub handshakes_max: usize,
    /// The longest that a TLS handshake may take.
    pub handshake_timeout: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_of_one_max: 512,
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            handshakes_max: 256,
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

/// The most bytes of the headers of a request.
const HEADER_BYTES_MAX: usize = 16 << 10;
/// The pause after a failure to accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections share.
#[derive(Clone)]
struct Door {
    app: Router,
    limits: ServeLimits,
    tls: Option<Tls>,
    handshakes: Arc<Semaphore>,
}

/// Serves `app` on `listener` until `stop` is done, over TLS where `tls` is given; connections end
/// with it.
///
/// # Errors
///
/// Returns the system's error if the listener has no address any more.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: ServeLimits,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let handshakes = Arc::new(Semaphore::new(limits.handshakes_max));
    let door = Door { app, limits, tls, handshakes };
    let guests = Arc::new(Guests::default());
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok()?;
            match listener.accept().await {
                Ok((stream, from)) => Some((stream, from.ip(), place)),
                Err(error) => {
                    debug!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    None
                }
            }
        };
        let accepted = tokio::select! {
            () = &mut stop => return Ok(()),
            accepted = next => accepted,
        };
        let Some((stream, from, place)) = accepted else { continue };
        let Some(guest) = guests.clone().admit(from, limits.connections_of_one_max) else {
            debug!(%from, "an address has too many connections");
            continue;
        };
        let door = door.clone();
        connections.spawn(async move {
            door.enter(stream).await;
            drop((place, guest));
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Door {
    /// Serves one connection to its end.
    async fn enter(self, stream: TcpStream) {
        // Answers are small and waited for.
        stream.set_nodelay(true).ok();
        match &self.tls {
            None => self.requests(stream).await,
            Some(tls) => match self.shake_hands(tls, stream).await {
                Ok(stream) => self.requests(stream).await,
                Err(error) => debug!(%error, "a TLS handshake failed"),
            },
        }
    }

    async fn shake_hands(&self, tls: &Tls, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let handshake = async {
            // The semaphore is never closed.
            let _place = self.handshakes.acquire().await;
            tls.acceptor().accept(stream).await
        };
        timeout(self.limits.handshake_timeout, handshake).await.map_err(io::Error::from)?
    }

    async fn requests(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = TowerToHyperService::new(self.app.clone());
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.write_timeout));
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(HEADER_BYTES_MAX)
            .serve_connection(TokioIo::new(std::pin::pin!(stream)), service)
            .await;
        if let Err(error) = served {
            debug!(%error, "a connection broke");
        }
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Guests(Mutex<BTreeMap<IpAddr, usize>>);

/// One connection of an address, until it is dropped.
struct Guest {
    guests: Arc<Guests>,
    address: IpAddr,
}

impl Guests {
    fn admit(self: Arc<Self>, address: IpAddr, most: usize) -> Option<Guest> {
        let address = network(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if most <= *count {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Guest { guests: self, address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// Whoever has an address of version 6 has 2^64 of them: they count as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => four.into(),
            None => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
        },
    }
}
