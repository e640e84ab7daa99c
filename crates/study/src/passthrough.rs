//! How much of the carbon price reaches the power price, and who pays.
//!
//! A plant's conductivity is a bid policy: what share of its carbon cost it adds to its offers.
//! The market's pass-through is measured: `kappa = (p(Pc) - p(0)) / (EF_m * Pc)` with `m` the
//! marginal seller. The two agree only while the same unit stays marginal, no cap binds, and
//! carbon cost means full cost. This study clears the first stage of the joint session on a
//! scenario's fleet, at every conductivity and carbon price of a grid.

mod estimate;
mod hour;
mod show;
mod sweep;

pub use estimate::{Estimate, EstimateOptions};
pub use hour::{Basis, Fleet};
pub use sweep::{PassThrough, SweepPoint};
