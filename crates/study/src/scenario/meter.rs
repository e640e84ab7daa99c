//! Simulated meters.

use duet_units::Energy;

use super::day::{At, key, stream};
use super::{Scenario, Technology};

/// A meter: of one unit of a generator, or of a consumer's whole load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeterId {
    /// Position of the member in the scenario.
    pub member: usize,
    /// Position of the unit in the member's list; nothing for a consumer.
    pub unit: Option<usize>,
}

/// Energy of one meter in one delivery hour: scheduled or metered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodEnergy {
    /// The meter.
    pub meter: MeterId,
    /// The delivery hour, from 0.
    pub period: u8,
    /// The energy, in one direction that the meter knows; never negative.
    pub energy: Energy,
}

impl Scenario {
    /// Simulates the readings of a day: each scheduled energy with a deviation drawn for its
    /// day, meter and period. Nothing was measured; whoever shows the result must say so.
    ///
    /// The deviation is the mean of two uniform draws within the bound of its technology, so
    /// small ones are likelier than large ones. What was not scheduled stays zero.
    #[must_use]
    pub fn metered(&self, day_number: u32, schedule: &[PeriodEnergy]) -> Vec<PeriodEnergy> {
        let reading = |scheduled: &PeriodEnergy| {
            let MeterId { member, unit } = scheduled.meter;
            let at = At { day: day_number, period: scheduled.period, member };
            let bound = self.deviation_bp(scheduled.meter);
            let mut random = at.random(self.seed, stream::METER, &[key(unit.unwrap_or(0))]);
            let bp = (random.between(-bound, bound) + random.between(-bound, bound)) / 2;
            let kwh = scheduled.energy.kwh();
            let metered = i128::from(kwh) * i128::from(10_000 + bp) / 10_000;
            let energy = Energy::from_kwh(i64::try_from(metered).unwrap_or(kwh));
            PeriodEnergy { energy, ..*scheduled }
        };
        schedule.iter().map(reading).collect()
    }

    fn deviation_bp(&self, meter: MeterId) -> i64 {
        let unit = meter.unit.and_then(|unit| self.unit(meter.member, unit));
        match unit.map(|unit| unit.technology) {
            Some(Technology::Coal) => self.metering.coal_bp,
            Some(Technology::Wind) => self.metering.wind_bp,
            Some(Technology::Solar) => self.metering.solar_bp,
            None => self.metering.load_bp,
        }
    }
}
