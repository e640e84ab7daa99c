//! Several validators of one channel in this process, over real TCP on loopback.

use anyhow::Context as _;
use commonware_runtime::{Supervisor as _, tokio::Context};
use duet_consensus::{Endpoint, Peer, ValidatorKey, serve_tcp};
use duet_node::{Clock, Handle, NodeConfig, prepare};
use duet_world::Founding;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Starts every validator of the channel's genesis under `context`, whose storage they share by
/// partitions, and returns their handles in the order of the genesis.
pub(crate) async fn start(
    context: &Context,
    founding: &Founding,
    clock: &Clock,
) -> anyhow::Result<Vec<Handle>> {
    let genesis = &founding.genesis;
    let addresses = free_addresses(genesis.validators.len())?;
    let peers: Vec<Peer> = genesis
        .validators
        .iter()
        .zip(&addresses)
        .map(|(validator, address)| Peer { key: *validator.key.bytes(), address: *address })
        .collect();
    let mut handles = Vec::new();
    for (validator, listen) in genesis.validators.iter().zip(addresses) {
        let name = &validator.name;
        let config = NodeConfig::new(name, genesis.clone());
        let own = context.child("node").with_attribute("name", name);
        let prepared = prepare(&own, &config, clock.clone())
            .await
            .with_context(|| format!("validator {name}: its store"))?;
        let key = ValidatorKey::from_seed(Founding::validator_seed(name));
        let endpoint = Endpoint { listen, peers: peers.clone() };
        let engine = serve_tcp(own, config.engine(), key, prepared.application(), endpoint)
            .await
            .with_context(|| format!("validator {name}: its engine"))?;
        handles.push(prepared.handle(engine.mailbox()));
    }
    Ok(handles)
}

/// Loopback addresses that nobody listens on now.
fn free_addresses(count: usize) -> anyhow::Result<Vec<SocketAddr>> {
    // All are held until the last is found, so that no two are the same.
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<_, _>>()
        .context("finding free ports on loopback")?;
    listeners.iter().map(|l| l.local_addr().context("reading a port")).collect()
}
