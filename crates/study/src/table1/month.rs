//! A month on every platform.

use duet_market::game::Design;
use duet_units::{OverflowError, largest_remainder};

use super::cost::PlantCost;
use super::draws::Draws;
use super::hour::{Fleet, Hour};
use super::parameters::{Ledger, LoadShapes, Parameters};
use super::session::{Session, SessionTotals};
use super::{posted, search};

/// The plants' costs of a month, by platform and plant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// Platform \[1\]: posted prices.
    pub posted: Vec<PlantCost>,
    /// Platform \[2\]: bilateral search.
    pub search: Vec<PlantCost>,
    /// The joint session with the fitted service fee.
    pub calibrated: Vec<PlantCost>,
    /// The same without the second stage.
    pub no_second_stage: Vec<PlantCost>,
    /// The joint session with the cost of running the ledger as its only fee.
    pub duet: Vec<PlantCost>,
    /// What the sessions of the calibrated column moved.
    pub totals: SessionTotals,
}

impl Month {
    /// Plays a month.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn play(
        parameters: &Parameters,
        loads: &LoadShapes,
        draws: &Draws,
    ) -> Result<Self, OverflowError> {
        let ablation = Session::new(parameters, Design::None, true);
        Self::with(parameters, loads, draws, Some(&ablation))
    }

    /// Plays a month without the ablation, whose column stays zero: what a fit needs.
    ///
    /// # Errors
    ///
    /// As [`Month::play`].
    pub fn play_fitted(
        parameters: &Parameters,
        loads: &LoadShapes,
        draws: &Draws,
    ) -> Result<Self, OverflowError> {
        Self::with(parameters, loads, draws, None)
    }

    fn with(
        parameters: &Parameters,
        loads: &LoadShapes,
        draws: &Draws,
        ablation: Option<&Session>,
    ) -> Result<Self, OverflowError> {
        let fleet = Fleet::of(parameters)?;
        let none = vec![PlantCost::default(); fleet.costs.len()];
        let mut month = Self {
            posted: none.clone(),
            search: none.clone(),
            calibrated: none.clone(),
            no_second_stage: none.clone(),
            duet: none,
            totals: SessionTotals::default(),
        };
        let both = Session::new(parameters, Design::Compensation, true);
        let mut ignored = SessionTotals::default();
        for day in 0..3 {
            for hour in 0..24 {
                let hour = Hour::new(parameters, loads, draws, &fleet, (day, hour))?;
                posted::play(parameters, &fleet, &hour, &mut month.posted)?;
                search::play(parameters, &fleet, &hour, &mut month.search)?;
                let at = (&fleet, &hour);
                both.play(parameters, at, &mut month.calibrated, &mut month.totals)?;
                if let Some(session) = ablation {
                    session.play(parameters, at, &mut month.no_second_stage, &mut ignored)?;
                }
            }
        }
        let days = parameters.design.days.iter().sum();
        month.duet = duet(&month.calibrated, &parameters.ledger, (month.totals.orders, days))?;
        Ok(month)
    }
}

/// The calibrated column with its fee replaced: the plants bear the whole cost of the ledger, of
/// buyers' orders too, in proportion to what they sold.
fn duet(
    calibrated: &[PlantCost],
    ledger: &Ledger,
    (orders, days): (i128, i64),
) -> Result<Vec<PlantCost>, OverflowError> {
    let sold: Vec<i128> = calibrated.iter().map(|cost| cost.sold).collect();
    let sold_nothing = sold.iter().all(|kwh| *kwh == 0);
    let weights = if sold_nothing { vec![1; sold.len()] } else { sold };
    let fees = largest_remainder(ledger.cost_of_month(orders), &weights)?;
    let transfers = i128::from(ledger.bank_transfer_fen) * 10_000 * i128::from(days);
    let pay = |(cost, fee): (&PlantCost, i128)| PlantCost { fees: fee + transfers, ..*cost };
    Ok(calibrated.iter().zip(fees).map(pay).collect())
}

impl Ledger {
    /// What the ledger costs in a month with so many orders, in micro-yuan, without transfers.
    #[must_use]
    pub fn cost_of_month(&self, orders: i128) -> i128 {
        let yuan = |yuan: i64| i128::from(yuan) * 1_000_000;
        let fixed = yuan(self.machine_yuan_per_month * self.validators)
            + yuan(self.operations_yuan_per_month);
        fixed + self.cost_of_orders(orders)
    }

    /// The part that grows with the number of orders, in micro-yuan, rounded up.
    #[must_use]
    pub fn cost_of_orders(&self, orders: i128) -> i128 {
        // CPU seconds per 1e6 orders x fen per 3600 s; a fen is 1e4 micro-yuan.
        let processor = orders
            * i128::from(self.cpu_seconds_per_million_orders)
            * i128::from(self.cpu_fen_per_hour)
            / 360_000;
        let storage = orders
            * i128::from(self.bytes_per_order)
            * i128::from(self.storage_fen_per_gb_month * self.retention_months)
            / 100_000;
        processor + storage + 1
    }
}
