//! The listener: a bounded number of connections, each with a bounded time for its headers.

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tracing::debug;

/// What a listener bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// The most connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// The longest that a client may take to send the headers of a request.
    pub header_timeout: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self { connections_max: 1_024, header_timeout: Duration::from_secs(10) }
    }
}

/// The most bytes of the headers of a request.
const HEADER_BYTES_MAX: usize = 16 << 10;
/// The pause after a failure to accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `stop` is done; connections end with it.
///
/// # Errors
///
/// Returns the system's error if the listener has no address any more.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: ServeLimits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok()?;
            match listener.accept().await {
                Ok((stream, _)) => Some((stream, place)),
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
        let Some((stream, place)) = accepted else { continue };
        // Answers are small and waited for.
        stream.set_nodelay(true).ok();
        let service = TowerToHyperService::new(app.clone());
        connections.spawn(async move {
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.header_timeout)
                .max_buf_size(HEADER_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                debug!(%error, "a connection broke");
            }
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}
