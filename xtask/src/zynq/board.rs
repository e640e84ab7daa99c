//! The emulated board and its surroundings: card, stations, collector, emulator.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};

use super::collector::{Collector, Line, Reading};
use crate::shell;

/// Seed 07 x 32 of the device, and its public key.
const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const DEVICE: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
/// How long one boot may take; a busy machine emulates slowly.
const BOOT_MAX: Duration = Duration::from_secs(300);
/// How long the emulator's monitor may take to answer.
const MONITOR_MAX: Duration = Duration::from_secs(30);

/// What is done to the board from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The network cable is pulled out.
    Unplug,
    /// It is put in.
    Plug,
    /// The power goes.
    CutPower,
}

/// When an act was done, since the boot began.
pub(super) type Done = (Duration, Act);

/// One boot of the board.
#[derive(Clone, Debug)]
pub(super) struct Boot {
    pub(super) name: &'static str,
    /// The board's clock at its start, in Unix seconds.
    pub(super) clock: i64,
    /// How long the gateway runs at most, in seconds; with `steps`, longer.
    pub(super) seconds: u32,
    /// The gateway stops so many seconds after the light has shown so many things.
    pub(super) lights: u32,
    pub(super) linger: u32,
    /// How often the clock is put on by five minutes.
    pub(super) steps: u32,
    /// Whether the stations are inside the board.
    pub(super) local: bool,
    /// Whether the network is unplugged from the start.
    pub(super) unplugged: bool,
    /// Sensor values that are written when the light has shown so many things:
    /// things:register:value.
    pub(super) pokes: &'static str,
    /// What is done so many seconds after the start of the gateway.
    pub(super) acts: &'static [(u64, Act)],
}

/// What a boot showed.
pub(super) struct Shown {
    name: &'static str,
    /// What the board printed behind "@", with the time since the boot began.
    pub(super) log: Vec<Line>,
    /// What the collector printed.
    pub(super) collected: Vec<Line>,
    /// When the acts were done.
    pub(super) acts: Vec<Done>,
    took: Duration,
}

impl Shown {
    /// Fails, with all that the board printed, unless a line holds `text`.
    pub(super) fn must_have(&self, text: &str) -> Result<()> {
        let has = self.log.iter().any(|line| line.text.contains(text));
        ensure!(has, "{}: no line with `{text}`:\n{}", self.name, self.texts().join("\n"));
        Ok(())
    }

    /// The first number behind `word`.
    pub(super) fn number(&self, word: &str) -> Result<f64> {
        let line = self.log.iter().find_map(|line| line.text.strip_prefix(word));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| {
            format!("{}: no number behind `{word}`:\n{}", self.name, self.texts().join("\n"))
        })
    }

    /// What the light showed, one after the other: trigger and milliseconds.
    pub(super) fn lights(&self) -> Vec<&str> {
        let states = self.log.iter().filter_map(|line| line.text.split_once(" led "));
        let mut lights: Vec<&str> =
            states.filter_map(|(_, state)| Some(state.split_once(" link ")?.0)).collect();
        lights.dedup();
        lights
    }

    /// The readings that were delivered, in their order.
    pub(super) fn readings(&self) -> Vec<Reading> {
        self.collected.iter().filter_map(|line| Reading::parse(&line.text)).collect()
    }

    /// The batches that were delivered: the collector's lines about them.
    pub(super) fn batches(&self) -> Vec<&Line> {
        self.collected.iter().filter(|line| line.text.starts_with(DEVICE)).collect()
    }

    /// One line: times, memory, deliveries.
    pub(super) fn figures(&self) -> Result<String> {
        Ok(format!(
            "{}: userland after {} s, gateway peak {} kB and {} ms of CPU in {} s, \
             available {} kB, {} batches with {} readings delivered, {:.0} s in all",
            self.name,
            self.number("@up ")?,
            self.number("@peak ")?,
            self.number("@cpu ")?,
            self.number("@ran ")?,
            self.number("@available ")?,
            self.batches().len(),
            self.readings().len(),
            self.took.as_secs_f64(),
        ))
    }

    fn texts(&self) -> Vec<&str> {
        self.log.iter().chain(&self.collected).map(|line| &*line.text).collect()
    }
}

/// An emulated board with a card, and what surrounds it on this machine.
pub(super) struct Board {
    folder: PathBuf,
    kernel: PathBuf,
    host: PathBuf,
    collector_port: u16,
}

/// Where the parts of every board are.
pub(super) struct Parts {
    /// The folder of all that `zynq` makes.
    pub(super) folder: PathBuf,
    /// The folder of kernel and device tree.
    pub(super) kernel: PathBuf,
    /// The gateway for the board, and the same for this machine.
    pub(super) program: PathBuf,
    pub(super) host: PathBuf,
}

impl Board {
    /// A board with an empty card, and a first file system with the init script, busybox, the
    /// gateway, its map and its key. The map's ports become free ones of this machine.
    pub(super) fn new(parts: &Parts, name: &str, map: &str) -> Result<Self> {
        let folder = parts.folder.join("boot").join(name);
        let files = folder.join("files");
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(files.join("bin"))?;
        // Debian moved it between releases.
        let busybox = ["bin/busybox", "usr/bin/busybox"]
            .map(|path| parts.folder.join("rust/busybox").join(path))
            .into_iter()
            .find(|path| path.is_file());
        fs::copy(busybox.context("no busybox")?, files.join("bin/busybox"))?;
        fs::copy(shell::root().join("xtask/zynq/init"), files.join("init"))?;
        fs::copy(&parts.program, files.join("gateway"))?;
        let (map, collector_port) = with_free_ports(map)?;
        let local = map.replace("address = \"10.0.2.2:", "address = \"127.0.0.1:");
        fs::write(files.join("gateway.toml"), &map)?;
        fs::write(files.join("local.toml"), &local)?;
        fs::write(folder.join("host.toml"), &local)?;
        fs::write(files.join("device.key"), SEED)?;
        let pack = "cd files && chmod 700 init gateway bin/busybox && chmod 600 device.key && \
                    find . | cpio --quiet -o -H newc | gzip -6 > ../initrd.gz && cd .. && \
                    truncate -s 64M sd.img && mke2fs -q -F -t ext4 sd.img";
        shell::output(shell::program("sh", &folder).args(["-c", pack]))?;
        let (kernel, host) = (parts.kernel.clone(), parts.host.clone());
        Ok(Self { folder, kernel, host, collector_port })
    }

    /// Starts the board, lets it run to its end, and returns what it showed.
    ///
    /// # Errors
    ///
    /// Fails if it does not end by itself in time.
    pub(super) fn boot(&self, boot: &Boot) -> Result<Shown> {
        let collector = Collector::start(&self.host, self.collector_port, DEVICE)?;
        let mut stations = if boot.local { None } else { Some(self.stations(boot.clock)?) };
        let start = shell::now();
        let ran = self.run(boot, start);
        if let Some(stations) = &mut stations {
            stations.kill()?;
            stations.wait()?;
        }
        let collected = collector.finish()?;
        let (log, acts) = ran.with_context(|| boot.name)?;
        Ok(Shown { name: boot.name, log, collected, acts, took: start.elapsed() })
    }

    fn run(&self, boot: &Boot, start: Instant) -> Result<(Vec<Line>, Vec<Done>)> {
        let monitor = self.folder.join("monitor");
        drop(fs::remove_file(&monitor));
        let mut qemu = self.emulator(boot, &monitor).spawn().context("qemu-system-arm")?;
        let output = qemu.stdout.take().context("qemu has no output")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            // The other end has gone if the boot took too long.
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(Line { after: start.elapsed(), text }).is_err() {
                    return;
                }
            }
        });
        let mut watch = Watch { boot, start, monitor, log: Vec::new(), acts: Vec::new() };
        let watched = watch.follow(&lines, &mut qemu);
        let is_cut = watch.acts.iter().any(|(_, act)| *act == Act::CutPower);
        if watched.is_err() || is_cut {
            qemu.kill()?;
        }
        // It has closed its output, and ends.
        let ended = qemu.wait()?;
        watched?;
        ensure!(ended.success() || is_cut, "{ended}");
        Ok((watch.log, watch.acts))
    }

    fn emulator(&self, boot: &Boot, monitor: &Path) -> Command {
        let mut command = Command::new("qemu-system-arm");
        command.args(["-M", "xilinx-zynq-a9", "-m", "1G", "-nographic", "-no-reboot"]);
        command.args(["-serial", "null", "-serial", "stdio"]);
        command.arg("-monitor").arg(format!("unix:{},server,nowait", monitor.display()));
        command.arg("-kernel").arg(self.kernel.join("zImage"));
        command.arg("-dtb").arg(self.kernel.join("gateway-7045.dtb"));
        command.arg("-initrd").arg(self.folder.join("initrd.gz"));
        command.arg("-append").arg(append(boot));
        command.args(["-nic", "user,id=n0", "-drive"]);
        command.arg(format!("file={},if=sd,format=raw", self.folder.join("sd.img").display()));
        // What it says about the second network interface, which nobody uses, is of no use.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// The simulated stations on this machine, with the board's time of day. The board is up some
    /// seconds after it starts; a tag may be a minute ahead.
    fn stations(&self, clock: i64) -> Result<Child> {
        let now: i64 =
            shell::output(shell::program("date", &self.folder).arg("+%s"))?.trim().parse()?;
        let mut command = Command::new(&self.host);
        command.arg("simulate").arg(self.folder.join("host.toml"));
        command.args(["--ahead-s", &(clock - now - 3).to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().context("the simulated stations")
    }
}

/// Follows a boot and acts on it.
struct Watch<'a> {
    boot: &'a Boot,
    start: Instant,
    monitor: PathBuf,
    log: Vec<Line>,
    acts: Vec<Done>,
}

impl Watch<'_> {
    fn follow(&mut self, lines: &Receiver<Line>, qemu: &mut Child) -> Result<()> {
        if self.boot.unplugged {
            tell(&self.monitor, Act::Unplug)?;
        }
        let mut gateway_began = None;
        loop {
            let next = self.boot.acts.get(self.acts.len());
            let due =
                next.zip(gateway_began).map(|((s, _), began)| began + Duration::from_secs(*s));
            let until = due.unwrap_or(BOOT_MAX).min(BOOT_MAX);
            match lines.recv_timeout(until.saturating_sub(self.start.elapsed())) {
                Ok(line) if line.text.starts_with('@') => {
                    eprintln!(
                        "{}: {:.1} s {}",
                        self.boot.name,
                        line.after.as_secs_f64(),
                        line.text
                    );
                    if line.text.starts_with("@gateway") {
                        gateway_began = Some(line.after);
                    }
                    self.log.push(line);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => match next.filter(|_| until < BOOT_MAX) {
                    Some((_, Act::CutPower)) => {
                        self.note(Act::CutPower);
                        qemu.kill()?;
                    }
                    Some((_, act)) => {
                        tell(&self.monitor, *act)?;
                        self.note(*act);
                    }
                    None => return Err(anyhow!("it did not end in {BOOT_MAX:?}")),
                },
            }
        }
    }

    fn note(&mut self, act: Act) {
        let after = self.start.elapsed();
        eprintln!("{}: {:.1} s {act:?}", self.boot.name, after.as_secs_f64());
        self.acts.push((after, act));
    }
}

/// The map with free ports for every address on the host, and the collector's port.
fn with_free_ports(map: &str) -> Result<(String, u16)> {
    let (mut out, mut collector) = (String::new(), None);
    let mut held = Vec::new();
    for line in map.lines() {
        let Some((head, _)) = line.split_once("\"10.0.2.2:") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let port = if head.starts_with("target") {
            let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
            collector = Some(port);
            port
        } else {
            // All are held until all are found, so that they differ.
            let listener = TcpListener::bind("127.0.0.1:0")?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            port
        };
        out.push_str(&format!("{head}\"10.0.2.2:{port}\"\n"));
    }
    Ok((out, collector.context("the map has no target")?))
}

fn append(boot: &Boot) -> String {
    let local = if boot.local { " gwlocal=1" } else { "" };
    let pokes = if boot.pokes.is_empty() { "" } else { " gwpokes=" };
    format!(
        "console=ttyPS0,115200 maxcpus=1 panic=-1 quiet gwtime={} gwseconds={} gwlights={} gwlinger={} \
         gwsteps={}{local}{pokes}{}",
        boot.clock, boot.seconds, boot.lights, boot.linger, boot.steps, boot.pokes
    )
}

/// Pulls or puts in the cable through the emulator's monitor, which is there a moment after the
/// emulator, and says that it has done so by its next prompt.
fn tell(monitor: &Path, act: Act) -> Result<()> {
    let mut stream = connect(monitor)?;
    stream.set_read_timeout(Some(MONITOR_MAX))?;
    prompt(&mut stream)?;
    let state = if act == Act::Plug { "on" } else { "off" };
    writeln!(stream, "set_link n0 {state}")?;
    prompt(&mut stream)
}

fn connect(monitor: &Path) -> Result<UnixStream> {
    for _ in 0..300 {
        if let Ok(stream) = UnixStream::connect(monitor) {
            return Ok(stream);
        }
        pause(Duration::from_millis(100));
    }
    Err(anyhow!("no monitor at {}", monitor.display()))
}

fn prompt(stream: &mut UnixStream) -> Result<()> {
    let mut said = Vec::new();
    while !said.ends_with(b"(qemu) ") {
        let mut byte = [0];
        stream.read_exact(&mut byte).context("the emulator's monitor")?;
        said.extend(byte);
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "waits for an emulator; no product code")]
fn pause(time: Duration) {
    thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_the_host_gets_a_port_of_its_own() {
        let map = "target = \"10.0.2.2:1\"\naddress = \"10.0.2.2:2\"\nname = \"x\"\naddress = \"10.0.2.2:3\"";
        let (map, port) = with_free_ports(map).unwrap();
        let ports: Vec<u16> = map
            .lines()
            .filter_map(|line| line.split_once(":")?.1.trim_end_matches('"').parse().ok())
            .collect();
        assert_eq!((ports.len(), ports[0]), (3, port), "{map}");
        assert!(ports[1] != ports[2] && map.contains("name = \"x\""), "{map}");
    }
}
