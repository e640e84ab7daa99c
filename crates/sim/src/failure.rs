//! What a run can find wrong.

use duet_world::DayError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The engine's harness found a fork, or could not go on.
    #[error("engine: {0}")]
    Engine(String),
    /// The day did not come to its end.
    #[error("the day: {0}")]
    Day(#[from] DayError),
    /// Two validators hold different things.
    #[error("{validator} disagrees about the {what} at height {height}")]
    Disagreement {
        /// Who differs from the first validator.
        validator: String,
        /// About what.
        what: &'static str,
        /// Where.
        height: u64,
    },
    /// What was final is not there any more.
    #[error("{validator} does not have the receipt of a final transaction")]
    Forgotten {
        /// Who forgot.
        validator: String,
    },
    /// A rule that always holds does not.
    #[error("it must hold that {rule}, and at height {height} of {validator} it does not")]
    Broken {
        /// The rule.
        rule: &'static str,
        /// Where.
        height: u64,
        /// With whom.
        validator: String,
    },
}
