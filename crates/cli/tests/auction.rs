//! `duet auction` against a node: the demo's, beside whose sessions the exchange opens a call.

use duet_sdk::client::Client;
use duet_sdk::sign::MemberKey;
use duet_sdk::wire::{Day, Mode, Phase, Session};
use duet_study::scenario::{MemberRole, Scenario};
use duet_world::{Founding, demo_seed};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const MINUTE_MS: i64 = 60_000;

/// A demo that ends with the test.
struct Demo {
    child: Child,
    url: String,
}

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_duet"))
            .args(["demo", "--scenario", "../sim/tests/fixtures/small", "--gate-seconds", "60"])
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("the demo says where it is").unwrap();
            if let Some((_, url)) = line.split_once("API") {
                break url.trim().trim_end_matches("/docs").to_owned();
            }
        };
        // Nobody reads on, but the demo must be able to write.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn duet(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_duet"))
            .args(arguments)
            .args(["--url", &self.url])
            .output()
            .unwrap()
    }

    /// What a command prints, as JSON or as it is.
    fn shown(&self, arguments: &[&str]) -> String {
        let output = self.duet(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.shown(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("auction");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::remove_file(&file).ok();
    file
}

fn key(label: &str) -> String {
    let file = scratch(&format!("{label}.key"));
    MemberKey::from_seed(demo_seed(label)).write_new(&file).unwrap();
    file.to_str().unwrap().to_owned()
}

async fn until(client: &Client, mut holds: impl FnMut(&Session) -> bool) -> Session {
    for _ in 0..600 {
        let page = client.sessions().await.unwrap();
        if let Some(found) = page.items.into_iter().find(&mut holds) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the session did not come to be");
}

/// Announces a call ten days ahead, under the rule and the gate of the joint session that is open.
async fn open_call(demo: &Demo, client: &Client) -> u32 {
    let joint = until(client, |s| s.mode == Mode::Joint && s.phase == Phase::Open).await;
    let now = client.status().await.unwrap().now_ms;
    let Day(day) = joint.day;
    let day = Day(duet_units::DeliveryDay::from_days(day.days() + 10)).to_string();
    let rule = joint.rule.to_string();
    let (open, close) = ((now + 5 * MINUTE_MS).to_string(), joint.gate_close_ms.to_string());
    let announce = ["session", "announce", "--rule", &rule, "--mode", "call", "--day", &day];
    let gate = ["--gate-open", &open, "--gate-close", &close];
    let prices = ["--reference-price", "364.4", "--carbon-price", "97.49"];
    let exchange = key("EXCHANGE");
    let words = [&announce[..], &gate, &prices, &["--key", &exchange]].concat();
    let id = demo.json(&words)["receipt"]["subject"].as_u64().unwrap();
    let id = u32::try_from(id).unwrap();
    until(client, |s| s.id == id && s.phase == Phase::Open).await;
    id
}

/// The first unit of a member that sells, and of one that buys, with their names.
fn units() -> [(u32, String); 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/tests/fixtures/small");
    let scenario = Scenario::load(&folder).unwrap();
    let founding = Founding::new(&scenario, duet_units::ClockTime::default()).unwrap();
    let of = |sells: bool| {
        let members = scenario.members.iter().zip(&founding.members);
        let mut fitting =
            members.filter(|(member, _)| (member.role == MemberRole::Generator) == sells);
        let (member, place) = fitting.next().unwrap();
        (place.units[0].0, member.name.clone())
    };
    [of(true), of(false)]
}

#[test]
fn curves_and_linked_orders_are_placed_and_their_result_is_shown() {
    let demo = Demo::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(&demo.url).unwrap();
    let id = runtime.block_on(open_call(&demo, &client));
    let [(sells, seller), (buys, buyer)] = units();
    let (session, sells, buys) = (id.to_string(), sells.to_string(), buys.to_string());
    let (seller, buyer) = (key(&seller), key(&buyer));
    let notice = demo.shown(&["auction", "notice", &session]);
    assert!(notice.contains("call") && notice.contains("291.520 to 437.280"), "{notice}");

    let sheet = scratch("curve.csv");
    let file = sheet.to_str().unwrap();
    let offer = ["auction", "curve", "--session", &session, "--unit", &sells, "--side", "sell"];
    let offer = [&offer[..], &["--file", file, "--key", &seller]].concat();
    std::fs::write(&sheet, "period,price,quantity\n8,300,x\n8,299,5000\n").unwrap();
    let refused = demo.duet(&offer);
    assert_eq!(refused.status.code(), Some(2));
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("line 2, quantity"), "{text}");
    std::fs::write(&sheet, "period,price,quantity\n8,300,5000\n8,320,5000\n9,310,9000\n").unwrap();
    let first = demo.json(&offer)["receipt"]["subject"].as_u64().unwrap();

    let linked = |price, points: [&str; 2]| {
        let order = ["auction", "linked", "--session", &session, "--unit", &buys, "--side", "buy"];
        let terms = ["--price", price, "--point", points[0], "--point", points[1]];
        [&order[..], &terms, &["--key", &buyer]].concat().join(" ")
    };
    let place = |line: &str| demo.json(&line.split(' ').collect::<Vec<_>>());
    let whole = place(&linked("330", ["8:6000", "9:6000"]))["receipt"]["subject"].clone();
    place(&linked("400", ["8:6000", "9:6000"]));
    let gone = place(&linked("350", ["8:1000", "9:1000"]))["receipt"]["subject"].clone();
    demo.shown(&["auction", "withdraw", &gone.to_string(), "--key", &buyer]);
    // In a joint session there is no such order.
    let joint = linked("330", ["8:6000", "9:6000"]);
    let joint = joint.replace(&format!("--session {session}"), "--session 99");
    let refused = demo.duet(&joint.split(' ').collect::<Vec<_>>());
    assert_eq!(refused.status.code(), Some(1));

    let cleared = runtime.block_on(until(&client, |s| s.id == id && Phase::Cleared == s.phase));
    assert_eq!(cleared.id, id);
    let result = demo.json(&["auction", "show", &session]);
    let states: Vec<&str> = result["linked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["accepted", "not_filled", "withdrawn"]);
    assert_eq!(result["linked"][0]["id"], whole);
    // 6 MWh reach the second step of hour 8: (320 + 310) / 2.
    assert_eq!(result["linked"][0]["mean_price_milli_yuan_per_mwh"], 315_000);
    let hour = &result["periods"][8];
    assert_eq!(hour["price_milli_yuan_per_mwh"], 320_000);
    assert_eq!(hour["volume_kwh"], 6_000);
    assert_eq!(hour["marginal_sell"], first + 1);
    let text = demo.shown(&["auction", "show", &session]);
    assert!(text.contains("accepted") && text.contains("315.000"), "{text}");

    let book = scratch("book.json");
    let out = book.to_str().unwrap();
    demo.shown(&["session", "export", &session, "--out", out]);
    let replay = Command::new(env!("CARGO_BIN_EXE_duet")).args(["session", "replay", out]).output();
    assert!(replay.unwrap().status.success());
    // Its gate closed with that of the call.
    let joint =
        runtime.block_on(until(&client, |s| s.mode == Mode::Joint && s.phase == Phase::Cleared));
    check_whatif(&demo, joint.id, &session);
}

/// `duet study whatif` on the book of a joint session, exported and from the node: before any
/// change it comes to what the validators recorded.
fn check_whatif(demo: &Demo, id: u32, call: &str) {
    let (book, joint) = (scratch("joint.json"), id.to_string());
    let file = book.to_str().unwrap();
    demo.shown(&["session", "export", &joint, "--out", file]);
    let sealed: Value = serde_json::from_slice(&std::fs::read(&book).unwrap()).unwrap();
    let whatif = |source: &[&str]| -> Value {
        let command = [&["study", "whatif"], source, &["--json", "-"]].concat();
        let text = demo.shown(&command);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
    };
    let study = whatif(&["--book", file]);
    assert_eq!(study, whatif(&["--session", &joint]));
    assert_eq!(
        (&study["periods_recorded"], &study["periods_reproduced"]),
        (&24.into(), &24.into())
    );
    let clearings = sealed["result"]["clearings"].as_array().unwrap();
    let recorded = clearings.iter().filter(|row| row["session"] == id);
    let (mut volume, mut second) = (0, 0);
    for (period, row) in recorded.enumerate() {
        let before = &study["before"]["periods"][period];
        assert_eq!(row["period"], period);
        assert_eq!(before["price"], row["price_milli_yuan_per_mwh"], "{row}");
        assert_eq!(before["volume_kwh"], row["volume_kwh"], "{row}");
        assert_eq!(before["second_volume_kwh"], row["second_volume_kwh"], "{row}");
        volume += row["volume_kwh"].as_i64().unwrap();
        second += row["second_volume_kwh"].as_i64().unwrap();
    }
    assert!(0 < volume && 0 < second, "both stages of the book traded: {volume}, {second}");
    assert_eq!(study["before"], study["after"], "nothing was changed");
    let dearer = whatif(&["--book", file, "--carbon-price", "500"]);
    assert_eq!(dearer["before"], study["before"]);
    assert_ne!(dearer["after"]["periods"], study["after"]["periods"]);
    // A call has no carbon in its offers.
    assert_eq!(demo.duet(&["study", "whatif", "--session", call]).status.code(), Some(1));
}
