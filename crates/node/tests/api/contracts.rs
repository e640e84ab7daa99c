//! A contract from its proposal to the trace of its statement line, read over HTTP.

use crate::support::{
    BANK, EXCHANGE, GATE_CLOSE_MS, GENERATOR, LOAD, PLANT, RETAILER, START_MS, Site, day, key,
    session_notice, with_site,
};
use axum::http::StatusCode;
use duet_ledger::{
    Acknowledgement, Action, DeviceAction, DispatchId, EnrolDevice, MeterReport, PaymentId,
    Quality, Reading, SessionId, UnitId,
};
use duet_node::api::ApiConfig;
use duet_sdk::wire;
use duet_units::Energy;
use serde_json::{Value, json};

const DISPATCHER: u8 = 1;
/// The keys of the devices.
const GATEWAY: u8 = 30;
const METER: u8 = 31;
const JOINT: u32 = 1;
const BILATERAL: u32 = 2;
const PERIOD: usize = 3;
const KWH: i64 = 1_000;

fn action(json: Value) -> Action {
    serde_json::from_value::<wire::Action>(json).unwrap().into()
}

async fn answer(site: &Site, path: &str) -> Value {
    let (status, json) = site.get(path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {json}");
    json
}

#[test]
fn a_contract_is_signed_by_two_and_its_line_traced() {
    with_site("contracts", &ApiConfig::default(), async |site| {
        site.open_session().await;
        let mut notice = session_notice();
        notice["mode"] = json!({"kind": "bilateral"});
        site.done(EXCHANGE, action(notice)).await;
        site.move_clock(START_MS + 2_000).await;
        enrol(&site).await;
        sign(&site).await;
        site.move_clock(GATE_CLOSE_MS).await;
        deliver(&site).await;
        trace(&site).await;
        sealed(&site).await;
    });
}

/// Each unit gets a device of its own.
async fn enrol(site: &Site) {
    for (unit, owner, device) in [(PLANT, GENERATOR, GATEWAY), (LOAD, RETAILER, METER)] {
        let (unit, device, label) = (UnitId(unit), key(device).public(), "device".to_owned());
        let enrolment = EnrolDevice { unit, device, label };
        site.done(owner, Action::Device(DeviceAction::EnrolDevice(enrolment))).await;
    }
}

/// The seller proposes; the buyer signs the hash of the terms that it read, and no other.
async fn sign(site: &Site) {
    let proposal = site
        .done(
            GENERATOR,
            action(json!({
                "kind": "propose_contract", "session": BILATERAL, "unit": PLANT,
                "counterparty": LOAD, "side": "sell", "price_milli_yuan_per_mwh": 350_000,
                "curve": [{"period": PERIOD, "energy_kwh": KWH}], "allowances": null,
                "certificates": null, "reference": 7,
            })),
        )
        .await
        .subject;
    let path = format!("/v1/contracts/{proposal}");
    let read = answer(site, &path).await;
    assert_eq!((&read["state"], &read["terms"]["reference"]), (&"proposed".into(), &7.into()));
    let confirm = |hash: &Value| {
        action(json!({"kind": "confirm_contract", "proposal": proposal, "hash": hash}))
    };
    let wrong = site.sign(RETAILER, confirm(&"00".repeat(32).into()));
    let (status, problem) = site.post(wrong.bytes().to_vec(), "?wait=5").await;
    assert!(status.is_client_error(), "{problem}");
    assert_eq!(problem["code"], "hash-differs");
    site.done(RETAILER, confirm(&read["hash"])).await;
    assert_eq!(answer(site, &path).await["state"], "confirmed");
    assert_eq!(answer(site, "/v1/contracts").await["items"][0]["id"], proposal);
    assert_eq!(site.get("/v1/contracts/99").await.0, StatusCode::NOT_FOUND);
}

/// Payment, dispatch, and meters that read what was agreed.
async fn deliver(site: &Site) {
    let payments = answer(site, "/v1/payments?state=proposed").await;
    assert_eq!(payments["items"][0]["amount_fen"], "35000");
    site.done(BANK, Action::ConfirmPayment { payment: PaymentId(1), confirmed: true }).await;
    site.done(DISPATCHER, Action::IssueDispatch { session: SessionId(JOINT) }).await;
    for (dispatch, device) in [(1, GATEWAY), (2, METER)] {
        if site.get(&format!("/v1/dispatches/{dispatch}/proof")).await.0 == StatusCode::OK {
            let dispatch = DispatchId(dispatch);
            let answer = Acknowledgement { dispatch, accepted: true, cause: 0 };
            site.done(device, Action::AckDispatch(answer)).await;
        }
    }
    site.move_clock(day().next().start().unix_ms() + 60_000).await;
    for (unit, device) in [(PLANT, GATEWAY), (LOAD, METER)] {
        let energy = |period| Energy::from_kwh(if period == PERIOD { KWH } else { 0 });
        let quality = Quality::Good;
        let readings = (0..24).map(|p| Reading { energy: energy(p), quality }).collect();
        let (unit, day) = (UnitId(unit), day());
        let report = MeterReport { unit, day, first_period: 0, version: 1, readings };
        site.done(device, Action::ReportMeter(report)).await;
    }
    site.done(EXCHANGE, Action::SettleSession { session: SessionId(JOINT) }).await;
}

/// The contract's line, from the meters, the trade and both signatures.
async fn trace(site: &Site) {
    let lines = answer(site, &format!("/v1/statements?session={JOINT}")).await;
    let line = &lines["items"][0];
    assert_eq!((&line["item"], &line["amount_fen"]), (&"contract".into(), &"35000".into()));
    assert_eq!((&line["payer"], &line["payee"]), (&RETAILER.into(), &GENERATOR.into()));
    let place = &line["place"];
    let trace = answer(site, &format!("/v1/statement-lines/{JOINT}/{place}/trace")).await;
    assert_eq!(trace["trade"]["quantity_kwh"], KWH, "{trace}");
    assert_eq!(trace["not_found"], json!([]));
    let kinds: Vec<&Value> =
        trace["transactions"].as_array().unwrap().iter().map(|found| &found["kind"]).collect();
    assert_eq!(kinds, ["propose_contract", "confirm_contract", "settle_session"]);
    assert_eq!(site.get("/v1/statement-lines/1/999/trace").await.0, StatusCode::NOT_FOUND);
}

/// Carbon is priced in the joint session, which traded nothing here; the day is sealed.
async fn sealed(site: &Site) {
    let shares = answer(site, &format!("/v1/sessions/{JOINT}/carbon-shares")).await;
    assert_eq!(shares, json!([]));
    let measured = answer(site, &format!("/v1/sessions/{JOINT}/pass-through")).await;
    assert_eq!(
        (&measured[PERIOD]["period"], &measured[PERIOD]["measured_bp"]),
        (&PERIOD.into(), &Value::Null)
    );
    let seals = answer(site, "/v1/seals").await;
    assert_eq!(seals["items"][0]["session"], JOINT, "{seals}");
}
