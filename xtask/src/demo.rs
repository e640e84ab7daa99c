//! `cargo demo`: the page and the release program are built, then the program takes over.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{shell, web};

/// The demo's option that names the folder of the built page.
const WEB_DIR: &str = "--web-dir";

/// Builds what the demo needs and runs `duet demo` with `args`.
///
/// On Unix this process becomes the program, so that signals, process id and exit code are its own.
///
/// # Errors
///
/// Fails if a build fails or the program cannot be started.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    web::build_if_stale()?;
    let program = build()?;
    let args = without_separator(args);
    let mut command = Command::new(&program);
    command.arg("demo").args(args);
    // The program need not run where the tree lies, so it is told where the page is.
    let page = shell::root().join("web/dist");
    let names_page = args.iter().any(|arg| arg.starts_with(WEB_DIR));
    if page.is_dir() && !names_page && has_option(&program, WEB_DIR) {
        command.arg(WEB_DIR).arg(page);
    }
    take_over(&mut command).with_context(|| format!("{} cannot be started", program.display()))
}

/// Builds the release program and returns where it lies.
///
/// # Errors
///
/// Fails if it does not compile.
pub(crate) fn build() -> Result<PathBuf> {
    eprintln!("building `duet` (the first build compiles the consensus engine: some minutes)");
    let messages = shell::output(shell::cargo().args([
        "build",
        "--release",
        "--package=duet-cli",
        "--bin=duet",
        "--message-format=json-render-diagnostics",
    ]))?;
    messages.lines().filter_map(executable).next_back().context("cargo named no program")
}

/// Whether `duet demo` of this build has an option, by its own help.
pub(crate) fn has_option(program: &Path, option: &str) -> bool {
    let help = Command::new(program).args(["demo", "--help"]).stdin(Stdio::null()).output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains(option))
}

/// `cargo demo -- --once` hands over the `--` that was meant for cargo's alias.
fn without_separator(args: &[String]) -> &[String] {
    match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        Some(_) | None => args,
    }
}

fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    Some(message.get("executable")?.as_str()?.into())
}

#[cfg(unix)]
fn take_over(command: &mut Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn take_over(command: &mut Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_separator_is_dropped() {
        let args =
            |words: &[&str]| words.iter().map(|word| (*word).into()).collect::<Vec<String>>();
        assert_eq!(without_separator(&args(&["--", "--once", "--"])), args(&["--once", "--"]));
        assert_eq!(without_separator(&args(&["--once", "--"])), args(&["--once", "--"]));
        assert!(without_separator(&[]).is_empty());
    }

    #[test]
    fn the_program_is_the_executable_that_cargo_names() {
        let library = r#"{"reason":"compiler-artifact","executable":null}"#;
        let program = r#"{"reason":"compiler-artifact","executable":"target/release/duet"}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable(program), Some("target/release/duet".into()));
        assert_eq!(executable("no JSON"), None);
    }
}
