//! Curves: hourly power as quarter-hour points, and energy split over periods.

use duet_units::{Energy, OverflowError, Power, div_half_away, largest_remainder};

/// A quarter-hour point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The power at the point.
    pub power: Power,
    /// The hour, counted from 0, whose counterparty and price the point takes.
    pub hour: usize,
}

/// Interpolates hourly power to four points an hour.
///
/// Between hours `P` and `P'` the points are `P`, `(3P + P')/4`, `(P + P')/2`, `(P + 3P')/4`,
/// rounded half away from zero to the kW; the last hour stays constant. After an hour of no power
/// the three points between belong to the next hour, otherwise to their own.
///
/// # Errors
///
/// Returns [`OverflowError`] if a weighted sum does not fit, which 64-bit powers never cause.
///
/// # Source
///
/// Beijing annex 3; vector V10. There the constant hour is the last of a month.
pub fn quarter_hours(hours: &[Power]) -> Result<Vec<Point>, OverflowError> {
    let overflow = OverflowError { operation: "point of a curve", unit: "kW" };
    let mut points = Vec::with_capacity(hours.len().saturating_mul(4));
    for (hour, power) in hours.iter().enumerate() {
        let next_hour = hour.saturating_add(1);
        let next = hours.get(next_hour).unwrap_or(power);
        let is_idle = power.is_zero() && !next.is_zero();
        points.push(Point { power: *power, hour });
        for quarter in 1..4_i128 {
            let rest = 4_i128.saturating_sub(quarter);
            let weighted = rest
                .checked_mul(power.kw().into())
                .zip(quarter.checked_mul(next.kw().into()))
                .and_then(|(a, b)| a.checked_add(b))
                .and_then(|sum| div_half_away(sum, 4))
                .and_then(|kw| i64::try_from(kw).ok())
                .ok_or(overflow)?;
            let hour = if is_idle { next_hour } else { hour };
            points.push(Point { power: Power::from_kw(weighted), hour });
        }
    }
    Ok(points)
}

/// Splits energy over periods in proportion to published ratios (month over days, day over hours),
/// by largest remainder, so that the parts are the whole.
///
/// # Errors
///
/// Returns [`OverflowError`] if the energy or a ratio is negative, if all ratios are zero while the
/// energy is not, or if a product does not fit.
///
/// # Source
///
/// Shandong 4.5.32 (month over days).
pub fn split(energy: Energy, ratios: &[i64]) -> Result<Vec<Energy>, OverflowError> {
    let overflow = OverflowError { operation: "energy of a period", unit: "kWh" };
    let weights: Vec<i128> = ratios.iter().copied().map(i128::from).collect();
    let parts = largest_remainder(energy.kwh().into(), &weights)?.into_iter();
    parts.map(|part| i64::try_from(part).map(Energy::from_kwh).map_err(|_| overflow)).collect()
}

/// Splits energy evenly over `periods`; earlier ones take the kWh that do not divide.
///
/// # Errors
///
/// Returns [`OverflowError`] if the energy is negative, or not zero over no periods.
///
/// # Source
///
/// Jiangsu art. 79 (hourly contracts over settlement periods).
pub fn split_evenly(energy: Energy, periods: u16) -> Result<Vec<Energy>, OverflowError> {
    split(energy, &vec![1; usize::from(periods)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(hours: &[i64]) -> Vec<(i64, usize)> {
        let hours: Vec<Power> = hours.iter().copied().map(Power::from_kw).collect();
        let points = quarter_hours(&hours).unwrap();
        points.into_iter().map(|point| (point.power.kw(), point.hour)).collect()
    }

    #[test]
    fn an_idle_hour_rises_in_the_name_of_the_next() {
        let expected = [(0, 0), (10, 1), (20, 1), (30, 1), (40, 1), (40, 1), (40, 1), (40, 1)];
        assert_eq!(curve(&[0, 40]), expected);
        let falling = [(40, 0), (30, 0), (20, 0), (10, 0), (0, 1), (0, 1), (0, 1), (0, 1)];
        assert_eq!(curve(&[40, 0]), falling);
        assert_eq!(curve(&[]), []);
    }

    #[test]
    fn extremes_do_not_panic() {
        assert_eq!(curve(&[i64::MAX, i64::MIN]).len(), 8);
        assert!(split(Energy::from_kwh(-1), &[1]).is_err());
        assert!(split(Energy::from_kwh(1), &[]).is_err());
        assert!(split(Energy::from_kwh(1), &[2, -1]).is_err());
    }

    proptest! {
        #[test]
        fn parts_are_the_whole_and_even_parts_differ_by_one(
            energy in 0..1_000_000_i64, periods in 1..97_u16,
        ) {
            let parts = split_evenly(Energy::from_kwh(energy), periods).unwrap();
            prop_assert_eq!(Energy::sum(parts.iter().copied()), Ok(Energy::from_kwh(energy)));
            let (least, most) = (parts.iter().min().unwrap(), parts.iter().max().unwrap());
            prop_assert!(most.kwh() - least.kwh() <= 1);
        }

        #[test]
        fn points_lie_between_their_hours(hours in proptest::collection::vec(0..900_i64, 1..25)) {
            for (index, (power, _)) in curve(&hours).into_iter().enumerate() {
                let (from, to) = (hours[index / 4], *hours.get(index / 4 + 1).unwrap_or(&hours[index / 4]));
                prop_assert!(from.min(to) <= power && power <= from.max(to));
            }
        }
    }
}
