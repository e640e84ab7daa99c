//! Frames of a station: what the decoder makes of them is in the map, and at a time that can be.
#![no_main]

use std::sync::LazyLock;

use duet_gateway::field::{Decoder, Value};
use duet_gateway::point_map::PointMap;
use duet_units::ClockTime;
use iec104::apdu::{Apdu, Frame};
use iec104::types_id::TypeId;
use libfuzzer_sys::fuzz_target;

static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    let map = PointMap::parse(include_str!("../../tests/fixtures/plant.toml"));
    Decoder::new(&map.expect("the fixture").iec104[0])
});

fuzz_target!(|data: (bool, &[u8])| {
    let (is_whole, bytes) = data;
    let header = if is_whole { bytes.get(6..8) } else { bytes.get(..2) };
    if let Some([type_id, vsq]) = header
        && TypeId::from(*type_id).size() == 0
        && vsq & 0x80 != 0
    {
        // The library (0.6.0) panics on these; the gateway makes such a link anew.
        return;
    }
    let frame = if is_whole {
        Apdu::from_bytes(bytes)
    } else {
        // An I-frame around the bytes, or all but a few inputs end at its first octets.
        let bytes = &bytes[..bytes.len().min(249)];
        let head = [0x68, bytes.len() as u8 + 4, 0, 0, 0, 0];
        Apdu::from_bytes(&[&head, bytes].concat())
    };
    let Ok(Apdu { frame: Frame::I(frame), .. }) = frame else { return };
    let now = ClockTime::from_unix_ms(1_783_296_550_250);
    for event in DECODER.decode(&frame.asdu, now) {
        assert!(event.at <= now.plus_ms(60_000), "{event:?} is ahead");
        assert!(event.at >= now.plus_ms(-2 * 86_400_000), "{event:?} is old");
        let fits = match (&*event.name, event.value) {
            ("dt1.energy", Value::Energy(_)) | ("dt1.power", Value::Power(_)) => true,
            (name, Value::State(_)) => ["dt1.breaker", "dt1.remote"].contains(&name),
            _ => false,
        };
        assert!(fits, "{event:?} is not what the map says");
    }
});
