//! Hours and their quarters: where a period of one resolution lies in the other.

use crate::state::BrokenInvariant;
use duet_market::curve::split_evenly;
use duet_units::{Energy, Resolution};

/// Quarters of an hour.
pub(super) const QUARTERS: u8 = 4;

/// The hour that a period of `resolution` lies in.
pub(super) fn hour_of(period: u8, resolution: Resolution) -> u8 {
    match resolution {
        Resolution::Hour => period,
        Resolution::Quarter => period.checked_div(QUARTERS).unwrap_or(0),
    }
}

/// The energy of a trade's period in the periods of a day's settlement, which are no longer: that
/// of an hour is split evenly over its quarters (Jiangsu rules art. 79).
pub(super) fn parts_of(
    (period, energy): (u8, Energy),
    (traded, settled): (Resolution, Resolution),
) -> Result<Vec<(u8, Energy)>, BrokenInvariant> {
    match (traded, settled) {
        (Resolution::Hour, Resolution::Quarter) => {
            let first = period.saturating_mul(QUARTERS);
            let parts = split_evenly(energy, QUARTERS.into())?;
            Ok((first..first.saturating_add(QUARTERS)).zip(parts).collect())
        }
        (Resolution::Quarter, Resolution::Hour) => {
            Err(BrokenInvariant("a day is settled in its shortest periods"))
        }
        _ => Ok(vec![(period, energy)]),
    }
}
