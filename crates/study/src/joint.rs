//! Joint clearing of electricity and allowances at one node, with a certificate.
//!
//! Many periods share one allowance balance. For an allowance price `mu` each period is a call
//! auction whose asks carry `(EF - BM) * mu`; net emissions never rise with `mu`, so the least
//! price that keeps the cap is found by bisection. What the cap still allows at that price is then
//! filled by swaps. The result is exact in integers and is judged by weak duality: the welfare
//! reached, against a bound that any prices give, recomputed from the published numbers alone.
//!
//! Source: trading-game.md 1.7. Unit commitment, ramps and networks are left out.

mod case;
mod certificate;
mod dispatch;
mod show;
mod solve;

pub use case::{Case, CaseResult};
pub use certificate::{Certificate, CertificateError};
pub use dispatch::{Buy, Period, Sell};
pub use solve::{AllowanceOffer, Problem, Solution};

/// Prices inside a joint clearing, in 1e-6 fen/kWh, that is in hundredths of a milli-yuan/MWh:
/// the unit in which g/kWh times fen/t is exact.
pub const FINE_PER_MILLI_YUAN: i64 = 100;
