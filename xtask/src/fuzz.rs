//! `cargo xtask fuzz`: the fuzz targets of the gateway, each for some seconds.

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell;

/// What each target runs for, in seconds, if nothing else is said.
const SECONDS: &str = "60";

/// Runs every target, or the named ones; a number among the names is the seconds of each.
///
/// # Errors
///
/// Fails if cargo-fuzz is missing, a name is unknown, or a target finds something.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if !shell::is_installed("cargo-fuzz") {
        bail!("cargo-fuzz is missing: `cargo install --locked cargo-fuzz`");
    }
    let folder = shell::root().join("crates/gateway");
    let (numbers, names): (Vec<_>, Vec<_>) = args.iter().partition(|a| a.parse::<u32>().is_ok());
    let seconds = numbers.first().map_or(SECONDS, |s| s.as_str());
    let list = shell::output(shell::program("cargo", &folder).args(["fuzz", "list"]))?;
    for name in &names {
        ensure!(list.lines().any(|target| target == *name), "no target `{name}`:\n{list}");
    }
    for target in list.lines().filter(|t| names.is_empty() || names.iter().any(|n| n == t)) {
        shell::step(&format!("fuzz {target}"), || {
            let corpus = folder.join("fuzz/corpus").join(target);
            std::fs::create_dir_all(&corpus).context("the corpus")?;
            let mut command = shell::program("cargo", &folder);
            // The sanitizers' options are not stable, the compiler is.
            command.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "run", target]).arg(corpus);
            if target == "point_map" {
                command.arg(folder.join("tests/fixtures"));
            }
            command.args(["--", "-print_final_stats=1", "-verbosity=0", "-timeout=10"]);
            command.arg(format!("-max_total_time={seconds}"));
            let dictionary = folder.join("fuzz").join(format!("{target}.dict"));
            if dictionary.is_file() {
                command.arg(format!("-dict={}", dictionary.display()));
            }
            shell::run(&mut command)
        })?;
    }
    Ok(())
}
