//! `duet study`: studies that need no chain.

mod whatif;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use duet_study::incentives::{Design, Incentives};
use duet_study::joint::{Case, CaseResult};
use duet_study::passthrough::{EstimateOptions, PassThrough};
use duet_study::scenario::Scenario;
use duet_study::table1::calibrate::{Plants, Search};
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
    /// Refit the five market parameters of table 1, with hold-out errors and sensitivity.
    Calibrate(CalibrateArgs),
    /// What a single trader gains by not being truthful, under designs of the second stage.
    Incentives(IncentivesArgs),
    /// Joint clearing of electricity and allowances of a test system, with its certificate.
    Clearing(ClearingArgs),
    /// What a session would have come to under another carbon price, conductivity or demand.
    Whatif(whatif::WhatIfArgs),
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

#[derive(Debug, Args)]
struct CalibrateArgs {
    /// The scenario: its folder, or the scenario.toml in it.
    #[arg(long, value_name = "FILE", default_value = "scenarios/table1")]
    scenario: PathBuf,
    /// What the search's random numbers are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many months each of the three fits may play.
    #[arg(long, default_value_t = 4_000)]
    evaluations: u64,
    /// How far around the scenario's parameters the search starts, as a share of the bounds; from
    /// 1 on it starts anywhere.
    #[arg(long, default_value_t = 0.02)]
    width: f64,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct IncentivesArgs {
    /// The scenario: its folder, or the scenario.toml in it.
    #[arg(long, value_name = "FILE", default_value = "scenarios/table1")]
    scenario: PathBuf,
    /// How many hours of the calibrated market to play.
    #[arg(long, default_value_t = 60)]
    markets: usize,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct ClearingArgs {
    /// The test system.
    #[arg(long, value_enum)]
    case: CaseName,
    /// The folder that holds the cases' folders.
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    scenarios: PathBuf,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CaseName {
    /// A day of the RTS-GMLC system: 73 thermal units, wind and sun.
    RtsGmlc,
    /// Two days of a CAISO-derived case of PGLib-UC: 610 units.
    PglibCa,
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
        Study::Calibrate(args) => calibrate(&args),
        Study::Incentives(args) => incentives(&args),
        Study::Clearing(args) => clearing(&args),
        Study::Whatif(args) => whatif::run(&args),
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

fn calibrate(args: &CalibrateArgs) -> anyhow::Result<()> {
    let scenario = TableScenario::load(folder(&args.scenario))?;
    let search = Search {
        seed: args.seed,
        evaluations: args.evaluations,
        plants: Plants::All,
        width: args.width,
    };
    let mut progress = Progress::new("months", args.evaluations.saturating_mul(3));
    let report = scenario.calibrate(&search, &mut |count| progress.show(count))?;
    progress.clear();
    args.output.write(&report, &report.text(), &report.files())
}

fn incentives(args: &IncentivesArgs) -> anyhow::Result<()> {
    let scenario = TableScenario::load(folder(&args.scenario))?;
    let total = u64::try_from(args.markets.saturating_mul(Design::ALL.len()))?;
    let mut progress = Progress::new("markets", total);
    let study = Incentives::run(&scenario, args.markets, &mut |count| {
        progress.show(u64::try_from(count).unwrap_or(total));
    })?;
    progress.clear();
    args.output.write(&study, &study.text(), &study.files())
}

fn clearing(args: &ClearingArgs) -> anyhow::Result<()> {
    let folder = match args.case {
        CaseName::RtsGmlc => "rts-gmlc",
        CaseName::PglibCa => "pglib-ca",
    };
    let case = Case::load(&args.scenarios.join(folder))?;
    let result: CaseResult =
        case.run().context("no admitted price of allowances keeps the cap of this case")?;
    args.output.write(&result, &result.text(), &result.files())
}

/// A progress bar on standard error, if somebody looks at it.
struct Progress {
    what: &'static str,
    total: u64,
    shown_percent: Option<u64>,
}

impl Progress {
    fn new(what: &'static str, total: u64) -> Self {
        Self { what, total: total.max(1), shown_percent: None }
    }

    fn show(&mut self, count: u64) {
        let percent = (count.saturating_mul(100) / self.total).min(100);
        if self.shown_percent == Some(percent) || !std::io::stderr().is_terminal() {
            return;
        }
        self.shown_percent = Some(percent);
        let bar = "#".repeat(usize::try_from(percent / 4).unwrap_or(0));
        // A bar that cannot be drawn is no reason to stop.
        let _ignored =
            write!(std::io::stderr(), "\r[{bar:25}] {percent:3} % of {} {}", self.total, self.what);
    }

    fn clear(&self) {
        if self.shown_percent.is_some() {
            let _ignored = write!(std::io::stderr(), "\r{:60}\r", "");
        }
    }
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
