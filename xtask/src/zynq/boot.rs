//! Boots of the emulated board: what each does to it, and what each must show.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

#[path = "../../../crates/gateway/tests/support/many_points.rs"]
mod many_points;

use super::board::{Act, Board, Boot, Parts, Shown};
use super::collector::Reading;
use super::{program, shell};

/// 2026-07-06T10:15:00+08:00, the end of period 40 of that day, and the day's beginning.
const PERIOD_END: i64 = 1_783_304_100;
const DAY_START: i64 = PERIOD_END - 41 * 900;
const DAY: &str = "2026-07-06";
/// Memory that the gateway may use on the board.
const PEAK_KB_MAX: f64 = 65_536.0;
/// A light that is on, and how fast it blinks.
const STEADY: &str = "none -";
const SLOW: &str = "timer 500";
const FAST: &str = "timer 100";

/// 30 s around the end of a period, nothing happens.
const QUIET: Boot = Boot {
    name: "quiet",
    clock: PERIOD_END - 15,
    seconds: 30,
    lights: 99,
    linger: 0,
    steps: 0,
    local: false,
    unplugged: false,
    pokes: "",
    acts: &[],
};

/// Boots every scene; they wait far more than they compute, so all run at once.
///
/// # Errors
///
/// Fails if a boot does not end, or does not show what it must.
pub(super) fn run(folder: &Path, kernel: &Path) -> Result<()> {
    // The gateway for this machine comes with the test that plays a station, and with the features
    // that the tests are built with: `build` would compile its dependencies once more.
    let test = "simulated_station";
    shell::run(shell::cargo().args(["test", "--workspace", "--no-run", "--test", test]))?;
    let host = folder.parent().unwrap_or(folder).join("debug/duet-gateway");
    let parts = Parts {
        folder: folder.to_owned(),
        kernel: kernel.to_owned(),
        program: program(folder),
        host,
    };
    let map = fs::read_to_string(shell::root().join("xtask/zynq/gateway.toml"))?;
    let scenes = [day, alarms, link, power_cut, load];
    let outcomes = thread::scope(|scope| {
        let (parts, map) = (&parts, &map);
        let running = scenes.map(|scene| scope.spawn(move || scene(parts, map)));
        running.map(|scene| scene.join().unwrap_or_else(|_| bail!("a scene panicked")))
    });
    for outcome in outcomes {
        eprintln!("{}", outcome?);
    }
    Ok(())
}

/// A delivery day of two units, every quarter-hour once. The clock is put on five minutes at a
/// time; the machines run in real time, so their energy is small.
fn day(parts: &Parts, map: &str) -> Result<String> {
    // Every period waits for a sample after its end, which the next step of the clock brings.
    let map = map.replace("close_after_s = 1", "close_after_s = 600");
    let board = Board::new(parts, "day", &map)?;
    let boot = Boot { name: "day", clock: DAY_START - 20, steps: 288, local: true, ..QUIET };
    let shown = board.boot(&boot)?;
    shown.must_have("@board temperature 45033 normal")?;
    shown.must_have("@board vccint 1000 normal")?;
    shown.must_have("@board vccoddr 1500 normal")?;
    shown.must_have("@out stations 2 up 0 down")?;
    shown.must_have("backlog 0 of")?;
    shown.must_have("@ended 0")?;
    ensure!(shown.lights() == [SLOW, STEADY], "the light: {:?}", shown.lights());
    no_batch_is_missing(&shown)?;
    let readings = shown.readings();
    for unit in [1, 2] {
        let of = of_day(&readings, unit);
        let periods: Vec<u8> = of.iter().map(|r| r.period).collect();
        ensure!(periods == (0..96).collect::<Vec<_>>(), "unit {unit}: {of:?}");
        let good = of.iter().filter(|r| r.flags == "good" && r.version == 1).count();
        ensure!(good == 96, "unit {unit}: {good} of 96 good: {of:?}");
    }
    // 198 MW make 55 kWh a second. The clock steps from the fifth second to the fifth last.
    let seconds = shown.number("@ran ")? - 10.0;
    let kwh: i64 = of_day(&readings, 1).iter().map(|r| r.kwh).sum();
    let should = (seconds * 55.0) as i64;
    ensure!((kwh - should).abs() * 5 < should, "{kwh} kWh in {seconds} s, not {should}");
    Ok(format!("{}, {kwh} kWh in {seconds} s", shown.figures()?))
}

/// The board gets hot, then its core voltage falls, then its sensor fails; after each, all is well.
/// The gateway looks at the board every ten seconds; the next value is written when its light has
/// changed.
fn alarms(parts: &Parts, map: &str) -> Result<String> {
    let board = Board::new(parts, "alarms", map)?;
    // 86.9 degrees; back; 0.952 V for 1.0 V; back; no conversion at all; back.
    let pokes = "2:0:2925,3:0:2585,4:1:1300,5:1:1365,6:0:0,7:0:2585";
    let boot = Boot { name: "alarms", seconds: 150, lights: 8, pokes, ..QUIET };
    let shown = board.boot(&boot)?;
    shown.must_have("board: temperature alarm, 86867")?;
    shown.must_have("board: vccint alarm, 952")?;
    shown.must_have("board: temperature sensor fault, no value")?;
    let lights = shown.lights();
    ensure!(
        lights == [SLOW, STEADY, FAST, STEADY, FAST, STEADY, FAST, STEADY],
        "the light: {lights:?}"
    );
    shown.figures()
}

/// The cable is pulled out before the end of a period and put in after it. Meanwhile the light says
/// that readings are kept; nothing gets out; afterwards everything does, once. A busy machine takes
/// its time to connect, so the light says when the end has come.
fn link(parts: &Parts, map: &str) -> Result<String> {
    let board = Board::new(parts, "link", map)?;
    let acts = &[(5, Act::Unplug), (30, Act::Plug)];
    let shown =
        board.boot(&Boot { name: "link", seconds: 180, lights: 4, linger: 12, acts, ..QUIET })?;
    let lights = shown.lights();
    ensure!(lights == [SLOW, STEADY, SLOW, STEADY], "the light: {lights:?}");
    shown.must_have("link 0")?;
    shown.must_have("@out stations 2 up 0 down")?;
    shown.must_have("backlog 0 of")?;
    let [(out, _), (back, _)] = shown.acts[..] else { bail!("{:?}", shown.acts) };
    let out = out + Duration::from_secs(1);
    let meanwhile = shown.batches().iter().filter(|b| out < b.after && b.after < back).count();
    ensure!(meanwhile == 0, "{meanwhile} batches came through no cable");
    no_batch_is_missing(&shown)?;
    each_unit_once(&shown.readings(), &shown)?;
    shown.figures()
}

/// The network is down while a period ends, then the power goes. After the next start, with the
/// network, what was kept is delivered.
fn power_cut(parts: &Parts, map: &str) -> Result<String> {
    let board = Board::new(parts, "cut", map)?;
    let acts = &[(40, Act::CutPower)];
    let cut = Boot { name: "cut", seconds: 90, local: true, unplugged: true, acts, ..QUIET };
    let before = board.boot(&cut)?;
    ensure!(before.lights() == [SLOW], "the light: {:?}", before.lights());
    ensure!(before.collected.is_empty(), "{:?} came through no cable", before.collected);
    ensure!(before.acts.len() == 1, "the board ended before its power was cut");
    let clock = PERIOD_END + 60;
    let shown = board.boot(&Boot { name: "replay", clock, seconds: 20, local: true, ..QUIET })?;
    no_batch_is_missing(&shown)?;
    let first = shown.batches().into_iter().any(|b| b.text.split(' ').nth(1) == Some("1"));
    ensure!(first, "the first batch is lost: {:?}", shown.collected);
    each_unit_once(&shown.readings(), &shown)?;
    shown.must_have("backlog 0 of")?;
    shown.figures()
}

/// A thousand points, half over each protocol, once a second; half of them are meters.
fn load(parts: &Parts, map: &str) -> Result<String> {
    let (head, _) = map.split_once("[[iec104]]").unwrap_or((map, ""));
    // Each gets a port of its own.
    let stations = many_points::stations(1_000, |_| "10.0.2.2:1".to_owned());
    let board = Board::new(parts, "load", &format!("{head}{stations}"))?;
    let shown = board.boot(&Boot { name: "load", seconds: 40, ..QUIET })?;
    shown.must_have("@out stations 10 up 0 down")?;
    shown.must_have("backlog 0 of")?;
    let peak = shown.number("@peak ")?;
    ensure!(peak <= PEAK_KB_MAX, "{peak} kB are more than {PEAK_KB_MAX}");
    let values = shown.number("@out stations 10 up 0 down; values ")?;
    // The emulated clock runs a fifth fast: 40 s of the board are 33 s of the stations.
    ensure!(values >= 25_000.0, "{values} values of 1000 points in 40 s");
    no_batch_is_missing(&shown)?;
    each_unit_once(&shown.readings(), &shown)?;
    let units: Vec<u32> = (1..=500).collect();
    let mut delivered: Vec<u32> = ended(&shown.readings()).iter().map(|r| r.unit).collect();
    delivered.sort_unstable();
    ensure!(delivered == units, "{} of 500 units: {delivered:?}", delivered.len());
    Ok(format!("{}, {values} values", shown.figures()?))
}

/// The first versions of the readings of a unit on the day.
fn of_day(readings: &[Reading], unit: u32) -> Vec<&Reading> {
    readings.iter().filter(|r| r.unit == unit && r.day == DAY).collect()
}

/// The first versions of the readings of the period that ends in most scenes.
fn ended(readings: &[Reading]) -> Vec<&Reading> {
    let is = |r: &&Reading| r.day == DAY && r.period == 40 && r.version == 1;
    readings.iter().filter(is).collect()
}

/// Every reading came once, and both units' of the period that ended did.
fn each_unit_once(readings: &[Reading], shown: &Shown) -> Result<()> {
    let mut keys: Vec<_> = readings.iter().map(|r| (r.unit, &r.day, r.period, r.version)).collect();
    keys.sort_unstable();
    let all = keys.len();
    keys.dedup();
    ensure!(keys.len() == all, "a reading came twice: {readings:?}");
    for unit in [1, 2] {
        let has = ended(readings).iter().any(|r| r.unit == unit);
        ensure!(has, "unit {unit}'s reading is lost: {:?}", shown.collected);
    }
    Ok(())
}

fn no_batch_is_missing(shown: &Shown) -> Result<()> {
    let last = shown.batches().into_iter().last();
    let Some(last) = last else { bail!("nothing was delivered: {:?}", shown.log) };
    ensure!(last.text.contains("missing [] given up 0"), "{}", last.text);
    Ok(())
}
