//! Point maps: a map that is accepted can be worked with.
#![no_main]

use duet_gateway::field::{Decoder, plan};
use duet_gateway::point_map::PointMap;
use duet_gateway::simulate::{Behaviour, Plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(map) = PointMap::parse(text) else { return };
    assert!(map.points() <= 4_096, "{} points", map.points());
    assert!(map.device.channel_id().is_some());
    assert!(map.uplink.is_some() != map.one_way.is_some());
    for station in &map.iec104 {
        let _ = Decoder::new(station);
    }
    for station in &map.modbus {
        let energy = station.energy.iter().map(|p| p.at);
        let others = station.power.iter().map(|p| p.at).chain(station.state.iter().map(|p| p.at));
        let registers: Vec<_> = energy.chain(others).collect();
        assert!(plan(&registers).iter().all(|block| block.count <= 125));
    }
    // A simulated plant of it takes a step.
    Plant::new(&map, Behaviour::default()).step(1_000);
});
