//! The oldest compiler that the board's dependencies say they need.
//!
//! Only what their manifests declare: no compiler as old as that builds them here.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::TARGET;
use crate::shell;

/// What no dependency of the gateway may go beyond: Debian's next compiler is older than ours.
const DECLARED_MAX: (u32, u32) = (1, 88);

/// Checks every package of others that the gateway for the board is built from.
///
/// # Errors
///
/// Fails if one declares a newer compiler.
pub(crate) fn run() -> Result<()> {
    let mut tree = shell::cargo();
    tree.args(["tree", "--locked", "-p", "duet-gateway", "-e", "normal,build"]);
    tree.args(["--target", TARGET, "--prefix", "none", "--format", "{p}"]);
    let tree = shell::output(&mut tree)?;
    let metadata = shell::metadata(true)?;
    let declared = declared(&metadata);
    let mut used: Vec<(&str, &str)> = tree.lines().filter_map(name_and_version).collect();
    used.sort_unstable();
    used.dedup();
    let foreign: Vec<_> = used.iter().filter_map(|key| Some((key, *declared.get(key)?))).collect();
    let silent = foreign.iter().filter(|(_, rust)| rust.is_none()).count();
    let newest = foreign.iter().filter_map(|(_, rust)| *rust).max();
    eprintln!(
        "gateway: {} packages of others, {silent} declare no compiler, the newest {newest:?}",
        foreign.len()
    );
    let newer: Vec<_> = foreign.iter().filter(|(_, rust)| *rust > Some(DECLARED_MAX)).collect();
    ensure!(newer.is_empty(), "these need a compiler newer than {DECLARED_MAX:?}: {newer:?}");
    ensure!(!foreign.is_empty(), "cargo tree named no package that the metadata knows");
    Ok(())
}

/// `name v1.2.3 (proc-macro)`, as `cargo tree` prints it.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

/// The declared compilers of packages from a registry, by name and version.
fn declared(metadata: &Value) -> BTreeMap<(&str, &str), Option<(u32, u32)>> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let foreign = packages.filter(|package| package["source"].is_string());
    foreign
        .filter_map(|package| {
            let key = (package["name"].as_str()?, package["version"].as_str()?);
            Some((key, package["rust_version"].as_str().and_then(minor)))
        })
        .collect()
}

/// Major and minor of a version.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_of_the_tree_finds_what_the_manifest_declares() {
        let metadata = json!({"packages": [
            {"name": "a", "version": "1.2.3", "source": "registry", "rust_version": "1.85.1"},
            {"name": "ours", "version": "0.1.0", "source": null, "rust_version": "1.95"},
        ]});
        let declared = declared(&metadata);
        let key = name_and_version("a v1.2.3 (proc-macro) (*)").unwrap();
        assert_eq!(declared.get(&key), Some(&Some((1, 85))));
        assert_eq!(declared.len(), 1, "our own are built with the project's compiler");
        assert!(Some((1, 100)) > Some((1, 88)) && None < Some((1, 88)));
    }
}
