//! How far the model is from the paper.

use super::{Month, PaperRow, PlantCost};

/// A cost in 10,000 yuan.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "for display and comparison; money stays exact")]
pub fn ten_thousand_yuan(micro_yuan: i128) -> f64 {
    micro_yuan as f64 / 1e10
}

/// The root mean square of the logarithm of model over paper, over the given plants and the three
/// platforms of the paper; the calibrated column stands for this platform.
///
/// A model's cost below 10 yuan counts as 10 yuan, so that the logarithm exists.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of cells")]
pub fn rms_log_error(month: &Month, paper: &[PaperRow], plants: impl Fn(usize) -> bool) -> f64 {
    let (mut sum, mut cells) = (0.0, 0_usize);
    for (plant, row) in paper.iter().enumerate().filter(|(plant, _)| plants(*plant)) {
        let columns = [&month.posted, &month.search, &month.calibrated];
        for (model, paper) in columns.iter().zip(row.costs()) {
            let model = model.get(plant).map_or(0, PlantCost::total);
            let error = (ten_thousand_yuan(model).max(1e-3) / paper).ln();
            sum += error * error;
            cells += 1;
        }
    }
    if cells == 0 { 0.0 } else { (sum / cells as f64).sqrt() }
}
