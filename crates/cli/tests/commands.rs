//! The commands as a script sees them: output and exit codes.

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A proof of the second of six receipts of a block, from a run of the demo.
const PROOF: &str = "tests/data/receipt-proof.json";
const CHANNEL: &str = "329d1c685d41b6b5d8de1db34b4b3196b553f541765340decc1a2b119a70ae55";

fn duet(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_duet");
    let folder = env!("CARGO_MANIFEST_DIR");
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::remove_file(&file).ok(); // Of an earlier run.
    file
}

#[test]
fn a_receipt_is_verified_without_a_node() {
    let output = duet(&["verify", "receipt", PROOF, "--channel", CHANNEL, "--json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["receipt"]["height"], 476);
    assert_eq!((&answer["receipt"]["index"], &answer["receipts_in_block"]), (&1.into(), &6.into()));
    assert_eq!(answer["receipt"]["subject"], 1);
    assert_eq!((&answer["signers"], &answer["validators"]), (&3.into(), &4.into()));
    assert_eq!(answer["channel_trusted"], true);
}

#[test]
fn a_file_on_its_own_word_is_called_so() {
    let output = duet(&["verify", "receipt", PROOF]);
    assert_eq!(code(&output), 0);
    assert!(String::from_utf8(output.stdout).unwrap().contains("on the file's own word"));
}

#[test]
fn a_proof_of_another_channel_count_or_outcome_exits_with_1() {
    let elsewhere = "00".repeat(32);
    assert_eq!(code(&duet(&["verify", "receipt", PROOF, "--channel", &elsewhere])), 1);

    // In a block of seven receipts it would have the same path.
    let mut larger = proof();
    larger["count"] = 7.into();
    let mut proof = proof();
    // The receipt's last bytes are the subject: claim another order.
    let receipt = proof["receipt"].as_str().unwrap();
    proof["receipt"] = format!("{}ff", &receipt[..receipt.len() - 2]).into();
    for forged in [larger, proof] {
        let file = scratch("forged.json");
        std::fs::write(&file, forged.to_string()).unwrap();
        let output = duet(&["verify", "receipt", file.to_str().unwrap(), "--channel", CHANNEL]);
        assert_eq!(code(&output), 1);
        assert!(String::from_utf8(output.stderr).unwrap().contains("receipts root"));
    }
}

fn proof() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PROOF);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn what_is_not_understood_exits_with_2() {
    let sell = [
        "order",
        "place",
        "--session",
        "1",
        "--unit",
        "1",
        "--side",
        "sell",
        "--period",
        "0",
        "--price",
        "300",
        "--quantity",
        "100",
        "--key",
        "none",
    ];
    for arguments in [
        &["verify", "receipt", "no-such-file"][..],
        &["verify", "receipt", "Cargo.toml"],
        &["verify", "receipt", PROOF, "--channel", "zz"],
        &["key", "show", "no-such-file"],
        &["account"],
        &["block", "--url", "ftp://127.0.0.1"],
        &["block", "7", "--url", "http://node.example:8080"],
        &["block", "7", "--url", "https://127.0.0.1:8080"],
        &["block", "7", "--url", "https://127.0.0.1:8080", "--tls-root", "Cargo.toml"],
        &["node", "--config", "none", "--tls-cert", "none"],
        &["order", "place"],
        &["carbon", "send", "no-such-file", "--key", "none"],
        &["send", "no-such-file", "--key", "none"],
        &["session", "replay", "no-such-file"],
        &["session", "replay", PROOF],
        &["rule", "diff", "Cargo.toml", "Cargo.toml"],
        &["demo", "--json", "report.json"],
        &["demo", "--once", "--week"],
        &["carbon", "gap", "--year", "2026"],
        // Allowances are priced in fen.
        &["carbon", "bid", "1", "--quantity", "1", "--price", "97.495", "--key", "none"],
        // A sell order must say how much of its carbon cost it passes on.
        &sell,
    ] {
        assert_eq!(code(&duet(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn a_number_below_zero_is_a_value() {
    let nowhere = ["--key", "none", "--url", "http://127.0.0.1:0"];
    let pledge = duet(&[&["rule", "pledge", "-5"][..], &nowhere].concat());
    let told = String::from_utf8(pledge.stderr).unwrap();
    assert!(told.contains("none"), "the key is missing, not an option: {told}");
    let unit = duet(&["device", "enrol", "--unit", "-1"]);
    let told = String::from_utf8(unit.stderr).unwrap();
    assert!(told.contains("--unit") && told.contains("'-1'"), "{told}");
}

#[test]
fn a_node_that_is_not_reached_exits_with_3() {
    // Nobody can listen on port 0.
    let output = duet(&["block", "7", "--url", "http://127.0.0.1:0"]);
    assert_eq!(code(&output), 3, "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot reach"));
}

#[test]
fn http_to_another_machine_is_refused_by_its_rule() {
    let output = duet(&["block", "7", "--url", "http://node.example:8080"]);
    let told = String::from_utf8(output.stderr).unwrap();
    for part in ["http://node.example:8080", "without TLS", "--tls-root", "--plain-http"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_channel_has_keys_certificates_and_a_root_to_pin() {
    let folder = scratch("with-tls");
    std::fs::remove_dir_all(&folder).ok();
    let path = folder.to_str().unwrap();
    let scenario = "../../scenarios/hebei-south";
    let made = duet(&["genesis", "--scenario", scenario, "--out", path, "--tls"]);
    assert_eq!(code(&made), 0, "{made:?}");
    let map = std::fs::read_to_string(folder.join("EXCHANGE.toml")).unwrap();
    assert!(map.contains("tls_cert = \"EXCHANGE.pem\""), "{map}");
    let bank = duet(&["key", "show", folder.join("keys/BANK.key").to_str().unwrap()]);
    assert_eq!(code(&bank), 0, "operators' keys sign transactions: {bank:?}");
    let server = ["tls", "server", path, "--name", "PROXY", "--host", "10.0.0.5"];
    assert_eq!(code(&duet(&server)), 0);
    assert_eq!(code(&duet(&server)), 1, "an existing certificate is kept");
    assert_eq!(code(&duet(&["tls", "root", path])), 1, "an existing root is kept");
    let root = folder.join("tls-root.pem");
    // Nobody can listen on port 0; but the root is one, and the address is taken.
    let block = ["block", "7", "--url", "https://127.0.0.1:0", "--tls-root"];
    assert_eq!(code(&duet(&[&block[..], &[root.to_str().unwrap()]].concat())), 3);
}

#[test]
fn a_key_is_made_once_and_never_printed() {
    let file = scratch("member.key");
    let path = file.to_str().unwrap();
    let made = duet(&["key", "new", path]);
    assert_eq!(code(&made), 0, "{made:?}");
    assert_eq!(code(&duet(&["key", "new", path])), 2, "an existing key is kept");
    let shown = duet(&["key", "show", path, "--json"]);
    let secret = std::fs::read_to_string(&file).unwrap();
    for output in [&made, &shown] {
        assert!(!String::from_utf8_lossy(&output.stdout).contains(secret.trim()));
    }
    let answer: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let public = String::from_utf8(made.stdout).unwrap();
    assert_eq!(answer["public_key"].as_str().unwrap(), public.trim());
}

#[test]
fn a_day_is_asked_what_it_would_have_come_to() {
    let whatif = ["study", "whatif", "--scenario", "../../scenarios/hebei-south", "--json", "-"];
    let output = duet(&[&whatif[..], &["--carbon-price", "120", "--rho", "0.8"]].concat());
    assert_eq!(code(&output), 0, "{output:?}");
    let study: Value = serde_json::from_slice(&output.stdout).unwrap();
    let price = |name: &str| study[name]["carbon_price_fen_per_t"].as_i64().unwrap();
    assert_eq!((price("before"), price("after")), (5_500, 12_000));
    assert_eq!(study["after"]["conductivity"], 0.8);
    assert!(0 < price("budgeted"), "the budget binds");

    let file = ["study", "whatif", "--book", "Cargo.toml"];
    let output = duet(&file);
    assert_eq!(code(&output), 2);
    assert!(String::from_utf8(output.stderr).unwrap().contains("Cargo.toml: "));
    assert_eq!(code(&duet(&["study", "whatif", "--session", "1", "--book", "b.json"])), 2);
    assert_eq!(code(&duet(&[&whatif[..], &["--rho", "80%"]].concat())), 2);
}
