//! Energy certificates: proof of 1 MWh of a source each.

use duet_units::{Energy, OverflowError};

/// What one certificate proves.
pub const ENERGY_OF_ONE: Energy = Energy::from_kwh(1_000);

/// Returns the number of certificates to issue for `metered` energy and the energy carried to the
/// next month, given the energy carried from the last one.
///
/// # Errors
///
/// Returns [`OverflowError`] if an energy is negative or their sum does not fit.
///
/// # Source
///
/// Green electricity certificates: one per 1,000 kWh, the rest carried on (NEA 2024-67 art. 15).
pub fn issue(metered: Energy, carry: Energy) -> Result<(i64, Energy), OverflowError> {
    if metered < Energy::ZERO || carry < Energy::ZERO {
        return Err(OverflowError { operation: "energy to certify", unit: "kWh" });
    }
    let total = metered.plus(carry)?.kwh();
    let unit = ENERGY_OF_ONE.kwh();
    Ok((total.div_euclid(unit), Energy::from_kwh(total.rem_euclid(unit))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_month_counts_in_the_next() {
        let kwh = Energy::from_kwh;
        assert_eq!(issue(kwh(2_600), kwh(0)), Ok((2, kwh(600))));
        assert_eq!(issue(kwh(400), kwh(600)), Ok((1, kwh(0))));
        assert_eq!(issue(kwh(0), kwh(999)), Ok((0, kwh(999))));
        assert!(issue(kwh(-1), kwh(0)).is_err());
        assert!(issue(Energy::MAX, kwh(1)).is_err());
    }
}
