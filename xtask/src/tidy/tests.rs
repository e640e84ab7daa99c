//! Each rule refuses what it is for, and lets its neighbour pass.

use serde_json::json;

use super::*;

fn package(name: &str, on: &str, kind: Option<&str>) -> Value {
    json!({"name": name, "dependencies": [{"name": on, "kind": kind, "features": []}]})
}

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn an_arrow_outside_the_table_is_a_fault() {
    let cases = [
        ("duet-market", "duet-units", None, 0),
        ("duet-market", "duet-ledger", None, 1),
        ("duet-market", "duet-ledger", Some("dev"), 0),
        ("duet-market", "duet-sim", Some("dev"), 1),
        ("duet-market", "serde_json", None, 1),
        ("duet-market", "serde_json", Some("dev"), 0),
        ("duet-ledger", "tokio-util", None, 1),
        ("duet-ledger", "rand_core", None, 0),
        ("duet-node", "commonware-storage", None, 0),
        ("duet-node", "commonware-p2p", None, 1),
        ("duet-sdk", "commonware-codec", None, 1),
        ("duet-consensus", "commonware-p2p", None, 0),
        ("duet-consensus", "duet-units", None, 1),
        ("duet-utils", "anyhow", None, 1),
    ];
    for (name, on, kind, expected) in cases {
        assert_eq!(arrows(&package(name, on, kind)).len(), expected, "{name} on {on} {kind:?}");
    }
}

#[test]
fn the_node_takes_the_sdk_without_its_client() {
    let with = |features: Value| {
        let dependency = json!({"name": "duet-sdk", "kind": null, "features": features});
        arrows(&json!({"name": "duet-node", "dependencies": [dependency]})).len()
    };
    assert_eq!(with(json!([])), 0);
    assert_eq!(with(json!(["http"])), 1);
}

#[test]
fn a_file_that_no_module_declares_is_a_fault() {
    let files = tree(&[
        (
            "crates/a/src/lib.rs",
            "mod book;\npub(crate) mod auction;\n// mod dead;\nmod inline {}\n",
        ),
        ("crates/a/src/book.rs", "#[cfg(test)]\nmod tests;\n"),
        ("crates/a/src/book/tests.rs", ""),
        ("crates/a/src/auction/mod.rs", "mod clear; // the fast path\n"),
        ("crates/a/src/auction/clear.rs", ""),
        ("crates/a/src/clear.rs", ""),
        ("crates/a/src/dead.rs", ""),
    ]);
    let lost = modules::faults(&files, &["crates/a/src/lib.rs".to_owned()]);
    let expected = ["crates/a/src/clear.rs", "crates/a/src/dead.rs"];
    assert_eq!(lost, expected.map(|path| format!("{path}: in no module tree")));
}

#[test]
fn module_declarations_are_read_with_attributes_and_visibility() {
    let source = "#[cfg(test)] mod a;\npub mod b;\n  pub(super) mod c;\nmod d {\nlet mod_e = 1;\n";
    assert_eq!(modules::declared(source), ["a", "b", "c"]);
}

#[test]
fn unit_tests_do_not_count_as_lines() {
    let source = "fn a() {}\n#[cfg(test)]\nuse x;\n\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n}\n";
    assert_eq!(modules::production_lines(source), 4);
    assert_eq!(modules::production_lines("a\nb\n"), 2);
}

#[test]
fn a_long_file_may_shrink_but_not_grow() {
    let lines = |count: usize| "x\n".repeat(count);
    let listed = [("src/long.rs", 900)];
    assert!(length_fault("src/a.rs", &lines(800), &listed).is_none());
    assert!(length_fault("src/a.rs", &lines(801), &listed).is_some());
    assert!(length_fault("src/tests.rs", &lines(801), &listed).is_none());
    assert!(length_fault("src/long.rs", &lines(900), &listed).is_none());
    assert!(length_fault("src/long.rs", &lines(901), &listed).is_some());
    let shrunk = length_fault("src/long.rs", &lines(850), &listed).unwrap();
    assert!(shrunk.contains("lower its entry"), "{shrunk}");
}

#[test]
fn source_is_ascii_and_names_no_machine() {
    assert_eq!(
        own_faults("src/a.rs", "// fine\n// caf\u{e9}\n"),
        ["src/a.rs:2: Rust source is ASCII"]
    );
    assert!(own_faults("web/zh.json", "\u{7535}").is_empty());
    let folder = MACHINE_PATHS[0];
    assert!(names_a_machine(&format!("see {folder}me/duet")));
    assert!(names_a_machine(&format!("\"{folder}me\"")));
    assert!(!names_a_machine(&format!("https://example.org{folder}page")));
    assert!(!names_a_machine(&format!("docs{folder}page")));
}

#[test]
fn links_of_a_document_are_found_outside_code() {
    let text = "[a](b.md#part) ![c](<d e>) `[x](y)` [web](https://z.example)\n\
                ```\n[x](y)\n```\n[ref]: ../f.md\n[top](#top)\n";
    assert_eq!(prose::links(text), ["b.md", "d", "../f.md"]);
}

#[test]
fn a_link_resolves_from_its_document() {
    let files = tree(&[("README.md", ""), ("docs/adr/0001-engine.md", ""), ("docs/a.md", "")]);
    for (link, expected) in [
        ("a.md", true),
        ("../README.md", true),
        ("adr/", true),
        ("b.md", false),
        ("../../x", false),
    ] {
        assert_eq!(prose::resolves("docs/a.md", link, &files), expected, "{link}");
    }
}

#[test]
fn a_decision_has_one_number_and_is_there_when_named() {
    let one = concat!("ad", "r/0001-");
    assert_eq!(prose::decisions_named(&format!("see {one}x.md and nothing else")), [1].into());
    let files = tree(&[
        ("docs/adr/0001-engine.md", ""),
        ("docs/adr/0001-again.md", ""),
        ("docs/a.md", concat!("as decided in AD", "R 0001 and AD", "R 0009")),
    ]);
    let faults = prose::faults(&files);
    assert_eq!(
        faults,
        [
            "docs/adr/0001-engine.md: its number is taken",
            concat!("docs/a.md: there is no AD", "R 0009")
        ]
    );
}

#[test]
fn build_output_is_not_tracked() {
    assert_eq!(tracked_output("web/dist/a.js\nsrc/target.rs\ndistrict/a\n").len(), 1);
}
