//! The figures of the paper, to be put beside the model's.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::scenario::{Check, ScenarioError, read_csv};

/// One row of the paper's table 1, in 10,000 yuan.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PaperRow {
    /// The plant's name.
    pub plant: String,
    /// Its conductivity.
    pub conductivity_percent: f64,
    /// The cost on platform \[1\].
    #[serde(rename = "php_platform_1e4_yuan")]
    pub posted: f64,
    /// The cost on platform \[2\].
    #[serde(rename = "wechat_applet_1e4_yuan")]
    pub search: f64,
    /// The cost on the paper's platform.
    #[serde(rename = "this_paper_1e4_yuan")]
    pub ours: f64,
}

impl PaperRow {
    /// Reads `paper.csv` of the folder `dir`.
    ///
    /// # Errors
    ///
    /// Returns a [`ScenarioError`] if the file is missing or not well-formed, or if a cost is not
    /// a positive number.
    pub fn load(dir: &Path) -> Result<Vec<Self>, ScenarioError> {
        let path = dir.join("paper.csv");
        let rows: Vec<Self> = read_csv(&path)?;
        let check = Check::new(&path);
        for row in &rows {
            for (field, cost) in [
                ("php_platform_1e4_yuan", row.posted),
                ("wechat_applet_1e4_yuan", row.search),
                ("this_paper_1e4_yuan", row.ours),
            ] {
                if !(cost.is_finite() && 0.0 < cost) {
                    return Err(check.refuse(field, &cost, &"must be a positive number"));
                }
            }
        }
        Ok(rows)
    }

    /// The three costs: \[1\], \[2\], this platform.
    #[must_use]
    pub const fn costs(&self) -> [f64; 3] {
        [self.posted, self.search, self.ours]
    }
}
