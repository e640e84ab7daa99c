//! The XADC through Linux IIO (`Documentation/ABI/testing/sysfs-bus-iio`).

use std::fs;
use std::path::{Path, PathBuf};

use super::Limit;

/// The full scale of the XADC's 12 bits.
const RAW_MAX: i64 = 4_095;

/// What a channel measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A temperature, in thousandths of a degree Celsius.
    Temperature,
    /// A voltage, in millivolts.
    Voltage,
}

/// The device whose IIO name is `xadc`; its number is not fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xadc {
    folder: PathBuf,
}

impl Xadc {
    /// Finds the device by its name; `None` if there is none.
    #[must_use]
    pub fn find(sysfs: &Path) -> Option<Self> {
        let mut folders: Vec<PathBuf> = fs::read_dir(sysfs.join("bus/iio/devices"))
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                fs::read_to_string(path.join("name")).is_ok_and(|name| name.trim() == "xadc")
            })
            .collect();
        folders.sort();
        folders.into_iter().next().map(|folder| Self { folder })
    }

    /// The value of a channel in thousandths of its unit, after its divider; `None` if the sensor
    /// shows what cannot be: no file, no number, a raw value of 0 (no conversion has taken place:
    /// -273 degrees, 0 V) or full scale.
    #[must_use]
    pub fn read(&self, limit: &Limit) -> Option<i64> {
        let raw: i64 = self.file(&limit.input, "raw")?.parse().ok()?;
        if raw <= 0 || RAW_MAX <= raw {
            return None;
        }
        let offset = match self.file(&limit.input, "offset") {
            Some(offset) => offset.parse().ok()?,
            None => 0,
        };
        let value = milli_units(raw, offset, &self.file(&limit.input, "scale")?)?;
        let [input, output] = limit.divider;
        value.checked_mul(i64::from(input))?.checked_div(i64::from(output))
    }

    fn file(&self, input: &str, what: &str) -> Option<String> {
        let text = fs::read_to_string(self.folder.join(format!("{input}_{what}"))).ok()?;
        Some(text.trim().to_owned())
    }
}

/// `(raw + offset) * scale` in thousandths of the unit, rounded half up; `scale` is the decimal
/// number of the file. `None` if it is not one, or the product does not fit.
#[must_use]
pub fn milli_units(raw: i64, offset: i64, scale: &str) -> Option<i64> {
    const NANO: i128 = 1_000_000_000;
    let (whole, fraction) = scale.split_once('.').unwrap_or((scale, ""));
    if whole.starts_with('-') || fraction.len() > 9 || fraction.starts_with(['+', '-']) {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    let nano = whole.checked_mul(NANO)?.checked_add(fraction)?;
    let product = i128::from(raw.checked_add(offset)?).checked_mul(nano)?;
    i64::try_from(product.checked_add(NANO / 2)?.div_euclid(NANO)).ok()
}
