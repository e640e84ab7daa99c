//! `duet study` on its own, for work on the studies without building the node.

use clap::Parser;

#[path = "../../cli/src/study.rs"]
mod study;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    study: study::StudyArgs,
}

fn main() -> anyhow::Result<()> {
    study::run(Arguments::parse().study)
}
