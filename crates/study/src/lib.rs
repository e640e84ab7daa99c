//! Scenarios and studies that need no chain.
//!
//! [`scenario`] reads a market from a folder and draws delivery days from a seed. The studies
//! play the very code of `duet-market` on such data. Floats are allowed in this crate, for
//! statistics and plots; whatever enters a clearing is an integer quantity of `duet-units`.

pub mod incentives;
pub mod joint;
pub mod passthrough;
pub mod random;
pub mod regression;
pub mod report;
pub mod scenario;
pub mod table1;
pub mod whatif;
