//! A year of an organisation: what is metered in it, and where it is heading.

use super::period::{first_day, year_of};
use crate::ids::OrganisationId;
use crate::records::{Obligation, Technology, Unit, YearMeter};
use crate::state::{BrokenInvariant, State};
use duet_market::allowance::compliance::Relief;
use duet_market::allowance::forecast::{Forecast, PartOfYear, forecast};
use duet_units::{Allowances, BasisPoints, DeliveryDay, Emissions, Energy};

impl State {
    pub(super) fn obligation(&self, year: u16, organisation: OrganisationId) -> Obligation {
        self.obligations.get((year, organisation)).cloned().unwrap_or(Obligation::EMPTY)
    }

    /// Books what a unit's meter says about a settled period of a day.
    pub(in crate::apply) fn book_year(
        &mut self,
        day: DeliveryDay,
        unit: &Unit,
        (energy, emissions): (Energy, Emissions),
    ) -> Result<(), BrokenInvariant> {
        let Some(year) = year_of(day) else { return Ok(()) };
        let mut row = self.obligation(year, unit.owner);
        if row.coal == YearMeter::EMPTY && row.gas == YearMeter::EMPTY {
            row.first_day = day;
        }
        row.first_day = row.first_day.min(day);
        row.last_day = row.last_day.max(day);
        let meter = if unit.technology == Technology::Gas { &mut row.gas } else { &mut row.coal };
        meter.emissions = meter.emissions.plus(emissions)?;
        meter.benchmarked = meter.benchmarked.plus(unit.benchmark.emissions_of(energy)?)?;
        meter.output = meter.output.plus(energy)?;
        self.obligations.insert((year, unit.owner), row);
        Ok(())
    }

    /// Where an organisation is heading in a year at the pace of its settled days, from the first
    /// to the last of them; none without any. Before the period is published, a shortage is due
    /// in full and credits cover 5 %.
    ///
    /// # Errors
    ///
    /// Returns [`BrokenInvariant`] if a figure does not fit.
    pub fn carbon_forecast(
        &self,
        year: u16,
        organisation: OrganisationId,
    ) -> Result<Option<Forecast>, BrokenInvariant> {
        let Some(row) = self.obligations.get((year, organisation)) else { return Ok(None) };
        if row.coal == YearMeter::EMPTY && row.gas == YearMeter::EMPTY {
            return Ok(None);
        }
        let period = self.compliance_periods.get(year);
        let cap = period.map_or(duet_market::allowance::compliance::OFFSET_CAP, |p| p.offset_cap);
        let coal = period.map_or(Relief::None, |period| period.coal_relief());
        let gas = period.map_or(Relief::None, |period| period.gas_relief());
        let coal = forecast_of(year, row, &row.coal, (coal, cap))?;
        let gas = forecast_of(year, row, &row.gas, (gas, cap))?;
        let sum = |a: Allowances, b: Allowances| a.plus(b);
        Ok(Some(Forecast {
            emissions: sum(coal.emissions, gas.emissions)?,
            allocation: sum(coal.allocation, gas.allocation)?,
            gap: sum(coal.gap, gas.gap)?,
            offset_cap: sum(coal.offset_cap, gas.offset_cap)?,
        }))
    }
}

fn forecast_of(
    year: u16,
    row: &Obligation,
    meter: &YearMeter,
    (relief, cap): (Relief, BasisPoints),
) -> Result<Forecast, BrokenInvariant> {
    let days = |from: DeliveryDay, until: DeliveryDay| {
        u16::try_from(until.days().saturating_sub(from.days())).unwrap_or(0)
    };
    let part = PartOfYear {
        emissions: meter.emissions,
        benchmarked: meter.benchmarked,
        days: days(row.first_day, row.last_day.next()),
        of_days: days(first_day(year), first_day(year.saturating_add(1))),
    };
    Ok(forecast(&part, relief, cap)?)
}
