//! Clocks and counters of this process.

use anyhow::{Context as _, ensure};
use duet_ledger::Transaction;
use serde::Serialize;
use std::time::{Duration, Instant};

/// The one place where the bench reads the machine's clock.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Real time, processor time and disk writes of this process, while it runs.
pub(super) struct Meter {
    running: Option<(Instant, f64, u64)>,
    elapsed: Duration,
    cpu: f64,
    disk: u64,
}

impl Meter {
    pub(super) const fn stopped() -> Self {
        Self { running: None, elapsed: Duration::ZERO, cpu: 0.0, disk: 0 }
    }

    pub(super) fn start() -> Self {
        let mut meter = Self::stopped();
        meter.resume();
        meter
    }

    pub(super) fn resume(&mut self) {
        self.running = Some((now(), process_cpu_seconds(), process_disk_bytes()));
    }

    pub(super) fn pause(&mut self) {
        if let Some((start, cpu, disk)) = self.running.take() {
            self.elapsed += now() - start;
            self.cpu += process_cpu_seconds() - cpu;
            self.disk += process_disk_bytes() - disk;
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed + self.running.map_or(Duration::ZERO, |(start, ..)| now() - start)
    }

    pub(super) fn cpu_seconds(&self) -> f64 {
        self.cpu + self.running.map_or(0.0, |(_, cpu, _)| process_cpu_seconds() - cpu)
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.disk + self.running.map_or(0, |(_, _, disk)| process_disk_bytes() - disk)
    }

    pub(super) fn cpu_cores(&self) -> f64 {
        self.cpu_seconds() / self.elapsed().as_secs_f64()
    }
}

/// Percentiles of a set of durations, in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

impl Percentiles {
    pub(super) fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let at = |share: f64| {
            let place = (all.len().saturating_sub(1)) as f64 * share;
            all.get(place as usize).map_or(f64::NAN, |d| d.as_secs_f64() * 1_000.0)
        };
        Self { p50: at(0.50), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

/// Signatures that one core checks a second, in batches of 512 of these transactions.
pub(super) fn batch_verify_rate<'a>(
    signed: impl Iterator<Item = &'a Vec<u8>>,
) -> anyhow::Result<u64> {
    let sample: Vec<Transaction> = signed
        .take(512)
        .map(|bytes| Transaction::from_bytes(bytes))
        .collect::<Result<_, _>>()
        .context("reading a signed order")?;
    let (start, mut checked) = (now(), 0);
    while now() - start < Duration::from_secs(1) {
        ensure!(duet_node::all_valid(&sample), "a signed order of the bench is not valid");
        checked += sample.len();
    }
    Ok((checked as f64 / (now() - start).as_secs_f64()) as u64)
}

fn process_cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in parentheses: user and system time are fields 14 and 15, in ticks of 10 ms.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|f| f.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn process_disk_bytes() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    named(&io, "write_bytes:")
}

pub(super) fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    named(&status, "VmHWM:") / 1_024
}

fn named(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
