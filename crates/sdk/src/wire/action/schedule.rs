//! What the dispatcher does with the schedule of a day, as JSON.

use crate::wire::{Day, shape};
use duet_ledger::{ScheduleAction, UnitId};
use duet_units::{Energy, Price};

shape! {
    /// The real-time prices of a day.
    PricePublication {
        /// The day.
        day: Day,
        /// One price an hour or a quarter of an hour: 24 or 96.
        prices_milli_yuan_per_mwh: Vec<i64>,
    }
}

shape! {
    /// A limit that the security check puts on units that share it.
    Curtailment {
        /// The delivery day.
        day: Day,
        /// The period, of those by which the day is settled.
        period: u8,
        /// The units that share the limit, ascending.
        units: Vec<u32>,
        /// The most that they may hold under contract together.
        limit_kwh: i64,
        /// Why, for the public log.
        reason: String,
    }
}

shape! {
    /// Estimates in the place of readings that a meter did not report.
    ReadingSubstitution {
        /// The unit or point of consumption.
        unit: u32,
        /// The delivery day.
        day: Day,
        /// The first period.
        first_period: u8,
        /// The energies, one a period, of consecutive periods.
        energies_kwh: Vec<i64>,
        /// Why, for everyone to read.
        reason: String,
    }
}

impl From<ReadingSubstitution> for ScheduleAction {
    fn from(wire: ReadingSubstitution) -> Self {
        Self::Substitute(duet_ledger::ReadingSubstitution {
            unit: UnitId(wire.unit),
            day: wire.day.0,
            first_period: wire.first_period,
            energies: wire.energies_kwh.into_iter().map(Energy::from_kwh).collect(),
            reason: wire.reason,
        })
    }
}

impl From<duet_ledger::ReadingSubstitution> for ReadingSubstitution {
    fn from(row: duet_ledger::ReadingSubstitution) -> Self {
        Self {
            unit: row.unit.0,
            day: Day(row.day),
            first_period: row.first_period,
            energies_kwh: row.energies.into_iter().map(Energy::kwh).collect(),
            reason: row.reason,
        }
    }
}

impl From<Curtailment> for duet_ledger::Curtailment {
    fn from(wire: Curtailment) -> Self {
        Self {
            day: wire.day.0,
            period: wire.period,
            units: wire.units.into_iter().map(UnitId).collect(),
            limit: Energy::from_kwh(wire.limit_kwh),
            reason: wire.reason,
        }
    }
}

impl From<&duet_ledger::Curtailment> for Curtailment {
    fn from(row: &duet_ledger::Curtailment) -> Self {
        Self {
            day: Day(row.day),
            period: row.period,
            units: row.units.iter().map(|unit| unit.0).collect(),
            limit_kwh: row.limit.kwh(),
            reason: row.reason.clone(),
        }
    }
}

impl From<PricePublication> for ScheduleAction {
    fn from(wire: PricePublication) -> Self {
        let prices = wire.prices_milli_yuan_per_mwh.into_iter();
        let prices = prices.map(Price::from_milli_yuan_per_mwh).collect();
        Self::PublishPrices(duet_ledger::PricePublication { day: wire.day.0, prices })
    }
}

impl From<Curtailment> for ScheduleAction {
    fn from(wire: Curtailment) -> Self {
        Self::Curtail(wire.into())
    }
}

impl TryFrom<ScheduleAction> for super::Action {
    type Error = super::ActionError;

    fn try_from(action: ScheduleAction) -> Result<Self, Self::Error> {
        Ok(match action {
            ScheduleAction::PublishPrices(row) => Self::PublishPrices(PricePublication {
                day: Day(row.day),
                prices_milli_yuan_per_mwh: row
                    .prices
                    .iter()
                    .copied()
                    .map(Price::milli_yuan_per_mwh)
                    .collect(),
            }),
            ScheduleAction::Curtail(row) => Self::Curtail((&row).into()),
            ScheduleAction::Substitute(row) => Self::SubstituteReadings(row.into()),
            _ => return Err(super::ActionError),
        })
    }
}
