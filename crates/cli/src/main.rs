//! The `duet` program.

mod bench;
mod cluster;
mod demo;
mod page;
mod scratch;
mod study;

use clap::{Parser, Subcommand};

/// Duet: a joint electricity-carbon market.
#[derive(Debug, Parser)]
#[command(name = "duet", version, arg_required_else_help = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::BenchArgs),
    Demo(demo::DemoArgs),
    Study(study::StudyArgs),
}

fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,commonware_storage=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Program::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Study(args) => study::run(args),
    }
}
