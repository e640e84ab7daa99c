//! A session from notice to clearing, read over HTTP, and its receipts proved.

use crate::support::{
    BANK, GATE_CLOSE_MS, GENERATOR, LOAD, PLANT, RETAILER, START_MS, Site, day, genesis, key,
    with_site,
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use duet_ledger::{
    Action, DeviceAction, Dispatch, DispatchId, EnrolDevice, PaymentId, SessionId, UnitId,
    decode_all,
};
use duet_node::api::ApiConfig;
use duet_sdk::{
    proof::{ReceiptProof, RowProof, RowProofError},
    wire::{self, Hex32, Order, Page, PeriodClearing, SubmitRequest},
};
use serde_json::{Value, json};

/// The number of the dispatcher's organisation.
const DISPATCHER: u8 = 1;

fn order(unit: u32, side: &str, limit: i64, quantity: i64, reference: u64) -> Action {
    let conductivity = if side == "sell" { 6_500 } else { 0 };
    let action: wire::Action = serde_json::from_value(json!({
        "kind": "submit_order", "session": 1, "unit": unit, "side": side, "period": 3,
        "limit_milli_yuan_per_mwh": limit, "quantity_kwh": quantity,
        "conductivity_bp": conductivity, "reference": reference,
    }))
    .unwrap();
    action.into()
}

async fn page<T: serde::de::DeserializeOwned>(site: &Site, path: &str) -> Page<T> {
    let (status, json) = site.get(path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {json}");
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_session_is_traded_and_read_over_http() {
    with_site("day", &ApiConfig::default(), async |site| {
        site.open_session().await;
        site.move_clock(START_MS + 2_000).await;
        let sold = site.done(GENERATOR, order(PLANT, "sell", 280_000, 1_000, 1)).await;
        let bought = site.done(RETAILER, order(LOAD, "buy", 400_000, 1_000, 2)).await;
        let extra = site.done(RETAILER, order(LOAD, "buy", 10, 100, 3)).await;
        assert!(sold.height < bought.height || sold.index < bought.index);

        let all: Page<Order> = page(&site, "/v1/orders").await;
        assert_eq!(all.items.len(), 3);
        // The carbon adder of 65 % of 830 g/kWh at 85 yuan/t is 45.858 yuan/MWh, on the limit and
        // on the registered cost alike.
        assert_eq!(all.items[0].effective_milli_yuan_per_mwh, 280_000 + 45_858);
        for (query, numbers) in [
            ("side=buy", vec![2, 3]),
            ("owner=3", vec![1]),
            ("status=cancelled", vec![]),
            ("session=2", vec![]),
            ("limit=1&after=1", vec![2]),
        ] {
            let some: Page<Order> = page(&site, &format!("/v1/orders?{query}")).await;
            let found: Vec<u64> = some.items.iter().map(|order| order.id).collect();
            assert_eq!(found, numbers, "{query}");
        }
        let account = site.get(&format!("/v1/organisations/{RETAILER}")).await.1;
        // 1,000 kWh at 400 yuan/MWh and 100 kWh at 0.01 yuan/MWh, rounded up to the fen.
        assert_eq!(account["balances"][1]["amount_fen"], "40001");

        site.move_clock(GATE_CLOSE_MS).await;
        let (status, clearings) = site.get("/v1/sessions/1/clearings").await;
        assert_eq!(status, StatusCode::OK);
        let clearings: Vec<PeriodClearing> = serde_json::from_value(clearings).unwrap();
        let period = clearings.iter().find(|clearing| clearing.period == 3).unwrap();
        assert_eq!(period.volume_kwh, 1_000);
        let trades: Page<Value> = page(&site, "/v1/trades?session=1").await;
        assert_eq!(trades.items[0]["quantity_kwh"], 1_000);
        let (_, order) = site.get(&format!("/v1/orders/{}", extra.subject)).await;
        assert_eq!(order["status"], "expired");
        let payments: Page<Value> = page(&site, "/v1/payments?state=proposed").await;
        assert_eq!(payments.items[0]["payer"], RETAILER);
        read_everything(&site).await;
        site.done(BANK, Action::ConfirmPayment { payment: PaymentId(1), confirmed: true }).await;
        site.done(DISPATCHER, Action::IssueDispatch { session: SessionId(1) }).await;
        a_dispatch_is_proved(&site).await;
        a_device_is_enrolled(&site).await;
    });
}

/// From the channel id alone; nothing else of the node is believed.
async fn a_dispatch_is_proved(site: &Site) {
    let (status, json) = site.get("/v1/dispatches/1/proof").await;
    assert_eq!(status, StatusCode::OK, "{json}");
    let proof: RowProof = serde_json::from_value(json).unwrap();
    let channel = genesis().channel();
    let row = proof.verify(&channel).unwrap();
    assert!(row.height < row.certified_height);
    assert_eq!(row.time_ms, GATE_CLOSE_MS);
    assert_eq!(proof.key.0, Dispatch::store_key(DispatchId(1)));
    let dispatch: Dispatch = decode_all(&proof.row.0).unwrap();
    assert_eq!((dispatch.unit.0, dispatch.setpoints[3].kw()), (PLANT, 1_000));
    let mut forged = proof.clone();
    *forged.row.0.last_mut().unwrap() ^= 1;
    assert_eq!(forged.verify(&channel), Err(RowProofError::NotInTheState));
    assert_eq!(proof.verify(&[7; 32]), Err(RowProofError::NotTheCommittee));
    assert_eq!(site.get("/v1/dispatches/2/proof").await.0, StatusCode::NOT_FOUND);
}

/// Its owner gives a unit a device, which then tells how it stands.
async fn a_device_is_enrolled(site: &Site) {
    const GATEWAY: u8 = 30;
    assert_eq!(site.get("/v1/devices").await.1, json!([]));
    let device = Hex32::from(key(GATEWAY).public());
    let label = "gateway".to_owned();
    let enrolment = EnrolDevice { unit: UnitId(PLANT), device: key(GATEWAY).public(), label };
    site.done(GENERATOR, Action::Device(DeviceAction::EnrolDevice(enrolment))).await;
    let health: wire::Action = serde_json::from_value(json!({
        "kind": "report_health", "sampled_at_ms": 1, "light": "running", "link": "up",
        "channels": [{ "name": "t", "measures": "temperature", "value": 45_000, "level": "normal" }],
        "stations_up": 1, "stations_down": 0, "backlog": 0, "backlog_limit": 9, "alarms": 0,
    }))
    .unwrap();
    site.done(GATEWAY, health.into()).await;
    let (_, devices) = site.get(&format!("/v1/devices?owner={GENERATOR}")).await;
    assert_eq!(devices[0]["units"], json!([PLANT]));
    assert_eq!(devices[0]["health"]["channels"][0]["value"], 45_000);
    assert_eq!(site.get("/v1/devices?owner=4").await.1, json!([]));
    let (_, one) = site.get(&format!("/v1/devices/{device}")).await;
    assert_eq!(one, devices[0]);
    let (status, _) = site.get(&format!("/v1/devices/{}", key(GENERATOR).public())).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "a generator is no device");
}

/// Every list answers, if only with nothing.
async fn read_everything(site: &Site) {
    for path in [
        "/v1/status",
        "/v1/channel",
        "/v1/sessions",
        "/v1/sessions/1",
        "/v1/trades",
        "/v1/organisations",
        "/v1/units?owner=3",
        "/v1/dispatches?session=1",
        "/v1/meters?session=1",
        "/v1/statements?session=1&organisation=3",
        "/v1/certificates",
    ] {
        let (status, json) = site.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {json}");
    }
    let (status, _) = site.get(&format!("/v1/meters?day={}&unit=0", day())).await;
    assert_eq!(status, StatusCode::OK);
    let (_, identity) = site.get(&format!("/v1/identities/{}", key(RETAILER).public())).await;
    assert_eq!((&identity["roles"], &identity["last_nonce"]), (&json!(["retailer"]), &json!(2)));
    for path in ["/healthz", "/readyz", "/metrics", "/docs/", "/openapi.json"] {
        let answer = site.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[test]
fn what_cannot_be_read_is_a_problem() {
    with_site("problems", &ApiConfig::default(), async |site| {
        for (path, code) in [
            ("/v1/orders?limit=0", "bad-request"),
            ("/v1/orders?limit=1001", "bad-request"),
            ("/v1/orders?limit=x", "bad-request"),
            ("/v1/orders?side=both", "bad-request"),
            ("/v1/orders/first", "bad-request"),
            ("/v1/orders/7", "not-found"),
            ("/v1/sessions/7", "not-found"),
            ("/v1/sessions/7/clearings", "not-found"),
            ("/v1/organisations/77", "not-found"),
            ("/v1/blocks/1000000", "not-found"),
            ("/v1/meters", "bad-request"),
            ("/v1/meters?day=2026-02-30", "bad-request"),
            ("/v1/statements", "bad-request"),
            ("/v1/transactions/zz", "bad-request"),
            ("/v1/events?after=1", "bad-request"),
            ("/v1/nothing", "not-found"),
            ("/anything", "not-found"),
        ] {
            let (status, problem) = site.get(path).await;
            assert_eq!(problem["code"], code, "{path}: {problem}");
            assert_eq!(problem["status"], status.as_u16(), "{path}");
        }
        let nowhere = format!("/v1/transactions/{}", "00".repeat(32));
        assert_eq!(site.get(&nowhere).await.1["code"], "not-found");
        assert_eq!(site.get(&format!("{nowhere}/proof")).await.1["code"], "not-found");
        let delete = Request::delete("/v1/status").body(Body::empty()).unwrap();
        assert_eq!(site.read(delete).await.1["code"], "method-not-allowed");
        let post = |kind: &str, body: &str| {
            Request::post("/v1/transactions")
                .header(header::CONTENT_TYPE, kind)
                .body(Body::from(body.to_owned()))
                .unwrap()
        };
        for (kind, body, code) in [
            ("text/plain", "x", "unsupported-media-type"),
            ("application/json", "{", "bad-request"),
            ("application/json", "{\"transaction\":\"xyz\"}", "bad-request"),
            ("application/json", "{\"transaction\":\"00\"}", "malformed"),
        ] {
            assert_eq!(site.read(post(kind, body)).await.1["code"], code, "{kind} {body}");
        }
        assert_eq!(site.post(vec![1], "?wait=61").await.1["code"], "bad-request");
    });
}

#[test]
fn a_receipt_read_over_http_is_proved_without_the_node() {
    with_site("proof", &ApiConfig::default(), async |site| {
        site.open_session().await;
        let transaction =
            site.sign(GENERATOR, Action::SettleSession { session: duet_ledger::SessionId(1) });
        // Sent as JSON this time; it is refused at the door, so it has no receipt to prove.
        let body = SubmitRequest { transaction: wire::Bytes(transaction.bytes().to_vec()) };
        let request = Request::post("/v1/transactions")
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(Body::from(serde_json::to_vec(&body).unwrap()))
            .unwrap();
        assert_eq!(site.read(request).await.1["code"], "wrong-role");

        site.move_clock(START_MS + 2_000).await;
        let receipt = site.done(GENERATOR, order(PLANT, "sell", 280_000, 1_000, 1)).await;
        let path = format!("/v1/transactions/{}/proof", receipt.transaction);
        let proof: ReceiptProof = loop {
            let (status, json) = site.get(&path).await;
            if status == StatusCode::OK {
                break serde_json::from_value(json).unwrap();
            }
            assert_eq!(json["code"], "not-final", "{json}");
            site.node.wait_height(site.node.status().height + 1).await;
        };
        let verified = proof.verify(&genesis().channel()).unwrap();
        assert_eq!(verified.height, receipt.height);
        assert_eq!(verified.receipt.transaction, receipt.transaction.0);
        assert_eq!(verified.receipt.subject, receipt.subject);
        assert_eq!((verified.signers, verified.validators), (1, 1));
        assert!(proof.verify(&[0; 32]).is_err());
        the_engine_agrees(&site, &proof);

        let (status, block) = site.get(&format!("/v1/blocks/{}", receipt.height)).await;
        assert_eq!(status, StatusCode::OK);
        let own = &block["transactions"][receipt.index as usize];
        assert_eq!(own["action"]["kind"], "submit_order");
        assert_eq!(own["receipt"]["subject"], receipt.subject);
    });
}

/// The engine's own verifier accepts the same certificate over the same headers, and refuses the
/// same forgery.
fn the_engine_agrees(site: &Site, proof: &ReceiptProof) {
    let (namespace, committee) = (genesis().channel(), [proof.committee[0].0]);
    let last = duet_consensus::Header::decode(&proof.headers.last().unwrap().0).unwrap();
    let mut certificate =
        duet_consensus::FinalityCertificate::decode(&proof.certificate.0).unwrap();
    assert_eq!(certificate.digest, last.digest());
    assert_eq!(certificate.verify(&namespace, &committee), Ok(true));
    let own = duet_sdk::proof::Certificate::decode(&proof.certificate.0).unwrap();
    assert_eq!(own.message(&namespace), certificate.message(&namespace));
    certificate.signatures[0].1[0] ^= 1;
    assert_eq!(certificate.verify(&namespace, &committee), Ok(false));
    let mut forged = proof.clone();
    forged.certificate = wire::Bytes(certificate.encode());
    assert!(forged.verify(&namespace).is_err());
    assert_eq!(site.node.genesis().channel(), namespace);
}
