//! What may be built in: licences and sources, held to the lists of `deny.toml`.
//!
//! cargo-deny does this best and is used where it is installed. It takes longer to compile than
//! the project may spend on a check, so without it the same lists are checked here against
//! `cargo metadata`: a missing tool must never look like a passed check.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell;

/// How cargo names packages of the default registry.
const REGISTRY_SUFFIX: &str = "/crates.io-index";

/// Checks bans, licences and sources.
///
/// # Errors
///
/// Fails if a dependency breaks a rule of `deny.toml`.
pub(crate) fn run() -> Result<()> {
    if shell::is_installed("cargo-deny") {
        eprintln!("checked by: cargo-deny");
        let rules = ["bans", "licenses", "sources"];
        return shell::run(shell::cargo().args(["deny", "--offline", "check"]).args(rules));
    }
    eprintln!("checked by: xtask (cargo-deny is not installed)");
    let text = std::fs::read_to_string(shell::root().join("deny.toml")).context("deny.toml")?;
    let allowed = Allowed::parse(&text)?;
    let metadata = shell::metadata(true)?;
    let packages = metadata["packages"].as_array().context("no packages in the metadata")?;
    let faults: Vec<String> = packages.iter().flat_map(|package| allowed.faults(package)).collect();
    for fault in &faults {
        eprintln!("{fault}");
    }
    if !faults.is_empty() {
        bail!("{} dependencies break the rules of deny.toml", faults.len());
    }
    eprintln!(
        "{} packages: licences, sources and version requirements are allowed",
        packages.len()
    );
    Ok(())
}

/// The licences of `deny.toml`: for all packages, and for a named one in addition.
#[derive(Debug)]
struct Allowed {
    licences: BTreeSet<String>,
    exceptions: BTreeMap<String, BTreeSet<String>>,
}

impl Allowed {
    fn parse(deny: &str) -> Result<Self> {
        let deny: toml::Table = deny.parse().context("deny.toml")?;
        let licenses = deny.get("licenses").context("deny.toml has no [licenses]")?;
        let licences = names(licenses.get("allow"));
        let entries = licenses.get("exceptions").and_then(toml::Value::as_array);
        let exceptions = entries.into_iter().flatten().filter_map(|entry| {
            let name = entry.get("crate")?.as_str()?.to_owned();
            Some((name, names(entry.get("allow"))))
        });
        Ok(Self { licences, exceptions: exceptions.collect() })
    }

    fn faults(&self, package: &Value) -> Vec<String> {
        let name = package["name"].as_str().unwrap_or("a package without a name");
        let licence = package["license"].as_str().unwrap_or("");
        let extra = self.exceptions.get(name);
        let allows =
            |id: &str| self.licences.contains(id) || extra.is_some_and(|extra| extra.contains(id));
        let mut faults = Vec::new();
        if !is_satisfied(licence, &allows) {
            faults.push(format!("{name}: licence `{licence}` is not allowed"));
        }
        let source = package["source"].as_str();
        if source.is_some_and(|s| !s.starts_with("registry+") || !s.ends_with(REGISTRY_SUFFIX)) {
            faults.push(format!("{name}: comes from {}", source.unwrap_or_default()));
        }
        if source.is_none() {
            faults.extend(wildcards(package).map(|of| format!("{name}: any version of {of}")));
        }
        faults
    }
}

fn names(list: Option<&toml::Value>) -> BTreeSet<String> {
    let list = list.and_then(toml::Value::as_array).into_iter().flatten();
    list.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Dependencies of one of our packages that take any version; those by path are our own.
fn wildcards(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies
        .filter(|dependency| dependency["req"] == "*" && dependency["path"].is_null())
        .filter_map(|dependency| dependency["name"].as_str())
}

/// Whether an SPDX expression can be met with allowed licences only.
///
/// `AND` binds tighter than `OR`; the older `A/B` means `A OR B`. An empty or broken expression is
/// never met.
fn is_satisfied(expression: &str, allows: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Expression { tokens: &tokens, allows };
    parser.any().is_some_and(|met| met && parser.tokens.is_empty())
}

struct Expression<'a> {
    tokens: &'a [&'a str],
    allows: &'a dyn Fn(&str) -> bool,
}

impl Expression<'_> {
    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.take("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.any()?;
            return self.take(")").then_some(met);
        }
        let id = self.next()?;
        if self.take("WITH") {
            let exception = self.next()?;
            return Some((self.allows)(&format!("{id} WITH {exception}")));
        }
        Some((self.allows)(&id))
    }

    fn next(&mut self) -> Option<String> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some((*first).to_owned())
    }

    fn take(&mut self, token: &str) -> bool {
        match self.tokens.split_first() {
            Some((first, rest)) if *first == token => {
                self.tokens = rest;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DENY: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "BSD-3-Clause"]
        exceptions = [{ crate = "webauthn", allow = ["MPL-2.0"] }]
    "#;

    #[test]
    fn a_licence_expression_is_met_by_allowed_licences_only() {
        let cases = [
            ("MIT", true),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0/MIT", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND (GPL-3.0 OR BSD-3-Clause)", true),
            ("GPL-3.0 OR MIT AND LGPL-3.0", false),
            ("(GPL-3.0 OR MIT) AND Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("", false),
            ("(MIT", false),
            ("MIT MIT", false),
        ];
        for (expression, expected) in cases {
            let allows = |id: &str| ["MIT", "Apache-2.0", "BSD-3-Clause"].contains(&id);
            assert_eq!(is_satisfied(expression, &allows), expected, "{expression}");
        }
    }

    #[test]
    fn an_exception_is_for_its_package_only() {
        let allowed = Allowed::parse(DENY).unwrap();
        let source = "registry+https://index.example/crates.io-index";
        let package = |name: &str| json!({"name": name, "license": "MPL-2.0", "source": source});
        assert!(allowed.faults(&package("webauthn")).is_empty());
        assert_eq!(allowed.faults(&package("other")).len(), 1);
    }

    #[test]
    fn unknown_sources_and_wildcards_are_refused() {
        let allowed = Allowed::parse(DENY).unwrap();
        let git = json!({"name": "a", "license": "MIT", "source": "git+https://index.example/a"});
        assert_eq!(allowed.faults(&git).len(), 1);
        let ours = json!({"name": "b", "license": "MIT", "source": null, "dependencies": [
            {"name": "serde", "req": "*"},
            {"name": "duet-units", "req": "*", "path": "units"},
            {"name": "toml", "req": "^1"},
        ]});
        assert_eq!(allowed.faults(&ours), ["b: any version of serde"]);
    }
}
