//! `duet device` against a node that a script answers for.

use duet_ledger::{
    Action, DeviceAction, EnrolDevice, PublicKey, ReadingSubstitution, ScheduleAction, Transaction,
    UnitId,
};
use duet_units::{DeliveryDay, Energy};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::mpsc::{Receiver, channel},
};

const CHANNEL: &str = "b55a5cf35c393e0a3dd7e89f90fa9da223a6cc1a099c63154f791733c3984142";
const DEVICE: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const HASH: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// Answers each request by its path; what was posted comes out of the channel.
fn node(answer: impl Fn(&str) -> Value + Send + 'static) -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, posted) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (path, body) = request(&mut stream);
            if let Ok(body) = serde_json::from_str(&body) {
                sender.send(body).unwrap();
            }
            let body = answer(&path).to_string();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (address, posted)
}

/// Path and body of a request.
fn request(stream: &mut TcpStream) -> (String, String) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let length = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert_ne!(length, 0, "a request ends with an empty line");
            continue;
        };
        let long = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= long.map_or(0, |digits| digits.parse().unwrap()) {
            return (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned());
        }
    }
}

fn duet(node: SocketAddr, arguments: &[&str]) -> Output {
    let url = format!("http://{node}");
    Command::new(env!("CARGO_BIN_EXE_duet"))
        .arg("device")
        .args(arguments)
        .args(["--url", &url])
        .env_remove("DUET_TLS_ROOT")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn devices_are_listed_with_their_units_and_alarms() {
    let device = json!({
        "public_key": DEVICE, "organisation": 3, "label": "north", "units": [4, 9], "batches": 17,
        "readings": 400, "last_sequence": 17, "seen_at_ms": 5, "health": null,
    });
    let (node, _posted) = node(move |path| {
        assert_eq!(path, "/v1/devices");
        json!([device])
    });
    let shown = text(&duet(node, &["list"]));
    let row = shown.lines().nth(1).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, [DEVICE, "north", "3", "4,9", "17", "-"], "{shown}");
    let listed: Value = serde_json::from_str(&text(&duet(node, &["list", "--json"]))).unwrap();
    assert_eq!(listed[0]["units"], json!([4, 9]));
}

fn key(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::remove_file(&file).ok(); // Of an earlier run.
    let path = file.to_str().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_duet")).args(["key", "new", path]).output();
    assert!(made.unwrap().status.success());
    file
}

/// A node that knows every key, with a last nonce of 41, and answers a transaction so.
fn ledger(number: u16) -> (SocketAddr, Receiver<Value>) {
    node(move |path| match path {
        "/v1/channel" => json!({
            "channel": CHANNEL, "name": "test", "genesis_time_ms": 0, "committee": [],
            "validators": [], "genesis_hash": HASH, "transaction_bytes_max": 8_192,
        }),
        path if path.starts_with("/v1/identities/") => json!({
            "public_key": HASH, "organisation": 3, "roles": ["generator"], "label": "",
            "last_nonce": 41,
        }),
        _ => json!({ "transaction": HASH, "receipt": {
            "transaction": HASH, "height": 7, "index": 0, "accepted": number == 0,
            "number": number, "code": "not-yours", "rule": "It is another's.", "subject": 9,
        }}),
    })
}

#[test]
fn an_owner_signs_that_a_unit_has_a_new_device() {
    let (node, posted) = ledger(0);
    let key = key("enrol.key");
    let arguments = ["enrol", "--unit", "9", "--device", DEVICE, "--label", "south", "--key"];
    let shown = text(&duet(node, &[&arguments[..], &[key.to_str().unwrap()]].concat()));
    assert!(shown.contains("final in block 7"), "{shown}");
    let body = posted.recv().unwrap();
    let bytes: duet_sdk::wire::Bytes = body["transaction"].as_str().unwrap().parse().unwrap();
    let transaction = Transaction::from_bytes(&bytes.0).unwrap();
    let device = PublicKey::from_bytes([0x22; 32]);
    let enrol = EnrolDevice { unit: UnitId(9), device, label: "south".to_owned() };
    assert_eq!(transaction.action(), &Action::Device(DeviceAction::EnrolDevice(enrol)));
    assert_eq!(transaction.nonce(), 42);
    assert!(transaction.signature_is_valid());
}

#[test]
fn the_dispatcher_signs_estimates_of_missing_readings() {
    let (node, posted) = ledger(0);
    let key = key("substitute.key");
    let arguments = ["substitute", "--unit", "9", "--day", "2026-07-06", "--first-period", "22"];
    let estimates = ["--energies", "10,0", "--reason", "no meter", "--key", key.to_str().unwrap()];
    text(&duet(node, &[&arguments[..], &estimates].concat()));
    let body = posted.recv().unwrap();
    let bytes: duet_sdk::wire::Bytes = body["transaction"].as_str().unwrap().parse().unwrap();
    let transaction = Transaction::from_bytes(&bytes.0).unwrap();
    let request = ReadingSubstitution {
        unit: UnitId(9),
        day: DeliveryDay::parse("2026-07-06").unwrap(),
        first_period: 22,
        energies: [10, 0].map(Energy::from_kwh).to_vec(),
        reason: "no meter".to_owned(),
    };
    assert_eq!(transaction.action(), &Action::Schedule(ScheduleAction::Substitute(request)));
}

#[test]
fn a_unit_of_another_keeps_its_device() {
    let (node, _posted) = ledger(305);
    let key = key("stranger.key");
    let key = key.to_str().unwrap();
    let refused = duet(node, &["enrol", "--unit", "9", "--device", DEVICE, "--key", key]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8(refused.stderr).unwrap().contains("not-yours"));
    let no_key = duet(node, &["enrol", "--unit", "9", "--device", "22", "--key", key]);
    assert_eq!(no_key.status.code(), Some(2), "a key has 64 hex digits");
}
