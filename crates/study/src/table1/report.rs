//! The table as data: the paper beside the model, and what is needed to judge the difference.

use std::path::Path;

use duet_units::OverflowError;
use serde::Serialize;

use super::{
    Design, Documented, Draws, FitError, Fitted, Given, Ledger, LoadShapes, Month, PaperRow,
    Parameters, PlantCost, SemiFitted, ten_thousand_yuan,
};
use crate::scenario::{Check, ScenarioError};

/// A scenario of the table with the paper's figures beside it.
#[derive(Clone, Debug)]
pub struct TableScenario {
    /// What the model depends on.
    pub parameters: Parameters,
    /// The load.
    pub loads: LoadShapes,
    /// What the paper says; one row per plant.
    pub paper: Vec<PaperRow>,
}

/// The table. Costs are in 10,000 yuan.
#[derive(Clone, Debug, Serialize)]
pub struct TableReport {
    /// One row per plant.
    pub rows: Vec<TableRow>,
    /// Over all cells that the paper has: three platforms, the calibrated column being ours.
    pub rms_log_error: f64,
    /// The same by platform.
    pub rms_log_error_by_column: FitError,
    /// Plants whose cost in the duet column exceeds the paper's figure for its platform.
    pub duet_above_paper: Vec<String>,
    /// What the fund could spend and did spend over the month, in the calibrated column.
    pub second_stage: SecondStageTotals,
    /// The cost of running the ledger for the month, as it enters the duet column.
    pub ledger_cost: LedgerCost,
    /// The error with other draws and the same parameters.
    pub seeds: Vec<SeedError>,
    /// The parameters by where they come from.
    pub parameters: ParameterGroups,
}

/// One plant's row.
#[derive(Clone, Debug, Serialize)]
pub struct TableRow {
    /// Its name.
    pub plant: String,
    /// Its conductivity.
    pub rho_bp: i64,
    /// Platform \[1\].
    pub php: Compared,
    /// Platform \[2\].
    pub wechat: Compared,
    /// Ours, with the fee as fitted.
    pub calibrated: Compared,
    /// Ours without the second stage.
    pub no_second_stage: Modelled,
    /// Ours with the cost of the ledger as its fee.
    pub duet: Modelled,
    /// Ours over platform \[1\].
    pub ratio_to_php: Ratio,
    /// Ours over platform \[2\].
    pub ratio_to_wechat: Ratio,
    /// Equation (3) taken literally, in 10,000 yuan times yuan/MWh, for the calibrated column.
    pub literal_m: f64,
}

/// A cost that the paper has too.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Compared {
    /// The paper's figure.
    pub paper: f64,
    /// The model's.
    pub model: f64,
    /// Model over paper, less one.
    pub residual: f64,
    /// What the model's figure consists of.
    pub parts: Parts,
}

/// A cost that only the model has.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Modelled {
    /// The model's figure.
    pub model: f64,
    /// What it consists of.
    pub parts: Parts,
}

/// The parts of a transaction cost, and the energy sold.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Parts {
    /// Fees.
    pub fees: f64,
    /// Search.
    pub search: f64,
    /// `M_j`, allocated.
    pub compensation: f64,
    /// `R_j`.
    pub unmatched: f64,
    /// Energy sold, in GWh.
    pub sold_gwh: f64,
}

/// Ours over another platform.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratio {
    /// In the paper.
    pub paper: f64,
    /// In the model, calibrated column.
    pub model: f64,
    /// In the model, duet column.
    pub duet: f64,
}

/// What the second stages of the month moved.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SecondStageTotals {
    /// What could have been spent.
    pub fund: f64,
    /// What was spent: a transfer from first-stage sellers to second-stage trades.
    pub compensation: f64,
    /// Energy traded in the first stage, in GWh.
    pub first_stage_gwh: f64,
    /// Energy traded in the second stage, in GWh.
    pub second_stage_gwh: f64,
}

/// What the ledger costs in the month, in yuan.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LedgerCost {
    /// Orders placed.
    pub orders: i64,
    /// Processor and storage: grows with the orders.
    pub orders_yuan: f64,
    /// Machines and operations, busy or idle.
    pub standing_yuan: f64,
    /// Bank transfers of all plants.
    pub transfers_yuan: f64,
}

/// The error with other draws.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SeedError {
    /// The seed.
    pub seed: u64,
    /// The error over all cells.
    pub rms_log_error: f64,
    /// Ours over platform \[1\], all plants together.
    pub ratio_to_php: f64,
    /// Ours over platform \[2\], all plants together.
    pub ratio_to_wechat: f64,
}

/// The parameters by where they come from.
#[derive(Clone, Debug, Serialize)]
pub struct ParameterGroups {
    /// Given by the paper.
    pub paper: Given,
    /// Stated by a source.
    pub documented: Documented,
    /// Chosen by us, not fitted.
    pub design: Design,
    /// Fixed at round values after a free fit.
    pub semi_fitted: SemiFitted,
    /// Fitted to the paper's table.
    pub fitted: Fitted,
    /// Of the ledger; only the duet column depends on them.
    pub ledger: Ledger,
    /// What the month was drawn from.
    pub seed: u64,
}

impl TableScenario {
    /// Reads the folder `dir`.
    ///
    /// # Errors
    ///
    /// Returns a [`ScenarioError`] if a file is refused, or if the paper has not one row per plant.
    pub fn load(dir: &Path) -> Result<Self, ScenarioError> {
        let (parameters, loads) = Parameters::load(dir)?;
        let paper = PaperRow::load(dir)?;
        let plants = parameters.given_by_paper.conductivity_bp.len();
        if paper.len() != plants {
            let path = dir.join("paper.csv");
            let rule = format!("must be {plants}, one per plant of scenario.toml");
            return Err(Check::new(&path).refuse("rows", &paper.len(), &rule));
        }
        Ok(Self { parameters, loads, paper })
    }

    /// The draws of the scenario's month.
    #[must_use]
    pub fn draws(&self) -> Draws {
        Self::draws_of(&self.parameters)
    }

    pub(super) fn draws_of(parameters: &Parameters) -> Draws {
        let plants = parameters.given_by_paper.conductivity_bp.len();
        Draws::new(parameters.seed, parameters.design.buyers, plants)
    }

    /// Plays the month and `seeds` other months that differ in the seed only.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn play(&self, seeds: u64) -> Result<TableReport, OverflowError> {
        let month = Month::play(&self.parameters, &self.loads, &self.draws())?;
        let others = (1..=seeds).map(|seed| self.other_seed(seed)).collect::<Result<_, _>>()?;
        Ok(self.report(&month, others))
    }

    fn other_seed(&self, seed: u64) -> Result<SeedError, OverflowError> {
        let parameters = self.parameters.with_seed(seed);
        let draws = Self::draws_of(&parameters);
        let month = Month::play_fitted(&parameters, &self.loads, &draws)?;
        let sum = |costs: &[PlantCost]| -> f64 {
            ten_thousand_yuan(costs.iter().map(PlantCost::total).sum())
        };
        Ok(SeedError {
            seed,
            rms_log_error: short(FitError::of(&month, &self.paper, |_| true).all),
            ratio_to_php: short(sum(&month.calibrated) / sum(&month.posted)),
            ratio_to_wechat: short(sum(&month.calibrated) / sum(&month.search)),
        })
    }

    fn report(&self, month: &Month, seeds: Vec<SeedError>) -> TableReport {
        let rows: Vec<TableRow> = self
            .paper
            .iter()
            .enumerate()
            .map(|(plant, paper)| self.row(month, (plant, paper)))
            .collect();
        let parameters = &self.parameters;
        let error = FitError::of(month, &self.paper, |_| true);
        let above = rows.iter().zip(&self.paper).filter(|(row, paper)| paper.ours < row.duet.model);
        TableReport {
            rms_log_error: short(error.all),
            rms_log_error_by_column: FitError {
                all: short(error.all),
                php: short(error.php),
                wechat: short(error.wechat),
                calibrated: short(error.calibrated),
            },
            duet_above_paper: above.map(|(row, _)| row.plant.clone()).collect(),
            second_stage: SecondStageTotals {
                fund: short(ten_thousand_yuan(month.totals.fund)),
                compensation: short(ten_thousand_yuan(month.totals.compensation)),
                first_stage_gwh: gwh(month.totals.first_stage),
                second_stage_gwh: gwh(month.totals.second_stage),
            },
            ledger_cost: ledger_cost(parameters, month),
            rows,
            seeds,
            parameters: ParameterGroups {
                paper: parameters.given_by_paper.clone(),
                documented: parameters.documented,
                design: parameters.design.clone(),
                semi_fitted: parameters.semi_fitted,
                fitted: parameters.fitted,
                ledger: parameters.ledger,
                seed: parameters.seed,
            },
        }
    }

    fn row(&self, month: &Month, (plant, paper): (usize, &PaperRow)) -> TableRow {
        let php = compared(paper.posted, &month.posted[plant]);
        let wechat = compared(paper.search, &month.search[plant]);
        let calibrated = compared(paper.ours, &month.calibrated[plant]);
        let duet = modelled(&month.duet[plant]);
        let ratio = |paper: f64, other: f64| Ratio {
            paper: short(paper),
            model: short(calibrated.model / other),
            duet: short(duet.model / other),
        };
        TableRow {
            plant: paper.plant.clone(),
            rho_bp: self.parameters.given_by_paper.conductivity_bp[plant],
            ratio_to_php: ratio(paper.ours / paper.posted, php.model),
            ratio_to_wechat: ratio(paper.ours / paper.search, wechat.model),
            php,
            wechat,
            calibrated,
            no_second_stage: modelled(&month.no_second_stage[plant]),
            duet,
            // micro-yuan x milli-yuan/MWh to 10,000 yuan x yuan/MWh.
            literal_m: short(ten_thousand_yuan(month.calibrated[plant].literal) / 1_000.0),
        }
    }
}

fn compared(paper: f64, cost: &PlantCost) -> Compared {
    let Modelled { model, parts } = modelled(cost);
    Compared { paper, model, residual: short(model / paper - 1.0), parts }
}

fn modelled(cost: &PlantCost) -> Modelled {
    let yuan = |micro_yuan| short(ten_thousand_yuan(micro_yuan));
    Modelled {
        model: yuan(cost.total()),
        parts: Parts {
            fees: yuan(cost.fees),
            search: yuan(cost.search),
            compensation: yuan(cost.compensation),
            unmatched: yuan(cost.unmatched),
            sold_gwh: gwh(cost.sold),
        },
    }
}

fn ledger_cost(parameters: &Parameters, month: &Month) -> LedgerCost {
    let ledger = &parameters.ledger;
    let orders = month.totals.orders;
    let yuan = |micro_yuan: i128| ten_thousand_yuan(micro_yuan) * 10_000.0;
    let days: i64 = parameters.design.days.iter().sum();
    let plants = i128::try_from(parameters.given_by_paper.conductivity_bp.len()).unwrap_or(0);
    let transfers = i128::from(ledger.bank_transfer_fen) * i128::from(days) * plants * 10_000;
    LedgerCost {
        orders: i64::try_from(orders).unwrap_or(i64::MAX),
        orders_yuan: short(yuan(ledger.cost_of_orders(orders))),
        standing_yuan: short(yuan(ledger.cost_of_month(0) - ledger.cost_of_orders(0))),
        transfers_yuan: short(yuan(transfers)),
    }
}

fn gwh(kwh: i128) -> f64 {
    short(ten_thousand_yuan(kwh) * 10_000.0)
}

/// Four decimals: more would pretend a precision that the model has not.
pub(super) fn short(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}
