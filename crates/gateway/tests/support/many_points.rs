//! The stations of a point map with as many points as a load asks for. The boots of the emulated
//! board use it, too.

use std::fmt::Write as _;

/// How many stations there are: the first half over IEC 60870-5-104, the others over Modbus TCP.
pub(crate) const STATIONS: u32 = 10;

/// `points` points over ten stations, half of them energy registers of 100 Wh a count: units 1 to
/// half of `points`. `points` is a multiple of 20. Each station is at the address that `address`
/// gives it. Nothing is interrogated again within an hour.
pub(crate) fn stations(points: u32, address: impl Fn(u32) -> String) -> String {
    let (mut map, meters) = (String::new(), points / STATIONS / 2);
    for station in 0..STATIONS {
        let modbus = station >= STATIONS / 2;
        let kind = if modbus { "modbus" } else { "iec104" };
        let own = if modbus {
            "unit = 1"
        } else {
            "common_address = 47\ninterrogation_s = 3600\ncounter_s = 3600"
        };
        let at = |n: u32| match modbus {
            true => format!("{{ register = {}, format = \"u32\" }}", n * 2),
            false => format!("{{ ioa = {} }}", n + 1),
        };
        let (mut energy, mut power) = (String::new(), String::new());
        for n in 0..meters {
            let unit = station * meters + n + 1;
            let (at_energy, at_power) = (at(n), at(n + meters));
            // Writing to a string cannot fail.
            let _ = write!(
                energy,
                "{{ name = \"u{unit}.energy\", at = {at_energy}, unit = {unit}, \
                 wh_per_count = 100, rollover = 2147483648, max_kw = 330000, gap_s = 600 }}, "
            );
            let _ =
                write!(power, "{{ name = \"u{unit}.power\", at = {at_power}, w_per_count = 1 }}, ");
        }
        let address = address(station);
        let _ = writeln!(
            map,
            "[[{kind}]]\nname = \"s{station}\"\naddress = \"{address}\"\n{own}\n\
             energy = [{energy}]\npower = [{power}]"
        );
    }
    map
}
