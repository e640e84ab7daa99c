//! `duet genesis`: the files of a channel whose validators run on this machine, to try it out.

use super::file::Written;
use crate::tls;
use anyhow::{Context as _, ensure};
use clap::Args;
use duet_ledger::{Encode as _, Genesis};
use duet_study::scenario::Scenario;
use duet_units::DeliveryDay;
use duet_world::{Founding, demo_seed};
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

const EIGHT_HOURS_MS: i64 = 8 * 3_600_000;

/// Writes the genesis, keys and configurations of a channel on loopback. Its keys are derived from
/// names, so they are known to everybody: good for trying out, never for real money.
#[derive(Debug, Args)]
pub(crate) struct GenesisArgs {
    /// The scenario whose members and units the channel has.
    #[arg(long, value_name = "DIR", default_value = "scenarios/hebei-south")]
    scenario: PathBuf,
    /// A new folder for the files.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The day of the genesis, 08:00 in UTC+8.
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2026-07-05", value_parser = parse_day)]
    day: DeliveryDay,
    /// Validators listen on this port and those after it, their APIs on those 1000 higher.
    #[arg(long, default_value_t = 7_100, value_parser = clap::value_parser!(u16).range(1_024..=60_000))]
    port: u16,
    /// Make a root and a certificate for each validator's API, too.
    #[arg(long)]
    tls: bool,
}

fn parse_day(text: &str) -> Result<DeliveryDay, String> {
    DeliveryDay::parse(text).ok_or_else(|| "not a day YYYY-MM-DD".to_owned())
}

pub(crate) fn run(args: &GenesisArgs) -> anyhow::Result<()> {
    let scenario = Scenario::load(&args.scenario)
        .with_context(|| format!("scenario {}", args.scenario.display()))?;
    let founding = Founding::new(&scenario, args.day.start().plus_ms(EIGHT_HOURS_MS))?;
    ensure!(!args.out.exists(), "{} exists already: name a new folder", args.out.display());
    std::fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let genesis = &founding.genesis;
    let bytes = duet_sdk::wire::Bytes(genesis.to_bytes());
    write_new(&args.out.join("genesis.hex"), &format!("{bytes}\n"), 0o644)?;
    let address = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let peers: BTreeMap<String, SocketAddr> = genesis
        .validators
        .iter()
        .zip(args.port..)
        .map(|(validator, port)| (validator.name.clone(), address(port)))
        .collect();
    write_member_keys(&args.out.join("keys"), genesis)?;
    let root = args.tls.then(|| tls::Root::new_in(&args.out)).transpose()?;
    for (validator, port) in genesis.validators.iter().zip(args.port..) {
        let name = &validator.name;
        let seed = duet_sdk::wire::Hex32(Founding::validator_seed(name));
        write_new(&args.out.join(format!("{name}.key")), &format!("{seed}\n"), 0o600)?;
        let certificate = match &root {
            Some(root) => Some(root.issue_in(&args.out, name, &own_hosts())?),
            None => None,
        };
        let (tls_cert, tls_key) = certificate.unzip();
        let written = Written {
            name: name.clone(),
            genesis: "genesis.hex".into(),
            key: format!("{name}.key").into(),
            data: format!("{name}.data").into(),
            listen: address(port),
            api: address(port + 1_000),
            tls_cert,
            tls_key,
            web: None,
            peers: peers.clone(),
        };
        let text = toml::to_string(&written).context("the configuration")?;
        write_new(&args.out.join(format!("{name}.toml")), &text, 0o644)?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "channel {}", duet_sdk::wire::Hex32(genesis.channel()))?;
    for validator in &genesis.validators {
        let file = args.out.join(format!("{}.toml", validator.name));
        writeln!(out, "duet node --config {}", file.display())?;
    }
    Ok(())
}

/// A key file for each member and operator of the genesis, by its label.
fn write_member_keys(folder: &Path, genesis: &Genesis) -> anyhow::Result<()> {
    std::fs::create_dir(folder).with_context(|| format!("making {}", folder.display()))?;
    for registration in &genesis.identities {
        let label = &registration.identity.label;
        let seed = duet_sdk::wire::Hex32(demo_seed(label));
        let file = folder.join(format!("{label}.key"));
        write_new(&file, &format!("{seed}\n"), 0o600)?;
    }
    Ok(())
}

/// Under which names this machine reaches its own API.
fn own_hosts() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec()
}

pub(crate) fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(|| format!("writing {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))
}
