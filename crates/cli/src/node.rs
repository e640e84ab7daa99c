//! `duet node` and `duet genesis`: one validator in its own process, and the files it needs.

mod file;
mod found;

use crate::page;
use anyhow::Context as _;
use clap::Args;
use commonware_runtime::Supervisor as _;
use duet_consensus::{Endpoint, Peer, ValidatorKey, serve_tcp};
use duet_node::{Clock, NodeConfig, prepare};
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
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    duet_consensus::run(&node.data, workers, |context| async move {
        let mut config = NodeConfig::new(&node.name, node.genesis.clone());
        config.partition = "node".to_owned();
        let clock = Clock::of_runtime(context.child("clock"));
        let own = context.child("node").with_attribute("name", &node.name);
        let prepared = prepare(&own, &config, clock).await.context("the store")?;
        let endpoint = Endpoint {
            listen: node.listen,
            peers: node
                .peers
                .iter()
                .map(|(key, address)| Peer { key: *key.bytes(), address: *address })
                .collect(),
        };
        let key = ValidatorKey::from_seed(node.seed);
        let engine = serve_tcp(own, config.engine(), key, prepared.application(), endpoint)
            .await
            .context("the engine")?;
        let handle = prepared.handle(engine.mailbox());
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
            () = engine.stopped() => anyhow::bail!("the engine stopped; the log says why"),
            stop = tokio::signal::ctrl_c() => stop.context("waiting for Ctrl-C")?,
        }
        writeln!(out, "{}: stopped at height {}", node.name, handle.status().height)?;
        Ok(())
    })?
}
