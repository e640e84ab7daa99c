//! What a member or a stranger can send over HTTP: each answer is a problem with a stable code,
//! and no refusal at the door changes the state.

use crate::support::{
    BANK, EXCHANGE, GATE_CLOSE_MS, GENERATOR, LOAD, PLANT, RETAILER, START_MS, STRANGER, Site,
    genesis, key, with_site,
};
use axum::http::StatusCode;
use duet_ledger::{
    Action, OrderId, OrderRequest, OrganisationId, SessionId, Side, TimeInForce, UnitId, Unsigned,
};
use duet_node::api::ApiConfig;
use duet_units::{BasisPoints, Energy, Money, Price};

/// A good sell order; the cases change one field.
fn sell() -> OrderRequest {
    OrderRequest {
        session: SessionId(1),
        unit: UnitId(PLANT),
        side: Side::Sell,
        period: 0,
        limit: Price::from_milli_yuan_per_mwh(300_000),
        quantity: Energy::from_kwh(1_000),
        conductivity: BasisPoints::from_bp(6_500),
        reference: 1,
        time_in_force: TimeInForce::Gtc,
    }
}

fn buy() -> OrderRequest {
    OrderRequest { unit: UnitId(LOAD), side: Side::Buy, conductivity: BasisPoints::ZERO, ..sell() }
}

/// Asserts that `bytes` are refused with `code` and leave no trace.
async fn refused(site: &Site, case: &str, bytes: Vec<u8>, code: &str) {
    let accepted = site.node.read(|state| state.progress().accepted);
    let (status, problem) = site.post(bytes, "?wait=5").await;
    assert!(status.is_client_error(), "{case}: {status} {problem}");
    assert_eq!(problem["code"], code, "{case}: {problem}");
    assert_eq!(problem["type"], format!("/problems/{code}"), "{case}");
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{case}");
    assert_eq!(site.node.status().mempool, 0, "{case}: nothing waits");
    assert_eq!(site.node.read(|state| state.progress().accepted), accepted, "{case}");
}

async fn refused_order(site: &Site, member: u8, request: OrderRequest, code: &str) {
    let case = format!("{request:?}");
    let transaction = site.sign(member, Action::SubmitOrder(request));
    refused(site, &case, transaction.bytes().to_vec(), code).await;
}

#[test]
fn a_parameter_that_a_path_does_not_take_is_refused_by_name() {
    with_site("parameter", &ApiConfig::default(), async |site| {
        for (query, word) in [
            ("/v1/orders?sesion=1", "sesion"),
            ("/v1/orders?session=1&%00=2", "session"),
            ("/v1/status?x=1", "none"),
            ("/v1/sessions/1?verbose", "verbose"),
        ] {
            let (status, problem) = site.get(query).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
            assert_eq!(problem["code"], "bad-request", "{query}");
            assert!(problem["detail"].as_str().unwrap().contains(word), "{query}: {problem}");
        }
        let (status, _) = site.get("/v1/orders?session=1&limit=5&after=0").await;
        assert_eq!(status, StatusCode::OK);
    });
}

#[test]
fn bytes_that_are_no_transaction_are_refused_by_name() {
    with_site("bytes", &ApiConfig::default(), async |site| {
        let good = site.sign(EXCHANGE, Action::SettleSession { session: SessionId(1) });
        let good = good.bytes().to_vec();
        refused(&site, "empty", Vec::new(), "malformed").await;
        for length in [1, 2, 34, 66, 74, good.len() - 65, good.len() - 1] {
            refused(&site, "truncated", good[..length].to_vec(), "malformed").await;
        }
        let long = [good.clone(), vec![0]].concat();
        refused(&site, "one byte more", long, "malformed").await;
        refused(&site, "oversized", vec![1; 8_193], "too-large").await;
        refused(&site, "larger than any body", vec![1; 1 << 20], "too-large").await;
        // Bytes of a fixed generator, so that a failure can be repeated.
        let mut word = 0x9e37_79b9_7f4a_7c15_u64;
        for length in (1..200).step_by(7) {
            let random = (0..length)
                .map(|_| {
                    word ^= word << 13;
                    word ^= word >> 7;
                    word ^= word << 17;
                    word.to_le_bytes()[0]
                })
                .collect::<Vec<u8>>();
            let (status, problem) = site.post(random, "").await;
            assert!(status.is_client_error(), "{problem}");
        }
        let mut version = good.clone();
        version[0] = 2;
        refused(&site, "version", version, "malformed").await;
        let mut suite = good.clone();
        suite[1] = 3;
        refused(&site, "suite", suite, "unknown-suite").await;
        let mut forged = good.clone();
        *forged.last_mut().unwrap() ^= 1;
        refused(&site, "signature", forged, "bad-signature").await;
        let mut altered = good;
        altered[73] ^= 1; // The nonce: signed bytes.
        refused(&site, "altered after signing", altered, "bad-signature").await;
    });
}

#[test]
fn signers_without_right_are_refused() {
    with_site("signers", &ApiConfig::default(), async |site| {
        let settle = || Action::SettleSession { session: SessionId(1) };
        let elsewhere = key(EXCHANGE).sign([7; 32], 1, settle());
        refused(&site, "channel", elsewhere.bytes().to_vec(), "wrong-channel").await;
        let stranger = site.sign(STRANGER, settle());
        refused(&site, "stranger", stranger.bytes().to_vec(), "unknown-identity").await;
        let generator = site.sign(GENERATOR, settle());
        refused(&site, "role", generator.bytes().to_vec(), "wrong-role").await;
        // Signed by another key than the one it names.
        let unsigned = Unsigned {
            channel: genesis().channel(),
            signer: key(BANK).public(),
            nonce: 1,
            action: settle(),
        };
        let other = ed25519_zebra::SigningKey::from([1; 32]);
        let impostor = unsigned.sign(&other);
        refused(&site, "impostor", impostor.bytes().to_vec(), "bad-signature").await;
    });
}

#[test]
fn a_nonce_counts_once_and_the_same_bytes_are_one_request() {
    with_site("nonce", &ApiConfig::default(), async |site| {
        let deposit = |reference| Action::Deposit {
            organisation: OrganisationId(RETAILER.into()),
            amount: Money::from_fen(500),
            reference,
        };
        let first = site.sign(BANK, deposit(1));
        let (status, answer) = site.post(first.bytes().to_vec(), "?wait=30").await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // The same bytes again: the same receipt, and no second deposit.
        let (_, again) = site.post(first.bytes().to_vec(), "?wait=30").await;
        assert_eq!(again["receipt"], answer["receipt"]);
        let replay = key(BANK).sign(genesis().channel(), first.nonce(), deposit(2));
        refused(&site, "replayed nonce", replay.bytes().to_vec(), "stale-nonce").await;
        let account = site.get(&format!("/v1/organisations/{RETAILER}")).await.1;
        assert_eq!(account["balances"][0]["amount_fen"], "500");
    });
}

#[test]
fn orders_that_break_a_rule_are_refused_by_its_name() {
    with_site("orders", &ApiConfig::default(), async |site| {
        assert_eq!(site.open_session().await, 1);
        refused_order(&site, GENERATOR, sell(), "gate-not-open").await;
        site.move_clock(START_MS + 2_000).await;

        let energy = Energy::from_kwh;
        let price = Price::from_milli_yuan_per_mwh;
        let cases = [
            (OrderRequest { session: SessionId(9), ..sell() }, "unknown-session"),
            (OrderRequest { period: 24, ..sell() }, "unknown-period"),
            (OrderRequest { unit: UnitId(9), ..sell() }, "unknown-unit"),
            (OrderRequest { unit: UnitId(LOAD), ..sell() }, "not-yours"),
            (OrderRequest { side: Side::Buy, ..sell() }, "wrong-side"),
            (OrderRequest { quantity: energy(0), ..sell() }, "quantity-not-positive"),
            (OrderRequest { quantity: energy(-100), ..sell() }, "quantity-not-positive"),
            (OrderRequest { quantity: energy(i64::MIN), ..sell() }, "quantity-not-positive"),
            (OrderRequest { quantity: energy(150), ..sell() }, "off-lot"),
            (OrderRequest { quantity: energy(100_100), ..sell() }, "over-capacity"),
            (OrderRequest { quantity: energy(i64::MAX - 7), ..sell() }, "over-capacity"),
            (OrderRequest { limit: price(300_001), ..sell() }, "off-tick"),
            (OrderRequest { limit: price(-10), ..sell() }, "outside-band"),
            (OrderRequest { limit: price(1_500_010), ..sell() }, "outside-band"),
            (OrderRequest { limit: price(i64::MAX - 7), ..sell() }, "outside-band"),
            (
                OrderRequest { conductivity: BasisPoints::from_bp(10_001), ..sell() },
                "bad-conductivity",
            ),
            (OrderRequest { conductivity: BasisPoints::from_bp(-1), ..sell() }, "bad-conductivity"),
        ];
        for (request, code) in cases {
            refused_order(&site, GENERATOR, request, code).await;
        }
        // 10 MWh at 300 yuan are 3,000 yuan; the retailer has 1,000.
        let dear = OrderRequest { quantity: energy(10_000), ..buy() };
        refused_order(&site, RETAILER, dear, "insufficient-funds").await;
        refused_order(&site, BANK, sell(), "wrong-role").await;

        // The good order passes, and its owner alone can withdraw it.
        let receipt = site.done(GENERATOR, Action::SubmitOrder(sell())).await;
        let cancel = Action::CancelOrder { order: OrderId(receipt.subject) };
        let theft = site.sign(RETAILER, cancel);
        refused(&site, "theft", theft.bytes().to_vec(), "not-yours").await;
        let nothing = site.sign(GENERATOR, Action::CancelOrder { order: OrderId(99) });
        refused(&site, "no order", nothing.bytes().to_vec(), "unknown-order").await;

        site.move_clock(GATE_CLOSE_MS).await;
        refused_order(&site, GENERATOR, sell(), "gate-closed").await;
    });
}

#[test]
fn a_refusal_found_in_the_block_is_a_receipt() {
    with_site("block", &ApiConfig::default(), async |site| {
        site.open_session().await;
        site.move_clock(START_MS + 2_000).await;
        // Each order takes more than half of the retailer's money, so one of the two must fail;
        // sent without waiting, both can pass admission against the same state.
        let request = OrderRequest { quantity: Energy::from_kwh(2_000), ..buy() };
        let nonce = site.node.read(|state| state.nonce(key(RETAILER).public()));
        let sign = |step, reference| {
            let request = OrderRequest { reference, ..request.clone() };
            key(RETAILER).sign(genesis().channel(), nonce + step, Action::SubmitOrder(request))
        };
        let both = [sign(1, 1).bytes().to_vec(), sign(2, 2).bytes().to_vec()];
        let taken = site.node.submit_batch(&both);
        assert!(taken[0].is_ok());
        if let Ok(second) = taken[1] {
            let patience = std::time::Duration::from_secs(30);
            let found = site.node.wait_final(&second, patience).await.unwrap();
            let path = format!("/v1/transactions/{}", duet_sdk::wire::Hex32(second));
            let (status, receipt) = site.get(&path).await;
            assert_eq!(status, StatusCode::OK);
            assert!(!found.receipt.is_accepted());
            assert_eq!(receipt["accepted"], false);
            assert_eq!(receipt["code"], "insufficient-funds");
            assert_eq!(receipt["number"], 502);
        }
        let account = site.get(&format!("/v1/organisations/{RETAILER}")).await.1;
        assert_eq!(account["balances"][0]["amount_fen"], "40000");
        assert_eq!(account["balances"][1]["amount_fen"], "60000");
    });
}
