//! A meter: whatever its register says, the versions of each period count up by one, and what is
//! kept of it is enough to go on.
#![no_main]

use std::collections::BTreeMap;

use duet_gateway::reading::{Flags, Meter, MeterRule, RegisterRule, Sample};
use duet_units::{ClockTime, Resolution};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Event {
    /// The register moves on by a little, after some seconds.
    Advance { counts: u16, s: u16 },
    /// The register shows anything, at any time near.
    Any { raw: u64, s: i16, flags: u8 },
    /// Time passes without a sample.
    Wait { s: u16 },
}

#[derive(Arbitrary, Debug)]
struct Input {
    wh_per_count: u16,
    rollover: u32,
    max_kw: u32,
    gap_s: u16,
    events: Vec<Event>,
}

fuzz_target!(|input: Input| {
    // What the map accepts.
    let register = RegisterRule {
        rollover: u64::from(input.rollover).max(65_536),
        wh_per_count: u32::from(input.wh_per_count.max(1)),
        max_kw: input.max_kw.max(1),
    };
    let full_wh = register.rollover * u64::from(register.wh_per_count);
    let gap_wh = u64::from(register.max_kw) * 1_000 * u64::from(input.gap_s.max(1)) / 3_600;
    if gap_wh > full_wh / 2 {
        return;
    }
    let rule = MeterRule {
        unit: 1,
        register,
        resolution: Resolution::Quarter,
        gap_ms: i64::from(input.gap_s.max(1)) * 1_000,
        close_after_ms: 60_000,
    };
    let mut meter = Meter::new(rule);
    let mut now = ClockTime::from_unix_ms(1_783_296_550_250);
    let mut raw = 0_u64;
    let mut versions: BTreeMap<_, u16> = BTreeMap::new();
    for event in input.events {
        match event {
            Event::Advance { counts, s } => {
                now = now.plus_ms(i64::from(s) * 1_000);
                raw = (raw + u64::from(counts)) % register.rollover;
                meter.take(&Sample { raw, at: now, flags: Flags::GOOD });
            }
            Event::Any { raw, s, flags } => {
                let at = now.plus_ms(i64::from(s) * 1_000);
                let flags = Flags::from_bits(flags.into()).unwrap_or(Flags::INVALID);
                meter.take(&Sample { raw, at, flags });
            }
            Event::Wait { s } => now = now.plus_ms(i64::from(s) * 1_000),
        }
        for reading in meter.close(now) {
            let version = versions.entry(reading.period.start().unix_ms()).or_insert(0);
            assert_eq!(reading.version, *version + 1, "{reading:?}");
            *version = reading.version;
        }
        let kept = meter.checkpoint();
        let again = Meter::restore(rule, &kept).expect("a meter goes on from what is kept of it");
        assert_eq!(again.checkpoint(), kept);
    }
});
