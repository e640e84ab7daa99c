//! A delivery day through the field: market, dispatch, station, meter, ledger.

use serde_json::Value;
use std::process::Command;

/// Runs the small market for one day; what it came to.
fn day() -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_duet"))
        .args(["demo", "--once", "--json", "-", "--scenario", "../sim/tests/fixtures/small"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let json = &text[text.find('{').unwrap()..=text.rfind('}').unwrap()];
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_same_day_comes_out_of_the_field_twice() {
    let (first, second) = (day(), day());
    assert_eq!(first["result_hash"].as_str().unwrap().len(), 64);
    assert_eq!(first["result_hash"], second["result_hash"], "{first}\n{second}");
    for day in [&first, &second] {
        // Every hour of every unit came in a batch that its device signed.
        let meters = &day["meters"];
        assert!(meters["readings"].as_u64().unwrap() >= 24, "{meters}");
        assert_eq!(meters["batched_readings"], meters["readings"]);
        assert!(meters["devices"].as_u64().unwrap() > 1, "{meters}");
        let dispatch = &day["dispatch"];
        assert!(dispatch["instructions"].as_u64().unwrap() > 0, "{dispatch}");
        assert_eq!(dispatch["acknowledged"], dispatch["instructions"]);
    }
}
