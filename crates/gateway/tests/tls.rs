//! The uplink over TLS: a pinned root, and a clock that stands in 1970. The node is a script with a
//! real certificate.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use duet_gateway::clock::{Clock, SystemClock};
use duet_gateway::device::Device;
use duet_gateway::uplink::{Delivery, HttpUplink, NodeAccess, Uplink, UplinkError};
use duet_ledger::{Acknowledgement, Action, ChannelId, DispatchId, Genesis, PublicKey};
use duet_sdk::proof::{Certificate, Checkpoint, HeadProof, Header};
use duet_sdk::wire::{Bytes, Hex32};
use duet_units::ClockTime;
use ed25519_zebra::{SigningKey, VerificationKey};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Root = CertifiedIssuer<'static, KeyPair>;

const GENESIS: [u8; 32] = [9; 32];
const HASH: &str = "1111111111111111111111111111111111111111111111111111111111111111";
/// 2026-07-06.
const JULY: ClockTime = ClockTime::from_unix_ms(1_783_303_200_000);
const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

/// A board without a battery, a minute after its start.
struct Unset;

impl Clock for Unset {
    fn now(&self) -> ClockTime {
        ClockTime::from_unix_ms(60_000)
    }
}

fn root() -> Root {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
}

/// A certificate of `root` for 127.0.0.1 that is valid in some years.
fn acceptor(root: &Root, (first, last): (i32, i32)) -> TlsAcceptor {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("an address");
    params.not_before = date_time_ymd(first, 1, 1);
    params.not_after = date_time_ymd(last, 12, 31);
    let chain = vec![params.signed_by(&key, root).expect("a certificate").der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    TlsAcceptor::from(Arc::new(config))
}

fn validator(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

fn public(seed: u8) -> PublicKey {
    PublicKey::from_bytes(VerificationKey::from(&validator(seed)).into())
}

fn channel() -> ChannelId {
    Genesis::channel_of(&[public(1)], &GENESIS)
}

/// What a committee of one, with this key, finalized at a time.
fn head(seed: u8, time: ClockTime) -> HeadProof {
    let header = Header {
        parent: [6; 32],
        height: 10,
        time_ms: time.unix_ms(),
        body_hash: [7; 32],
        checkpoint: Checkpoint { height: 9, state_root: [3; 32], receipts_root: [8; 32] },
        context: [2; 32],
    };
    let (epoch, view, parent_view) = (0_u64, 300_u64, 299_u64);
    let empty =
        Certificate { epoch, view, parent_view, digest: header.digest(), signatures: vec![] };
    let signature: [u8; 64] = validator(seed).sign(&empty.message(&channel())).into();
    let mut certificate = vec![1];
    [epoch, view, parent_view].iter().for_each(|number| certificate.extend(number.to_be_bytes()));
    certificate.extend(header.digest());
    certificate.extend(1_u16.to_be_bytes());
    certificate.extend(0_u32.to_be_bytes());
    certificate.extend(signature);
    HeadProof {
        version: HeadProof::VERSION,
        committee: vec![public(1).into()],
        genesis_hash: Hex32(GENESIS),
        header: Bytes(header.encode()),
        certificate: Bytes(certificate),
    }
}

/// A node behind TLS that has this head and finalizes every transaction.
struct Node {
    address: SocketAddr,
    head: Arc<Mutex<HeadProof>>,
    transactions: Arc<AtomicUsize>,
    heads: Arc<AtomicUsize>,
}

impl Node {
    async fn start(acceptor: TlsAcceptor, head: HeadProof) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let head = Arc::new(Mutex::new(head));
        let (transactions, heads) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let node = Self { address, head, transactions, heads };
        let (head, transactions, heads) =
            (node.head.clone(), node.transactions.clone(), node.heads.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = Vec::new();
                // Transactions end with the JSON's brace, questions with an empty line.
                while !(request.ends_with(b"\r\n\r\n") && request.starts_with(b"GET")
                    || request.ends_with(b"}"))
                {
                    let Ok(byte @ 1..) = stream.read_buf(&mut request).await else { break };
                    let _ = byte;
                }
                let body = if request.starts_with(b"GET /v1/head/proof ") {
                    heads.fetch_add(1, Ordering::Relaxed);
                    serde_json::to_string(&*head.lock().expect("no panic")).expect("JSON")
                } else {
                    transactions.fetch_add(1, Ordering::Relaxed);
                    json!({ "transaction": HASH, "receipt": {
                        "transaction": HASH, "height": 7, "index": 0, "accepted": true,
                        "number": 0, "code": null, "rule": null, "subject": 0,
                    }})
                    .to_string()
                };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + &body).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        node
    }

    /// How many transactions it was given, and how often it was asked for the time.
    fn seen(&self) -> (usize, usize) {
        (self.transactions.load(Ordering::Relaxed), self.heads.load(Ordering::Relaxed))
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls").join(name);
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn uplink(node: &Node, root: &Root, folder: &Path, clock: Arc<dyn Clock>) -> HttpUplink {
    let file = folder.join("root.pem");
    std::fs::write(&file, root.pem()).expect("a file");
    let access = NodeAccess {
        node: format!("https://{}", node.address),
        root: Some(file),
        time_file: Some(folder.join("proven-time.json")),
        ..NodeAccess::default()
    };
    HttpUplink::new(access, Device::from_seed([7; 32], channel()), clock).expect("a root")
}

fn answer() -> Action {
    Action::AckDispatch(Acknowledgement { dispatch: DispatchId(1), accepted: true, cause: 0 })
}

#[tokio::test]
async fn a_node_of_the_pinned_root_is_given_what_is_to_be_delivered() {
    let (root, folder) = (root(), folder("pinned"));
    let node = Node::start(acceptor(&root, (2020, 2120)), head(1, JULY)).await;
    let good = uplink(&node, &root, &folder, Arc::new(SystemClock));
    assert_eq!(good.submit(answer()).await, Delivery::Final);
    assert_eq!(node.seen(), (1, 0), "a clock that is set needs nobody's time");
    let other = uplink(&node, &self::root(), &folder, Arc::new(SystemClock));
    assert_eq!(other.submit(answer()).await, Delivery::Later);
    let expired = Node::start(acceptor(&root, (2020, 2021)), head(1, JULY)).await;
    let late = uplink(&expired, &root, &folder, Arc::new(SystemClock));
    assert_eq!(late.submit(answer()).await, Delivery::Later);
    assert_eq!((node.seen(), expired.seen()), ((1, 0), (0, 0)));
}

#[tokio::test]
async fn a_clock_of_1970_steps_to_the_time_that_the_committee_signed() {
    let (root, folder) = (root(), folder("1970"));
    let node = Node::start(acceptor(&root, (2026, 2026)), head(1, JULY)).await;
    let uplink = uplink(&node, &root, &folder, Arc::new(Unset));
    for _ in 0..3 {
        assert_eq!(uplink.submit(answer()).await, Delivery::Final);
    }
    assert_eq!(node.seen(), (3, 1), "it asks once");
}

#[tokio::test]
async fn a_certificate_is_refused_that_is_not_valid_at_the_proven_time() {
    let (root, folder) = (root(), folder("not-valid"));
    for (years, time) in [
        ((2026, 2026), JULY.plus_ms(YEAR_MS)), // Expired by then.
        ((2027, 2030), JULY),                  // Not valid yet.
    ] {
        let node = Node::start(acceptor(&root, years), head(1, time)).await;
        let uplink = uplink(&node, &root, &folder, Arc::new(Unset));
        assert_eq!(uplink.submit(answer()).await, Delivery::Later);
        assert_eq!(node.seen(), (0, 1), "it gave the time, and got nothing");
        std::fs::remove_file(folder.join("proven-time.json")).expect("it was kept");
    }
}

#[tokio::test]
async fn a_time_that_the_committee_did_not_sign_is_not_believed() {
    let (root, folder) = (root(), folder("forged"));
    let node = Node::start(acceptor(&root, (2027, 2030)), head(2, JULY.plus_ms(YEAR_MS))).await;
    let uplink = uplink(&node, &root, &folder, Arc::new(Unset));
    assert_eq!(uplink.submit(answer()).await, Delivery::Later);
    assert!(!folder.join("proven-time.json").exists());
    // Signed for another moment.
    let mut proof = head(1, JULY);
    proof.header = head(1, JULY.plus_ms(YEAR_MS)).header;
    *node.head.lock().expect("no panic") = proof;
    assert_eq!(uplink.submit(answer()).await, Delivery::Later);
    *node.head.lock().expect("no panic") = head(1, JULY.plus_ms(YEAR_MS));
    assert_eq!(uplink.submit(answer()).await, Delivery::Final, "it asks until it is told");
    assert_eq!(node.seen(), (1, 3));
}

#[tokio::test]
async fn what_was_proved_once_holds_after_a_restart() {
    let (root, folder) = (root(), folder("kept"));
    let late = JULY.plus_ms(YEAR_MS);
    let node = Node::start(acceptor(&root, (2026, 2030)), head(1, late)).await;
    let first = uplink(&node, &root, &folder, Arc::new(Unset));
    assert_eq!(first.submit(answer()).await, Delivery::Final);
    // Who has a key of last year shows a proof of last year, too.
    let stolen = Node::start(acceptor(&root, (2026, 2026)), head(1, JULY)).await;
    let second = uplink(&stolen, &root, &folder, Arc::new(Unset));
    assert_eq!(second.submit(answer()).await, Delivery::Later);
    assert_eq!(stolen.seen(), (0, 1));
    // A file that was changed is not believed.
    let file = folder.join("proven-time.json");
    let text = std::fs::read_to_string(&file).expect("kept");
    let later = serde_json::to_string(&head(2, late.plus_ms(YEAR_MS))).expect("JSON");
    assert_ne!(text, later);
    std::fs::write(&file, later).expect("a file");
    let third = uplink(&stolen, &root, &folder, Arc::new(Unset));
    assert_eq!(third.submit(answer()).await, Delivery::Final, "nothing is known but the node's");
}

#[tokio::test]
async fn an_address_that_shows_no_certificate_is_refused_at_the_start() {
    let device = || Device::from_seed([7; 32], channel());
    let start = |node: &str, plain_http| {
        let access = NodeAccess { node: node.to_owned(), plain_http, ..NodeAccess::default() };
        HttpUplink::new(access, device(), Arc::new(SystemClock)).map(drop)
    };
    assert!(matches!(start("http://10.1.2.3:8700", false), Err(UplinkError::Node(_))));
    assert!(matches!(start("https://10.1.2.3:8700", true), Err(UplinkError::Node(_))), "no root");
    assert!(start("http://10.1.2.3:8700", true).is_ok());
    assert!(start("http://127.0.0.1:8700", false).is_ok());
}
