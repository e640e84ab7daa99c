//! How much the fit hangs on what it was fitted to, and on what was not fitted.

use std::fmt::Write as _;

use duet_units::OverflowError;
use serde::Serialize;

use super::calibrate::{Calibration, Plants, Search, Target, calibrate};
use super::report::short;
use super::{FitError, Fitted, Month, Parameters, TableScenario};

/// The calibration study.
#[derive(Clone, Debug, Serialize)]
pub struct CalibrationReport {
    /// What the searches' random numbers were drawn from.
    pub search_seed: u64,
    /// The error with the scenario's parameters as they stand.
    pub scenario: FitError,
    /// The fits: to all plants, to the odd ones, to the even ones.
    pub fits: Vec<Calibration>,
    /// The error when one parameter is changed and nothing is fitted again.
    pub sensitivity: Vec<Sensitivity>,
}

/// The error with one parameter changed.
#[derive(Clone, Debug, Serialize)]
pub struct Sensitivity {
    /// The parameter.
    pub parameter: &'static str,
    /// Its value.
    pub value: i64,
    /// The error over all cells.
    pub rms_log_error: f64,
}

impl TableScenario {
    /// Fits the scenario three times, holding out half of the plants twice, and changes its
    /// parameters one by one. `search.plants` is ignored.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn calibrate(
        &self,
        search: &Search,
        played: &mut dyn FnMut(u64),
    ) -> Result<CalibrationReport, OverflowError> {
        let draws = self.draws();
        let target = Target {
            parameters: &self.parameters,
            loads: &self.loads,
            draws: &draws,
            paper: &self.paper,
        };
        let mut fits: Vec<Calibration> = Vec::new();
        for plants in [Plants::All, Plants::Odd, Plants::Even] {
            let before: u64 = fits.iter().map(|fit| fit.evaluations).sum();
            let search = Search { plants, ..*search };
            fits.push(calibrate(&target, &search, &mut |count| played(before + count))?);
        }
        Ok(CalibrationReport {
            search_seed: search.seed,
            scenario: target.error(self.parameters.fitted, Plants::All)?,
            fits,
            sensitivity: self.sensitivity()?,
        })
    }

    fn sensitivity(&self) -> Result<Vec<Sensitivity>, OverflowError> {
        let mut changed = Vec::new();
        for (parameter, get) in FITTED {
            for permille in [950, 990, 1_010, 1_050] {
                let mut parameters = self.parameters.clone();
                let value = get(&mut parameters.fitted);
                *value = *value * permille / 1_000;
                changed.push((parameter, *value, parameters));
            }
        }
        for fen in [6_000, 7_000, 8_000, 9_000, 10_000] {
            let mut parameters = self.parameters.clone();
            parameters.documented.carbon_price_fen_per_t = fen;
            changed.push(("carbon_price_fen_per_t", fen, parameters));
        }
        for buyers in [20_usize, 120, 240, 480] {
            let mut parameters = self.parameters.clone();
            parameters.design.buyers = buyers;
            changed.push(("buyers", i64::try_from(buyers).unwrap_or(0), parameters));
        }
        let error = |(parameter, value, parameters): (_, _, Parameters)| {
            let draws = Self::draws_of(&parameters);
            let month = Month::play_fitted(&parameters, &self.loads, &draws)?;
            let rms_log_error = short(FitError::of(&month, &self.paper, |_| true).all);
            Ok(Sensitivity { parameter, value, rms_log_error })
        };
        changed.into_iter().map(error).collect()
    }
}

type Field = fn(&mut Fitted) -> &mut i64;

const FITTED: [(&str, Field); 5] = [
    ("offered_share_bp", |fitted| &mut fitted.offered_share_bp),
    ("demand_bp", |fitted| &mut fitted.demand_bp),
    ("willingness_milli_yuan_per_mwh", |fitted| &mut fitted.willingness_milli_yuan_per_mwh),
    ("willingness_spread_milli_yuan_per_mwh", |fitted| {
        &mut fitted.willingness_spread_milli_yuan_per_mwh
    }),
    ("willingness_load_slope_milli_yuan_per_mwh", |fitted| {
        &mut fitted.willingness_load_slope_milli_yuan_per_mwh
    }),
];

impl CalibrationReport {
    /// The study as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "rms log error of the scenario as it stands: {:.4}, calibrated column {:.4}\n",
            self.scenario.all, self.scenario.calibrated
        );
        for fit in &self.fits {
            let held_out =
                fit.held_out.map_or_else(String::new, |e| format!(", held out {:.4}", e.all));
            let _infallible = writeln!(
                text,
                "fit to {:?} plants: {:.4}, calibrated column {:.4}{held_out} ({} months)\n  {:?}",
                fit.plants,
                fit.rms_log_error.all,
                fit.rms_log_error.calibrated,
                fit.evaluations,
                fit.fitted
            );
        }
        text.push_str("one parameter changed, nothing fitted again:\n");
        for change in &self.sensitivity {
            let _infallible = writeln!(
                text,
                "  {:42} {:8}  {:.4}",
                change.parameter, change.value, change.rms_log_error
            );
        }
        text
    }

    /// The file of the report: name and content.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        let rows = self.sensitivity.iter().map(|change| {
            vec![
                change.parameter.to_owned(),
                change.value.to_string(),
                change.rms_log_error.to_string(),
            ]
        });
        let heads = ["parameter", "value", "rms_log_error"];
        let rows: Vec<Vec<String>> = rows.collect();
        vec![("calibrate-sensitivity.csv".to_owned(), crate::report::csv(&heads, &rows))]
    }
}
