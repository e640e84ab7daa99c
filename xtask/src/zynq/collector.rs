//! The receiving end of the one-way export, on this machine.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::shell;

/// A line that the collector printed, and when it came since the start of the boot.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) after: Duration,
    pub(super) text: String,
}

/// One reading that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) unit: u32,
    pub(super) day: String,
    pub(super) period: u8,
    pub(super) version: u16,
    pub(super) kwh: i64,
    pub(super) flags: String,
}

impl Reading {
    /// `None` for a line that is something else.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("reading ")?.split(' ');
        Some(Self {
            unit: words.next()?.parse().ok()?,
            day: words.next()?.to_owned(),
            period: words.next()?.parse().ok()?,
            version: words.next()?.parse().ok()?,
            kwh: words.next()?.parse().ok()?,
            flags: words.next()?.to_owned(),
        })
    }
}

/// A running `duet-gateway collect`.
pub(super) struct Collector {
    child: Child,
    lines: Arc<Mutex<Vec<Line>>>,
    reader: JoinHandle<()>,
}

impl Collector {
    /// Starts `program` on a port of the loopback address, for the device with this public key.
    pub(super) fn start(program: &Path, port: u16, device: &str) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["collect", "--readings", &format!("127.0.0.1:{port}"), device]);
        let mut child = command.stdout(Stdio::piped()).spawn().context("the collector")?;
        let output = child.stdout.take().context("the collector has no output")?;
        let start = shell::now();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for text in BufReader::new(output).lines().map_while(Result::ok) {
                let line = Line { after: start.elapsed(), text };
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Self { child, lines, reader })
    }

    /// Ends it and returns the lines it printed.
    pub(super) fn finish(mut self) -> Result<Vec<Line>> {
        self.child.kill()?;
        self.child.wait()?;
        self.reader.join().ok().context("the collector's reader")?;
        Ok(std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_reading_is_read_and_others_are_not() {
        let reading = Reading::parse("reading 2 2026-07-06 95 1 -7 estimated+missing").unwrap();
        assert_eq!((reading.unit, reading.period, reading.version, reading.kwh), (2, 95, 1, -7));
        assert_eq!((&*reading.day, &*reading.flags), ("2026-07-06", "estimated+missing"));
        assert_eq!(Reading::parse("ea4a 5 40 missing [] given up 0"), None);
    }
}
