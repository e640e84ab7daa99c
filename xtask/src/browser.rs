//! The browser that the page's tests drive: found, or installed where that is possible.

use std::path::Path;

use anyhow::{Result, bail};

use crate::shell;

/// Names under which Chromium is packaged, the likeliest first.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Returns the name of a Chromium on the search path; on Debian, root installs it.
///
/// # Errors
///
/// Fails with what to install if there is none and this process may not install it.
pub(crate) fn chromium() -> Result<&'static str> {
    if let Some(name) = installed() {
        return Ok(name);
    }
    let debian = Path::new("/etc/debian_version").is_file() && shell::is_installed("apt-get");
    if !debian || !is_root()? {
        bail!("the browser test needs Chromium (Debian, as root: apt-get install chromium)");
    }
    let apt = |args: &[&str]| {
        let mut command = shell::program("apt-get", &shell::root());
        shell::run(command.env("DEBIAN_FRONTEND", "noninteractive").args(args))
    };
    apt(&["update", "-q"])?;
    // The font is for the Chinese page: without it a screenshot shows boxes.
    apt(&["install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-noto-cjk"])?;
    match installed() {
        Some(name) => Ok(name),
        None => bail!("apt-get installed no program named chromium"),
    }
}

fn installed() -> Option<&'static str> {
    NAMES.into_iter().find(|name| shell::is_installed(name))
}

fn is_root() -> Result<bool> {
    Ok(shell::output(shell::program("id", &shell::root()).arg("-u"))?.trim() == "0")
}
