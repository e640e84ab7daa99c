//! `duet node` and `duet genesis`: one validator in its own process, and the files it needs.

mod file;
mod found;

use crate::page;
use anyhow::Context as _;
use clap::Args;
use duet_consensus::{Endpoint, Peer};
use duet_node::{NodeConfig, api::Tls, host};
use file::NodeFile;
use std::{io::Write as _, path::PathBuf};
use tracing::warn;

pub(crate) use found::{GenesisArgs, run as found, write_new};

/// Runs one validator.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The node's configuration; docs/operations.md explains its fields.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Serve the API over TLS 1.3 with this certificate chain, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

pub(crate) fn run(args: &NodeArgs) -> anyhow::Result<()> {
    let mut node = NodeFile::read(&args.config)?;
    if let (Some(chain), Some(key)) = (&args.tls_cert, &args.tls_key) {
        node.tls = Some(Tls::read(chain, key).context("TLS")?);
    }
    if node.tls.is_none() && !node.api.ip().is_loopback() {
        warn!("the API at {} has no TLS: members reach it with --plain-http only", node.api);
    }
    host::run(&node.data.clone(), |host| async move {
        let mut config = NodeConfig::new(&node.name, node.genesis.clone());
        config.partition = "node".to_owned();
        let peers = node.peers.iter();
        let endpoint = Endpoint {
            listen: node.listen,
            peers: peers
                .map(|(key, address)| Peer { key: *key.bytes(), address: *address })
                .collect(),
        };
        let running = host.start(config, host.clock(), node.seed, endpoint).await?;
        let handle = running.handle.clone();
        let page =
            page::start(node.api, node.tls.clone(), node.web.clone(), handle.clone(), false)?;
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{}: height {}, API {}://{}/docs",
            node.name,
            handle.status().height,
            if node.tls.is_some() { "https" } else { "http" },
            page.address
        )?;
        tokio::select! {
            () = running.stopped() => anyhow::bail!("the engine stopped; the log says why"),
            stop = tokio::signal::ctrl_c() => stop.context("waiting for Ctrl-C")?,
        }
        writeln!(out, "{}: stopped at height {}", node.name, handle.status().height)?;
        Ok(())
    })?
}
