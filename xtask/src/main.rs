//! The project's tasks, run as `cargo demo`, `cargo ci` and `cargo xtask ...`.
//!
//! What a newcomer types and what the integration machine runs are the same code, so a green run
//! here is a green run there. Nothing in this crate is linked into the product.

mod browser;
mod ci;
mod demo;
mod deny;
mod fuzz;
mod report;
mod shell;
mod soak;
mod tidy;
mod web;
mod zynq;

use std::process::ExitCode;

const HELP: &str = "\
The project's tasks.

Usage: cargo xtask <TASK> [ARGS]

Tasks:
  demo [ARGS]     build the web page and the program, then run `duet demo ARGS`   (cargo demo)
  ci [STEP...]    everything that must pass, or only the named steps              (cargo ci)
  ci --list       the names of the steps, in order
  tidy            rules over the work tree that no compiler checks
  web             build the web page into web/dist
  fuzz [ARGS]     fuzz targets of the gateway; ARGS: their names, seconds of each (60)
  soak [OPTIONS]  1,000 points at 1 s through the gateway for 10 minutes, nothing lost;
                  --seconds N (at most 850), --points N (a multiple of 20)
  zynq [STEP...]  the gateway for the ZYNQ-7045 board: build, test (qemu-arm), boot (emulated)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("--help", &[][..]),
    };
    let outcome = match task {
        "demo" => demo::run(rest),
        "ci" => ci::run(rest).map(|()| ExitCode::SUCCESS),
        "tidy" => tidy::run().map(|()| ExitCode::SUCCESS),
        "fuzz" => fuzz::run(rest).map(|()| ExitCode::SUCCESS),
        "soak" => soak::run(rest).map(|()| ExitCode::SUCCESS),
        "web" => web::build().map(|()| ExitCode::SUCCESS),
        "zynq" => zynq::run(rest).map(|()| ExitCode::SUCCESS),
        "help" | "-h" | "--help" => {
            eprint!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => {
            eprint!("unknown task `{unknown}`\n\n{HELP}");
            Ok(ExitCode::from(2))
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
