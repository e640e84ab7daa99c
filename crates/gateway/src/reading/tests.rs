//! Readings as facts. One count is 1 kWh and a period an hour, unless a test says otherwise.

use duet_units::{ClockTime, Resolution};
use proptest::prelude::*;

use super::{Flags, Meter, MeterRule, PeriodReading, RegisterRule, Sample, Step};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

fn rule() -> MeterRule {
    MeterRule {
        unit: 7,
        register: RegisterRule { rollover: 1_000_000, wh_per_count: 1_000, max_kw: 6_000 },
        resolution: Resolution::Hour,
        gap_ms: 5 * MINUTE,
        close_after_ms: MINUTE,
    }
}

fn at(ms: i64) -> ClockTime {
    ClockTime::from_unix_ms(ms)
}

fn sample(raw: u64, ms: i64) -> Sample {
    Sample { raw, at: at(ms), flags: Flags::GOOD }
}

/// Feeds a register that counts `per_minute` once a minute over `minutes`, from 0 at time 0.
fn run(
    meter: &mut Meter,
    minutes: std::ops::RangeInclusive<i64>,
    per_minute: u64,
) -> Vec<PeriodReading> {
    let mut readings = Vec::new();
    for minute in minutes {
        let raw = u64::try_from(minute).unwrap() * per_minute % 1_000_000;
        meter.take(&sample(raw, minute * MINUTE));
        readings.extend(meter.close(at(minute * MINUTE)));
    }
    readings
}

fn energies(readings: &[PeriodReading]) -> Vec<(u16, i64, Flags)> {
    readings.iter().map(|r| (r.version, r.energy.kwh(), r.flags)).collect()
}

#[test]
fn a_period_is_reported_as_soon_as_it_has_been_measured_to_its_end() {
    let mut meter = Meter::new(rule());
    let readings = run(&mut meter, 0..=120, 2);
    assert_eq!(energies(&readings), [(1, 120, Flags::GOOD), (1, 120, Flags::GOOD)]);
    // 1970-01-01T00:00Z is eight in the morning in China.
    assert_eq!(readings.iter().map(|r| r.period.index()).collect::<Vec<_>>(), [8, 9]);
    assert_eq!(readings[0].source_time, at(59 * MINUTE));
}

#[test]
fn what_is_less_than_one_kwh_is_counted_in_the_next_period() {
    let fine = RegisterRule { rollover: 1_000_000, wh_per_count: 1, max_kw: 6_000 };
    let mut meter = Meter::new(MeterRule { register: fine, ..rule() });
    // 25 Wh a minute are 1.5 kWh an hour: 1, 2, 1, 2 ...
    let readings = run(&mut meter, 0..=240, 25);
    assert_eq!(energies(&readings).iter().map(|r| r.1).collect::<Vec<_>>(), [1, 2, 1, 2]);
    assert_eq!(meter.total_wh(), 6_000);
}

#[test]
fn a_register_that_rolls_over_goes_on() {
    let mut meter = Meter::new(rule());
    meter.take(&sample(999_990, 0));
    assert_eq!(meter.take(&sample(10, MINUTE)), Step::Advance { wh: 20_000 });
}

#[test]
fn one_wrong_value_changes_nothing_but_the_flag() {
    let mut meter = Meter::new(rule());
    meter.take(&sample(100, 0));
    assert_eq!(meter.take(&sample(900_000, MINUTE)), Step::Suspect);
    assert_eq!(meter.take(&sample(2_000_000, MINUTE)), Step::Suspect);
    assert_eq!(meter.take(&sample(110, 2 * MINUTE)), Step::Advance { wh: 10_000 });
    assert_eq!(meter.total_wh(), 10_000);
    meter.take(&sample(111, HOUR));
    let readings = meter.close(at(HOUR));
    assert_eq!(readings.len(), 1);
    assert!(readings[0].flags.contains(Flags::IMPLAUSIBLE));
}

#[test]
fn a_changed_meter_is_believed_at_its_second_value_and_its_period_is_marked() {
    let mut meter = Meter::new(rule());
    meter.take(&sample(500_000, 0));
    assert_eq!(meter.take(&sample(3, MINUTE)), Step::Suspect);
    assert_eq!(meter.take(&sample(5, 2 * MINUTE)), Step::Reset { wh: 2_000 });
    for minute in 3..60 {
        meter.take(&sample(minute + 3, i64::try_from(minute).unwrap() * MINUTE));
    }
    meter.take(&sample(70, HOUR));
    let reading = meter.close(at(HOUR))[0];
    assert_eq!(reading.energy.kwh(), 67, "from 3 to 70");
    assert!(reading.flags.contains(Flags::RESET | Flags::IMPLAUSIBLE));
}

#[test]
fn duplicates_and_late_samples_change_nothing() {
    let mut meter = Meter::new(rule());
    meter.take(&sample(1, 0));
    meter.take(&sample(5, 2 * MINUTE));
    let before = meter.clone();
    assert_eq!(meter.take(&sample(5, 2 * MINUTE)), Step::Duplicate);
    assert_eq!(meter.take(&sample(3, MINUTE)), Step::Late);
    assert_eq!(meter, before);
}

#[test]
fn a_sample_that_the_device_calls_invalid_is_marked_and_not_counted() {
    for flags in [Flags::INVALID, Flags::STALE] {
        let mut meter = Meter::new(rule());
        run(&mut meter, 0..=29, 1);
        meter.take(&Sample { flags, ..sample(5_000, 30 * MINUTE) });
        let readings = run(&mut meter, 31..=60, 1);
        assert_eq!(energies(&readings), [(1, 60, flags)]);
    }
}

#[test]
fn a_substituted_sample_is_counted_and_marked() {
    let mut meter = Meter::new(rule());
    run(&mut meter, 0..=29, 1);
    meter.take(&Sample { flags: Flags::SUBSTITUTED, ..sample(30, 30 * MINUTE) });
    let readings = run(&mut meter, 31..=60, 1);
    assert_eq!(energies(&readings), [(1, 60, Flags::SUBSTITUTED)]);
}

#[test]
fn a_gap_is_shared_out_by_time_and_called_an_estimate() {
    let mut meter = Meter::new(rule());
    run(&mut meter, 0..=30, 1);
    // Half an hour to the end of the period and one and a half after it: 120 kWh, a quarter before.
    meter.take(&sample(150, 150 * MINUTE));
    let estimate = Flags::ESTIMATED | Flags::MISSING;
    let readings = meter.close(at(150 * MINUTE));
    assert_eq!(energies(&readings), [(1, 60, estimate), (1, 60, estimate)]);
}

#[test]
fn silence_is_estimated_at_the_last_rate_and_corrected_when_the_register_is_seen_again() {
    let mut meter = Meter::new(rule());
    run(&mut meter, 0..=60, 2);
    assert_eq!(meter.close(at(2 * HOUR)), [], "the period still waits for late samples");
    let estimate = Flags::ESTIMATED | Flags::MISSING;
    let readings = meter.close(at(2 * HOUR + MINUTE));
    assert_eq!(energies(&readings), [(1, 120, estimate)]);
    assert_eq!(meter.close(at(2 * HOUR + 2 * MINUTE)), [], "an estimate is sent once");

    meter.take(&sample(180, 2 * HOUR + 3 * MINUTE));
    let readings = meter.close(at(2 * HOUR + 3 * MINUTE));
    // 60 kWh in 63 minutes, 57.1 of them in the period.
    assert_eq!(energies(&readings), [(2, 57, estimate)]);
    assert_eq!(meter.total_wh(), 180_000);
}

#[test]
fn a_period_that_is_forgotten_is_not_told_anew() {
    let mut meter = Meter::new(rule());
    let mut readings = run(&mut meter, 0..=60, 2);
    // Silence for longer than readings can be corrected, then the register is seen again.
    for hour in 2..=250 {
        readings.extend(meter.close(at(hour * HOUR + MINUTE)));
    }
    for (raw, hour) in [(30_000, 249), (30_120, 250)] {
        meter.take(&sample(raw, hour * HOUR + MINUTE));
        readings.extend(meter.close(at(250 * HOUR + 2 * MINUTE)));
    }
    let mut versions = std::collections::BTreeMap::new();
    for reading in readings {
        let version = versions.entry(reading.period.start().unix_ms()).or_insert(0);
        *version += 1;
        assert_eq!(reading.version, *version, "{reading:?}");
    }
    assert_eq!(versions.len(), 250, "every hour was told");
}

#[test]
fn the_first_period_is_incomplete_unless_it_is_seen_from_its_start() {
    let mut meter = Meter::new(rule());
    let readings = run(&mut meter, 30..=120, 1);
    assert_eq!(energies(&readings), [(1, 30, Flags::MISSING), (1, 60, Flags::GOOD)]);
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let mut meter = Meter::new(rule());
    run(&mut meter, 0..=130, 3);
    let bytes = meter.checkpoint();
    for cut in 0..bytes.len() {
        assert!(Meter::restore(rule(), &bytes[..cut]).is_err(), "{cut}");
    }
}

/// A register seen through a bad line: steps between samples, and what happens to each.
#[derive(Clone, Debug)]
enum Line {
    Pass,
    Lost,
    Twice,
    Old,
    Wild(u64),
    Invalid,
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        12 => Just(Line::Pass),
        3 => Just(Line::Lost),
        1 => Just(Line::Twice),
        1 => Just(Line::Old),
        1 => (0..2_000_000_u64).prop_map(Line::Wild),
        1 => Just(Line::Invalid),
    ]
}

fn stream() -> impl Strategy<Value = Vec<(i64, u64, Line)>> {
    // Seconds to the next sample, counts in them (at most 1 kWh a second: 3600 kW), and the line.
    prop::collection::vec((1..1_200_i64, 0..1_000_u64, line()), 2..120).prop_map(|v| {
        v.into_iter().map(|(s, w, l)| (s, w * u64::try_from(s).unwrap() / 1_000, l)).collect()
    })
}

fn feed(meter: &mut Meter, position: &mut (u64, i64), event: &(i64, u64, Line)) {
    let previous = *position;
    position.0 += event.1;
    position.1 += event.0 * 1_000;
    let (true_count, ms) = *position;
    let good = sample(true_count % 1_000_000, ms);
    match event.2 {
        Line::Lost => {}
        Line::Pass => drop(meter.take(&good)),
        Line::Twice => {
            meter.take(&good);
            meter.take(&good);
        }
        Line::Old => {
            meter.take(&good);
            meter.take(&sample(previous.0 % 1_000_000, previous.1));
        }
        Line::Wild(raw) => {
            // One wrong value, a moment before the right one.
            let wrong = (true_count + 300_000 + raw % 400_000) % 1_000_000;
            meter.take(&sample(wrong, ms - 1));
            meter.take(&good);
        }
        Line::Invalid => {
            meter.take(&Sample { flags: Flags::INVALID, ..good });
        }
    }
}

proptest! {
    #[test]
    fn a_bad_line_loses_and_invents_no_energy(events in stream()) {
        let mut meter = Meter::new(rule());
        let mut position = (999_000_u64, 10 * HOUR);
        meter.take(&sample(position.0, position.1));
        let mut latest = std::collections::BTreeMap::new();
        for event in &events {
            feed(&mut meter, &mut position, event);
            for reading in meter.close(at(position.1)) {
                let before = latest.insert(reading.period, reading);
                let expected = before.map_or(1, |b: PeriodReading| b.version + 1);
                prop_assert_eq!(reading.version, expected, "versions count up");
            }
        }
        // A last good sample at a full hour closes everything.
        let end = position.1 - position.1.rem_euclid(HOUR) + HOUR;
        meter.take(&sample(position.0 % 1_000_000, end));
        for reading in meter.close(at(end)) {
            latest.insert(reading.period, reading);
        }
        let flowed = position.0 - 999_000;
        prop_assert_eq!(meter.total_wh(), i64::try_from(flowed).unwrap() * 1_000);
        let reported: i64 = latest.values().map(|r| r.energy.kwh()).sum();
        prop_assert_eq!(reported, i64::try_from(flowed).unwrap());
        prop_assert!(latest.values().all(|r| r.energy.kwh() >= 0));
    }

    #[test]
    fn a_meter_goes_on_after_a_power_cut_as_if_nothing_had_happened(
        events in stream(),
        cut in 0..120_usize,
    ) {
        let mut meter = Meter::new(rule());
        let mut position = (0, 10 * HOUR);
        meter.take(&sample(0, position.1));
        let cut = cut.min(events.len());
        for event in &events[..cut] {
            feed(&mut meter, &mut position, event);
            meter.close(at(position.1));
        }
        let mut restored = Meter::restore(rule(), &meter.checkpoint()).unwrap();
        let mut other = position;
        for event in &events[cut..] {
            feed(&mut meter, &mut position, event);
            feed(&mut restored, &mut other, event);
            prop_assert_eq!(meter.close(at(position.1)), restored.close(at(position.1)));
        }
        prop_assert_eq!(meter.total_wh(), restored.total_wh());
    }

    #[test]
    fn any_bytes_are_a_checkpoint_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(meter) = Meter::restore(rule(), &bytes) {
            prop_assert!(Meter::restore(rule(), &meter.checkpoint()).is_ok());
        }
    }
}

proptest! {
    /// Times reach over more periods than can be corrected.
    #[test]
    fn versions_count_up_whatever_the_register_shows(
        events in prop::collection::vec((0..4_u8, 0..2_000_000_u64, -200..4_000_i64, 0..256_u16), 0..30),
    ) {
        let mut meter = Meter::new(rule());
        let mut now = 400 * HOUR;
        let mut versions = std::collections::BTreeMap::new();
        for (kind, raw, minutes, flags) in events {
            let to = now + minutes * MINUTE;
            now = now.max(to);
            match kind {
                0 => {}
                1 => drop(meter.take(&sample(raw, to))),
                2 => drop(meter.take(&sample(raw % 5_000, now))),
                _ => {
                    let flags = Flags::from_bits(flags).unwrap();
                    meter.take(&Sample { raw, at: at(to), flags });
                }
            }
            for reading in meter.close(at(now)) {
                let version = versions.entry(reading.period.start().unix_ms()).or_insert(0);
                *version += 1;
                prop_assert_eq!(reading.version, *version, "{:?}", reading);
            }
            let kept = meter.checkpoint();
            prop_assert_eq!(Meter::restore(rule(), &kept).unwrap().checkpoint(), kept);
        }
    }
}
