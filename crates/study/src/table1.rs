//! The paper's table 1: what eight plants pay on three platforms, computed from mechanisms.
//!
//! The three platforms meet the same plants, buyers and draws, and one definition of transaction
//! cost holds for all: fees, the cost of search, the compensation allocated by the paper's
//! equation (3), and the energy that both sides wanted and the platform left unmatched. Figures
//! of the paper stand beside the result; none enters it.

pub mod calibrate;
mod cost;
mod curves;
mod draws;
mod fit;
mod hour;
mod markets;
mod month;
mod paper;
mod parameters;
mod posted;
mod report;
mod search;
mod sensitivity;
mod session;
mod show;

pub use cost::PlantCost;
pub use curves::Curves;
pub use draws::Draws;
pub use fit::{FitError, ten_thousand_yuan};
pub use month::Month;
pub use paper::PaperRow;
pub use parameters::{
    Design, Documented, Fitted, Given, Ledger, LoadShapes, Parameters, SemiFitted,
};
pub use report::{
    Compared, LedgerCost, Modelled, ParameterGroups, Parts, Ratio, SecondStageTotals, SeedError,
    TableReport, TableRow, TableScenario,
};
pub use sensitivity::{CalibrationReport, Sensitivity};
pub use session::SessionTotals;
