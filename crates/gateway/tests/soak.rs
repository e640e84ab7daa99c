//! A thousand points a second for as long as is asked for: nothing lost, and what it costs.
//!
//! The gateway is the real program in a process of its own, with its outbox and the one-way export
//! as its way out; the simulated plant, the wires that count and the collector are in this one.
//! `DUET_SECONDS` and `DUET_POINTS` make it longer or larger; `cargo xtask soak` does so.
#![expect(clippy::print_stderr, reason = "the figures are for whoever asked for a long run")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use duet_gateway::clock::{Ahead, Clock as _, SystemClock};
use duet_gateway::device::Device;
use duet_gateway::point_map::PointMap;
use duet_gateway::reading::PeriodReading;
use duet_gateway::simulate::{Behaviour, ModbusServer, Plant, serve_iec104, serve_modbus};
use duet_gateway::uplink::{Collector, Taken};
use tokio::net::UdpSocket;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use support::many_points::{STATIONS, stations};
use support::wire::{Protocol, Wire};

const PERIOD_MS: i64 = 900_000;
/// The longest run, in seconds: one period has room for it.
const SECONDS_MAX: u32 = 850;
/// The time that all may take to connect before energy flows, and how long before the end of the
/// period the registers stand still.
const BEGINNING: Duration = Duration::from_secs(4);
const STANDSTILL: Duration = Duration::from_secs(2);
/// How long nothing may come before nothing more is expected.
const SILENCE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

/// A whole number of the environment.
fn wanted(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a whole number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_points_a_second_are_all_taken_and_counted_to_the_kwh() {
    let (seconds, points) = (wanted("DUET_SECONDS", 3), wanted("DUET_POINTS", 1_000));
    assert!(points > 0 && points.is_multiple_of(20), "points: a multiple of 20");
    assert!((1..=SECONDS_MAX).contains(&seconds), "seconds: at most {SECONDS_MAX}");
    let folder = std::env::temp_dir().join(format!("duet-soak-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let until_end = BEGINNING + Duration::from_secs(u64::from(seconds)) + STANDSTILL;
    let ahead_s = ahead_of_period_end(until_end);
    let end = Instant::now() + until_end;
    let mut field = Field::start(points, ahead_s).await;
    let sink = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let map = write_map(&folder, &field, &sink);
    let collecting = collect(sink, field.units);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut gateway = start_gateway(&map, ahead_s);

    field.answers_with_all_points().await;
    field.run(u64::from(seconds)).await;
    assert!(Instant::now() < end, "the machine was too busy to keep up with the plant");
    sleep_until(end).await;
    let readings = timeout(PATIENCE, collecting).await.expect("the period is reported");
    // Nobody sends any more, and what was sent arrives.
    field.plant.hold(true);
    sleep(SILENCE).await;
    let cost = Cost::of(&gateway);
    let said = stop(&mut gateway).await;
    let readings = readings.expect("it collects");

    let (sent, taken) = (field.sent(), number_after(&said, "values "));
    eprintln!("{points} points at 1 s for {seconds} s, load at the start {}", load.trim());
    eprintln!("values sent {sent}, taken {taken}; {}", said.trim());
    eprintln!("gateway: {:.2} s of CPU, peak {} kB", cost.cpu_s, cost.peak_kb);
    assert_eq!(taken, sent, "each value that a station sent is taken once");
    // The stations send some seconds longer than energy flows: a poll may be late.
    assert!(sent >= u64::from(points) * u64::from(seconds), "a value a second of each point");
    assert_eq!(number_after(&said, "doubtful "), 0, "{said}");
    assert!(said.contains(&format!("stations {STATIONS} up 0 down")), "{said}");
    assert!(said.contains("backlog 0 of"), "{said}");
    let counted = field.check(&readings, end_of_period(ahead_s));
    eprintln!("readings {}, {counted} kWh as the registers counted", readings.len());
    drop(std::fs::remove_dir_all(&folder));
}

/// How far ahead a clock must be for a period to end in `time`.
fn ahead_of_period_end(time: Duration) -> i64 {
    let now = SystemClock.now().unix_ms();
    let end = now + i64::try_from(time.as_millis()).expect("a short time");
    // Rounded down: the period ends a little late rather than early.
    (end.div_euclid(PERIOD_MS) * PERIOD_MS + PERIOD_MS - end).div_euclid(1_000)
}

/// The end of the period that has just ended on that clock.
fn end_of_period(ahead_s: i64) -> i64 {
    let now = SystemClock.now().unix_ms() + ahead_s * 1_000;
    now.div_euclid(PERIOD_MS) * PERIOD_MS
}

/// The stations, with wires to them.
struct Field {
    plant: Plant,
    wires: Vec<Wire>,
    _servers: Vec<ModbusServer>,
    units: u32,
    points: u32,
}

impl Field {
    /// Machines that stand still, each with a power of its own.
    async fn start(points: u32, ahead_s: i64) -> Self {
        let map = map(points, "127.0.0.1:9", |_| "127.0.0.1:1".to_owned());
        let plant = Plant::new(&map, Behaviour { noise_permille: 0, ..Behaviour::default() });
        let units = points / 2;
        for unit in 1..=units {
            let watts = 60_000_000 + i64::from(unit) * 100_003;
            plant.with(&format!("u{unit}.energy"), |m| m.run_at(watts)).expect("a machine");
        }
        let clock = Arc::new(Ahead { clock: SystemClock, ms: ahead_s * 1_000 });
        let (any, every) = (([127, 0, 0, 1], 0).into(), Duration::from_secs(1));
        let (mut wires, mut servers) = (Vec::new(), Vec::new());
        for station in &map.iec104 {
            let server = serve_iec104(station, &plant, clock.clone(), any, every).await;
            wires.push(Wire::to(server.expect("starts"), Protocol::Iec104).await);
        }
        for station in &map.modbus {
            let server = serve_modbus(station, &plant, any).await.expect("starts");
            wires.push(Wire::to(server.address, Protocol::Modbus).await);
            servers.push(server);
        }
        Self { plant, wires, _servers: servers, units, points }
    }

    /// Waits until each station has sent each of its points: no energy flows before.
    async fn answers_with_all_points(&self) {
        let each = u64::from(self.points / STATIONS);
        let all = async {
            // An interrogation gives the energy twice.
            while !self.wires.iter().all(|wire| wire.values() >= each * 2) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, all).await.expect("the gateway reads every station");
    }

    /// Lets energy flow for so many seconds.
    async fn run(&mut self, seconds: u64) {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for second in 1..=seconds {
            ticks.tick().await;
            self.plant.flow(1_000);
            if second.is_multiple_of(60) {
                eprintln!("{second} s, {} values sent", self.sent());
            }
        }
    }

    fn sent(&self) -> u64 {
        self.wires.iter().map(Wire::values).sum()
    }

    /// Whether the readings of the period that ended are the energy that the registers counted;
    /// returns it in kWh.
    fn check(&self, readings: &[PeriodReading], end: i64) -> i64 {
        let mut last = BTreeMap::new();
        for reading in readings {
            assert_eq!(reading.period.start().unix_ms() + PERIOD_MS, end, "{reading:?}");
            last.insert(reading.unit.0, (reading.version, reading.energy.kwh()));
        }
        assert_eq!(last.len(), readings.len(), "each unit is reported once");
        let counted = |unit: u32| {
            let register = self.plant.with(&format!("u{unit}.energy"), |m| m.counts(100, 1 << 31));
            i64::try_from(register.expect("a machine") * 100 / 1_000).expect("it fits")
        };
        let should: BTreeMap<_, _> = (1..=self.units).map(|u| (u, (1, counted(u)))).collect();
        assert_eq!(last, should, "unit: version, kWh");
        should.values().map(|(_, kwh)| *kwh).sum()
    }
}

fn map(points: u32, target: &str, address: impl Fn(u32) -> String) -> PointMap {
    PointMap::parse(&map_text(Path::new("."), points, target, address)).expect("a point map")
}

fn map_text(folder: &Path, points: u32, target: &str, address: impl Fn(u32) -> String) -> String {
    format!(
        "[gateway]\nname = \"soak\"\ndata = \"{0}/data\"\nresolution = \"quarter\"\n\
         close_after_s = 30\nseal_after_s = 1\ntick_ms = 250\n\
         [device]\nkey = \"{0}/device.key\"\nchannel = \"{1}\"\n\
         [one_way]\ntarget = \"{target}\"\nrepeat = 2\n{2}",
        folder.display(),
        "09".repeat(32),
        stations(points, address)
    )
}

fn write_map(folder: &Path, field: &Field, sink: &UdpSocket) -> PathBuf {
    let address = |station: u32| {
        field.wires[usize::try_from(station).expect("few stations")].address.to_string()
    };
    let target = sink.local_addr().expect("an address").to_string();
    let path = folder.join("gateway.toml");
    std::fs::write(&path, map_text(folder, field.points, &target, address)).expect("a file");
    let key = folder.join("device.key");
    std::fs::write(&key, "07".repeat(32)).expect("a file");
    set_private(&key);
    path
}

fn set_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("a file of ours");
}

fn start_gateway(map: &Path, ahead_s: i64) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duet-gateway"));
    command.arg("run").arg(map).args(["--ahead-s", &ahead_s.to_string()]);
    command.stdout(Stdio::piped()).env("DUET_LOG", "warn").kill_on_drop(true);
    command.spawn().expect("the gateway starts")
}

/// Interrupts the gateway; returns what it said at its end.
async fn stop(gateway: &mut Child) -> String {
    use tokio::io::AsyncReadExt as _;
    let id = gateway.id().expect("it runs").to_string();
    let status = Command::new("kill").args(["-INT", &id]).status().await;
    assert!(status.expect("kill").success(), "it ran until now");
    let mut said = String::new();
    let mut output = gateway.stdout.take().expect("piped");
    let all = output.read_to_string(&mut said);
    timeout(PATIENCE, all).await.expect("it ends").expect("text");
    assert!(gateway.wait().await.expect("it ends").success(), "{said}");
    said
}

/// Takes what comes over the one-way link until each unit has been reported and nothing more comes.
fn collect(sink: UdpSocket, units: u32) -> JoinHandle<Vec<PeriodReading>> {
    tokio::spawn(async move {
        let device = Device::from_seed([7; 32], [9; 32]).public();
        let mut collector = Collector::new([device]);
        let (mut readings, mut datagram) = (Vec::new(), vec![0; 2_000]);
        let mut patience = Duration::from_secs(u64::from(SECONDS_MAX) * 2);
        while let Ok(length) = timeout(patience, sink.recv(&mut datagram)).await {
            let taken = collector.take(&datagram[..length.expect("loopback")]);
            if let Taken::New(batch) = taken.expect("a signed batch") {
                readings.extend_from_slice(batch.readings());
            }
            if u32::try_from(readings.len()).is_ok_and(|count| count >= units) {
                patience = SILENCE;
            }
        }
        assert_eq!(collector.missing(&device), (vec![], 0));
        readings
    })
}

/// What the gateway's process has cost.
struct Cost {
    cpu_s: f64,
    peak_kb: u64,
}

impl Cost {
    fn of(process: &Child) -> Self {
        let file = |name| {
            let path = format!("/proc/{}/{name}", process.id().expect("it runs"));
            std::fs::read_to_string(path).expect("Linux tells")
        };
        let stat = file("stat");
        // Behind the name, which may hold anything: fields 14 and 15 are user and system time in
        // hundredths of a second.
        let (_, fields) = stat.rsplit_once(") ").expect("a name");
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks: u32 = fields[11..13].iter().map(|t| t.parse::<u32>().expect("a number")).sum();
        let peak_kb = number_after(&file("status").replace('\t', " "), "VmHWM:");
        Self { cpu_s: f64::from(ticks) / 100.0, peak_kb }
    }
}

/// The first number behind `word`.
fn number_after(text: &str, word: &str) -> u64 {
    let (_, rest) = text.split_once(word).unwrap_or_else(|| panic!("no `{word}` in {text}"));
    let digits = rest.trim_start().split(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|d| d.parse().ok()).unwrap_or_else(|| panic!("no number in {text}"))
}
