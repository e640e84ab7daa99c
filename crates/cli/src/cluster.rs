//! Several validators of one channel in this process, over real TCP on loopback.

use anyhow::Context as _;
use duet_consensus::{Endpoint, Peer};
use duet_node::{Clock, Handle, NodeConfig, host::Host};
use duet_world::Founding;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Starts every validator of the channel's genesis on `host`, whose storage they share by partitions,
/// and returns their handles in the order of the genesis.
pub(crate) async fn start(
    host: &Host,
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
        let seed = Founding::validator_seed(name);
        let endpoint = Endpoint { listen, peers: peers.clone() };
        let node = host
            .start(config, clock.clone(), seed, endpoint)
            .await
            .with_context(|| format!("validator {name}"))?;
        handles.push(node.handle);
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
