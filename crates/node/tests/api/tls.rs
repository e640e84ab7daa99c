//! TLS 1.3 at the listener: who gets in, who does not, and who cannot hold up the others.

use crate::support::{Site, genesis, with_site};
use duet_node::api::{ApiConfig, ServeLimits, Tls, serve};
use duet_sdk::client::{Client, ClientError, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// A test waits no longer for anything.
const PATIENCE: Duration = Duration::from_secs(10);

type Root = CertifiedIssuer<'static, KeyPair>;

fn root() -> Root {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Files of one test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls").join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A certificate of `root` for `host` that ends with a year, and its key.
    fn server(&self, root: &Root, host: &str, last_year: i32) -> Tls {
        let (chain, key) = (self.0.join("server.pem"), self.0.join("server.key"));
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        fs::write(&chain, params.signed_by(&pair, root).unwrap().pem()).unwrap();
        fs::write(&key, pair.serialize_pem()).unwrap();
        Tls::read(&chain, &key).unwrap()
    }

    fn pinned(&self, root: &Root) -> Trust {
        let file = self.0.join("root.pem");
        fs::write(&file, root.pem()).unwrap();
        Trust::pinned(&file).unwrap()
    }
}

/// Serves the site until the test ends.
async fn served(site: &Site, tls: Tls, limits: ServeLimits) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, site.app.clone(), limits, Some(tls), std::future::pending()));
    address
}

/// What is wrong with the connection, cause by cause.
async fn refusal(address: SocketAddr, trust: &Trust) -> String {
    let client = Client::trusting(&format!("https://{address}"), trust).unwrap();
    match timeout(PATIENCE, client.status()).await.unwrap() {
        Err(ClientError::Unreachable { source, .. }) => {
            let first: Box<dyn std::error::Error> = source;
            let mut text = String::new();
            let mut next = Some(&*first);
            while let Some(error) = next {
                text += &format!("{error}; ");
                next = error.source();
            }
            text
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pinned_root_and_no_other_opens_the_api() {
    with_site("tls", &ApiConfig::default(), async |site| {
        let (files, root) = (Files::new("pinned"), root());
        let tls = files.server(&root, "127.0.0.1", 2100);
        let address = served(&site, tls, ServeLimits::default()).await;
        let trust = files.pinned(&root);
        let client = Client::trusting(&format!("https://{address}"), &trust).unwrap();
        assert_eq!(client.status().await.unwrap().channel.0, genesis().channel());
        site.node.wait_height(1).await;
        let head = client.head_proof().await.unwrap();
        let header = head.verify(&genesis().channel()).unwrap();
        assert!(header.time_ms >= genesis().time.unix_ms());

        let other = Files::new("other").pinned(&self::root());
        assert!(
            refusal(address, &other).await.contains("invalid peer certificate"),
            "another root"
        );
        let system = Client::trusting(&format!("https://{address}"), &Trust::default());
        assert!(matches!(system, Err(ClientError::Address { .. })), "no root is asked but this");
        let named = format!("https://localhost:{}", address.port());
        let named = Client::trusting(&named, &trust).unwrap().status().await;
        assert!(matches!(named, Err(ClientError::Unreachable { .. })), "it is for 127.0.0.1");

        // Plain HTTP at the port of TLS.
        let plain = Client::new(&format!("http://{address}")).unwrap();
        let answer = timeout(PATIENCE, plain.status()).await.unwrap();
        assert!(matches!(answer, Err(ClientError::Unreachable { .. })), "{answer:?}");
    });
}

#[test]
fn expired_certificates_and_those_of_other_hosts_are_refused() {
    with_site("tls-bad", &ApiConfig::default(), async |site| {
        let (files, root) = (Files::new("bad"), root());
        let trust = files.pinned(&root);
        let expired = files.server(&root, "127.0.0.1", 2020);
        let address = served(&site, expired, ServeLimits::default()).await;
        let why = refusal(address, &trust).await;
        assert!(why.contains("expired"), "{why}");
        // But for the dates it is good.
        let undated = Client::trusting(&format!("https://{address}"), &trust.clone().undated());
        assert!(undated.unwrap().status().await.is_ok());

        let elsewhere = files.server(&root, "node.example", 2100);
        let address = served(&site, elsewhere, ServeLimits::default()).await;
        let why = refusal(address, &trust).await;
        assert!(why.contains("not valid for name"), "{why}");
        let why = refusal(address, &trust.undated()).await;
        assert!(why.contains("not valid for name"), "{why}");
    });
}

/// The first words of a client that speaks TLS 1.2 and nothing newer (RFC 5246, 7.4.1.2).
fn hello_of_tls12() -> Vec<u8> {
    let curves = [0, 10, 0, 4, 0, 2, 0, 23];
    let signatures = [0, 13, 0, 4, 0, 2, 4, 3];
    let extensions = [&[0, 16][..], &curves, &signatures].concat();
    let suites = [0, 2, 0xc0, 0x2b, 1, 0];
    let body = [&[3, 3][..], &[7; 32], &[0], &suites, &extensions].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[0x16, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[test]
fn tls_1_2_is_not_spoken() {
    with_site("tls-12", &ApiConfig::default(), async |site| {
        let tls = Files::new("old").server(&root(), "127.0.0.1", 2100);
        let address = served(&site, tls, ServeLimits::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&hello_of_tls12()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
        // A fatal alert: protocol_version.
        assert_eq!((answer[0], &answer[5..7]), (0x15, &[2, 70][..]), "{answer:?}");
    });
}

#[test]
fn handshakes_that_are_never_ended_hold_up_nobody_for_long() {
    with_site("tls-half", &ApiConfig::default(), async |site| {
        let (files, root) = (Files::new("half"), root());
        let tls = files.server(&root, "127.0.0.1", 2100);
        let handshake_timeout = Duration::from_millis(500);
        let limits = ServeLimits { handshakes_max: 3, handshake_timeout, ..ServeLimits::default() };
        let address = served(&site, tls, limits).await;
        let client = Client::trusting(&format!("https://{address}"), &files.pinned(&root)).unwrap();
        let mut halves = Vec::new();
        for opening in [&b""[..], &[0x16, 3, 1]] {
            let mut half = TcpStream::connect(address).await.unwrap();
            half.write_all(opening).await.unwrap();
            halves.push(half);
        }
        // Two of three places are held: the third serves.
        assert!(timeout(PATIENCE, client.status()).await.unwrap().is_ok());
        for mut half in halves {
            let mut rest = Vec::new();
            // The server closes; the test would fail here if it did not.
            timeout(PATIENCE, half.read_to_end(&mut rest)).await.unwrap().ok();
        }
        // All places are taken, and given back.
        let all = [(); 3].map(|()| TcpStream::connect(address));
        let _held = futures::future::join_all(all).await;
        tokio::time::sleep(2 * handshake_timeout).await;
        assert!(timeout(PATIENCE, client.status()).await.unwrap().is_ok());
    });
}
