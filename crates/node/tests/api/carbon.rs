//! The allowance market and compliance, read over HTTP.

use crate::support::{BANK, EXCHANGE, GENERATOR, RETAILER, START_MS, Site, with_site};
use axum::http::StatusCode;
use duet_ledger::{Action, OrganisationId};
use duet_node::api::ApiConfig;
use duet_sdk::wire;
use duet_units::Money;
use serde_json::{Value, json};

fn carbon(action: Value) -> Action {
    let action: wire::CarbonAction = serde_json::from_value(action).unwrap();
    wire::Action::Carbon(action).into()
}

fn terms() -> Action {
    let hours = |from: u16, until: u16| json!({ "from_minute": from, "until_minute": until });
    carbon(json!({
        "carbon": "announce_terms", "opening_price_fen_per_t": 9_749, "terms": {
            "morning": hours(570, 690), "afternoon": hours(780, 900), "block": hours(780, 900),
            "listed_band_bp": 1_000, "block_band_bp": 3_000, "blocks_count": false,
        },
    }))
}

async fn answer(site: &Site, path: &str) -> Value {
    let (status, json) = site.get(path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {json}");
    json
}

async fn missing(site: &Site, path: &str) {
    let (status, problem) = site.get(path).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &"not-found".into()), "{path}");
}

#[test]
fn the_allowance_market_is_read_without_names_and_without_bids() {
    with_site("carbon", &ApiConfig::default(), async |site| {
        missing(&site, "/v1/carbon/market").await;
        missing(&site, "/v1/carbon/accounts/99").await;
        site.done(EXCHANGE, terms()).await;
        let organisation = OrganisationId(RETAILER.into());
        let amount = Money::from_fen(10_000_000);
        site.done(BANK, Action::Deposit { organisation, amount, reference: 1 }).await;
        // 13:00 of the day.
        site.move_clock(START_MS + 3_600_000).await;
        let listing = |t: i64, fen: i64| {
            carbon(json!({ "carbon": "list", "side": "buy", "allowances_t": t,
                "price_fen_per_t": fen }))
        };
        for (t, fen) in [(100, 9_600), (50, 9_700), (30, 9_600)] {
            site.done(RETAILER, listing(t, fen)).await;
        }
        let notice = json!({ "carbon": "open_bidding", "side": "buy", "allowances_t": 10,
            "reserve_fen_per_t": 9_000, "pricing": "uniform",
            "opens_ms": START_MS + 7_200_000, "closes_ms": START_MS + 9_000_000 });
        site.done(RETAILER, carbon(notice)).await;

        let market = answer(&site, "/v1/carbon/market").await;
        assert_eq!(market["previous_close_fen_per_t"], 9_749);
        assert_eq!(market["listed_lowest_fen_per_t"], 8_775);
        assert_eq!(market["block_highest_fen_per_t"], 12_673);
        let level = |fen: i64, t: i64| json!({ "price_fen_per_t": fen, "allowances_t": t });
        assert_eq!(market["book"]["buy"], json!([level(9_700, 50), level(9_600, 130)]));
        assert_eq!(market["book"]["sell"], json!([]));

        let account = answer(&site, &format!("/v1/carbon/accounts/{RETAILER}")).await;
        assert_eq!(account["orders"].as_array().unwrap().len(), 3);
        assert_eq!((&account["sellable_t"], &account["account"]["free_t"]), (&0.into(), &0.into()));
        let biddings = answer(&site, "/v1/carbon/biddings").await;
        assert_eq!(biddings["items"][0]["reserve_fen_per_t"], 9_000);
        assert_eq!(answer(&site, "/v1/carbon/deals").await["items"], json!([]));
        assert_eq!(answer(&site, "/v1/carbon/credits?owner=4").await["items"], json!([]));
        for path in ["periods/2026", "obligations/2026/4", "gap/2026/4"] {
            missing(&site, &format!("/v1/carbon/{path}")).await;
        }
        let refused = site.sign(GENERATOR, terms());
        let (status, problem) = site.post(refused.bytes().to_vec(), "?wait=5").await;
        assert!(status.is_client_error() && problem["code"] == "wrong-role", "{problem}");
    });
}
