//! The module tree: a Rust file that nothing declares is dead text that looks alive.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::shell;

/// The root file of every target of the workspace, by path from the root of the tree.
pub(super) fn roots(packages: &[Value]) -> Vec<String> {
    let root = shell::root();
    let targets = packages.iter().flat_map(|package| package["targets"].as_array()).flatten();
    let paths = targets.filter_map(|target| target["src_path"].as_str());
    let relative = paths.filter_map(|path| std::path::Path::new(path).strip_prefix(&root).ok());
    relative.filter_map(|path| path.to_str().map(str::to_owned)).collect()
}

/// Rust files that no target reaches.
pub(super) fn faults(files: &BTreeMap<String, String>, roots: &[String]) -> Vec<String> {
    let mut reached = BTreeSet::new();
    for root in roots {
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        reach(files, root, folder, &mut reached);
    }
    let sources = files.keys().filter(|path| path.ends_with(".rs"));
    let lost = sources.filter(|path| !reached.contains(path.as_str()));
    lost.map(|path| format!("{path}: in no module tree")).collect()
}

/// Marks `file` and the files of its modules, which lie under `folder`.
fn reach(
    files: &BTreeMap<String, String>,
    file: &str,
    folder: &str,
    reached: &mut BTreeSet<String>,
) {
    let Some(text) = files.get(file) else { return };
    if !reached.insert(file.to_owned()) {
        return;
    }
    for name in declared(text) {
        let below = format!("{folder}/{name}");
        for child in [format!("{below}.rs"), format!("{below}/mod.rs")] {
            reach(files, &child, &below, reached);
        }
    }
}

/// Names of the modules that a source declares as files: `mod name;` on a line of its own.
pub(super) fn declared(source: &str) -> Vec<&str> {
    source.lines().filter_map(declaration).collect()
}

fn declaration(line: &str) -> Option<&str> {
    let mut line = line.trim_start();
    if line.starts_with("#[") {
        line = line.rsplit_once(']')?.1.trim_start();
    }
    if let Some(rest) = line.strip_prefix("pub") {
        let rest = rest.trim_start();
        line = match rest.strip_prefix('(') {
            Some(scope) => scope.split_once(')')?.1.trim_start(),
            None => rest,
        };
    }
    let (name, rest) = line.strip_prefix("mod ")?.split_once(';')?;
    let rest = rest.trim_start();
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && (rest.is_empty() || rest.starts_with("//"))).then_some(name)
}

/// Lines before the unit tests, which stand at the end of a file.
pub(super) fn production_lines(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let opens_tests = |at: &usize| {
        let rest = lines.iter().skip(*at);
        let mut rest = rest.skip_while(|line| line.starts_with("#["));
        lines.get(*at) == Some(&"#[cfg(test)]")
            && rest.next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    (0..lines.len()).find(opens_tests).unwrap_or(lines.len())
}
