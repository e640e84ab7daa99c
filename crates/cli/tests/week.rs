//! `duet demo --week`: every mode trades, the books balance, and every run comes to the same.
//!
//! The week is compared with the one in `data/week.json`, so that one run of this test is compared
//! with all runs before it. `DUET_UPDATE_VECTORS=1` writes the file again, after a change of what
//! is traded.

use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// The day whose second stage is held by lot: what is drawn hangs on the receipts of all blocks
/// before and the time of the closing one, and so on how many blocks this run happened to have.
const LOTTERY_DAY: usize = 4;

/// Runs the small market for a week; what it came to.
fn week() -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_duet"))
        .args(["demo", "--week", "--json", "-", "--scenario", "../sim/tests/fixtures/small"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let json = &text[text.find('{').unwrap()..=text.rfind('}').unwrap()];
    serde_json::from_str(json).unwrap()
}

fn rows<'a>(week: &'a Value, list: &str) -> &'a [Value] {
    week[list].as_array().unwrap()
}

fn modes(rows: &[Value], of: impl Fn(&Value) -> &Value) -> BTreeSet<&str> {
    rows.iter().map(|row| of(row).as_str().unwrap()).collect()
}

/// What does not hang on how fast the machine is.
fn outcome(week: &Value) -> Value {
    let day = |(number, day): (usize, &Value)| {
        let same = number != LOTTERY_DAY;
        let hash = same.then(|| day["result_hash"].clone());
        json!({"day": day["day"], "orders": day["orders"]["accepted"], "result_hash": hash})
    };
    let deal = |deal: &Value| {
        let mut deal = deal.clone();
        deal.as_object_mut().unwrap().remove("time_ms");
        deal
    };
    json!({
        "ahead": week["ahead"],
        "allowances": rows(week, "allowances").iter().map(deal).collect::<Vec<_>>(),
        "days": rows(week, "days").iter().enumerate().map(day).collect::<Vec<_>>(),
    })
}

fn check_sessions(ahead: &[Value]) {
    let every =
        ["bilateral", "call", "continuous", "listing", "pairwise", "rolling", "uniform"].into();
    assert_eq!(modes(ahead, |row| &row["mode"]["kind"]), every);
    for session in ahead {
        assert!(0 < session["trades"].as_u64().unwrap(), "{session}");
        assert!(0 < session["volume_kwh"].as_i64().unwrap(), "{session}");
        assert_eq!(session["result_hash"].as_str().unwrap().len(), 64, "{session}");
    }
}

fn check_days(days: &[Value]) {
    assert_eq!(days.len(), 7);
    for day in days {
        let stage1 = &day["stage1"];
        assert!(0 < stage1["volume_kwh"].as_i64().unwrap(), "{day}");
        assert!(0 < day["settlement"]["lines"].as_u64().unwrap(), "{day}");
        assert_eq!(day["settlement"]["postings_sum_fen"], 0, "{day}");
        assert_eq!(day["receipts"], day["receipts_verified"], "{day}");
        let roots: BTreeSet<_> = rows(day, "validators")
            .iter()
            .map(|v| &v["state_root"])
            .map(Value::to_string)
            .collect();
        assert_eq!(roots.len(), 1, "{day}");
    }
    let some = |pointer: &str| days.iter().any(|day| day.pointer(pointer).unwrap() != 0);
    assert!(some("/dispatch/curtailed_kwh") && some("/settlement/fees_fen"));
    assert!(days[LOTTERY_DAY]["stage2"]["held_periods"].is_number(), "this is the day by lot");
    assert!(days.iter().any(|day| day["stage2"]["uplift"] == true), "one is by uplift");
}

#[test]
fn a_week_trades_in_every_mode_and_comes_out_as_ever() {
    let week = week();
    let (ahead, days) = (rows(&week, "ahead"), rows(&week, "days"));
    check_sessions(ahead);
    assert!(ahead.iter().any(|row| 0 < row["allowances_t"].as_i64().unwrap()));
    let deals = rows(&week, "allowances");
    assert_eq!(modes(deals, |row| &row["mode"]), ["bidding", "block", "listed"].into());
    check_days(days);

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/week.json");
    let outcome = outcome(&week);
    if std::env::var_os("DUET_UPDATE_VECTORS").is_some() {
        fs::write(&file, serde_json::to_string_pretty(&outcome).unwrap() + "\n").unwrap();
    }
    let known: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(outcome, known);
}
