//! Requests over HTTP/1.1: plain to this machine, over TLS 1.3 to others.

use super::{ClientError, Trust};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, Uri,
    body::Incoming,
    header,
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::{
    client::legacy::{
        self,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::pki_types::ServerName;
use serde::Serialize;
use std::{
    error::Error,
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower_service::Service;

/// A connection, with its handshake, is there by then or not at all: a small board under load
/// needs seconds for its part.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A node closes what is idle for ten seconds; what may be closed already is not used any more.
const IDLE_MAX: Duration = Duration::from_secs(8);
/// A node lets nobody wait for longer than a minute, and then answers at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

type Fault = Box<dyn Error + Send + Sync>;

/// The way to one node.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    base: String,
    encrypted: bool,
    http: legacy::Client<Connector, Full<Bytes>>,
}

impl Transport {
    /// The way to the node at `base`, if that is an address that `trust` takes.
    pub(super) fn new(base: &str, trust: &Trust) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        let connector = Connector::new(&base, trust)
            .map_err(|rule| ClientError::Address { url: base.clone(), rule })?;
        let encrypted = connector.tls.is_some();
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(connector);
        Ok(Self { base, encrypted, http })
    }

    /// Whether it goes through TLS.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Where `path` is at this node.
    pub(super) fn url(
        &self,
        path: &str,
        query: &(impl Serialize + ?Sized),
    ) -> Result<String, ClientError> {
        let url = format!("{}{path}", self.base);
        match serde_urlencoded::to_string(query) {
            Ok(query) if query.is_empty() => Ok(url),
            Ok(query) => Ok(format!("{url}?{query}")),
            Err(error) => Err(ClientError::Unreachable { url, source: error.into() }),
        }
    }

    /// Sends one request and waits for the head of the answer.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(header::HeaderName, String)],
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, ClientError> {
        let unreachable = |source: Fault| ClientError::Unreachable { url: url.to_owned(), source };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request =
            request.body(Full::new(Bytes::from(body))).map_err(|e| unreachable(e.into()))?;
        let answer = timeout(ANSWER_WITHIN, self.http.request(request)).await;
        answer.map_err(|late| unreachable(late.into()))?.map_err(|e| unreachable(e.into()))
    }
}

/// All bytes of an answer; none if it breaks off, is too long or takes too long.
pub(super) async fn collect(response: Response<Incoming>) -> Option<Bytes> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    let collected = timeout(ANSWER_WITHIN, body.collect()).await.ok()?.ok();
    collected.map(http_body_util::Collected::to_bytes)
}

/// Makes connections to the one node.
#[derive(Clone)]
struct Connector {
    host: Arc<str>,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Connector {
    /// The error says which rule the address breaks.
    fn new(base: &str, trust: &Trust) -> Result<Self, &'static str> {
        const NO_ADDRESS: &str = "an address is http:// or https://, a host and perhaps a port";
        let uri: Uri = base.parse().map_err(|_| NO_ADDRESS)?;
        let host = uri.host().ok_or(NO_ADDRESS)?;
        // Brackets of an IPv6 address are the URL's.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let (tls, usual_port) = match uri.scheme_str() {
            Some("https") => {
                let config = trust.config().ok_or("https needs a pinned root")?;
                let config = config.map_err(|_| "the pinned root is of no use")?;
                let name = ServerName::try_from(host.to_owned()).map_err(|_| NO_ADDRESS)?;
                (Some((TlsConnector::from(Arc::new(config)), name)), 443)
            }
            Some("http") if trust.takes_plain_http() || is_loopback(host) => (None, 80),
            Some("http") => return Err("http without TLS is for this machine's own addresses"),
            _ => return Err(NO_ADDRESS),
        };
        Ok(Self { host: host.into(), port: uri.port_u16().unwrap_or(usual_port), tls })
    }

    async fn connect(&self) -> io::Result<Link> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        // Questions are small and waited for.
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Link::Plain(TokioIo::new(stream))),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await?;
                Ok(Link::Tls(Box::new(TokioIo::new(stream))))
            }
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Link>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            timeout(CONNECT_TIMEOUT, connector.connect())
                .await
                .unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late)))
        })
    }
}

/// A connection to the node.
#[derive(Debug)]
enum Link {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl Write for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_unless_it_is_asked_for() {
        let refused = |url: &str, trust: &Trust| Connector::new(url, trust).err();
        for own in
            ["http://127.0.0.1:8700", "http://localhost", "http://[::1]:8700", "http://127.9.9.9"]
        {
            assert_eq!(refused(own, &Trust::default()), None, "{own}");
        }
        let elsewhere = ["http://10.0.0.1:8700", "http://node.example", "http://127.0.0.1.example"];
        for url in elsewhere {
            let why = refused(url, &Trust::default()).unwrap_or_default();
            assert!(why.contains("without TLS"), "{url}: {why}");
            assert_eq!(refused(url, &Trust::default().with_plain_http(true)), None, "{url}");
        }
        let why = refused("https://127.0.0.1", &Trust::default()).unwrap_or_default();
        assert!(why.contains("pinned root"), "{why}");
        for url in ["", "127.0.0.1:80", "ftp://127.0.0.1", "http://", "https//x", "/v1"] {
            assert!(refused(url, &Trust::default().with_plain_http(true)).is_some(), "{url:?}");
        }
    }
}
