//! What a plant pays, by the definition that holds for all platforms.

use duet_units::{OverflowError, div_half_away, largest_remainder};

use super::hour::{Fleet, Hour};

/// A plant's month on one platform. Money is in micro-yuan, energy in kWh, both exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlantCost {
    /// Fees: commission, payment gateway, escrow, service, ledger.
    pub fees: i128,
    /// The cost of asking for a price.
    pub search: i128,
    /// `M_j`: the compensation of the second stage, allocated as in equation (3).
    pub compensation: i128,
    /// `R_j`: what both sides wanted and the platform left unmatched, at the compensation cap.
    pub unmatched: i128,
    /// Energy sold.
    pub sold: i128,
    /// The energy behind `unmatched`.
    pub unsold: i128,
    /// Sales.
    pub revenue: i128,
    /// Equation (3) taken literally for both terms, in micro-yuan times milli-yuan/MWh.
    pub literal: i128,
}

impl PlantCost {
    /// The transaction cost: `fees + search + M_j + R_j`.
    #[must_use]
    pub const fn total(&self) -> i128 {
        self.fees + self.search + self.compensation + self.unmatched
    }
}

/// The share `bp` of `amount`, rounded half away from zero.
pub(super) fn share(amount: i128, bp: i64) -> i128 {
    div_half_away(amount * i128::from(bp), 10_000).unwrap_or(0)
}

/// Books `R_j`: the energy that stayed both unsold and unserved, shared over plants by what they
/// have left, and valued at the compensation cap in proportion to energy times cost.
pub(super) fn book_unmatched(
    costs: &mut [PlantCost],
    (fleet, hour): (&Fleet, &Hour<'_>),
    (unsold, unserved): (&[i64], i64),
    cap: i64,
) -> Result<(), OverflowError> {
    let both = unsold.iter().sum::<i64>().min(unserved);
    if both == 0 {
        return Ok(());
    }
    let left: Vec<i128> = unsold.iter().map(|kwh| i128::from(*kwh)).collect();
    let shares = largest_remainder(both.into(), &left)?;
    let days = i128::from(hour.days);
    let weights: Vec<i128> =
        shares.iter().zip(&fleet.costs).map(|(kwh, cost)| kwh * i128::from(*cost)).collect();
    let parts = largest_remainder(i128::from(cap) * i128::from(both) * days, &weights)?;
    for (plant, cost) in costs.iter_mut().enumerate() {
        cost.unmatched += parts[plant];
        cost.unsold += shares[plant] * days;
        cost.literal += weights[plant] * days * i128::from(cap);
    }
    Ok(())
}
