//! The `duet` program.

mod announce;
mod auction;
mod bench;
mod carbon;
mod certificate;
mod cluster;
mod contract;
mod demo;
mod device;
mod inspect;
mod intervene;
mod key;
mod node;
mod order;
mod page;
mod remote;
mod reports;
mod rule;
mod schedule;
mod scratch;
mod sealed;
mod statement;
mod study;
mod tls;
mod verify;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::{io::Write as _, process::ExitCode};

/// Duet: a joint electricity-carbon market.
#[derive(Debug, Parser)]
#[command(name = "duet", version, arg_required_else_help = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Account(inspect::AccountArgs),
    Auction(auction::AuctionArgs),
    Bench(bench::BenchArgs),
    Bilateral(contract::BilateralArgs),
    Block(inspect::BlockArgs),
    Carbon(carbon::CarbonArgs),
    Certificate(certificate::CertificateArgs),
    Demo(demo::DemoArgs),
    Device(device::DeviceArgs),
    Genesis(node::GenesisArgs),
    Key(key::KeyArgs),
    Listing(contract::ListingArgs),
    Node(node::NodeArgs),
    Order(order::OrderArgs),
    Receipt(inspect::ReceiptArgs),
    Rule(rule::RuleArgs),
    Send(intervene::SendArgs),
    Session(inspect::SessionArgs),
    Statement(statement::StatementArgs),
    Study(study::StudyArgs),
    Tls(tls::TlsArgs),
    Verify(verify::VerifyArgs),
}

/// Exit codes: 0 done, 1 refused or failed, 2 not understood, 3 node not reached.
fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,commonware_storage=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let matches = with_numbers_below_zero(Program::command()).get_matches();
    let program = Program::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(program.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The whole chain of causes, each behind its effect.
            writeln!(std::io::stderr(), "duet: {error:#}").ok();
            error.downcast_ref::<remote::Failure>().map_or(ExitCode::FAILURE, |f| f.exit_code())
        }
    }
}

/// A number below zero is a value that a rule refuses by its name, not an unknown option.
fn with_numbers_below_zero(command: clap::Command) -> clap::Command {
    let takes_one =
        |arg: &clap::Arg| arg.get_action().takes_values() && !arg.is_allow_hyphen_values_set();
    command
        .mut_args(|arg| if takes_one(&arg) { arg.allow_negative_numbers(true) } else { arg })
        .mut_subcommands(with_numbers_below_zero)
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Account(args) => inspect::account(&args),
        Command::Auction(args) => auction::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Bilateral(args) => contract::bilateral(&args),
        Command::Block(args) => inspect::block(&args),
        Command::Carbon(args) => carbon::run(&args),
        Command::Certificate(args) => certificate::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Device(args) => device::run(&args),
        Command::Genesis(args) => node::found(&args),
        Command::Key(args) => key::run(&args),
        Command::Listing(args) => contract::listing(&args),
        Command::Node(args) => node::run(&args),
        Command::Order(args) => order::run(&args),
        Command::Receipt(args) => inspect::receipt(&args),
        Command::Rule(args) => rule::run(&args),
        Command::Send(args) => intervene::send(&args),
        Command::Session(args) => inspect::session(&args),
        Command::Statement(args) => statement::run(&args),
        Command::Study(args) => study::run(args),
        Command::Tls(args) => tls::run(&args),
        Command::Verify(args) => verify::run(&args),
    }
}
