//! Why a scenario was not loaded.

use std::path::{Path, PathBuf};

/// Why a scenario was refused.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file of the scenario could not be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not well-formed, or names a field that the format does not have.
    #[error("{}: {message}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where and what is wrong, in the words of the parser.
        message: String,
    },
    /// A value is well-formed but impossible.
    #[error("{}: {field} = {value}: {rule}", .path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// The value that it has.
        value: String,
        /// The rule that it breaks.
        rule: String,
    },
}

/// Checks the values of one file, so that each refusal names file, field, value and rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check<'a> {
    path: &'a Path,
}

impl<'a> Check<'a> {
    pub(crate) const fn new(path: &'a Path) -> Self {
        Self { path }
    }

    /// The refusal of `value` in `field`.
    pub(crate) fn refuse(
        self,
        field: &str,
        value: &dyn std::fmt::Display,
        rule: &dyn std::fmt::Display,
    ) -> ScenarioError {
        ScenarioError::Impossible {
            path: self.path.to_owned(),
            field: field.to_owned(),
            value: value.to_string(),
            rule: rule.to_string(),
        }
    }

    /// Refuses a number outside `lo..=hi`.
    pub(crate) fn range(
        self,
        field: &str,
        value: i64,
        (lo, hi): (i64, i64),
    ) -> Result<i64, ScenarioError> {
        if lo <= value && value <= hi {
            Ok(value)
        } else {
            Err(self.refuse(field, &value, &format_args!("must be from {lo} to {hi}")))
        }
    }

    /// Refuses a share outside 0 to 100 %.
    pub(crate) fn share(self, field: &str, bp: i64) -> Result<i64, ScenarioError> {
        self.range(field, bp, (0, 10_000))
    }
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<String, ScenarioError> {
    std::fs::read_to_string(path)
        .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })
}

/// Reads a TOML file into `T`, which must deny unknown fields.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ScenarioError> {
    toml::from_str(&read(path)?).map_err(|error| ScenarioError::Format {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// Reads a CSV file with a header into rows of `T`, which must deny unknown fields.
pub(crate) fn read_csv<T: serde::de::DeserializeOwned>(
    path: &Path,
) -> Result<Vec<T>, ScenarioError> {
    let text = read(path)?;
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().map_err(
        |error: csv::Error| ScenarioError::Format {
            path: path.to_owned(),
            message: error.to_string(),
        },
    )
}
