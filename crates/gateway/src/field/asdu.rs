//! From ASDUs to values: which information object is which point, and what its octets say.

use std::collections::BTreeMap;
use std::sync::Arc;

use duet_units::ClockTime;
use iec104::asdu::Asdu;
use iec104::types::InformationObjects;
use iec104::types::information_elements::{Diq, Dpi, Siq, Spi};
use iec104::types::quality_descriptors::{Qds, SeqQd};
use iec104::types::time::Cp56Time2a;

use super::{FieldEvent, Value, from_time_tag};
use crate::point_map::Iec104Station;
use crate::reading::Flags;

/// A tag further ahead of the gateway's clock than this is not believed.
const AHEAD_MS: i64 = 60_000;
/// A tag older than this is not believed: no station keeps values longer than two days.
const BEHIND_MS: i64 = 2 * 86_400_000;

/// What a point of the station is.
#[derive(Clone, Debug)]
struct Point {
    name: Arc<str>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Energy,
    Power { w_per_count: i64 },
    State,
}

/// One information object, whatever its type: a number and a quality.
struct Object {
    ioa: u32,
    number: Option<Number>,
    flags: Flags,
    tag: Option<Cp56Time2a>,
}

enum Number {
    Count(i64),
    /// A counter that has counted into its sign bit.
    Counter(u32),
    Float(f32),
    State(bool),
}

/// Reads the ASDUs of one station.
#[derive(Clone, Debug)]
pub struct Decoder {
    common_address: u16,
    utc_offset_min: i16,
    points: BTreeMap<u32, Point>,
}

impl Decoder {
    /// A decoder for the points of `station`.
    #[must_use]
    pub fn new(station: &Iec104Station) -> Self {
        let mut points = BTreeMap::new();
        for point in &station.energy {
            let name = point.name.as_str().into();
            points.insert(point.at.ioa, Point { name, kind: Kind::Energy });
        }
        for point in &station.power {
            let kind = Kind::Power { w_per_count: point.w_per_count.into() };
            points.insert(point.at.ioa, Point { name: point.name.as_str().into(), kind });
        }
        for point in &station.state {
            let name = point.name.as_str().into();
            points.insert(point.at.ioa, Point { name, kind: Kind::State });
        }
        let (common_address, utc_offset_min) = (station.common_address, station.utc_offset_min);
        Self { common_address, utc_offset_min, points }
    }

    /// The values of an ASDU that are points of the map, in its order. Test ASDUs and those of
    /// another common address have none.
    #[must_use]
    pub fn decode(&self, asdu: &Asdu, now: ClockTime) -> Vec<FieldEvent> {
        if asdu.test || asdu.address_field != self.common_address {
            return Vec::new();
        }
        let objects = objects(&asdu.information_objects);
        objects.into_iter().filter_map(|object| self.event(object, now)).collect()
    }

    fn event(&self, object: Object, now: ClockTime) -> Option<FieldEvent> {
        let point = self.points.get(&object.ioa)?;
        let (at, clock) = self.time(object.tag.as_ref(), now);
        let value = object.number.and_then(|number| value(point.kind, &number));
        // A point with a number of another kind, or none: the point is there and says nothing.
        let fault = if value.is_some() { Flags::GOOD } else { Flags::INVALID };
        let value = value.unwrap_or(match point.kind {
            Kind::Energy => Value::Energy(0),
            Kind::Power { .. } => Value::Power(0),
            Kind::State => Value::State(false),
        });
        let flags = object.flags | clock | fault;
        Some(FieldEvent { name: point.name.clone(), value, at, flags })
    }

    /// The time of a value: its tag, if there is one that can be believed.
    fn time(&self, tag: Option<&Cp56Time2a>, now: ClockTime) -> (ClockTime, Flags) {
        let Some(tag) = tag else { return (now, Flags::GOOD) };
        let believable = now.plus_ms(-BEHIND_MS)..=now.plus_ms(AHEAD_MS);
        match from_time_tag(tag, self.utc_offset_min) {
            Some(at) if believable.contains(&at) => (at, Flags::GOOD),
            Some(_) | None => (now, Flags::CLOCK),
        }
    }
}

fn value(kind: Kind, number: &Number) -> Option<Value> {
    match (kind, number) {
        (Kind::Energy, Number::Count(count)) => Some(Value::Energy(u64::try_from(*count).ok()?)),
        (Kind::Energy, Number::Counter(count)) => Some(Value::Energy((*count).into())),
        (Kind::Energy, Number::Float(value)) => energy_point(*value).map(Value::Energy),
        (Kind::Power { w_per_count }, Number::Count(count)) => {
            count.checked_mul(w_per_count).map(Value::Power)
        }
        (Kind::Power { w_per_count }, Number::Float(value)) => {
            thousandths(*value)?.checked_mul(w_per_count).map(Value::Power)
        }
        (Kind::State, Number::State(on)) => Some(Value::State(*on)),
        (Kind::Energy, Number::State(_))
        | (Kind::Power { .. }, Number::Counter(_) | Number::State(_))
        | (Kind::State, Number::Count(_) | Number::Counter(_) | Number::Float(_)) => None,
    }
}

/// A floating-point value in thousandths, rounded half away from zero; `None` if it is not a
/// number or too large. Here the floating-point numbers of the field end.
#[must_use]
pub fn thousandths(value: f32) -> Option<i64> {
    let scaled = (f64::from(value) * 1_000.0).round();
    // 2^53: every whole number below it is exact.
    (scaled.abs() < 9_007_199_254_740_992.0).then_some(scaled as i64)
}

/// A floating-point energy register in thousandths; `None` if it cannot be one.
#[must_use]
pub fn energy_point(value: f32) -> Option<u64> {
    u64::try_from(thousandths(value)?).ok()
}

fn objects(objects: &InformationObjects) -> Vec<Object> {
    // One line for each type: its objects' number, quality and tag.
    macro_rules! read {
        ($list:expr, $o:ident => $number:expr, $flags:expr, $tag:expr) => {
            $list
                .iter()
                .map(|object| {
                    let $o = &object.object;
                    Object { ioa: object.address, number: $number, flags: $flags, tag: $tag }
                })
                .collect()
        };
    }
    use InformationObjects as I;
    let count = |value: i16| Some(Number::Count(value.into()));
    match objects {
        I::MItNa1(list) => read!(list, o => counter(o.bcr), counter_flags(&o.sqd), None),
        I::MItTb1(list) => {
            read!(list, o => counter(o.bcr), counter_flags(&o.sqd), Some(o.time.clone()))
        }
        I::MMeNa1(list) => read!(list, o => count(o.nva), flags(&o.qds), None),
        I::MMeTd1(list) => read!(list, o => count(o.nva), flags(&o.qds), Some(o.time.clone())),
        I::MMeNd1(list) => read!(list, o => count(o.nva), Flags::GOOD, None),
        I::MMeNb1(list) => read!(list, o => count(o.sva), flags(&o.qds), None),
        I::MMeTe1(list) => read!(list, o => count(o.sva), flags(&o.qds), Some(o.time.clone())),
        I::MMeNc1(list) => read!(list, o => Some(Number::Float(o.value)), flags(&o.qds), None),
        I::MMeTf1(list) => {
            read!(list, o => Some(Number::Float(o.value)), flags(&o.qds), Some(o.time.clone()))
        }
        I::MSpNa1(list) => read!(list, o => single(&o.siq), single_flags(&o.siq), None),
        I::MSpTb1(list) => {
            read!(list, o => single(&o.siq), single_flags(&o.siq), Some(o.time.clone()))
        }
        I::MDpNa1(list) => read!(list, o => double(&o.diq), double_flags(&o.diq), None),
        I::MDpTb1(list) => {
            read!(list, o => double(&o.diq), double_flags(&o.diq), Some(o.time.clone()))
        }
        // Types that no point can be mapped to: commands, parameters, bit strings, and those with
        // the three-octet tag, which companion standard 104 does not use.
        _ => Vec::new(),
    }
}

/// A binary counter reading is signed on the wire; meters count through the sign bit.
#[expect(clippy::unnecessary_wraps, reason = "the shape of the other readers")]
fn counter(bcr: i32) -> Option<Number> {
    Some(Number::Counter(bcr.cast_unsigned()))
}

fn single(siq: &Siq) -> Option<Number> {
    Some(Number::State(siq.spi == Spi::On))
}

fn double(diq: &Diq) -> Option<Number> {
    match diq.dpi {
        Dpi::Off => Some(Number::State(false)),
        Dpi::On => Some(Number::State(true)),
        Dpi::Indeterminate | Dpi::Invalid => None,
    }
}

const fn quality(bits: [(bool, Flags); 4]) -> Flags {
    let mut flags = 0;
    let mut i = 0;
    while i < bits.len() {
        if bits[i].0 {
            flags |= bits[i].1.bits();
        }
        i += 1;
    }
    match Flags::from_bits(flags) {
        Some(flags) => flags,
        None => Flags::INVALID,
    }
}

fn flags(q: &Qds) -> Flags {
    let invalid = (q.iv || q.ov, Flags::INVALID);
    quality([invalid, (q.nt, Flags::STALE), (q.sb, Flags::SUBSTITUTED), (q.bl, Flags::STALE)])
}

fn single_flags(q: &Siq) -> Flags {
    flags(&Qds { iv: q.iv, nt: q.nt, sb: q.sb, bl: q.bl, ov: false })
}

fn double_flags(q: &Diq) -> Flags {
    flags(&Qds { iv: q.iv, nt: q.nt, sb: q.sb, bl: q.bl, ov: false })
}

/// Carry says that the register rolled over, which shows in the count itself; adjusted says that
/// somebody set it.
fn counter_flags(q: &SeqQd) -> Flags {
    let set = (q.ca, Flags::SUBSTITUTED);
    quality([(q.iv, Flags::INVALID), set, (false, Flags::GOOD), (false, Flags::GOOD)])
}
