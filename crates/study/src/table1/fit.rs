//! How far the model is from the paper.

use serde::Serialize;

use super::{Month, PaperRow, PlantCost};

/// A cost in 10,000 yuan.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "for display and comparison; money stays exact")]
pub fn ten_thousand_yuan(micro_yuan: i128) -> f64 {
    micro_yuan as f64 / 1e10
}

/// Root mean squares of the logarithm of model over paper. A model's cost below 10 yuan counts as
/// 10 yuan, so that the logarithm exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FitError {
    /// Over the three platforms; the calibrated column stands for ours.
    pub all: f64,
    /// Over platform \[1\].
    pub php: f64,
    /// Over platform \[2\].
    pub wechat: f64,
    /// Over the calibrated column.
    pub calibrated: f64,
}

impl FitError {
    /// The error of a month over some plants, by their position.
    #[must_use]
    pub fn of(month: &Month, paper: &[PaperRow], plants: impl Fn(usize) -> bool) -> Self {
        let columns = [&month.posted, &month.search, &month.calibrated];
        let (mut squares, mut cells) = ([0.0; 3], 0.0);
        for (plant, row) in paper.iter().enumerate().filter(|(plant, _)| plants(*plant)) {
            for (column, paper) in row.costs().into_iter().enumerate() {
                let model = columns[column].get(plant).map_or(0, PlantCost::total);
                squares[column] += (ten_thousand_yuan(model).max(1e-3) / paper).ln().powi(2);
            }
            cells += 1.0;
        }
        let rms = |sum: f64, cells: f64| if cells > 0.0 { (sum / cells).sqrt() } else { 0.0 };
        Self {
            all: rms(squares.iter().sum(), 3.0 * cells),
            php: rms(squares[0], cells),
            wechat: rms(squares[1], cells),
            calibrated: rms(squares[2], cells),
        }
    }

    /// What a fit makes small: the error of the whole table, and of our own column if that is
    /// worse. Without the second part a fit buys precision on the other platforms, whose
    /// mechanisms are the least certain, with error on ours.
    #[must_use]
    pub const fn objective(&self) -> f64 {
        self.all.max(self.calibrated)
    }
}
