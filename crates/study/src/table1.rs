//! The paper's table 1: what eight plants pay on three platforms, computed from mechanisms.
//!
//! The three platforms meet the same plants, buyers and draws, and one definition of transaction
//! cost holds for all: fees, the cost of search, the compensation allocated by the paper's
//! equation (3), and the energy that both sides wanted and the platform left unmatched. Figures
//! of the paper stand beside the result; none enters it.

mod cost;
mod draws;
mod fit;
mod hour;
mod month;
mod parameters;
mod paper;
mod posted;
mod search;
mod session;

pub use cost::PlantCost;
pub use draws::Draws;
pub use fit::{rms_log_error, ten_thousand_yuan};
pub use month::Month;
pub use paper::PaperRow;
pub use parameters::{
    Design, Documented, Fitted, Given, Ledger, LoadShapes, Parameters, SemiFitted,
};
pub use session::SessionTotals;
