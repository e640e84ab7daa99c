//! `cargo xtask zynq`: the gateway for the ZYNQ-7045 board, built, tested and booted without one.
//!
//! Compiler, library, kernel and emulator are Debian's own; all of them live in private folders
//! below `target/zynq`. Nothing of another architecture is installed on the system.

mod board;
mod boot;
mod collector;
pub(crate) mod msrv;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

const TARGET: &str = "armv7-unknown-linux-gnueabihf";
/// The largest program and the most memory that the board may need (issue of the gateway).
const BINARY_BYTES_MAX: u64 = 4 << 20;

/// How long one run of apt-get may take, and one script, in seconds for coreutils' `timeout`: a
/// kernel takes five minutes on two idle cores, and half an hour on busy ones.
const INSTALL_SECONDS_MAX: &str = "300";
const SCRIPT_SECONDS_MAX: &str = "2400";

/// Programs that must be there, and the Debian packages that have them.
const BUILD_TOOLS: [(&str, &str); 2] = [
    ("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
    ("qemu-arm-static", "qemu-user-static"),
];
const BOOT_TOOLS: [(&str, &str); 6] = [
    ("qemu-system-arm", "qemu-system-arm"),
    ("cpio", "cpio"),
    ("dtc", "device-tree-compiler"),
    ("bison", "bison"),
    ("flex", "flex"),
    ("bc", "bc"),
];

/// Builds, tests and boots; or only what is named of `build`, `test` and `boot`.
///
/// # Errors
///
/// Fails if a tool is missing and cannot be installed, or if anything does not pass.
pub(crate) fn run(names: &[String]) -> Result<()> {
    const NAMES: [&str; 3] = ["build", "test", "boot"];
    for name in names {
        ensure!(NAMES.contains(&name.as_str()), "zynq: build, test or boot, not `{name}`");
    }
    let wants = |name| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let folder = folder();
    shell::step("zynq tools", || build_tools(&folder))?;
    if wants("build") {
        shell::step("zynq build", || build(&folder))?;
    }
    if wants("test") {
        shell::step("zynq test", || test(&folder))?;
    }
    if wants("boot") {
        shell::step("zynq kernel tools", || tools(&BOOT_TOOLS, &["make", "xz-utils"]))?;
        let kernel = kernel(&[])?.context("the kernel script printed nothing")?;
        shell::step("zynq boot", || boot::run(&folder, &kernel))?;
    }
    Ok(())
}

/// What `cargo ci` runs of it: all that the machine has, or gets within minutes. A kernel is not
/// built here, because that alone can take a quarter of the time that all steps have.
///
/// # Errors
///
/// Fails if something that could be run does not pass.
pub(crate) fn ci() -> Result<()> {
    let folder = folder();
    if let Err(error) = build_tools(&folder) {
        shell::skip("the board's program, its tests and its boots", &format!("{error:#}"));
        return Ok(());
    }
    build(&folder)?;
    test(&folder)?;
    if let Err(error) = tools(&BOOT_TOOLS, &[]) {
        shell::skip("the boots of the emulated board", &format!("{error:#}"));
        return Ok(());
    }
    match kernel(&["--cached"]) {
        Ok(Some(kernel)) => boot::run(&folder, &kernel),
        Ok(None) | Err(_) => {
            let why = "no kernel is kept; `cargo xtask zynq` builds one, once";
            shell::skip("the boots of the emulated board", why);
            Ok(())
        }
    }
}

fn folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| shell::root().join("target"), PathBuf::from)
        .join("zynq")
}

/// Where kernels are kept: outside the work tree, because each takes minutes to build.
fn kernels() -> PathBuf {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    named.or_else(home).map_or_else(folder, |cache| cache.join("duet-zynq"))
}

/// The folder of kernel and device tree; `None` if the script names none.
fn kernel(options: &[&str]) -> Result<Option<PathBuf>> {
    let last = script("kernel.sh", &kernels(), options)?;
    Ok(Some(PathBuf::from(last)).filter(|path| path.is_absolute()))
}

fn build_tools(folder: &Path) -> Result<()> {
    tools(&BUILD_TOOLS, &["libc6-dev-armhf-cross"])?;
    script("toolchain.sh", &folder.join("rust"), &[]).map(drop)
}

/// Installs what is missing, or says what is.
fn tools(tools: &[(&str, &str)], also: &[&str]) -> Result<()> {
    let missing: Vec<&str> =
        tools.iter().filter(|(name, _)| !shell::is_installed(name)).map(|(_, p)| *p).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted: Vec<&str> = missing.into_iter().chain(also.iter().copied()).collect();
    let root = shell::root();
    let is_root = shell::output(shell::program("id", &root).arg("-u"))?.trim() == "0";
    if !is_root || !shell::is_installed("apt-get") {
        bail!("missing Debian packages: {}", wanted.join(" "));
    }
    let apt = || {
        let mut command = shell::program("timeout", &root);
        command.env("DEBIAN_FRONTEND", "noninteractive").args([INSTALL_SECONDS_MAX, "apt-get"]);
        command
    };
    shell::run(apt().args(["-qq", "update"]))?;
    shell::run(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(wanted))
}

/// Runs a script of `xtask/zynq` and returns the last line that it printed.
fn script(name: &str, folder: &Path, options: &[&str]) -> Result<String> {
    let path = shell::root().join("xtask/zynq").join(name);
    let mut command = shell::program("timeout", &shell::root());
    command.args([SCRIPT_SECONDS_MAX, "bash"]).arg(path).arg(folder).args(options);
    let output = shell::output(&mut command)?;
    eprint!("{output}");
    Ok(output.lines().last().unwrap_or_default().to_owned())
}

/// Cargo with Debian's compiler for the board.
fn cross(folder: &Path) -> Command {
    let rust = folder.join("rust/usr");
    let mut command = shell::cargo();
    command
        .env("RUSTC", rust.join("bin/rustc"))
        .env("LD_LIBRARY_PATH", rust.join("lib/x86_64-linux-gnu"))
        // Two compilers must not share a folder.
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER", "arm-linux-gnueabihf-gcc")
        .env("CC_armv7_unknown_linux_gnueabihf", "arm-linux-gnueabihf-gcc")
        .env(
            "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_RUSTFLAGS",
            "-C target-cpu=cortex-a9 -C target-feature=+crt-static",
        )
        .env(
            "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_RUNNER",
            "qemu-arm-static -cpu cortex-a9 -L /usr/arm-linux-gnueabihf",
        )
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true");
    command
}

/// Where the program for the board is.
fn program(folder: &Path) -> PathBuf {
    folder.join("target").join(TARGET).join("release/duet-gateway")
}

fn build(folder: &Path) -> Result<()> {
    let mut command = cross(folder);
    shell::run(command.args(["build", "--release", "-p", "duet-gateway", "--target", TARGET]))?;
    let program = program(folder);
    let bytes = std::fs::metadata(&program).with_context(|| program.display().to_string())?.len();
    eprintln!("{}: {bytes} bytes, static", program.display());
    ensure!(bytes <= BINARY_BYTES_MAX, "{bytes} bytes are more than {BINARY_BYTES_MAX}");
    Ok(())
}

/// Runs the gateway's tests as the board would, with the emulator of its processor, optimised as
/// the program is: most of what they are made of has been compiled for it.
fn test(folder: &Path) -> Result<()> {
    let mut command = cross(folder);
    command.args(["test", "--release", "-p", "duet-gateway", "--lib", "--target", TARGET]);
    shell::run(&mut command)
}
