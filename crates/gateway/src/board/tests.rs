//! The board as facts, on a made-up sysfs.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// A sysfs tree of its own, removed afterwards, with the XADC's real names and scales.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("duet-board-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&root));
        let tree = Self(root);
        // Another IIO device comes first: the number says nothing.
        tree.write("bus/iio/devices/iio:device0/name", "ad7291");
        tree.write("bus/iio/devices/iio:device1/name", "xadc");
        tree.xadc("in_temp0_raw", "2585");
        tree.xadc("in_temp0_offset", "-2219");
        tree.xadc("in_temp0_scale", "123.040771484");
        tree.xadc("in_voltage0_vccint_raw", "1365");
        tree.xadc("in_voltage0_vccint_scale", "0.732421875");
        tree.xadc("in_voltage8_raw", "3686");
        tree.xadc("in_voltage8_scale", "0.244140625");
        tree.write("class/leds/status:green/max_brightness", "1");
        tree.write("class/leds/status:green/brightness", "0");
        tree.write("class/leds/mmc0::/brightness", "0");
        tree.write("class/net/eth0/carrier", "1");
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    fn xadc(&self, file: &str, text: &str) {
        self.write(&format!("bus/iio/devices/iio:device1/{file}"), text);
    }

    fn led(&self, file: &str) -> String {
        let path = self.0.join("class/leds/status:green").join(file);
        fs::read_to_string(path).unwrap_or_default().trim().to_owned()
    }

    fn board(&self) -> Board {
        let channel = vec![
            Limit {
                high_warn: Some(80_000),
                high_alarm: Some(85_000),
                hysteresis: 2_000,
                ..limit("temperature", "in_temp0", Channel::Temperature)
            },
            Limit {
                low_alarm: Some(970),
                high_alarm: Some(1_030),
                ..limit("vccint", "in_voltage0_vccint", Channel::Voltage)
            },
            Limit {
                divider: [5, 1],
                low_warn: Some(4_300),
                ..limit("supply", "in_voltage8", Channel::Voltage)
            },
        ];
        let (led, interface) = ("status:green".to_owned(), "eth0".to_owned());
        Board::new(&BoardLimits { sysfs: self.0.clone(), led, interface, channel })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn limit(name: &str, input: &str, kind: Channel) -> Limit {
    Limit {
        name: name.to_owned(),
        input: input.to_owned(),
        kind,
        divider: [1, 1],
        low_alarm: None,
        low_warn: None,
        high_warn: None,
        high_alarm: None,
        hysteresis: 5,
    }
}

fn values(health: &Health) -> Vec<(Option<i64>, Level)> {
    health.channels.iter().map(|(_, value, level)| (*value, *level)).collect()
}

#[test]
fn values_are_those_of_the_kernel_driver() {
    let tree = Tree::new("values");
    let health = tree.board().read();
    // 45.03 degrees, 0.99976 V, and 0.8999 V behind a divider by five: 4.5 V.
    let normal = Level::Normal;
    let expected = [(Some(45_033), normal), (Some(1_000), normal), (Some(4_500), normal)];
    assert_eq!(values(&health), expected);
    assert_eq!((health.link, health.worst()), (Some(true), normal));
}

#[test]
fn a_sensor_that_shows_what_cannot_be_is_a_fault_and_no_temperature() {
    let tree = Tree::new("fault");
    let mut board = tree.board();
    for raw in ["0", "4095", "-1", "", "12x"] {
        tree.xadc("in_temp0_raw", raw);
        assert_eq!(values(&board.read())[0], (None, Level::SensorFault), "{raw:?}");
    }
    tree.xadc("in_temp0_raw", "2585");
    assert_eq!(values(&board.read())[0], (Some(45_033), Level::Normal));
    fs::remove_dir_all(tree.0.join("bus/iio/devices/iio:device1")).unwrap();
    assert!(values(&board.read()).iter().all(|v| *v == (None, Level::SensorFault)));
}

#[test]
fn an_alarm_falls_only_when_the_value_is_well_inside_again() {
    let tree = Tree::new("hysteresis");
    let mut board = tree.board();
    let mut at = |degrees: i64| {
        let raw = degrees * 1_000 * 1_000_000_000 / 123_040_771_484 + 2_219 + 1;
        tree.xadc("in_temp0_raw", &raw.to_string());
        values(&board.read())[0].1
    };
    let levels: Vec<Level> = [70, 81, 79, 77, 84, 86, 84, 82, 79, 77].map(&mut at).to_vec();
    use Level::{Alarm, Normal, Warning};
    assert_eq!(
        levels,
        [Normal, Warning, Warning, Normal, Warning, Alarm, Alarm, Warning, Warning, Normal]
    );
}

#[test]
fn a_supply_outside_its_range_is_an_alarm() {
    let tree = Tree::new("supply");
    let mut board = tree.board();
    for (raw, level) in [("1300", Level::Alarm), ("1365", Level::Normal), ("1420", Level::Alarm)] {
        tree.xadc("in_voltage0_vccint_raw", raw);
        assert_eq!(values(&board.read())[1].1, level, "{raw}");
    }
    tree.xadc("in_voltage0_vccint_raw", "1365");
    tree.xadc("in_voltage8_raw", "3400");
    assert_eq!(board.read().worst(), Level::Warning, "4.15 V of 4.5 V");
}

#[test]
fn the_light_shows_one_state_and_leaves_the_others_alone() {
    let tree = Tree::new("light");
    let mut board = tree.board();
    board.show(Light::Running);
    assert_eq!((tree.led("trigger"), tree.led("brightness")), ("none".into(), "1".into()));
    board.show(Light::Holding);
    assert_eq!((tree.led("trigger"), tree.led("delay_on")), ("timer".into(), "500".into()));
    board.show(Light::Alarm);
    assert_eq!(tree.led("delay_off"), "100");
    fs::remove_file(tree.0.join("class/leds/status:green/trigger")).unwrap();
    board.show(Light::Alarm);
    assert_eq!(tree.led("trigger"), "", "it is written only when it changes");
    assert_eq!(fs::read_to_string(tree.0.join("class/leds/mmc0::/brightness")).unwrap(), "0\n");
}

#[test]
fn a_board_without_light_or_interface_is_still_read() {
    let tree = Tree::new("bare");
    fs::remove_dir_all(tree.0.join("class")).unwrap();
    let mut board = tree.board();
    board.show(Light::Running);
    assert_eq!(board.read().link, None);
    tree.write("class/net/eth0/operstate", "down");
    assert_eq!(board.read().link, Some(false), "an interface that is down has no carrier file");
    assert_eq!(Xadc::find(Path::new("/nowhere")), None);
}

#[test]
fn scales_are_decimal_numbers_and_nothing_else() {
    assert_eq!(milli_units(2_585, -2_219, "123.040771484"), Some(45_033));
    assert_eq!(milli_units(1, 0, "2"), Some(2));
    assert_eq!(milli_units(-3, 0, "0.5"), Some(-1), "half up");
    for wrong in
        ["", ".", "x", "-1", "1.-5", "1.0000000001", "1e3", "99999999999999999999999999999999"]
    {
        assert_eq!(milli_units(1, 0, wrong), None, "{wrong}");
    }
    assert_eq!(milli_units(i64::MAX, 1, "1"), None);
    assert_eq!(milli_units(i64::MAX, 0, "2"), None);
}

proptest! {
    #[test]
    fn a_level_never_falls_before_the_hysteresis_and_never_stays_after_it(
        values in prop::collection::vec(0..200_i64, 1..60),
    ) {
        let limit = Limit {
            low_alarm: Some(20), low_warn: Some(40), high_warn: Some(120), high_alarm: Some(160),
            hysteresis: 10, ..limit("x", "x", Channel::Voltage)
        };
        let mut watch = Watch::new(limit);
        let mut before = Level::Normal;
        for value in values {
            let level = watch.take(Some(value));
            if !(20..=160).contains(&value) {
                prop_assert_eq!(level, Level::Alarm);
            }
            if (50..=110).contains(&value) {
                prop_assert_eq!(level, Level::Normal);
            }
            if before == Level::Alarm && !(30..=150).contains(&value) {
                prop_assert_eq!(level, Level::Alarm);
            }
            before = level;
        }
    }
}
