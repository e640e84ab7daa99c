//! `duet node` and `duet genesis`: one validator in its own process, and the files it needs.

mod file;
mod found;

use crate::page;
use anyhow::Context as _;
use clap::Args;
use duet_consensus::{Endpoint, Peer};
use duet_node::{NodeConfig, host};
use file::NodeFile;
use std::{io::Write as _, path::PathBuf};

pub(crate) use found::{GenesisArgs, run as found};

/// Runs one validator.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The node's configuration; docs/operations.md explains its fields.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(crate) fn run(args: &NodeArgs) -> anyhow::Result<()> {
    let node = NodeFile::read(&args.config)?;
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
        let page = page::start(node.api, node.web.clone(), handle.clone(), false)?;
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{}: height {}, API http://{}/docs",
            node.name,
            handle.status().height,
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
