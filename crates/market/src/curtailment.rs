//! Curtailment: cutting traded energy to what the security check allows, at unchanged prices.

use duet_units::{Energy, OverflowError, largest_remainder};

/// Who is cut first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cut {
    /// Everyone in proportion: bilateral, listed and auctioned energy.
    ProRata,
    /// The latest trade first: the rolling match.
    LatestFirst,
}

/// Returns what is left of each trade when all together may have at most `allowed`; earlier
/// positions traded earlier.
///
/// # Errors
///
/// Returns [`OverflowError`] if an energy is negative or the sum does not fit.
///
/// # Source
///
/// Jiangsu arts 94-96; Beijing rules art. 74.
pub fn curtail(trades: &[Energy], allowed: Energy, cut: Cut) -> Result<Vec<Energy>, OverflowError> {
    let overflow = OverflowError { operation: "curtailed energy", unit: "kWh" };
    if allowed < Energy::ZERO || trades.iter().any(|trade| *trade < Energy::ZERO) {
        return Err(overflow);
    }
    let mut left = allowed.min(Energy::sum(trades.iter().copied())?);
    match cut {
        Cut::ProRata => {
            let weights: Vec<i128> = trades.iter().map(|trade| trade.kwh().into()).collect();
            let parts = largest_remainder(left.kwh().into(), &weights)?.into_iter();
            parts
                .map(|kwh| i64::try_from(kwh).map(Energy::from_kwh).map_err(|_| overflow))
                .collect()
        }
        Cut::LatestFirst => {
            let mut kept = Vec::with_capacity(trades.len());
            for trade in trades {
                let part = left.min(*trade);
                left = left.minus(part)?;
                kept.push(part);
            }
            Ok(kept)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rolling_match_loses_its_latest_trades() {
        let trades = [40, 40, 20].map(Energy::from_kwh);
        let kept = |cut| curtail(&trades, Energy::from_kwh(50), cut).unwrap();
        assert_eq!(kept(Cut::LatestFirst), [40, 10, 0].map(Energy::from_kwh));
        assert_eq!(kept(Cut::ProRata), [20, 20, 10].map(Energy::from_kwh));
        assert!(curtail(&trades, Energy::from_kwh(-1), Cut::ProRata).is_err());
    }

    proptest! {
        #[test]
        fn no_trade_grows_and_the_limit_is_used(
            trades in proptest::collection::vec(0..900_i64, 0..9),
            allowed in 0..3_000_i64,
            latest in any::<bool>(),
        ) {
            let trades: Vec<Energy> = trades.into_iter().map(Energy::from_kwh).collect();
            let total = Energy::sum(trades.iter().copied()).unwrap();
            let allowed = Energy::from_kwh(allowed);
            let cut = if latest { Cut::LatestFirst } else { Cut::ProRata };
            let kept = curtail(&trades, allowed, cut).unwrap();
            prop_assert_eq!(Energy::sum(kept.iter().copied()), Ok(total.min(allowed)));
            prop_assert!(kept.iter().zip(&trades).all(|(kept, trade)| kept <= trade));
        }
    }
}
