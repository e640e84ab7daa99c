//! `cargo ci`: everything that must pass, the fast checks first.
//!
//! The dependency tree is compiled for checking, for tests (dev) and for the program (release),
//! and in no other profile: on two cores each costs minutes.

use std::{
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{browser, demo, deny, report, shell, tidy, web, zynq};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 12] = [
    ("fmt", || cargo(&["fmt", "--all", "--check"])),
    ("tidy", tidy::run),
    ("fetch", || cargo(&["fetch", "--locked"])),
    ("lint", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("doc", doc),
    ("deny", || deny::run().and_then(|()| zynq::msrv::run())),
    ("test", test),
    ("bench", bench),
    ("web", web_page),
    ("demo", demo_smoke),
    ("browser", browser_test),
    ("zynq", zynq::ci),
];

/// How long one run of the demo may take before it counts as hung, for coreutils' `timeout`.
const DEMO_SECONDS_MAX: &str = "600";

/// Runs all steps, or the named ones in the order of the list, up to the first that fails.
///
/// # Errors
///
/// Fails if a step fails or a name is unknown.
pub(crate) fn run(names: &[String]) -> Result<()> {
    if names.iter().any(|name| name == "--list") {
        for (name, _) in STEPS {
            eprintln!("{name}");
        }
        return Ok(());
    }
    for name in names {
        ensure!(STEPS.iter().any(|(step, _)| step == name), "unknown step `{name}`: see --list");
    }
    for (name, work) in STEPS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            shell::step(name, work)?;
        }
    }
    let skipped = shell::skipped();
    if skipped.is_empty() {
        eprintln!("\nall steps passed");
    } else {
        eprintln!("\nall steps passed, but not everything was checked:\n{}", skipped.join("\n"));
    }
    Ok(())
}

fn cargo(args: &[&str]) -> Result<()> {
    shell::run(shell::cargo().args(args))
}

/// The examples are named so that dependencies have the features that the tests need: they were
/// checked with those before.
fn doc() -> Result<()> {
    let mut command = shell::cargo();
    command.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--workspace", "--no-deps"]);
    shell::run(command.args(["--lib", "--bins", "--examples"]))
}

fn test() -> Result<()> {
    if shell::is_installed("cargo-nextest") {
        tests(&["nextest", "run", "--workspace"])?;
    } else {
        eprintln!("cargo-nextest is not installed: cargo test runs the tests");
        tests(&["test", "--workspace", "--lib", "--bins", "--tests"])?;
    }
    tests(&["test", "--doc", "--workspace"])
}

/// Runs tests whose generated cases are the same each time, so that a failure is of the tree and
/// not of the day. `cargo nextest run` by hand draws new ones, and so does another seed.
fn tests(args: &[&str]) -> Result<()> {
    const SEED: &str = "PROPTEST_RNG_SEED";
    let seed = std::env::var(SEED).unwrap_or_else(|_| "1".to_owned());
    shell::run(shell::cargo().args(args).env(SEED, seed))
}

/// Runs every bench once, without measuring, and checks that optimised market functions fill the
/// generated books as the tests of debug builds do. Only the benches are named: `--benches` alone would
/// compile all unit tests in release as well.
fn bench() -> Result<()> {
    let metadata = shell::metadata(false)?;
    let mut args = vec!["bench".to_owned()];
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let benches = benches_of(package);
        if !benches.is_empty() {
            args.push(format!("--package={}", package["name"].as_str().unwrap_or_default()));
            args.extend(benches.iter().map(|bench| format!("--bench={bench}")));
        }
    }
    if args.len() == 1 {
        eprintln!("no package has a bench");
        return Ok(());
    }
    shell::run(shell::cargo().args(args).args(["--", "--test"]))?;
    tests(&["test", "--release", "--package=duet-market", "--test=model"])
}

fn benches_of(package: &Value) -> Vec<&str> {
    let is_bench = |target: &&Value| {
        target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bench"))
    };
    let targets = package["targets"].as_array().into_iter().flatten();
    targets.filter(is_bench).filter_map(|target| target["name"].as_str()).collect()
}

fn web_page() -> Result<()> {
    let Some(folder) = web::folder() else {
        shell::skip("the page", "this tree has no web/package.json");
        return Ok(());
    };
    web::install(&folder)?;
    web::npm(&folder, &["run", "lint"])?;
    web::npm(&folder, &["test"])?;
    web::npm(&folder, &["run", "build"])
}

/// Runs one delivery day twice: the report must keep its promises, and the same seed must give
/// the same result.
fn demo_smoke() -> Result<()> {
    let program = demo::build()?;
    if !demo::has_option(&program, "--once") {
        shell::skip("the demo", "this `duet` has no `demo --once`");
        return Ok(());
    }
    let folder = program.parent().context("the program has no folder")?;
    let first = demo_day(&program, &folder.join("ci-demo-1.json"))?;
    let second = demo_day(&program, &folder.join("ci-demo-2.json"))?;
    ensure!(first == second, "two runs gave different results: {first} and {second}");
    eprintln!("two runs, one result: {first}");
    Ok(())
}

fn demo_day(program: &Path, file: &Path) -> Result<String> {
    if file.exists() {
        std::fs::remove_file(file)?; // An old report must not pass for this run's.
    }
    let mut command = shell::program("timeout", &shell::root());
    command.args([DEMO_SECONDS_MAX, &path(program)?, "demo", "--once", "--json", &path(file)?]);
    shell::run(&mut command)?;
    let text = std::fs::read_to_string(file).context("the demo wrote no report")?;
    let day: Value = serde_json::from_str(&text).context("the demo's report is no JSON")?;
    Ok(report::check(&day)?.to_owned())
}

/// Drives the page in Chromium against the release program's demo.
fn browser_test() -> Result<()> {
    let folder = web::folder();
    let Some(folder) = folder.filter(|folder| has_script(folder, "e2e")) else {
        shell::skip("the browser", "web/package.json has no script `e2e`");
        return Ok(());
    };
    let chromium = browser::chromium()?;
    let demo = DemoProcess::start(&demo::build()?, &folder.join("dist"))?;
    let mut command = shell::program("npm", &folder);
    command.args(["run", "e2e"]).env("DUET_URL", &demo.url);
    shell::run(command.env("CHROMIUM", chromium_path(chromium)?))
}

/// A demo that runs while its page is tested.
struct DemoProcess {
    url: String,
    child: Child,
}

impl DemoProcess {
    /// Starts the demo on a free port and waits until it says where its page is.
    fn start(program: &Path, page: &Path) -> Result<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = shell::program(&path(program)?, &shell::root());
        command.args(["demo", "--listen", &free.to_string(), "--web-dir", &path(page)?]);
        // The gate is open long enough for every step that places an order.
        command.args(["--gate-seconds", "90", "--day-seconds", "20"]);
        let mut child = command.stdout(Stdio::piped()).spawn().context("starting the demo")?;
        let said = child.stdout.take().context("the demo has no output")?;
        let demo = Self { url: format!("http://{free}"), child };
        let mut lines = BufReader::new(said).lines();
        let page_is_up = |line: &std::io::Result<String>| {
            line.as_ref().is_ok_and(|line| line.contains(&demo.url))
        };
        ensure!(lines.any(|line| page_is_up(&line)), "the demo ended before its page was up");
        // Whatever it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(demo)
    }
}

impl Drop for DemoProcess {
    fn drop(&mut self) {
        // It may have ended by itself; then the test has said why.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn has_script(folder: &Path, name: &str) -> bool {
    let package = std::fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    let package: Value = serde_json::from_str(&package).unwrap_or_default();
    package["scripts"][name].is_string()
}

fn chromium_path(name: &str) -> Result<String> {
    let path = shell::output(shell::program("which", &shell::root()).arg(name))?;
    Ok(path.trim().to_owned())
}

fn path(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("{} is no UTF-8", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn benches_are_found_by_their_kind() {
        let package = json!({"targets": [
            {"name": "duet_market", "kind": ["lib"]},
            {"name": "auction", "kind": ["bench"]},
        ]});
        assert_eq!(benches_of(&package), ["auction"]);
    }

    #[test]
    fn an_unknown_step_is_refused_before_anything_runs() {
        let error = run(&["tidy".to_owned(), "no-such-step".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("no-such-step"));
    }
}
