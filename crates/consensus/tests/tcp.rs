//! Four validators in one process agree over real, authenticated TCP on loopback.

mod support;

use commonware_runtime::{Clock as _, Supervisor as _, tokio::Context};
use duet_consensus::{
    Config, Endpoint, Handle, HostError, Peer, ValidatorKey, run, serve_tcp, simulation::keys,
};
use ed25519_zebra::{Signature, VerificationKey};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};
use support::{Log, config};

/// A storage directory of this test alone.
fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::remove_dir_all(&directory).ok(); // Of an earlier run.
    directory
}

struct Cluster {
    keys: Vec<ValidatorKey>,
    peers: Vec<Peer>,
}

impl Cluster {
    fn on_free_ports(validators: usize) -> Self {
        let keys = keys(validators);
        let listeners: Vec<_> =
            keys.iter().map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let address = |listener: &TcpListener| listener.local_addr().unwrap();
        let peers = keys
            .iter()
            .zip(&listeners)
            .map(|(key, listener)| Peer { key: key.public(), address: address(listener) })
            .collect();
        Self { keys, peers }
    }

    fn config(&self, index: usize) -> Config {
        Config {
            committee: self.peers.iter().map(|peer| peer.key).collect(),
            storage_prefix: format!("validator-{index}"),
            ..config()
        }
    }

    async fn start(&self, context: &Context, index: usize, log: Log) -> Handle {
        let listen: SocketAddr = self.peers[index].address;
        let endpoint = Endpoint { listen, peers: self.peers.clone() };
        let context = context.child("node").with_attribute("index", index);
        let key = self.keys[index].clone();
        serve_tcp(context, self.config(index), key, log, endpoint).await.unwrap()
    }
}

async fn wait_for(context: &Context, logs: &[Log], height: u64) {
    for _ in 0..600 {
        if logs.iter().all(|log| height <= log.height()) {
            return;
        }
        context.sleep(Duration::from_millis(100)).await;
    }
    let heights: Vec<_> = logs.iter().map(Log::height).collect();
    panic!("not all at {height} after a minute: {heights:?}");
}

#[test]
fn four_validators_agree_and_an_outsider_can_check() {
    let cluster = Cluster::on_free_ports(4);
    run(&directory("agree"), 2, async |context| {
        let logs: Vec<_> = (0..4).map(|_| Log::default()).collect();
        let mut handles = Vec::new();
        for (index, log) in logs.iter().enumerate() {
            handles.push(cluster.start(&context, index, log.clone()).await);
        }
        wait_for(&context, &logs, 20).await;
        for log in &logs {
            assert_eq!(log.digests()[..20], logs[0].digests()[..20]);
        }

        let namespace = config().namespace;
        let mailbox = handles[1].mailbox();
        let proof = mailbox.proof(7).await.expect("a final block can be proved");
        let block = mailbox.block(7).await.unwrap();
        let committee = cluster.config(0).committee;
        assert_eq!(proof.verify(&namespace, &committee), Ok(Some(&block.header)));
        assert_eq!(block.digest(), logs[0].digests()[6]);

        let message = proof.certificate.message(&namespace);
        assert!(3 <= proof.certificate.signatures.len());
        for (signer, signature) in &proof.certificate.signatures {
            let key = VerificationKey::try_from(cluster.keys[*signer as usize].public()).unwrap();
            key.verify(&Signature::from(*signature), &message).expect("a vote of the committee");
        }

        let mut forged = proof;
        forged.headers[0].time_ms += 1;
        assert_eq!(forged.verify(&namespace, &committee), Ok(None));
    })
    .unwrap();
}

#[test]
fn a_validator_that_was_stopped_catches_up_while_the_others_go_on() {
    let cluster = Cluster::on_free_ports(4);
    run(&directory("restart"), 2, async |context| {
        let mut logs: Vec<_> = (0..4).map(|_| Log::default()).collect();
        let mut handles = Vec::new();
        for (index, log) in logs.iter().enumerate() {
            handles.push(cluster.start(&context, index, log.clone()).await);
        }
        wait_for(&context, &logs, 10).await;
        handles[3].stop();
        let reached = logs[0].height();
        wait_for(&context, &logs[..3], reached + 5).await;

        logs[3] = Log::default(); // Its memory is lost.
        handles[3] = cluster.start(&context, 3, logs[3].clone()).await;
        wait_for(&context, &logs, reached + 10).await;

        assert_eq!(logs[3].digests()[..10], logs[0].digests()[..10]);
        let processed = handles[3].mailbox().processed_height().await;
        assert!(10 <= processed && processed <= handles[3].mailbox().final_height().await);
    })
    .unwrap();
}

#[test]
fn a_directory_in_use_is_refused_instead_of_waited_for() {
    let directory = directory("in-use");

    let inner = run(&directory, 1, async |_| run(&directory, 1, async |_| ()));

    assert!(matches!(inner.unwrap(), Err(HostError::InUse(held)) if held == directory));
}
