//! Measures the engine alone: four validators in one process, real TCP, encryption and disk.
//!
//! `cargo run --release -p duet-consensus --example loopback -- SECONDS BODY_BYTES PACE_MS`
//!
//! A block's latency runs from its proposer's clock reading to durable, ordered delivery to the
//! application of each validator. Bodies are not judged: what they cost is the application's.

#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

use bytes::Bytes;
use commonware_runtime::{Clock as _, Supervisor as _, tokio::Context};
use duet_consensus::{
    Application, Block, Checkpoint, Config, Endpoint, Genesis, Header, Peer, Proposal, Timeouts,
    ValidatorKey, run, serve_tcp,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

const WARM_UP: Duration = Duration::from_secs(4);
const FIRST_PORT: u16 = 24_710;
const WORKERS: usize = 2;

/// Fills every block, and notes how long each took, in milliseconds.
#[derive(Clone)]
struct Filler {
    context: Arc<Context>,
    body: Bytes,
    pace_ms: i64,
    latencies_ms: Arc<Mutex<Vec<i64>>>,
}

impl Filler {
    fn now_ms(&self) -> i64 {
        let now = self.context.current().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Application for Filler {
    async fn propose(&mut self, parent: &Header, _: &[Block]) -> Option<Proposal> {
        let wait_ms = (parent.time_ms + self.pace_ms - self.now_ms()).clamp(0, self.pace_ms);
        self.context.sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
        let time_ms = self.now_ms();
        Some(Proposal { time_ms, checkpoint: Checkpoint::default(), body: self.body.clone() })
    }

    async fn verify(&mut self, _: &Block, _: &Header) -> bool {
        true
    }

    async fn finalized(&mut self, block: Block) {
        let latency_ms = self.now_ms() - block.header.time_ms;
        self.latencies_ms.lock().expect("nobody panics").push(latency_ms);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let (seconds, body_bytes, pace_ms) = (next(15), next(100_000), next(0));

    let storage = std::env::temp_dir().join(format!("duet-loopback-{}", std::process::id()));
    let outcome = run(&storage, WORKERS, async |context| {
        let mut fillers = Vec::new();
        for index in 0..4 {
            let filler = Filler {
                context: Arc::new(context.child("application").with_attribute("index", index)),
                body: vec![7; body_bytes as usize].into(),
                pace_ms: i64::from(pace_ms),
                latencies_ms: Arc::default(),
            };
            fillers.push(filler.clone());
            serve(&context, index, filler).await;
        }
        context.sleep(WARM_UP).await;
        for filler in &fillers {
            filler.latencies_ms.lock().expect("nobody panics").clear();
        }
        context.sleep(Duration::from_secs(seconds.into())).await;
        fillers
            .iter()
            .map(|filler| std::mem::take(&mut *filler.latencies_ms.lock().expect("nobody panics")))
            .collect::<Vec<_>>()
    });
    for (index, mut latencies_ms) in outcome.expect("the directory is new").into_iter().enumerate()
    {
        latencies_ms.sort_unstable();
        let quantile = |percent| latencies_ms.get((latencies_ms.len().max(1) - 1) * percent / 100);
        println!(
            "validator {index}: {:.1} blocks/s of {body_bytes} B; latency ms p50 {:?} p95 {:?} p99 {:?}",
            latencies_ms.len() as f64 / f64::from(seconds),
            quantile(50).unwrap_or(&-1),
            quantile(95).unwrap_or(&-1),
            quantile(99).unwrap_or(&-1),
        );
    }
    std::fs::remove_dir_all(&storage).ok(); // Only temporary files are left behind otherwise.
}

async fn serve(context: &Context, index: u8, filler: Filler) {
    let key = |index: u8| ValidatorKey::from_seed([index; 32]);
    let address =
        |index: u8| SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST_PORT + u16::from(index)));
    let peers: Vec<_> =
        (0..4).map(|index| Peer { key: key(index).public(), address: address(index) }).collect();
    let config = Config {
        namespace: b"duet/loopback".to_vec(),
        genesis: Genesis { hash: [0; 32], time_ms: 0 },
        committee: peers.iter().map(|peer| peer.key).collect(),
        block_bytes_max: 1_000_000,
        timeouts: Timeouts::default(),
        storage_prefix: format!("validator-{index}"),
    };
    let endpoint = Endpoint { listen: address(index), peers };
    let context = context.child("node").with_attribute("index", index);
    serve_tcp(context, config, key(index), filler, endpoint).await.expect("the validator starts");
}
