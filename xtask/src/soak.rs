//! `cargo xtask soak`: a thousand points a second for ten minutes through the real gateway.

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// Runs the gateway's soak test, optimised, for as long and with as many points as is asked for;
/// without options as the issue of the gateway wants it.
///
/// # Errors
///
/// Fails if an option is unknown, or if a value is lost or counted wrongly.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut seconds, mut points) = (600_u32, 1_000_u32);
    for pair in args.chunks(2) {
        let [name, value] = pair else { bail!("{} needs a number", pair.concat()) };
        let number = value.parse().with_context(|| format!("{name}: `{value}` is no number"))?;
        match name.as_str() {
            "--seconds" => seconds = number,
            "--points" => points = number,
            _ => bail!("soak: --seconds or --points, not `{name}`"),
        }
    }
    let mut command = shell::cargo();
    command.env("DUET_SECONDS", seconds.to_string()).env("DUET_POINTS", points.to_string());
    command.args(["test", "--release", "-p", "duet-gateway", "--test", "soak"]);
    shell::step("soak", || shell::run(command.args(["--", "--nocapture"])))
}
