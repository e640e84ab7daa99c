//! Point maps that are refused, each by the name of what is wrong.

use super::{MapError, PointMap};

const PLANT: &str = include_str!("../../tests/fixtures/plant.toml");

fn changed(from: &str, to: &str) -> MapError {
    assert!(PLANT.contains(from), "the fixture has {from:?}");
    PointMap::parse(&PLANT.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn the_map_of_the_small_plant_is_accepted() {
    let map = PointMap::parse(PLANT).unwrap();
    assert_eq!(map.points(), 9);
    assert_eq!(map.iec104[0].energy[0].wh_per_count, 100);
    assert_eq!(map.gateway.close_after_s, 60, "the default");
}

#[test]
fn unknown_keys_are_refused_wherever_they_stand() {
    for (from, to) in [
        ("name = \"gw-1\"", "name = \"gw-1\"\ncolour = \"red\""),
        ("common_address = 47", "common_address = 47\nbaud = 9600"),
        ("at = { ioa = 30 }", "at = { ioa = 30, register = 4 }"),
        ("unit = 1, wh_per_count", "unit = 1, factor = 2, wh_per_count"),
        ("table = \"input\"", "table = \"coil\""),
    ] {
        assert!(matches!(changed(from, to), MapError::Syntax(_)), "{to}");
    }
}

#[test]
fn addresses_and_ways_that_cannot_be_right_are_refused_by_name() {
    let name = |n: &str| n.to_owned();
    for (from, to, error) in [
        ("channel = \"0909", "channel = \"090", MapError::BadChannel),
        (
            "[uplink]",
            "[one_way]\ntarget = \"127.0.0.1:9\"\nrepeat = 3\n[uplink]",
            MapError::WaysOut,
        ),
        ("data = \"data\"", "data = \"data\"\nbacklog = 255", MapError::SmallBacklog),
        ("dt1.power\", at", "dt1.energy\", at", MapError::NameTwice(name("dt1.energy"))),
        ("127.0.0.1:2404", "127.0.0.1", MapError::BadAddress(name("rtu-1"))),
        ("127.0.0.1:1502", ":1502", MapError::BadAddress(name("pv-1"))),
        ("ioa = 30", "ioa = 0", MapError::BadIoa(name("dt1.energy"), 0)),
        ("ioa = 30", "ioa = 16777216", MapError::BadIoa(name("dt1.energy"), 16_777_216)),
        ("ioa = 11", "ioa = 30", MapError::Overlap(name("dt1.energy"), name("dt1.power"))),
        (
            "register = 120",
            "register = 101",
            MapError::Overlap(name("pv1.energy"), name("pv1.ready")),
        ),
        ("register = 200", "register = 65535", MapError::PastTheEnd(name("pv1.set"))),
        (
            "register = 200,",
            "register = 200, table = \"input\",",
            MapError::NotWritable(name("pv1.set")),
        ),
    ] {
        assert_eq!(changed(from, to), error);
    }
}

#[test]
fn numbers_and_names_that_cannot_be_right_are_refused_by_name() {
    let name = |n: &str| n.to_owned();
    for (from, to, error) in [
        ("wh_per_count = 100,", "wh_per_count = 0,", MapError::BadScale(name("dt1.energy"))),
        (
            "rollover = 2147483648",
            "rollover = 9223372036854775807",
            MapError::BadScale(name("dt1.energy")),
        ),
        (
            "rollover = 2147483648",
            "rollover = 100000",
            MapError::BadRollover(name("dt1.energy"), 100_000),
        ),
        (
            "rollover = 4294967296",
            "rollover = 4294967297",
            MapError::BadRollover(name("pv1.energy"), 4_294_967_297),
        ),
        (
            "unit = 2, wh_per_count",
            "unit = 1, wh_per_count",
            MapError::MeterTwice(name("dt1.energy"), name("pv1.energy")),
        ),
        (
            "unit = 2, w_per_count",
            "unit = 1, w_per_count",
            MapError::UnitTwice(name("dt1.set"), name("pv1.set")),
        ),
        (
            "min_kw = 0, max_kw = 50000",
            "min_kw = 5, max_kw = 4",
            MapError::BadLimits(name("pv1.set")),
        ),
        ("max_step_kw = 100000", "max_step_kw = 0", MapError::BadLimits(name("dt1.set"))),
        (
            "\"dt1.breaker\", \"dt1.remote\"]",
            "\"dt1.braker\"]",
            MapError::NoSuchPoint(name("dt1.set"), name("dt1.braker")),
        ),
        (
            "power = \"pv1.power\"",
            "power = \"pv1.ready\"",
            MapError::NoSuchPoint(name("pv1.set"), name("pv1.ready")),
        ),
        ("unit = 1\n", "unit = 1\npoll_ms = 0\n", MapError::BadInterval(name("pv-1"), "poll_ms")),
    ] {
        assert_eq!(changed(from, to), error);
    }
}

#[test]
fn a_board_that_could_never_stand_well_is_refused_by_the_channel() {
    let board = |channels: &str| {
        let map = format!("{PLANT}\n[board]\nchannel = [{channels}]\n");
        PointMap::parse(&map).map(|_| ())
    };
    let channel = |rest: &str| {
        format!("{{ name = \"core\", input = \"in_voltage0\", kind = \"voltage\", {rest} }},")
    };
    let good = channel("low_alarm = 970, high_alarm = 1030, hysteresis = 30");
    assert_eq!(board(&good), Ok(()));
    let bad = Err(MapError::BadBoard("core".to_owned()));
    for rest in [
        "low_alarm = 970, high_alarm = 1030, hysteresis = 31",
        "low_alarm = 970, hysteresis = -1",
        "low_alarm = 970, low_warn = 960, hysteresis = 1",
        "high_alarm = 970, high_warn = 980, hysteresis = 1",
        "high_alarm = 970, divider = [5, 0], hysteresis = 1",
    ] {
        assert_eq!(board(&channel(rest)), bad, "{rest}");
    }
    assert_eq!(board(&format!("{good}{good}")), bad, "one name twice");
    let many: String = (0..17).map(|n| good.replace("core", &format!("c{n}"))).collect();
    assert_eq!(board(&many), Err(MapError::TooManyChannels(17)));
}

#[test]
fn more_points_than_a_gateway_serves_are_refused() {
    let states: Vec<String> = (0..4_096)
        .map(|i| format!("{{ name = \"s{i}\", at = {{ ioa = {} }} }}", i + 1_000))
        .collect();
    let map = PLANT.replacen("state = [", &format!("state = [{},", states.join(",")), 1);
    assert_eq!(PointMap::parse(&map), Err(MapError::TooManyPoints(4_105)));
}
