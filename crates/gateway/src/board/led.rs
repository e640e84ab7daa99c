//! The status light, through the LED class (`Documentation/leds/leds-class.rst`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the light says. Off means that the gateway is dead or has no power: a board whose device
/// tree starts the light with the `timer` trigger blinks until the gateway takes it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Steady: everything runs, readings are delivered.
    Running,
    /// Slow blinking (500 ms): readings are kept, not delivered.
    Holding,
    /// Fast blinking (100 ms): a health alarm.
    Alarm,
}

/// One light, by its name.
#[derive(Debug)]
pub struct Led {
    folder: PathBuf,
    shown: Option<Light>,
}

impl Led {
    /// The light with this name; nothing is written before [`Led::show`].
    #[must_use]
    pub fn new(sysfs: &Path, name: &str) -> Self {
        Self { folder: sysfs.join("class/leds").join(name), shown: None }
    }

    /// Shows `light`, if it does not already.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if the light cannot be written.
    pub fn show(&mut self, light: Light) -> io::Result<()> {
        if self.shown == Some(light) {
            return Ok(());
        }
        match light {
            Light::Running => {
                self.write("trigger", "none")?;
                let most = fs::read_to_string(self.folder.join("max_brightness"))?;
                self.write("brightness", most.trim())?;
            }
            Light::Holding => self.blink("500")?,
            Light::Alarm => self.blink("100")?,
        }
        self.shown = Some(light);
        Ok(())
    }

    /// The `timer` trigger makes the two delay files when it is set.
    fn blink(&self, ms: &str) -> io::Result<()> {
        self.write("trigger", "timer")?;
        self.write("delay_on", ms)?;
        self.write("delay_off", ms)
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), text)
    }
}
