//! Rules over the work tree that no compiler checks.
//!
//! The files are those that git would commit, read from disk: the outcome depends on the tree
//! alone, not on the commit, the clock or what a build left behind.

mod modules;
mod prose;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell;

/// Which of our crates each may name: the table of ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("market", &["units"]),
    ("ledger", &["units", "market"]),
    ("consensus", &[]),
    ("sdk", &["units", "ledger"]),
    ("node", &["units", "market", "ledger", "consensus", "sdk"]),
    ("gateway", &["units", "ledger", "sdk"]),
    ("study", &["units", "market"]),
    ("world", &["units", "market", "ledger", "sdk", "node", "study"]),
    (
        "cli",
        &["units", "market", "ledger", "consensus", "sdk", "node", "gateway", "study", "world"],
    ),
    (
        "sim",
        &["units", "market", "ledger", "consensus", "sdk", "node", "gateway", "study", "world"],
    ),
    ("xtask", &[]),
];

/// What the deterministic crates never name: I/O, async, JSON, randomness, the engine. A name
/// that ends in `-` stands for all that start with it.
const IMPURE: &[&str] =
    &["tokio", "tokio-", "futures", "axum", "serde_json", "rand", "hyper", "rustls", "commonware-"];

/// The engine's consensus and network crates, which only `consensus` and `sim` name.
const ENGINE: &[&str] = &[
    "commonware-actor",
    "commonware-broadcast",
    "commonware-consensus",
    "commonware-glue",
    "commonware-p2p",
    "commonware-resolver",
    "commonware-stream",
];

/// Lines of a file that are not tests.
const LINES_MAX: usize = 800;

/// Longer files, with their length. Entries may shrink and go; none is added.
const LONG_FILES: &[(&str, usize)] = &[];

/// Where developers' machines keep their trees; written so that this file passes its own rule.
const MACHINE_PATHS: [&str; 3] =
    [concat!("/", "home/"), concat!("/", "root/"), concat!("/", "work/")];

/// Roots of packages outside the workspace, which its metadata does not name.
const OUTSIDE: [&str; 7] = [
    "benches/matchcore/src/main.rs",
    "crates/gateway/fuzz/fuzz_targets/asdu.rs",
    "crates/gateway/fuzz/fuzz_targets/batch.rs",
    "crates/gateway/fuzz/fuzz_targets/one_way.rs",
    "crates/gateway/fuzz/fuzz_targets/point_map.rs",
    "crates/gateway/fuzz/fuzz_targets/registers.rs",
    "crates/gateway/fuzz/fuzz_targets/samples.rs",
];

/// Folders of build output.
const OUTPUT: [&str; 3] = ["dist", "node_modules", "target"];

/// Checks every rule and prints each fault.
///
/// # Errors
///
/// Fails if there is a fault, or if git or cargo cannot list the tree.
pub(crate) fn run() -> Result<()> {
    let metadata = shell::metadata(false)?;
    let packages = metadata["packages"].as_array().context("no packages in the metadata")?;
    let files = files()?;
    let mut faults: Vec<String> = packages.iter().flat_map(arrows).collect();
    faults.extend(files.iter().flat_map(|(path, text)| own_faults(path, text)));
    let mut roots = modules::roots(packages);
    roots.extend(OUTSIDE.map(str::to_owned));
    faults.extend(modules::faults(&files, &roots));
    faults.extend(prose::faults(&files));
    faults.extend(tracked_output(&git(&["ls-files"])?));
    for fault in &faults {
        eprintln!("{fault}");
    }
    if !faults.is_empty() {
        bail!("{} faults", faults.len());
    }
    eprintln!("{} packages, {} files: tidy", packages.len(), files.len());
    Ok(())
}

/// The files that git would commit, by path from the root. Binary files have empty text.
fn files() -> Result<BTreeMap<String, String>> {
    let listed = git(&["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let root = shell::root();
    let mut files = BTreeMap::new();
    for path in listed.lines() {
        // A file deleted but not yet committed is still listed.
        if let Ok(bytes) = std::fs::read(root.join(path)) {
            files.insert(path.to_owned(), String::from_utf8(bytes).unwrap_or_default());
        }
    }
    Ok(files)
}

fn git(args: &[&str]) -> Result<String> {
    let mut command = shell::program("git", &shell::root());
    shell::output(command.args(["-c", "core.quotepath=off"]).args(args))
}

/// Dependencies of one package that the table of crates forbids. Tests may reach further, but
/// nothing may reach `sim`.
fn arrows(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let short = name.strip_prefix("duet-").unwrap_or(name);
    let Some((_, allowed)) = ARROWS.iter().find(|(of, _)| *of == short) else {
        return vec![format!("{name}: not in the table of crates (xtask tidy, ARCHITECTURE.md)")];
    };
    let mut faults = Vec::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let on = dependency["name"].as_str().unwrap_or_default();
        let is_dev = dependency["kind"] == "dev";
        let is_forbidden = match on.strip_prefix("duet-") {
            Some(ours) => !allowed.contains(&ours) && (!is_dev || ours == "sim"),
            None => !is_dev && is_foreign_forbidden(short, on),
        };
        if is_forbidden {
            faults.push(format!("{name}: may not depend on {on}"));
        }
        let has_http =
            dependency["features"].as_array().is_some_and(|list| list.contains(&"http".into()));
        if short == "node" && on == "duet-sdk" && has_http && !is_dev {
            faults.push(format!("{name}: takes the sdk without its client, feature `http`"));
        }
    }
    faults
}

fn is_foreign_forbidden(short: &str, on: &str) -> bool {
    match short {
        "units" | "market" | "ledger" => {
            IMPURE.iter().any(|name| on == *name || name.ends_with('-') && on.starts_with(name))
        }
        "consensus" | "sim" => false,
        "node" => ENGINE.contains(&on),
        _ => on.starts_with("commonware-"),
    }
}

/// Faults that a file has by itself.
fn own_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if path.ends_with(".rs") {
        faults.extend(length_fault(path, text, LONG_FILES));
        let foreign = text.lines().position(|line| !line.is_ascii());
        faults.extend(foreign.map(|at| format!("{path}:{}: Rust source is ASCII", at + 1)));
    }
    if !path.ends_with(".lock") && !path.ends_with("package-lock.json") {
        let named = text.lines().position(names_a_machine);
        faults.extend(named.map(|at| format!("{path}:{}: names a machine's path", at + 1)));
    }
    faults
}

fn length_fault(path: &str, text: &str, long_files: &[(&str, usize)]) -> Option<String> {
    let parts: BTreeSet<&str> = path.split('/').collect();
    if ["tests", "benches", "tests.rs"].iter().any(|part| parts.contains(part)) {
        return None;
    }
    let lines = modules::production_lines(text);
    let exception = long_files.iter().find(|(of, _)| *of == path).map(|(_, lines)| *lines);
    let max = exception.unwrap_or(LINES_MAX);
    if max < lines {
        return Some(format!("{path}: {lines} lines without tests, at most {max}"));
    }
    let shrunk = exception.filter(|listed| lines < *listed)?;
    Some(format!("{path}: {lines} lines now, lower its entry of {shrunk} in LONG_FILES"))
}

/// Whether a line holds an absolute path of a machine, and not just a folder of that name.
fn names_a_machine(line: &str) -> bool {
    MACHINE_PATHS.iter().any(|path| {
        line.match_indices(path).any(|(at, _)| {
            let before = line.get(..at).and_then(|before| before.chars().next_back());
            before.is_none_or(|c| !c.is_alphanumeric() && !"._-})]>*~".contains(c))
        })
    })
}

fn tracked_output(tracked: &str) -> Vec<String> {
    let is_output =
        |path: &&str| PathBuf::from(path).iter().any(|part| OUTPUT.iter().any(|o| part == *o));
    tracked
        .lines()
        .filter(is_output)
        .map(|path| format!("{path}: build output is tracked"))
        .collect()
}
