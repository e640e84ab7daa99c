//! The JSON of actions, and keys on disk.

use duet_ledger::Transaction;
use duet_sdk::{sign::MemberKey, wire::Action};
use proptest::prelude::*;

/// One example of each action; the numbers of the fields differ so that a swap is seen.
const ACTIONS: &[&str] = &[
    r#"{"kind":"propose_contract","session":1,"unit":2,"counterparty":3,"side":"buy",
        "price_milli_yuan_per_mwh":4,"curve":[{"period":5,"energy_kwh":6}],
        "allowances":{"allowances_t":7,"price_fen_per_t":8},
        "certificates":{"lot":9,"count":10,"price_fen":"11"},"reference":12}"#,
    r#"{"kind":"confirm_contract","proposal":1,
        "hash":"0101010101010101010101010101010101010101010101010101010101010101"}"#,
    r#"{"kind":"withdraw_contract","proposal":1}"#,
    r#"{"kind":"object_statement","month":"2026-07","session":1,"place":2,"reason":"why"}"#,
    r#"{"kind":"correct_line","session":1,"place":2,"proved":{"line":{"place":2,"session":3,
        "period":4,"item":"deviation","unit":5,"trade":null,"payer":6,"payee":7,"energy_kwh":-8,
        "price_milli_yuan_per_mwh":9,"amount_fen":"10"},"path":[null,
        "0101010101010101010101010101010101010101010101010101010101010101"]},
        "payer":11,"amount_fen":"12","objection":13,"reason":"read again"}"#,
    r#"{"kind":"dismiss_objection","objection":1,"reason":"why"}"#,
    r#"{"kind":"report_month","unit":1,"month":"2026-07","energy_kwh":2}"#,
    r#"{"kind":"close_month","month":"2026-07"}"#,
    r#"{"kind":"publish_prices","day":"2026-07-06","prices_milli_yuan_per_mwh":[-1,2]}"#,
    r#"{"kind":"curtail","day":"2026-07-06","period":1,"units":[2,3],"limit_kwh":4,
        "reason":"a line"}"#,
    r#"{"kind":"submit_curve","session":1,"unit":2,"side":"sell","conductivity_bp":3,"reference":4,
        "periods":[{"period":5,"steps":[{"limit_milli_yuan_per_mwh":6,"quantity_kwh":7}]}]}"#,
    r#"{"kind":"submit_linked","session":1,"unit":2,"side":"buy","limit_milli_yuan_per_mwh":-3,
        "curve":[{"period":4,"energy_kwh":5}],"reference":6}"#,
    r#"{"kind":"submit_minimum","order":{"session":1,"unit":2,"side":"sell","period":3,
        "limit_milli_yuan_per_mwh":-4,"quantity_kwh":5,"conductivity_bp":6,"reference":7,
        "time_in_force":"day"},"minimum_kwh":8}"#,
    r#"{"kind":"withdraw_linked","linked":1}"#,
    r#"{"kind":"take_listing","listing":1,"unit":2,"quantity_kwh":3,"reference":4}"#,
    r#"{"kind":"submit_order","session":1,"unit":2,"side":"sell","period":3,
        "limit_milli_yuan_per_mwh":-4,"quantity_kwh":5,"conductivity_bp":6,"reference":7,
        "time_in_force":"day"}"#,
    r#"{"kind":"cancel_order","order":9007199254740993}"#,
    r#"{"kind":"open_session","rule":11,"mode":{"kind":"uniform","k1_bp":5000},"day":"2026-07-06","days":2,"gate_open_ms":1,"gate_close_ms":2,"terms":{
        "resolution":"quarter","floor_milli_yuan_per_mwh":-1,"ceiling_milli_yuan_per_mwh":2,
        "tick_milli_yuan_per_mwh":3,"lot_kwh":4,"reference_price_milli_yuan_per_mwh":5,
        "carbon_price_fen_per_t":6,"price_numerator":7,"price_denominator":8,
        "rationing":"green_first","second_stage":"uplift","compensation_cap_milli_yuan_per_mwh":9,
        "fund_share_bp":10,"second_stage_chance_bp":11,"carbon_reference":"last_close"}}"#,
    r#"{"kind":"deposit","organisation":1,"amount_fen":"170141183460469231731687303715884105727",
        "reference":18446744073709551615}"#,
    r#"{"kind":"confirm_payment","payment":1,"confirmed":false}"#,
    r#"{"kind":"issue_dispatch","session":1}"#,
    r#"{"kind":"ack_dispatch","dispatch":1,"accepted":true,"cause":2}"#,
    r#"{"kind":"report_meter","unit":1,"day":"2026-07-06","first_period":2,"version":3,
        "readings":[{"energy_kwh":4,"quality":"good"},{"energy_kwh":5,"quality":"estimated"}]}"#,
    r#"{"kind":"settle_session","session":1}"#,
    r#"{"kind":"allocate_allowances","organisation":1,"allowances_t":2,"reference":3}"#,
    r#"{"kind":"transfer_allowances","to":1,"allowances_t":2}"#,
    r#"{"kind":"surrender_allowances","allowances_t":1}"#,
    r#"{"kind":"transfer_certificates","lot":1,"count":2,"to":3}"#,
    r#"{"kind":"retire_certificates","lot":1,"count":2,"purpose":"account_closed",
        "beneficiary":"x"}"#,
    r#"{"kind":"intervene","session":1,"intervention":"halt","reason":"line fault"}"#,
    concat!(
        r#"{"kind":"report_batch","device":""#,
        "0101010101010101010101010101010101010101010101010101010101010101",
        r#"","sequence":1,"sealed_at_ms":2,"readings":[{"unit":3,"period":"2026-07-06/96/5",
        "version":6,"energy_kwh":7,"flags":8,"source_time_ms":9}],"signature":""#,
        "02020202020202020202020202020202020202020202020202020202020202020",
        "20202020202020202020202020202020202020202020202020202020202020",
        r#"2"}"#
    ),
    concat!(
        r#"{"kind":"enrol_device","unit":1,"device":""#,
        "0101010101010101010101010101010101010101010101010101010101010101",
        r#"","label":"gate"}"#
    ),
    r#"{"kind":"report_health","sampled_at_ms":1,"light":"holding","link":"up","channels":[
        {"name":"vccint","measures":"voltage","value":-2,"level":"sensor_fault"},
        {"name":"t","measures":"temperature","value":null,"level":"normal"}],
        "stations_up":3,"stations_down":4,"backlog":5,"backlog_limit":6,"alarms":7}"#,
    r#"{"kind":"publish_rule","province":"X-1","version":1,"effective_from":"2026-07-06",
        "effective_until":"2026-12-31","notice_hours":24,"trading":{"tick_milli_yuan_per_mwh":1,
        "lot_kwh":2,"floor_milli_yuan_per_mwh":-3,"ceiling_milli_yuan_per_mwh":4,
        "price_numerator":5,"price_denominator":6,"rationing":"time","k1_bp":7,"k2_bp":8,"n1":9,
        "sharing":"windows","second_stage":"compensation","compensation_cap_milli_yuan_per_mwh":10,
        "fund_share_bp":11,"second_stage_chance_bp":5000},"buyer_fee":{
        "per_energy_milli_yuan_per_mwh":12,"of_value_ppm":13,
        "fixed_fen":"14","min_fen":"15","cap_fen":"16"},"seller_fee":{
        "per_energy_milli_yuan_per_mwh":17,"of_value_ppm":18,"fixed_fen":"19","min_fen":"20",
        "cap_fen":null},"deviation":{"scheme":"contracting","user":{"least_bp":21,"most_bp":22,
        "lacking_bp":23,"excess_bp":24},"thermal":{"least_bp":25,"most_bp":26,"lacking_bp":27,
        "excess_bp":28},"renewable":{"least_bp":29,"most_bp":30,"lacking_bp":31,
        "excess_bp":32}},"deviation_period":"month","settlement":"two","reference":"day_ahead",
        "cost_basis":"net_of_benchmark","calendar":{"statement_day":5,"objection_days":1,
        "final_day":8,"bill_day":10},"guarantee":{"usable_bp":33,"margin_bp":34,
        "unit_charge_milli_yuan_per_mwh":35}}"#,
    r#"{"kind":"carbon","carbon":"announce_terms","opening_price_fen_per_t":1,"terms":{
        "morning":{"from_minute":2,"until_minute":3},"afternoon":{"from_minute":4,
        "until_minute":5},"block":{"from_minute":6,"until_minute":7},"listed_band_bp":8,
        "block_band_bp":9,"blocks_count":true}}"#,
    r#"{"kind":"carbon","carbon":"list","side":"sell","allowances_t":1,"price_fen_per_t":2}"#,
    r#"{"kind":"carbon","carbon":"take","side":"buy","allowances_t":1,"limit_fen_per_t":2}"#,
    r#"{"kind":"carbon","carbon":"withdraw","order":1}"#,
    r#"{"kind":"carbon","carbon":"propose_block","side":"sell","counterparty":1,
        "allowances_t":2,"price_fen_per_t":3}"#,
    r#"{"kind":"carbon","carbon":"confirm_block","order":1,"proposal":
        "0707070707070707070707070707070707070707070707070707070707070707"}"#,
    r#"{"kind":"carbon","carbon":"open_bidding","side":"sell","allowances_t":1,
        "reserve_fen_per_t":2,"pricing":"pay_as_bid","opens_ms":3,"closes_ms":4}"#,
    r#"{"kind":"carbon","carbon":"bid","bidding":1,"allowances_t":2,"price_fen_per_t":3}"#,
    r#"{"kind":"carbon","carbon":"publish_period","year":2026,"period":{"benchmarks":[
        {"class":"large_coal","electricity_e4_t_per_mwh":1,"heat_e4_t_per_gj":2}],
        "pre_issued_bp":3,"coal_shortage_cap_bp":4,"gas_shortage_waived":true,"offset_cap_bp":5,
        "bank_base_t":6,"bank_per_net_sale_bp":7,"due_day":"2027-12-31"}}"#,
    r#"{"kind":"carbon","carbon":"pre_issue","year":2026,"organisation":1,"outputs":[
        {"unit":2,"class":"gas","electricity_kwh":3,"heat_gj":4,"correction_bp":5}],
        "reference":6}"#,
    r#"{"kind":"carbon","carbon":"verify","year":2026,"organisation":1,"outputs":[],
        "coal_correction_g":"-2","gas_correction_g":"3","reference":4}"#,
    r#"{"kind":"carbon","carbon":"cover","year":2026,"allowances_t":1}"#,
    r#"{"kind":"carbon","carbon":"close_period","year":2026,"organisation":1}"#,
    r#"{"kind":"carbon","carbon":"issue_credits","organisation":1,"count":2,"project":"x",
        "vintage":2025,"outside_id":"y"}"#,
    r#"{"kind":"carbon","carbon":"transfer_credits","lot":1,"count":2,"to":3}"#,
    r#"{"kind":"carbon","carbon":"retire_credits","lot":1,"count":2,"year":2026}"#,
    r#"{"kind":"certificate","action":"offer","lot":1,"count":2,"price_fen":"3","buyer":4}"#,
    r#"{"kind":"certificate","action":"take","offer":1,"count":2}"#,
    r#"{"kind":"certificate","action":"withdraw","offer":1}"#,
    r#"{"kind":"certificate","action":"claim","lot":1,"count":2,"beneficiary":3,"year":2026}"#,
    r#"{"kind":"certificate","action":"freeze","lot":1,"frozen":true,"reason":"x"}"#,
    r#"{"kind":"certificate","action":"set_kind","unit":1,"certificates":"early_hydro"}"#,
    r#"{"kind":"certificate","action":"register_project","unit":1,"from":"2026-07-01",
        "to":"2026-07-31","reference":2}"#,
    r#"{"kind":"certificate","action":"withdraw_project","project":1}"#,
    r#"{"kind":"certificate","action":"propose_green","unit":1,"user":2,"from":"2026-07",
        "to":"2026-12","energy_kwh":3,"value_milli_yuan_per_mwh":4,"shortfall_bp":5}"#,
    r#"{"kind":"certificate","action":"confirm_green","contract":1,
        "hash":"0101010101010101010101010101010101010101010101010101010101010101"}"#,
    r#"{"kind":"certificate","action":"withdraw_green","contract":1}"#,
    r#"{"kind":"certificate","action":"settle_green","month":"2026-07"}"#,
    r#"{"kind":"certificate","action":"register_reductions","project":1,"to":"2026-07",
        "reductions_t":2,"reference":3}"#,
];

#[test]
fn every_action_survives_json_ledger_and_bytes() {
    let key = MemberKey::from_seed([1; 32]);
    for &json in ACTIONS {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let action: Action = serde_json::from_value(value.clone()).unwrap();
        let transaction = key.sign([5; 32], 1, action.into());
        let read = Transaction::from_bytes(transaction.bytes()).unwrap();
        assert!(read.signature_is_valid(), "{json}");
        let back = Action::try_from(read.action().clone()).unwrap();
        assert_eq!(serde_json::to_value(back).unwrap(), value);
    }
}

#[test]
fn fields_that_mean_nothing_are_refused() {
    for json in [
        r#"{"kind":"cancel_order","order":1,"session":2}"#,
        r#"{"kind":"cancel_order"}"#,
        r#"{"kind":"cancel_order","order":-1}"#,
        r#"{"kind":"cancel_order","order":1.5}"#,
        r#"{"kind":"cancel_orders","order":1}"#,
        r#"{"kind":"carbon","carbon":"withdraw","order":1,"why":2}"#,
        r#"{"kind":"carbon","carbon":"list","side":"sell","allowances_t":1}"#,
        r#"{"kind":"deposit","organisation":1,"amount_fen":5,"reference":1}"#,
        r#"{"kind":"ack_dispatch","dispatch":1,"accepted":true,"cause":2,"why":3}"#,
        r#"{"kind":"enrol_device","unit":1,"device":"01","label":"gate"}"#,
    ] {
        assert!(serde_json::from_str::<Action>(json).is_err(), "{json}");
    }
}

#[test]
fn a_key_file_is_written_once_for_its_owner_alone() {
    let folder = std::env::temp_dir().join(format!("duet-key-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("member.key");
    let key = MemberKey::generate().unwrap();
    key.write_new(&path).unwrap();
    assert_eq!(MemberKey::read(&path).unwrap().public(), key.public());
    assert!(key.write_new(&path).is_err(), "an existing key is never overwritten");
    assert!(!format!("{key:?}").contains(std::fs::read_to_string(&path).unwrap().trim()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, open).unwrap();
        let error = MemberKey::read(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

proptest! {
    #[test]
    fn what_is_signed_names_channel_signer_and_nonce(
        seed in any::<[u8; 32]>(),
        channel in any::<[u8; 32]>(),
        nonce in any::<u64>(),
        order in any::<u64>(),
    ) {
        let key = MemberKey::from_seed(seed);
        let transaction = key.sign(channel, nonce, Action::CancelOrder { order }.into());
        let read = Transaction::from_bytes(transaction.bytes()).unwrap();
        prop_assert_eq!(read.channel(), &channel);
        prop_assert_eq!(*read.signer(), key.public());
        prop_assert_eq!(read.nonce(), nonce);
        prop_assert!(read.signature_is_valid());
    }
}
