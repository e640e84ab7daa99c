//! Documents: links that lead somewhere, decisions that carry one number each.

use std::collections::{BTreeMap, BTreeSet};

/// Folder of the architecture decision records, `NNNN-title.md`.
const DECISIONS: &str = "docs/adr/";

/// Broken links, doubled decision numbers, and decisions that are named but not there.
pub(super) fn faults(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut numbers = BTreeSet::new();
    for path in files.keys() {
        let number = path.strip_prefix(DECISIONS).and_then(leading_number);
        if number.is_some_and(|number| !numbers.insert(number)) {
            faults.push(format!("{path}: its number is taken"));
        }
    }
    for (path, text) in files {
        if path.ends_with(".md") {
            let broken = links(text).into_iter().filter(|link| !resolves(path, link, files));
            faults.extend(broken.map(|link| format!("{path}: {link} is not there")));
        }
        if [".md", ".rs", ".toml"].iter().any(|end| path.ends_with(end)) {
            let missing = decisions_named(text).into_iter().filter(|n| !numbers.contains(n));
            faults.extend(missing.map(|number| format!("{path}: there is no ADR {number:04}")));
        }
    }
    faults
}

/// Targets of the links of a document that stay in the tree, without their fragments.
pub(super) fn links(markdown: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second piece between backquotes is code.
        let text: String = line.split('`').step_by(2).collect();
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.extend(inline.filter_map(local_target));
        let definition = text.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        targets.extend(definition.and_then(|(_, target)| local_target(target)));
    }
    targets
}

fn local_target(target: &str) -> Option<String> {
    let target = target.split_whitespace().next()?.trim_matches(['<', '>']);
    let path = target.split('#').next()?;
    let is_elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
    (!is_elsewhere).then(|| path.to_owned())
}

/// Whether `link`, written in the document `from`, leads to a file or folder of the tree.
pub(super) fn resolves(from: &str, link: &str, files: &BTreeMap<String, String>) -> bool {
    let mut parts: Vec<&str> = match link.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    let folder = format!("{path}/");
    path.is_empty() || files.keys().any(|file| *file == path || file.starts_with(&folder))
}

/// Numbers of the decisions that a text refers to, as `ADR NNNN` or by their file.
pub(super) fn decisions_named(text: &str) -> BTreeSet<u16> {
    let marks = [concat!("AD", "R "), concat!("ad", "r/")];
    let after = marks.iter().flat_map(|mark| text.split(*mark).skip(1));
    after.filter_map(leading_number).collect()
}

fn leading_number(text: &str) -> Option<u16> {
    let digits = text.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
