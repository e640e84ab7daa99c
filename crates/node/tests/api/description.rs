//! The committed OpenAPI description is the server's.

use std::{fs, path::PathBuf};

/// Set to write the description anew instead of comparing it.
const UPDATE: &str = "DUET_UPDATE_OPENAPI";

#[test]
fn the_committed_description_is_fresh() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let mut fresh = duet_node::api::openapi().to_pretty_json().unwrap();
    fresh.push('\n');
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "docs/openapi.json is stale: run this test with {UPDATE}=1");
}

#[test]
fn every_operation_has_a_name_and_its_schemas() {
    let json = duet_node::api::openapi().to_json().unwrap();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut names = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap_or_default();
            assert!(!name.is_empty(), "{method} {path}");
            names.push(name.to_owned());
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "operation ids are unique");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in json.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is named but not described");
    }
}
