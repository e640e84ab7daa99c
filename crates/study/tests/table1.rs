//! The table is recomputed from mechanisms, near the paper, and never from the paper.

use std::fs;
use std::path::{Path, PathBuf};

use duet_study::table1::{Parameters, TableReport, TableScenario};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/table1")
}

/// A copy of the scenario with one file changed, in a folder of its own.
fn changed(name: &str, file: &str, change: impl Fn(String) -> String) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("duet-table1-{}-{name}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
    let text = change(fs::read_to_string(dir.join(file)).unwrap());
    fs::write(dir.join(file), text).unwrap();
    dir
}

fn models(report: &TableReport) -> Vec<[f64; 5]> {
    let model = |row: &duet_study::table1::TableRow| {
        [
            row.php.model,
            row.wechat.model,
            row.calibrated.model,
            row.no_second_stage.model,
            row.duet.model,
        ]
    };
    report.rows.iter().map(model).collect()
}

#[test]
fn the_calibrated_table_is_within_five_percent() {
    let report = TableScenario::load(&folder()).unwrap().play(0).unwrap();
    assert!(report.rms_log_error <= 0.05, "{}", report.rms_log_error);
    let calibrated = report.rms_log_error_by_column.calibrated;
    assert!(calibrated <= 0.05, "{calibrated}");
    assert_eq!(report.rows.len(), 8);
    assert!(report.duet_above_paper.is_empty(), "{:?}", report.duet_above_paper);
}

#[test]
fn no_figure_of_the_paper_enters_the_model() {
    let plain = TableScenario::load(&folder()).unwrap().play(1).unwrap();
    let dir = changed("paper", "paper.csv", |text| {
        text.replace(",48.63,", ",999.99,").replace(",77.23,52.12", ",1.00,2.00")
    });
    let other = TableScenario::load(&dir).unwrap().play(1).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    assert_eq!(models(&plain), models(&other));
    assert_ne!(plain.rms_log_error, other.rms_log_error);
}

#[test]
fn the_advantage_needs_the_second_stage() {
    // What docs/study.md says: without compensation ours is no cheaper than the applet.
    let report = TableScenario::load(&folder()).unwrap().play(0).unwrap();
    let sum = |column: usize| models(&report).iter().map(|row| row[column]).sum::<f64>();
    let (applet, calibrated, ablation) = (sum(1), sum(2), sum(3));
    assert!(calibrated < applet && applet < ablation, "{calibrated} {applet} {ablation}");
}

#[test]
fn other_seeds_are_reported() {
    let report = TableScenario::load(&folder()).unwrap().play(3).unwrap();
    assert_eq!(report.seeds.iter().map(|seed| seed.seed).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn the_json_has_the_agreed_shape() {
    let report = TableScenario::load(&folder()).unwrap().play(0).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    let row = &json["rows"][0];
    assert_eq!((row["plant"].as_str(), row["rho_bp"].as_i64()), (Some("DT_1"), Some(6_500)));
    for column in ["php", "wechat", "calibrated"] {
        assert!(row[column]["paper"].is_f64() && row[column]["model"].is_f64(), "{column}");
    }
    for column in ["no_second_stage", "duet"] {
        assert!(row[column]["model"].is_f64() && row[column].get("paper").is_none(), "{column}");
    }
    assert!(json["rms_log_error"].is_f64());
    for group in ["paper", "documented", "semi_fitted", "fitted"] {
        assert!(json["parameters"][group].is_object(), "{group}");
    }
}

#[test]
fn the_report_stands_alone_in_two_languages() {
    let scenario = TableScenario::load(&folder()).unwrap();
    let files = scenario.play(2).unwrap().files(&scenario).unwrap();
    let html = &files.iter().find(|(name, _)| name == "table1.html").unwrap().1;
    assert!(!html.contains("src=") && !html.contains("<script") && !html.contains("<link"));
    assert!(html.contains("lang=\"zh\"") && html.contains("lang=\"en\""));
    assert!(html.matches("<svg").count() == 3 && !html.contains("NaN"));
    for key in ["table1.", "php.", "ours.", "parameters."] {
        assert!(!html.contains(&format!(">{key}")), "a message for {key} is missing");
    }
    assert!(files.iter().any(|(name, csv)| name == "table1.csv" && csv.lines().count() == 9));
}

#[test]
fn impossible_parameters_are_refused_with_field_value_and_rule() {
    let cases = [
        ("bargaining_bp = 5_000", "bargaining_bp = 10_001", "10001", "from 0 to 10000"),
        ("buyers = 60", "buyers = 0", "design.buyers = 0", "from 1 to"),
        ("[500, 300, 200]", "[500, 300, 100]", "900", "add up to 1000"),
        ("contacts = 3", "contact = 3", "contact", "unknown field"),
        (", 10_000] #", "] #", "rows = 8", "one per plant"),
    ];
    for (index, (from, to, value, rule)) in cases.into_iter().enumerate() {
        let dir = changed(&format!("bad{index}"), "scenario.toml", |text| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let error = TableScenario::load(&dir).unwrap_err().to_string();
        fs::remove_dir_all(&dir).unwrap();
        assert!(error.contains(value) && error.contains(rule), "{error}");
    }
    assert!(Parameters::load(&folder()).is_ok());
}
