//! `cargo xtask zynq`: the gateway for the ZYNQ-7045 board, built, tested and booted without one.
//!
//! Compiler, library, kernel and emulator are Debian's own; all of them live in private folders
//! below `target/zynq`. Nothing of another architecture is installed on the system.

mod boot;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

const TARGET: &str = "armv7-unknown-linux-gnueabihf";
/// The largest program and the most memory that the board may need (issue of the gateway).
const BINARY_BYTES_MAX: u64 = 4 << 20;

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

/// Builds, tests and boots; with `build`, `test` or `boot` only up to that.
///
/// # Errors
///
/// Fails if a tool is missing and cannot be installed, or if anything does not pass.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let upto = args.first().map_or("boot", String::as_str);
    ensure!(["build", "test", "boot"].contains(&upto), "zynq: build, test or boot, not `{upto}`");
    let folder = folder();
    shell::step("zynq tools", || {
        tools(&BUILD_TOOLS, &["libc6-dev-armhf-cross"])?;
        script("toolchain.sh", &folder.join("rust")).map(drop)
    })?;
    shell::step("zynq build", || build(&folder))?;
    if upto == "build" {
        return Ok(());
    }
    shell::step("zynq test", || {
        let mut command = cross(&folder);
        shell::run(command.args(["test", "-p", "duet-gateway", "--lib", "--target", TARGET]))
    })?;
    if upto == "test" {
        return Ok(());
    }
    shell::step("zynq kernel", || tools(&BOOT_TOOLS, &["make", "xz-utils"]))?;
    let kernel = PathBuf::from(script("kernel.sh", &folder)?.trim());
    shell::step("zynq boot", || boot::run(&folder, &kernel))
}

fn folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| shell::root().join("target"), PathBuf::from)
        .join("zynq")
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
    shell::run(shell::program("apt-get", &root).args(["-qq", "update"]))?;
    let mut install = shell::program("apt-get", &root);
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(wanted);
    shell::run(&mut install)
}

/// Runs a script of `xtask/zynq` and returns the last line that it printed.
fn script(name: &str, argument: &Path) -> Result<String> {
    let path = shell::root().join("xtask/zynq").join(name);
    let mut command = shell::program("bash", &shell::root());
    let output = shell::output(command.arg(path).arg(argument))?;
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
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
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
