//! The point map of a member's simulated plant, and its simulated board.

use anyhow::Context as _;
use duet_gateway::point_map::PointMap;
use duet_ledger::{Unit, UnitId};
use duet_world::TradingDay;
use std::{fmt::Write as _, fs, io, net::SocketAddr, path::Path};

/// Files of the simulated board: 45 degrees, 1.0 V, 1.8 V and 1.5 V as the XADC shows them.
const BOARD: [(&str, &str); 12] = [
    ("bus/iio/devices/iio:device0/name", "xadc"),
    ("bus/iio/devices/iio:device0/in_temp0_offset", "-2219"),
    ("bus/iio/devices/iio:device0/in_temp0_scale", "123.040771484"),
    ("bus/iio/devices/iio:device0/in_voltage0_vccint_raw", "1365"),
    ("bus/iio/devices/iio:device0/in_voltage0_vccint_scale", "0.732421875"),
    ("bus/iio/devices/iio:device0/in_voltage1_vccaux_raw", "2458"),
    ("bus/iio/devices/iio:device0/in_voltage1_vccaux_scale", "0.732421875"),
    ("bus/iio/devices/iio:device0/in_voltage5_vccoddr_raw", "2048"),
    ("bus/iio/devices/iio:device0/in_voltage5_vccoddr_scale", "0.732421875"),
    ("class/leds/status:green/brightness", "0"),
    ("class/leds/status:green/trigger", "[none] timer"),
    ("class/net/eth0/carrier", "1"),
];

/// A raw temperature of 45 degrees; each board is a little warmer than the one before.
const RAW_TEMPERATURE: usize = 2_585;

/// Makes the sysfs tree of a simulated board.
pub(super) fn make_board(folder: &Path, place: usize) -> io::Result<()> {
    let write = |name: &str, text: &str| {
        let path = folder.join("sys").join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    };
    BOARD.iter().try_for_each(|(name, text)| write(name, text))?;
    let raw = RAW_TEMPERATURE + place;
    write("bus/iio/devices/iio:device0/in_temp0_raw", &raw.to_string())
}

/// A point of a unit's machine.
pub(super) fn point(unit: UnitId, what: &str) -> String {
    format!("u{unit}.{what}")
}

/// The point map of the member at `place`: a station for each unit, in turn over IEC 60870-5-104
/// and Modbus TCP. The stations' addresses are not known yet.
pub(super) fn of_member(
    world: &TradingDay,
    place: usize,
    (api, folder): (SocketAddr, &Path),
) -> anyhow::Result<PointMap> {
    let founding = world.founding();
    let member = &founding.members[place];
    let mut text = head(&world.scenario().members[place].name, api, folder);
    writeln!(text, "[device]\nkey = \"none\"\nchannel = \"{}\"", hex(&founding.genesis.channel()))?;
    text.push_str(LIMITS);
    for id in &member.units {
        let unit = founding.genesis.units.get(usize::try_from(id.0)?).context("the unit")?;
        if id.0 % 2 == 0 {
            iec104(&mut text, *id, unit)?;
        } else {
            modbus(&mut text, *id, unit)?;
        }
    }
    let mut map = PointMap::parse(&text).context("the demo's point map")?;
    // The plants' time stands still between hours, so nothing may wait for it to pass.
    map.gateway.seal_after_s = 0;
    Ok(map)
}

fn head(name: &str, api: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "[gateway]\nname = \"{name}\"\ndata = '{folder}'\nresolution = \"hour\"\n\
         close_after_s = 7200\ntick_ms = 100\n\
         [uplink]\nnode = \"http://{api}\"\nfresh_s = 86400\npause_ms = 300\nhealth_s = 100\n\
         [board]\nsysfs = '{folder}/sys'\n"
    )
}

const LIMITS: &str = r#"
[[board.channel]]
name = "temperature"
input = "in_temp0"
kind = "temperature"
high_warn = 80000
high_alarm = 85000
hysteresis = 2000
[[board.channel]]
name = "vccint"
input = "in_voltage0_vccint"
kind = "voltage"
low_alarm = 970
high_alarm = 1030
hysteresis = 5
[[board.channel]]
name = "vccaux"
input = "in_voltage1_vccaux"
kind = "voltage"
low_alarm = 1710
high_alarm = 1890
hysteresis = 5
[[board.channel]]
name = "vccoddr"
input = "in_voltage5_vccoddr"
kind = "voltage"
low_alarm = 1425
high_alarm = 1575
hysteresis = 5
"#;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn iec104(text: &mut String, id: UnitId, unit: &Unit) -> std::fmt::Result {
    let port = 10_000 + id.0;
    write!(
        text,
        "[[iec104]]\nname = \"rtu-{id}\"\naddress = \"127.0.0.1:{port}\"\ncommon_address = 1\n"
    )?;
    let at = ["{ ioa = 30 }", "{ ioa = 11 }", "{ ioa = 1 }", "{ ioa = 100 }"];
    // Single precision in megawatts holds whole kilowatts of the largest plant.
    points(text, (id, unit), at, (2_147_483_648, 1_000))
}

fn modbus(text: &mut String, id: UnitId, unit: &Unit) -> std::fmt::Result {
    let port = 10_000 + id.0;
    write!(
        text,
        "[[modbus]]\nname = \"rtu-{id}\"\naddress = \"127.0.0.1:{port}\"\nunit = 1\npoll_ms = 100\n"
    )?;
    let at = [
        "{ register = 100, format = \"u32\" }",
        "{ register = 110, format = \"f32\", table = \"input\" }",
        "{ register = 120, format = \"u16\" }",
        "{ register = 200, format = \"u32\" }",
    ];
    points(text, (id, unit), at, (4_294_967_296, 1_000))
}

fn points(
    text: &mut String,
    (id, unit): (UnitId, &Unit),
    [energy, power, state, set]: [&str; 4],
    (rollover, w_per_count): (u64, u32),
) -> std::fmt::Result {
    let name = |what| point(id, what);
    let capacity = unit.capacity.kw().max(1);
    // Twice its capacity is what the ledger believes, too.
    let most = capacity * 2;
    writeln!(
        text,
        "energy = [{{ name = \"{}\", at = {energy}, unit = {id}, wh_per_count = 1000, \
         rollover = {rollover}, max_kw = {most}, gap_s = 7200 }}]\n\
         power = [{{ name = \"{}\", at = {power}, w_per_count = 1 }}]\n\
         state = [{{ name = \"{}\", at = {state} }}]",
        name("energy"),
        name("power"),
        name("remote"),
    )?;
    if unit.technology.consumes() {
        return Ok(());
    }
    writeln!(
        text,
        "setpoint = [{{ name = \"{}\", at = {set}, unit = {id}, w_per_count = {w_per_count}, \
         min_kw = 0, max_kw = {capacity}, max_step_kw = {capacity}, power = \"{}\", \
         interlocks = [\"{}\"], fresh_s = 86400 }}]",
        name("set"),
        name("power"),
        name("remote"),
    )
}
