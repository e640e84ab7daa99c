//! Boots of the emulated board, each bounded in time.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{program, shell};

/// Seed 07 x 32 of the device, and its public key.
const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const DEVICE: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
/// 2026-07-06T10:15:00+08:00, the end of a period.
const PERIOD_END: i64 = 1_783_304_100;
/// How long one boot may take, in seconds; a busy machine emulates slowly.
const BOOT_SECONDS_MAX: &str = "180";
/// Memory that the gateway may use on the board.
const RSS_KB_MAX: u64 = 64 << 10;

/// One boot of the board.
struct Boot {
    name: &'static str,
    /// Seconds before the end of a period at which the board's clock starts.
    before_end_s: i64,
    /// Raw values of the XADC: temperature and core voltage.
    temperature: u16,
    core: u16,
    /// How long the gateway runs, in seconds.
    seconds: u32,
    /// Whether the stations are inside the board.
    local: bool,
    /// Whether the network is cut from the start.
    unplugged: bool,
    /// Whether the power is cut after so many seconds of the gateway.
    cut_after_s: Option<u64>,
}

const NORMAL: Boot = Boot {
    name: "normal",
    before_end_s: 15,
    temperature: 2_585,
    core: 1_365,
    seconds: 30,
    local: false,
    unplugged: false,
    cut_after_s: None,
};

/// What a boot printed behind "@".
struct Log(Vec<String>);

impl Log {
    fn has(&self, text: &str) -> bool {
        self.0.iter().any(|line| line.contains(text))
    }

    fn number(&self, word: &str) -> Option<u64> {
        let line = self.0.iter().find_map(|line| line.strip_prefix(word))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

/// Boots a normal day, a hot board with a low core voltage, and a power cut with the network down.
///
/// # Errors
///
/// Fails if a boot does not end, or does not show what it must.
pub(super) fn run(folder: &Path, kernel: &Path) -> Result<()> {
    shell::run(shell::cargo().args(["build", "-p", "duet-gateway"]))?;
    let host = host_program(folder);
    let board = Board { folder: folder.join("boot"), kernel: kernel.to_owned(), host };
    board.prepare(&program(folder))?;
    normal(&board)?;
    hot(&board)?;
    power_cut(&board)
}

fn host_program(folder: &Path) -> PathBuf {
    folder.parent().unwrap_or(folder).join("debug/duet-gateway")
}

fn normal(board: &Board) -> Result<()> {
    board.new_card()?;
    let mut collector = board.collect()?;
    let log = board.boot(&NORMAL)?;
    let batches = collector.finish()?;
    let rss = log.number("@rss").context("no memory figure")?;
    eprintln!("normal: resident {rss} kB, {} batches collected", batches.len());
    ensure!(rss <= RSS_KB_MAX, "{rss} kB are more than {RSS_KB_MAX}");
    ensure!(log.has("@board temperature 45033 Normal"), "the temperature: {:?}", log.0);
    ensure!(log.has("@led none 1"), "the light is not steady: {:?}", log.0);
    ensure!(log.has("@out stations 2 up 0 down"), "the stations: {:?}", log.0);
    ensure!(!batches.is_empty(), "nothing was delivered: {:?}", log.0);
    Ok(())
}

fn hot(board: &Board) -> Result<()> {
    board.new_card()?;
    // 86.9 degrees, and 0.952 V for 1.0 V.
    let log = board.boot(&Boot { name: "hot", temperature: 2_925, core: 1_300, ..NORMAL })?;
    ensure!(log.has("@board temperature 86867 Alarm"), "the temperature: {:?}", log.0);
    ensure!(log.has("@board vccint 952 Alarm"), "the core voltage: {:?}", log.0);
    ensure!(log.has("@led timer") && log.has(" 100"), "the light: {:?}", log.0);
    Ok(())
}

/// The network is down while a period ends, then the power goes. After the next start, with the
/// network, what was kept is delivered.
fn power_cut(board: &Board) -> Result<()> {
    board.new_card()?;
    let cut = Boot { name: "cut", local: true, unplugged: true, cut_after_s: Some(25), ..NORMAL };
    board.boot(&cut)?;
    let mut collector = board.collect()?;
    let after = Boot { name: "replay", local: true, before_end_s: -60, seconds: 15, ..NORMAL };
    let log = board.boot(&after)?;
    let batches = collector.finish()?;
    eprintln!("power cut: {} batches delivered after it", batches.len());
    ensure!(
        batches.iter().any(|b| b.split(' ').nth(1) == Some("1")),
        "the first batch is lost: {:?}",
        log.0
    );
    ensure!(batches.iter().all(|b| b.contains("missing []")), "{batches:?}");
    Ok(())
}

/// The emulated board and its surroundings on this machine.
struct Board {
    folder: PathBuf,
    kernel: PathBuf,
    host: PathBuf,
}

impl Board {
    /// Packs the first file system: the init script, busybox, the gateway, its map and key.
    fn prepare(&self, program: &Path) -> Result<()> {
        let files = self.folder.join("files");
        drop(fs::remove_dir_all(&files));
        fs::create_dir_all(files.join("bin"))?;
        let sources = shell::root().join("xtask/zynq");
        // Debian moved it between releases.
        let busybox = ["bin/busybox", "usr/bin/busybox"]
            .map(|path| self.folder.join("../rust/busybox").join(path))
            .into_iter()
            .find(|path| path.is_file());
        fs::copy(busybox.context("no busybox")?, files.join("bin/busybox"))?;
        fs::copy(sources.join("init"), files.join("init"))?;
        fs::copy(program, files.join("gateway"))?;
        let map = fs::read_to_string(sources.join("gateway.toml"))?;
        fs::write(files.join("gateway.toml"), &map)?;
        fs::write(self.folder.join("host.toml"), map.replace("10.0.2.2", "127.0.0.1"))?;
        fs::write(files.join("device.key"), SEED)?;
        let pack = "chmod 700 init gateway bin/busybox && chmod 600 device.key && \
                    find . | cpio --quiet -o -H newc | gzip -9 > ../initrd.gz";
        shell::run(shell::program("sh", &files).args(["-c", pack]))
    }

    /// A new card of 64 MB with an empty ext4 file system.
    fn new_card(&self) -> Result<()> {
        let card = "truncate -s 64M sd.img && mke2fs -q -F -t ext4 sd.img";
        drop(fs::remove_file(self.folder.join("sd.img")));
        shell::run(shell::program("sh", &self.folder).args(["-c", card]))
    }

    fn collect(&self) -> Result<Collector> {
        let mut command = Command::new(&self.host);
        command.args(["collect", "127.0.0.1:17800", DEVICE]).stdout(Stdio::piped());
        Ok(Collector { child: command.spawn().context("the collector")? })
    }

    fn boot(&self, boot: &Boot) -> Result<Log> {
        let start = PERIOD_END - boot.before_end_s;
        let mut stations = self.stations(start)?;
        let monitor = self.folder.join("monitor");
        drop(fs::remove_file(&monitor));
        let mut command = Command::new("timeout");
        command.arg("-k").arg("5").arg(BOOT_SECONDS_MAX).arg("qemu-system-arm");
        command.args(["-M", "xilinx-zynq-a9", "-m", "1G", "-nographic", "-no-reboot"]);
        command.args(["-serial", "null", "-serial", "stdio"]);
        command.arg("-monitor").arg(format!("unix:{},server,nowait", monitor.display()));
        command.arg("-kernel").arg(self.kernel.join("zImage"));
        command.arg("-dtb").arg(self.kernel.join("gateway-7045.dtb"));
        command.arg("-initrd").arg(self.folder.join("initrd.gz"));
        command.arg("-append").arg(append(boot, start));
        command.args(["-nic", "user,id=n0", "-drive"]);
        command.arg(format!("file={},if=sd,format=raw", self.folder.join("sd.img").display()));
        let mut qemu =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("qemu")?;
        if boot.unplugged {
            tell(&monitor, "set_link n0 off")?;
        }
        let log = read_log(boot, &mut qemu, &monitor);
        let ended = qemu.wait()?;
        drop(stations.kill());
        stations.wait()?;
        let log = log?;
        ensure!(ended.success() || boot.cut_after_s.is_some(), "{}: {ended}", boot.name);
        Ok(log)
    }

    /// The simulated stations on this machine, with the board's time of day. The board is up some
    /// seconds after it starts; a tag may be a minute ahead.
    fn stations(&self, start: i64) -> Result<Child> {
        let now: i64 =
            shell::output(shell::program("date", &self.folder).arg("+%s"))?.trim().parse()?;
        let mut command = Command::new(&self.host);
        command.arg("simulate").arg(self.folder.join("host.toml"));
        command.arg("--ahead-s").arg((start - now - 5).to_string());
        command.stdout(Stdio::null()).spawn().context("the simulated stations")
    }
}

fn append(boot: &Boot, start: i64) -> String {
    let local = if boot.local { " gwlocal=1" } else { "" };
    format!(
        "console=ttyPS0,115200 maxcpus=1 panic=-1 quiet gwtime={start} gwtemp={} gwcore={} \
         gwseconds={}{local}",
        boot.temperature, boot.core, boot.seconds
    )
}

/// Reads the serial line to its end; cuts the power where the boot says so.
fn read_log(boot: &Boot, qemu: &mut Child, monitor: &Path) -> Result<Log> {
    let output = qemu.stdout.take().context("qemu has no output")?;
    let mut lines = Vec::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
        if !line.starts_with('@') {
            continue;
        }
        eprintln!("{}: {line}", boot.name);
        if let Some(seconds) = boot.cut_after_s.filter(|_| line.starts_with("@up")) {
            pause(Duration::from_secs(seconds));
            tell(monitor, "quit")?;
        }
        lines.push(line);
    }
    Ok(Log(lines))
}

/// One command to the emulator's monitor, which is there a moment after the emulator.
fn tell(monitor: &Path, command: &str) -> Result<()> {
    for _ in 0..100 {
        if let Ok(mut stream) = UnixStream::connect(monitor) {
            return Ok(writeln!(stream, "{command}")?);
        }
        pause(Duration::from_millis(100));
    }
    Err(anyhow::anyhow!("no monitor at {}", monitor.display()))
}

#[expect(clippy::disallowed_methods, reason = "waits for an emulator; no product code")]
fn pause(time: Duration) {
    thread::sleep(time);
}

/// The receiving end of the one-way export.
struct Collector {
    child: Child,
}

impl Collector {
    /// Ends it and returns the lines it printed.
    fn finish(&mut self) -> Result<Vec<String>> {
        self.child.kill()?;
        let output = self.child.stdout.take().context("the collector has no output")?;
        let lines: Result<Vec<String>, _> = BufReader::new(output).lines().collect();
        self.child.wait()?;
        Ok(lines?)
    }
}
