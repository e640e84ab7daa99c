//! The board the gateway runs on: temperature and supplies, the status light, the network link.
//!
//! Everything is read from and written to Linux's sysfs, under a root that tests replace. A sensor
//! that shows what cannot be is a fault of the sensor, not a temperature.

mod iio;
mod led;
mod limits;

pub use iio::{Channel, Xadc, milli_units};
pub use led::{Led, Light};
pub use limits::{Level, Limit, Watch};

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What to watch on the board, from the point map.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardLimits {
    /// Where sysfs is.
    #[serde(default = "default_sysfs")]
    pub sysfs: PathBuf,
    /// The status light, by its name in the LED class.
    #[serde(default = "default_led")]
    pub led: String,
    /// The network interface whose link is watched.
    #[serde(default = "default_interface")]
    pub interface: String,
    /// The channels that are watched.
    pub channel: Vec<Limit>,
}

fn default_sysfs() -> PathBuf {
    PathBuf::from("/sys")
}
fn default_led() -> String {
    "status:green".to_owned()
}
fn default_interface() -> String {
    "eth0".to_owned()
}

/// The health of the board at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Each channel: its name, its value in thousandths of its unit, and how it stands.
    pub channels: Vec<(String, Option<i64>, Level)>,
    /// Whether the network interface has a link; `None` if there is no such interface.
    pub link: Option<bool>,
}

impl Health {
    /// The worst level of all channels.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.channels.iter().map(|(_, _, level)| *level).max().unwrap_or(Level::Normal)
    }
}

/// A board that is watched.
#[derive(Debug)]
pub struct Board {
    sysfs: PathBuf,
    interface: String,
    watches: Vec<Watch>,
    led: Led,
}

impl Board {
    /// A board with these limits.
    #[must_use]
    pub fn new(limits: &BoardLimits) -> Self {
        Self {
            sysfs: limits.sysfs.clone(),
            interface: limits.interface.clone(),
            watches: limits.channel.iter().cloned().map(Watch::new).collect(),
            led: Led::new(&limits.sysfs, &limits.led),
        }
    }

    /// Reads every channel and the link. A board without sensors has faults, not values.
    pub fn read(&mut self) -> Health {
        let xadc = Xadc::find(&self.sysfs);
        let channels = self.watches.iter_mut().map(|watch| {
            let value = xadc.as_ref().and_then(|xadc| xadc.read(watch.limit()));
            let level = watch.take(value);
            (watch.limit().name.clone(), value, level)
        });
        let channels = channels.collect();
        Health { channels, link: self.link() }
    }

    /// What each channel measures, in their order.
    #[must_use]
    pub fn kinds(&self) -> Vec<Channel> {
        self.watches.iter().map(|watch| watch.limit().kind).collect()
    }

    /// Whether the network interface has a link; `None` if there is no such interface.
    #[must_use]
    pub fn link(&self) -> Option<bool> {
        link(&self.sysfs, &self.interface)
    }

    /// Shows how the gateway stands; does nothing if there is no such light.
    pub fn show(&mut self, light: Light) {
        if let Err(error) = self.led.show(light) {
            tracing::debug!("status light: {error}");
        }
    }
}

/// Whether an interface has a link; `None` if it is not there. An interface that is down has no
/// carrier file that can be read.
fn link(sysfs: &Path, interface: &str) -> Option<bool> {
    let folder = sysfs.join("class/net").join(interface);
    if !folder.exists() {
        return None;
    }
    Some(fs::read_to_string(folder.join("carrier")).is_ok_and(|text| text.trim() == "1"))
}

#[cfg(test)]
mod tests;
