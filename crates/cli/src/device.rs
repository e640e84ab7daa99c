//! `duet device`: list devices, enrol a new one for a unit, substitute readings.

use crate::remote::{Ends, Failure, Remote, block_on, table};
use clap::{Args, Subcommand};
use duet_sdk::wire::{self, Day, Device, EnrolDevice, Hex32, ReadingSubstitution};

/// List devices, enrol a new one for a unit, substitute readings that are missing.
#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    #[command(subcommand)]
    command: DeviceCommand,
}

#[derive(Debug, Subcommand)]
enum DeviceCommand {
    /// List the devices with their units and health.
    List(List),
    /// Give a unit a new device, in the name of its owner; the old one speaks for it no more.
    Enrol(Enrol),
    /// Put estimates in the place of readings that a meter did not report (dispatcher).
    ///
    /// From the end of the day after the delivery day on, until the day is settled. A reading of
    /// the device replaces a substitute.
    Substitute(Substitute),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Enrol {
    /// The unit.
    #[arg(long)]
    unit: u32,
    /// The public key of the device, which `duet-gateway key` prints.
    #[arg(long, value_name = "HEX")]
    device: Hex32,
    /// What people call the device.
    #[arg(long, default_value = "gateway")]
    label: String,
    #[command(flatten)]
    ends: Ends,
}

#[derive(Debug, Args)]
struct Substitute {
    /// The unit or point of consumption.
    #[arg(long)]
    unit: u32,
    /// The delivery day, as YYYY-MM-DD.
    #[arg(long)]
    day: Day,
    /// The first period.
    #[arg(long, default_value_t = 0)]
    first_period: u8,
    /// The energies in kWh, one a period, by commas.
    #[arg(long, required = true, value_name = "KWH,...", value_delimiter = ',')]
    energies: Vec<i64>,
    /// Why, for everyone to read.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    ends: Ends,
}

pub(crate) fn run(args: &DeviceArgs) -> anyhow::Result<()> {
    match &args.command {
        DeviceCommand::List(args) => block_on(list(args)),
        DeviceCommand::Enrol(args) => block_on(enrol(args)),
        DeviceCommand::Substitute(args) => block_on(substitute(args)),
    }
}

async fn list(args: &List) -> Result<(), Failure> {
    let devices = args.remote.client()?.devices().await?;
    args.remote.show(&devices, |devices| table(&HEAD, &devices.iter().map(row).collect::<Vec<_>>()))
}

const HEAD: [&str; 6] = ["device", "label", "owner", "units", "batches", "alarms"];

fn row(device: &Device) -> Vec<String> {
    let units: Vec<String> = device.units.iter().map(u32::to_string).collect();
    let alarms = device.health.as_ref().map_or("-".to_owned(), |health| health.alarms.to_string());
    vec![
        device.public_key.to_string(),
        device.label.clone(),
        device.organisation.to_string(),
        units.join(","),
        device.batches.to_string(),
        alarms,
    ]
}

async fn enrol(args: &Enrol) -> Result<(), Failure> {
    let (unit, device, label) = (args.unit, args.device, args.label.clone());
    let action = wire::Action::EnrolDevice(EnrolDevice { unit, device, label });
    args.ends.submit("device of unit", action).await
}

async fn substitute(args: &Substitute) -> Result<(), Failure> {
    let action = wire::Action::SubstituteReadings(ReadingSubstitution {
        unit: args.unit,
        day: args.day,
        first_period: args.first_period,
        energies_kwh: args.energies.clone(),
        reason: args.reason.clone(),
    });
    args.ends.submit("readings of unit", action).await
}
