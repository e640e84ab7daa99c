//! `duet study`: studies that need no chain.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use duet_study::passthrough::{EstimateOptions, PassThrough};
use duet_study::scenario::Scenario;
use duet_study::table1::{TableReport, TableScenario};
use serde::Serialize;

/// Studies of the market's mechanisms; they need no chain.
#[derive(Debug, Args)]
pub(crate) struct StudyArgs {
    #[command(subcommand)]
    study: Study,
}

#[derive(Debug, Subcommand)]
enum Study {
    /// The paper's table 1: eight plants on three platforms.
    Table1(Table1Args),
    /// How much of the carbon price reaches the power price, and who pays.
    Passthrough(PassthroughArgs),
}

/// Where results go.
#[derive(Debug, Args)]
struct Output {
    /// Write the result as JSON to this file; `-` writes it to standard output instead of the text.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write an HTML report and CSV files into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Table1Args {
    /// The scenario: its folder, or the scenario.toml in it.
    #[arg(long, value_name = "FILE", default_value = "scenarios/table1")]
    scenario: PathBuf,
    /// How many other seeds to report as spread.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct PassthroughArgs {
    /// The scenario: its folder, or the scenario.toml in it.
    #[arg(long, value_name = "FILE", default_value = "scenarios/hebei-south")]
    scenario: PathBuf,
    /// The day of the scenario that the grid is cleared on.
    #[arg(long, default_value_t = 0)]
    day: u32,
    /// How many simulated days the estimate observes.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(2..=3_650))]
    days: u32,
    /// What the simulated carbon price is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

/// Runs a study.
///
/// # Errors
///
/// Returns an error if the scenario is refused or a file cannot be written.
pub(crate) fn run(args: StudyArgs) -> anyhow::Result<()> {
    match args.study {
        Study::Table1(args) => table1(&args),
        Study::Passthrough(args) => passthrough(&args),
    }
}

fn table1(args: &Table1Args) -> anyhow::Result<()> {
    let scenario = TableScenario::load(folder(&args.scenario))?;
    let report: TableReport = scenario.play(args.seeds)?;
    args.output.write(&report, &report.text(), &report.files(&scenario)?)
}

fn passthrough(args: &PassthroughArgs) -> anyhow::Result<()> {
    let scenario = Scenario::load(folder(&args.scenario))?;
    let options = EstimateOptions { days: args.days, seed: args.seed };
    let study = PassThrough::run(&scenario, args.day, &options)?;
    args.output.write(&study, &study.text(), &study.files())
}

/// A scenario is a folder; naming the file in it is as good.
fn folder(path: &Path) -> &Path {
    match path.file_name() {
        Some(name) if name == "scenario.toml" => {
            path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
        }
        _ => path,
    }
}

impl Output {
    fn write(
        &self,
        result: &impl Serialize,
        text: &str,
        files: &[(String, String)],
    ) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(result)?;
        let to_stdout = self.json.as_deref() == Some(Path::new("-"));
        let shown = if to_stdout { &json } else { text };
        writeln!(std::io::stdout(), "{shown}")?;
        if let Some(path) = self.json.as_deref().filter(|_| !to_stdout) {
            write(path, &json)?;
        }
        let Some(dir) = &self.out else { return Ok(()) };
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for (name, content) in files {
            write(&dir.join(name), content)?;
        }
        Ok(())
    }
}

fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
