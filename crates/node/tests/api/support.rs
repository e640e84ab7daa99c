//! One validator of a small channel, and requests to its API without a socket.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use commonware_runtime::Supervisor as _;
use duet_consensus::{Endpoint, Peer, ValidatorKey, run, serve_tcp};
use duet_ledger::{
    Action, Genesis, Identity, MarketRule, Organisation, OrganisationId, Registration, Role, Roles,
    Transaction, Unit, Validator,
};
use duet_node::{
    Clock, Handle, NodeConfig,
    api::{ApiConfig, app},
    prepare,
};
use duet_sdk::{
    sign::MemberKey,
    wire::{self, Receipt},
};
use duet_units::{ClockTime, DeliveryDay, EmissionFactor, Money, Power, Price};
use serde_json::Value;
use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tower::ServiceExt as _;

/// Noon of the day before delivery.
pub(crate) const START_MS: i64 = 1_783_224_000_000;
/// Orders are taken for an hour.
pub(crate) const GATE_CLOSE_MS: i64 = START_MS + 3_600_000;

pub(crate) const EXCHANGE: u8 = 0;
pub(crate) const BANK: u8 = 2;
pub(crate) const GENERATOR: u8 = 3;
pub(crate) const RETAILER: u8 = 4;
/// A key that no organisation registered.
pub(crate) const STRANGER: u8 = 9;

/// The units of the channel: one plant, one connection.
pub(crate) const PLANT: u32 = 0;
pub(crate) const LOAD: u32 = 1;
/// A wind park of the generator.
pub(crate) const WIND: u32 = 2;

/// A validator, its API, and everybody's keys.
pub(crate) struct Site {
    pub(crate) app: Router,
    pub(crate) node: Handle,
    now: Arc<AtomicI64>,
}

/// The key of a member, by the number of its organisation.
pub(crate) fn key(member: u8) -> MemberKey {
    MemberKey::from_seed([member + 1; 32])
}

fn validator() -> ValidatorKey {
    ValidatorKey::from_seed([100; 32])
}

pub(crate) fn genesis() -> Genesis {
    let members = [
        ("EXCHANGE", Role::Exchange),
        ("DISPATCH", Role::Dispatcher),
        ("BANK", Role::Bank),
        ("PLANT", Role::Generator),
        ("RETAIL", Role::Retailer),
    ];
    let unit = |owner: u8, technology, cost| Unit {
        owner: OrganisationId(owner.into()),
        name: format!("U{owner}"),
        technology,
        capacity: Power::from_kw(100_000),
        registered_cost: Price::from_milli_yuan_per_mwh(cost),
        emission_factor: EmissionFactor::from_g_per_kwh(if cost == 0 { 0 } else { 830 }),
        benchmark: EmissionFactor::from_g_per_kwh(if cost == 0 { 0 } else { 800 }),
        device: key(owner).public(),
    };
    Genesis {
        name: "test".to_owned(),
        time: ClockTime::from_unix_ms(START_MS),
        validators: vec![Validator {
            name: "one".to_owned(),
            key: duet_ledger::PublicKey::from_bytes(validator().public()),
        }],
        organisations: members
            .iter()
            .map(|(name, _)| Organisation { name: (*name).to_owned(), name_zh: String::new() })
            .collect(),
        identities: (0_u8..)
            .zip(members)
            .map(|(number, (name, role))| Registration {
                key: key(number).public(),
                identity: Identity {
                    organisation: OrganisationId(number.into()),
                    roles: Roles::of(&[role]),
                    label: name.to_owned(),
                },
            })
            .collect(),
        units: vec![
            unit(GENERATOR, duet_ledger::Technology::Coal, 280_000),
            unit(RETAILER, duet_ledger::Technology::Load, 0),
            unit(GENERATOR, duet_ledger::Technology::Wind, 0),
        ],
        rules: vec![rule()],
    }
}

/// Runs `test` against a fresh validator whose clock stands at [`START_MS`] until it is moved.
pub(crate) fn with_site(name: &str, config: &ApiConfig, test: impl AsyncFnOnce(Site)) {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("api-{name}"));
    fs::remove_dir_all(&directory).ok(); // Of an earlier run.
    run(&directory, 2, async |context| {
        let now = Arc::new(AtomicI64::new(START_MS));
        let hand = now.clone();
        let clock = Clock::new(context.child("clock"), move || {
            ClockTime::from_unix_ms(hand.load(Ordering::Relaxed))
        });
        let node = NodeConfig::new("one", genesis());
        let prepared = prepare(&context.child("one"), &node, clock).await.unwrap();
        let listen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let peers = vec![Peer { key: validator().public(), address: listen }];
        let engine = serve_tcp(
            context.child("engine"),
            node.engine(),
            validator(),
            prepared.application(),
            Endpoint { listen, peers },
        )
        .await
        .unwrap();
        let node = prepared.handle(engine.mailbox());
        let app = app(node.clone(), config).unwrap();
        test(Site { app, node, now }).await;
    })
    .unwrap();
}

impl Site {
    /// Moves the market's clock and waits until a block has the new time.
    pub(crate) async fn move_clock(&self, to_ms: i64) {
        self.now.store(to_ms, Ordering::Relaxed);
        while self.node.status().time.unix_ms() < to_ms {
            self.node.wait_height(self.node.status().height + 1).await;
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.app.clone().oneshot(request).await.unwrap()
    }

    /// Status and JSON of an answer; `Null` where there is no JSON.
    pub(crate) async fn read(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.send(request).await;
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            let kind = response.headers().get(header::CONTENT_TYPE).unwrap();
            assert_eq!(kind, "application/problem+json", "every refusal is a problem");
        }
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.read(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, bytes: Vec<u8>, query: &str) -> (StatusCode, Value) {
        let request = Request::post(format!("/v1/transactions{query}"))
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::from(bytes))
            .unwrap();
        self.read(request).await
    }

    /// Signs with the member's next nonce.
    pub(crate) fn sign(&self, member: u8, action: Action) -> Transaction {
        let key = key(member);
        let nonce = self.node.read(|state| state.nonce(key.public())) + 1;
        key.sign(genesis().channel(), nonce, action)
    }

    /// Submits, waits, and returns the receipt of a transaction that must be accepted.
    pub(crate) async fn done(&self, member: u8, action: Action) -> Receipt {
        let transaction = self.sign(member, action);
        let (status, answer) = self.post(transaction.bytes().to_vec(), "?wait=30").await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let receipt: Receipt = serde_json::from_value(answer["receipt"].clone()).unwrap();
        assert!(receipt.accepted, "{answer}");
        receipt
    }

    /// Opens a session for the day after, and funds the retailer with 1,000 yuan.
    pub(crate) async fn open_session(&self) -> u32 {
        let notice: wire::Action = serde_json::from_value(session_notice()).unwrap();
        let receipt = self.done(EXCHANGE, notice.into()).await;
        let deposit = Action::Deposit {
            organisation: OrganisationId(RETAILER.into()),
            amount: Money::from_fen(100_000),
            reference: 1,
        };
        self.done(BANK, deposit).await;
        u32::try_from(receipt.subject).unwrap()
    }
}

/// The rule of the session.
fn rule() -> MarketRule {
    match serde_json::from_value(session_notice()).unwrap() {
        wire::Action::OpenSession(notice) => MarketRule::plain("TEST", &notice.terms.into()),
        other => panic!("{other:?} is no notice"),
    }
}

pub(crate) fn session_notice() -> Value {
    let day = ClockTime::from_unix_ms(START_MS).day().next();
    serde_json::json!({
        "kind": "open_session", "rule": 1, "mode": {"kind": "joint"}, "day": day.to_string(), "days": 1,
        "gate_open_ms": START_MS + 1_000, "gate_close_ms": GATE_CLOSE_MS,
        "terms": {
            "resolution": "hour", "floor_milli_yuan_per_mwh": 0,
            "ceiling_milli_yuan_per_mwh": 1_500_000, "tick_milli_yuan_per_mwh": 10,
            "lot_kwh": 100, "reference_price_milli_yuan_per_mwh": 350_000,
            "carbon_price_fen_per_t": 8_500, "price_numerator": 1, "price_denominator": 2,
            "rationing": "pro_rata", "second_stage": "compensation",
            "compensation_cap_milli_yuan_per_mwh": 50_000, "fund_share_bp": 5_000,
            "second_stage_chance_bp": 10_000, "carbon_reference": "notice",
        },
    })
}

/// The delivery day of the session.
pub(crate) fn day() -> DeliveryDay {
    ClockTime::from_unix_ms(START_MS).day().next()
}
