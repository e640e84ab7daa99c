//! From readings to the ledger's meter reports.

use std::collections::BTreeMap;

use duet_ledger::{MeterReport, PeriodReading, Reading};

/// The reports that say what `readings` say: one for each run of consecutive periods of one unit,
/// day and version. Of two readings of one period and version the later one counts.
#[must_use]
pub fn reports(readings: &[PeriodReading]) -> Vec<MeterReport> {
    let mut sorted = BTreeMap::new();
    for r in readings {
        let (day, period) = (r.period.day(), r.period.index());
        let reading = Reading { energy: r.energy, quality: r.flags.quality() };
        sorted.insert((r.unit, day, r.version, period), reading);
    }
    let mut reports: Vec<MeterReport> = Vec::new();
    for ((unit, day, version, period), reading) in sorted {
        match reports.last_mut() {
            Some(report)
                if report.unit == unit
                    && report.day == day
                    && report.version == version
                    && usize::from(report.first_period) + report.readings.len()
                        == usize::from(period) =>
            {
                report.readings.push(reading);
            }
            Some(_) | None => reports.push(MeterReport {
                unit,
                day,
                first_period: period,
                version,
                readings: vec![reading],
            }),
        }
    }
    // A correction must come after what it corrects.
    reports.sort_by_key(|report| report.version);
    reports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::reading;
    use crate::reading::Flags;
    use duet_ledger::Quality;

    #[test]
    fn runs_of_periods_become_one_report_each() {
        let mut readings: Vec<PeriodReading> = [4, 3, 1, 2, 7, 97].map(reading).to_vec();
        readings.push(PeriodReading { version: 2, ..reading(2) });
        readings.push(PeriodReading { flags: Flags::STALE, ..reading(8) });
        let found = reports(&readings);
        let shape: Vec<(u32, u8, u16, usize)> =
            found.iter().map(|r| (r.unit.0, r.first_period, r.version, r.readings.len())).collect();
        assert_eq!(shape, [(1, 1, 1, 4), (1, 7, 1, 2), (2, 1, 1, 1), (1, 2, 2, 1)]);
        let qualities: Vec<Quality> = found[1].readings.iter().map(|r| r.quality).collect();
        assert_eq!(qualities, [Quality::Good, Quality::Questionable]);
        assert_eq!(reports(&[reading(5)])[0].readings[0].quality, Quality::Estimated);
        assert_eq!(reports(&[]), []);
    }
}
