//! A contract from its proposal to the trace of its statement line, and what its buyer can claim of
//! its energy, read over HTTP.

use crate::support::{
    BANK, EXCHANGE, GATE_CLOSE_MS, GENERATOR, LOAD, RETAILER, START_MS, Site, WIND, day, key,
    session_notice, with_site,
};
use axum::http::StatusCode;
use duet_ledger::{
    Acknowledgement, Action, CertificateLotId, DeviceAction, DispatchId, EnrolDevice, MeterReport,
    MonthReading, OrganisationId, PaymentId, Quality, Reading, RetirementPurpose, SessionId,
    StatementAction, UnitId,
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
const KWH: i64 = 2_700;
/// What the seller's meter reads above the contract.
const ABOVE: i64 = 100;

fn action(json: Value) -> Action {
    serde_json::from_value::<wire::Action>(json).unwrap().into()
}

async fn answer(site: &Site, path: &str) -> Value {
    let (status, json) = site.get(path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {json}");
    json
}

#[test]
fn a_contract_is_signed_by_two_its_line_traced_and_its_energy_claimed() {
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
        deviation(&site).await;
        correction(&site).await;
        sealed(&site).await;
        claims(&site).await;
        month_end(&site).await;
    });
}

/// Each unit gets a device of its own.
async fn enrol(site: &Site) {
    for (unit, owner, device) in [(WIND, GENERATOR, GATEWAY), (LOAD, RETAILER, METER)] {
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
                "kind": "propose_contract", "session": BILATERAL, "unit": WIND,
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

/// Payment, dispatch, and meters; the seller's reads more than what was agreed.
async fn deliver(site: &Site) {
    let payments = answer(site, "/v1/payments?state=proposed").await;
    assert_eq!(payments["items"][0]["amount_fen"], "94500");
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
    for (unit, device) in [(WIND, GATEWAY), (LOAD, METER)] {
        let above = if unit == WIND { ABOVE } else { 0 };
        let energy = |period| Energy::from_kwh(if period == PERIOD { KWH + above } else { 0 });
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
    assert_eq!((&line["item"], &line["amount_fen"]), (&"contract".into(), &"94500".into()));
    assert_eq!((&line["payer"], &line["payee"]), (&RETAILER.into(), &GENERATOR.into()));
    let place = &line["place"];
    let trace = answer(site, &format!("/v1/statement-lines/{JOINT}/{place}/trace")).await;
    assert_eq!(trace["trade"]["quantity_kwh"], KWH, "{trace}");
    assert_eq!(trace["not_found"], json!([]));
    assert_eq!(kinds(&trace), ["propose_contract", "confirm_contract", "settle_session"]);
    assert_eq!(site.get("/v1/statement-lines/1/999/trace").await.0, StatusCode::NOT_FOUND);
}

fn kinds(trace: &Value) -> Vec<&Value> {
    trace["transactions"].as_array().unwrap().iter().map(|found| &found["kind"]).collect()
}

/// What was metered above the contract, from the reading, its block and that of the settlement.
async fn deviation(site: &Site) {
    let lines = answer(site, &format!("/v1/statements?session={JOINT}")).await;
    let mut lines = lines["items"].as_array().unwrap().iter();
    let line = lines.find(|line| line["item"] == "deviation").unwrap();
    assert_eq!((&line["unit"], &line["energy_kwh"]), (&WIND.into(), &ABOVE.into()));
    let path = format!("/v1/statement-lines/{JOINT}/{}/trace", line["place"]);
    let trace = answer(site, &path).await;
    let reading = &trace["readings"][0];
    assert_eq!((&reading["unit"], &reading["period"]), (&WIND.into(), &PERIOD.into()));
    assert_eq!(reading["energy_kwh"], KWH + ABOVE, "{trace}");
    assert_eq!(trace["price_source"], "reference", "nothing cleared in the joint session");
    assert_eq!((kinds(&trace).len(), &trace["not_found"]), (2, &json!([])));
    assert_eq!(kinds(&trace), ["report_meter", "settle_session"]);
    let heights = [&trace["transactions"][0]["height"], &trace["transactions"][1]["height"]];
    assert!(heights[0].as_u64() < heights[1].as_u64(), "{trace}");
}

/// A correction is a line of its own, which leads back to the one that it corrects.
async fn correction(site: &Site) {
    let lines = answer(site, &format!("/v1/statements?session={JOINT}")).await;
    let place = &lines["items"][0]["place"];
    let correct = action(json!({
        "kind": "correct_line", "session": JOINT, "place": place, "proved": null,
        "payer": GENERATOR, "amount_fen": "500", "objection": null, "reason": "price misread",
    }));
    let number = site.done(EXCHANGE, correct).await.subject;
    let trace = answer(site, &format!("/v1/later-lines/{number}/trace")).await;
    assert_eq!(trace["line"]["line"]["amount_fen"], "500", "{trace}");
    assert_eq!(
        (&trace["line"]["reason"], &trace["price_source"]),
        (&"price misread".into(), &"rule".into())
    );
    assert_eq!(
        (&trace["corrects"]["line"]["item"], &trace["corrects"]["line"]["place"]),
        (&"contract".into(), place)
    );
    assert_eq!((kinds(&trace), &trace["not_found"]), (vec![&"correct_line".into()], &json!([])));
    assert_eq!(trace["transactions"][0]["height"], trace["line"]["height"]);
    assert_eq!(site.get("/v1/later-lines/99/trace").await.0, StatusCode::NOT_FOUND);
}

/// What the meter's month has above its days is a line of the month's end, traced to both.
async fn month_end(site: &Site) {
    const MORE: i64 = 50;
    let month = day().month();
    site.move_clock(month.plus(1).start().plus_ms(12 * 86_400_000).unix_ms()).await;
    let reported = KWH + ABOVE + MORE;
    let reading = MonthReading { unit: UnitId(WIND), month, energy: Energy::from_kwh(reported) };
    site.done(GATEWAY, Action::Statement(StatementAction::ReportMonth(reading))).await;
    site.done(EXCHANGE, Action::Statement(StatementAction::CloseMonth(month))).await;
    let lines = answer(site, "/v1/later-lines").await;
    let mut lines = lines["items"].as_array().unwrap().iter();
    let line = lines.find(|line| line["line"]["item"] == "true_up").unwrap();
    assert_eq!((&line["line"]["energy_kwh"], &line["corrects"]), (&MORE.into(), &Value::Null));
    let trace = answer(site, &format!("/v1/later-lines/{}/trace", line["number"])).await;
    assert_eq!(trace["meter"]["metered_kwh"], KWH + ABOVE, "{trace}");
    assert_eq!(trace["meter"]["reported_kwh"], reported, "{trace}");
    assert_eq!((&trace["price_source"], &trace["not_found"]), (&"month".into(), &json!([])));
    assert_eq!(kinds(&trace), ["report_month", "close_month"]);
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

/// Of the 2,700 kWh that the retailer drew, it bought two certificates, of 1 MWh each, and retired
/// one for itself. The grid emitted 530.6 g/kWh in 2023 and 536.6 g/kWh in 2022, and the later
/// factor is the latest there is.
async fn claims(site: &Site) {
    let lots = answer(site, "/v1/certificates").await;
    let (id, count) = (&lots["items"][0]["id"], &lots["items"][0]["count"]);
    assert_eq!(count, 2, "the rest of 800 kWh is carried: {lots}");
    let lot = CertificateLotId(id.as_u64().unwrap());
    let to = OrganisationId(RETAILER.into());
    site.done(GENERATOR, Action::TransferCertificates { lot, count: 2, to }).await;
    let path = format!("/v1/organisations/{RETAILER}/claim-report?year=2026");
    let before = answer(site, &path).await;
    assert_eq!((&before["claimed"], &before["drawn_kwh"]), (&0.into(), &KWH.into()));
    assert_eq!(before["market_based_g"], before["location_based_g"], "bought is not retired");
    retired(site, lot, &path).await;
}

async fn retired(site: &Site, lot: CertificateLotId, path: &str) {
    let (purpose, beneficiary) = (RetirementPurpose::Claim, "RETAIL".to_owned());
    let retirement = Action::RetireCertificates { lot, count: 1, purpose, beneficiary };
    site.done(RETAILER, retirement).await;
    let after = answer(site, path).await;
    assert_eq!((&after["claimed"], &after["self_claimed"]), (&1.into(), &0.into()));
    let factor = (&after["grid_factor_decigram_per_kwh"], &after["factor_year"]);
    assert_eq!(factor, (&5_306.into(), &2_023.into()));
    // 2,700 and 1,700 kWh at 530.6 g/kWh.
    assert_eq!(after["location_based_g"], "1432620");
    assert_eq!(after["market_based_g"], "902020");

    let path = format!("/v1/organisations/{RETAILER}/claim-report?year=2022");
    let other = answer(site, &path).await;
    assert_eq!((&other["drawn_kwh"], &other["location_based_g"]), (&0.into(), &"0".into()));
    assert_eq!(other["grid_factor_decigram_per_kwh"], 5_366);
    assert_eq!(
        site.get("/v1/organisations/99/claim-report?year=2026").await.0,
        StatusCode::NOT_FOUND
    );
}
