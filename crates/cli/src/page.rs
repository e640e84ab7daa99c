//! The page and the API of a node, on a thread of their own, so that readers never hold up the
//! chain.

use anyhow::Context as _;
use axum::{Json, Router, routing::get};
use duet_ledger::{Role, State};
use duet_node::{
    Handle,
    api::{ApiConfig, ServeLimits, Tls, app, serve},
};
use duet_sdk::wire::Hex32;
use duet_world::demo_seed;
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf};

/// A page that is being served.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where.
    pub(crate) address: SocketAddr,
}

/// A simulated member whose key is known to everybody, so that a newcomer can trade at once.
#[derive(Debug, Serialize)]
struct DemoOperator {
    organisation: u32,
    label: String,
    seed_hex: Hex32,
    public_key: Hex32,
}

/// Serves the API of `node`, and the page in `web_dir`, at `listen`, over TLS if it has a `tls`
/// certificate; `demo` hands out the demo's operators to whoever asks.
pub(crate) fn start(
    listen: SocketAddr,
    tls: Option<Tls>,
    web_dir: Option<PathBuf>,
    node: Handle,
    demo: bool,
) -> anyhow::Result<Page> {
    let listener =
        std::net::TcpListener::bind(listen).with_context(|| format!("listening on {listen}"))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let shown = web_dir.as_ref().map(|folder| folder.display().to_string());
    let config = ApiConfig { web_dir, ..ApiConfig::default() };
    let mut routes = app(node.clone(), &config)
        .with_context(|| format!("reading the page in {}", shown.unwrap_or_default()))?;
    if demo {
        routes = routes.merge(demo_operators(node)).merge(crate::reports::routes());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("api".to_owned()).spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            // It ends with the process: an answer that is cut off is asked for again.
            serve(listener, routes, ServeLimits::default(), tls, std::future::pending()).await
        })
    })?;
    Ok(Page { address })
}

fn demo_operators(node: Handle) -> Router {
    let list = move || async move { Json(node.read(operators)) };
    Router::new().route("/v1/demo/operators", get(list))
}

fn operators(state: &State) -> Vec<DemoOperator> {
    let trades = [Role::Generator, Role::Retailer, Role::LargeUser];
    state
        .identities()
        .iter()
        .filter(|(_, identity)| trades.iter().any(|role| identity.roles.has(*role)))
        .map(|(key, identity)| DemoOperator {
            organisation: identity.organisation.0,
            label: identity.label.clone(),
            seed_hex: Hex32(demo_seed(&identity.label)),
            public_key: (*key).into(),
        })
        .collect()
}
