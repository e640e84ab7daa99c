//! Where a holder is heading: emissions, free allocation and the gap between them at year's end.

use duet_units::{Allowances, BasisPoints, Emissions, OverflowError, div_half_away};

use super::compliance::{Relief, obligation, share_of};

/// What a holder emitted in a part of a compliance period, and is due for free for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOfYear {
    /// Metered emissions.
    pub emissions: Emissions,
    /// The benchmark times the metered output.
    pub benchmarked: Emissions,
    /// The days of the part.
    pub days: u16,
    /// The days of the whole period.
    pub of_days: u16,
}

/// What the whole period comes to at the pace of the part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Emissions.
    pub emissions: Allowances,
    /// The free allocation.
    pub allocation: Allowances,
    /// What will have to be surrendered beyond the allocation; negative for a surplus.
    pub gap: Allowances,
    /// The most that carbon credits can cover.
    pub offset_cap: Allowances,
}

/// Carries the pace of a part of the period to its end, each figure rounded half away from zero
/// to the tonne. A part of no days says nothing: zero.
///
/// # Errors
///
/// Returns [`OverflowError`] if a product does not fit.
///
/// # Source
///
/// market-rules.md 4.12; vector V8.
pub fn forecast(
    part: &PartOfYear,
    relief: Relief,
    offset_cap: BasisPoints,
) -> Result<Forecast, OverflowError> {
    if part.days == 0 {
        return Ok(Forecast::default());
    }
    let overflow = OverflowError { operation: "forecast of a year", unit: "t CO2e" };
    let whole = |emissions: Emissions| {
        let scaled = emissions.g().checked_mul(part.of_days.into()).ok_or(overflow)?;
        let grams_per_tonne = i128::from(part.days).checked_mul(1_000_000).ok_or(overflow)?;
        div_half_away(scaled, grams_per_tonne)
            .and_then(|tonnes| i64::try_from(tonnes).ok())
            .map(Allowances::from_t)
            .ok_or(overflow)
    };
    let (emissions, allocation) = (whole(part.emissions)?, whole(part.benchmarked)?);
    let due = obligation(emissions, allocation, relief)?;
    let gap = due.minus(allocation)?;
    Ok(Forecast { emissions, allocation, gap, offset_cap: share_of(due, offset_cap)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowance::compliance::OFFSET_CAP;

    const fn tonnes(t: i128) -> Emissions {
        Emissions::from_g(t * 1_000_000)
    }

    #[test]
    fn a_fifth_of_the_year_forecasts_vector_v8() {
        // A fifth of 9,836,200 t emitted and of 9,306,000 t allocated.
        let part = PartOfYear {
            emissions: tonnes(1_967_240),
            benchmarked: tonnes(1_861_200),
            days: 73,
            of_days: 365,
        };
        let twenty = Relief::Capped(BasisPoints::from_bp(2_000));
        let forecast = forecast(&part, twenty, OFFSET_CAP).unwrap();
        assert_eq!(forecast.emissions, Allowances::from_t(9_836_200));
        assert_eq!(forecast.allocation, Allowances::from_t(9_306_000));
        assert_eq!(forecast.gap, Allowances::from_t(530_200));
        assert_eq!(forecast.offset_cap, Allowances::from_t(491_810));
    }

    #[test]
    fn a_waived_shortage_is_no_gap_and_a_surplus_is_a_negative_one() {
        let part =
            PartOfYear { emissions: tonnes(10), benchmarked: tonnes(8), days: 1, of_days: 10 };
        let gap = |part: &PartOfYear, relief| forecast(part, relief, OFFSET_CAP).unwrap().gap;
        assert_eq!(gap(&part, Relief::ShortageWaived), Allowances::ZERO);
        assert_eq!(gap(&part, Relief::None), Allowances::from_t(20));
        let clean = PartOfYear { emissions: tonnes(8), benchmarked: tonnes(10), ..part };
        assert_eq!(gap(&clean, Relief::None), Allowances::from_t(-20));
        let nothing = PartOfYear { days: 0, ..part };
        assert_eq!(gap(&nothing, Relief::None), Allowances::ZERO);
        let most = PartOfYear { emissions: Emissions::MAX, ..part };
        assert!(forecast(&most, Relief::None, OFFSET_CAP).is_err());
    }
}
