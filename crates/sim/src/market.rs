//! The market that is simulated.

use anyhow::Context as _;
use duet_ledger::Genesis;
use duet_study::scenario::Scenario;
use duet_units::DeliveryDay;
use duet_world::Founding;
use std::path::Path;

/// The channel is founded on this day at 08:00 in UTC+8; the next one is traded.
const FOUNDED: &str = "2026-07-05";
const EIGHT_HOURS_MS: i64 = 8 * 3_600_000;

/// A scenario and the channel that is founded for it.
#[derive(Clone, Debug)]
pub struct Market {
    pub(crate) scenario: Scenario,
    pub(crate) founding: Founding,
}

impl Market {
    /// Reads the scenario of a folder and founds its channel.
    ///
    /// # Errors
    ///
    /// Says which file or value is wrong.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let scenario = Scenario::load(folder)
            .with_context(|| format!("the scenario of {}", folder.display()))?;
        let day = DeliveryDay::parse(FOUNDED).context("the day of the founding")?;
        let founding = Founding::new(&scenario, day.start().plus_ms(EIGHT_HOURS_MS))?;
        Ok(Self { scenario, founding })
    }

    pub(crate) const fn genesis(&self) -> &Genesis {
        &self.founding.genesis
    }
}
