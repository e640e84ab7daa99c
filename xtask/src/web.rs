//! The web page: built from `web/` into `web/dist`, which is never committed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::shell;

/// The oldest Node that the page's build tools run on.
const NODE_MIN: (u32, u32) = (20, 19);

const NO_NODE: &str = "the web page needs Node 20.19 or newer with npm \
    (Debian 13 or newer: apt-get install nodejs npm; elsewhere: your package manager's `node`)";

/// The folder of the page's sources, if this tree has one.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = shell::root().join("web");
    folder.join("package.json").is_file().then_some(folder)
}

/// Builds the page, whatever is there already.
///
/// # Errors
///
/// Fails if there are no sources, if Node is missing or too old, or if npm fails.
pub(crate) fn build() -> Result<()> {
    let folder = folder().context("this tree has no web/package.json")?;
    install(&folder)?;
    npm(&folder, &["run", "build"])
}

/// Builds the page if it is missing or older than its sources.
///
/// A missing Node is said and passed over: the demo's market and API work without the page.
///
/// # Errors
///
/// Fails if Node is there and the build is not well.
pub(crate) fn build_if_stale() -> Result<()> {
    let Some(folder) = folder() else {
        eprintln!("no web/ in this tree: the demo runs without its page");
        return Ok(());
    };
    if !is_stale(&folder)? {
        return Ok(());
    }
    if let Err(error) = check_node() {
        eprintln!("warning: {error:#}\nwarning: the demo runs without its page");
        return Ok(());
    }
    build()
}

/// Installs exactly the packages of the lock file.
///
/// # Errors
///
/// Fails if Node is missing or too old, or if the lock file and `package.json` disagree.
pub(crate) fn install(folder: &Path) -> Result<()> {
    check_node()?;
    npm(folder, &["ci", "--no-audit", "--no-fund"])
}

/// Runs npm in the page's folder.
///
/// # Errors
///
/// Fails if npm does.
pub(crate) fn npm(folder: &Path, args: &[&str]) -> Result<()> {
    shell::run(shell::program("npm", folder).args(args))
}

fn check_node() -> Result<()> {
    if !shell::is_installed("node") || !shell::is_installed("npm") {
        bail!("{NO_NODE}; found none");
    }
    let version = shell::output(shell::program("node", &shell::root()).arg("--version"))?;
    match release(&version) {
        Some(release) if NODE_MIN <= release => Ok(()),
        Some(_) | None => bail!("{NO_NODE}; found {}", version.trim()),
    }
}

/// The first two numbers of a version as node prints it.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn is_stale(folder: &Path) -> Result<bool> {
    let Ok(built) = std::fs::metadata(folder.join("dist/index.html")) else { return Ok(true) };
    Ok(built.modified()? < newest_source(folder)?)
}

fn newest_source(folder: &Path) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "dist" || name == "node_modules" {
            continue;
        }
        let path = entry.path();
        let modified =
            if path.is_dir() { newest_source(&path)? } else { entry.metadata()?.modified()? };
        newest = newest.max(modified);
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_what_node_prints() {
        assert_eq!(release("v20.20.2\n"), Some((20, 20)));
        assert_eq!(release("v8.0.0"), Some((8, 0)));
        assert_eq!(release("not node"), None);
    }
}
