//! Green power: how much of a contract's environmental value is settled in a month.

use duet_units::{
    BasisPoints, Energy, Money, OverflowError, Price, div_half_away, largest_remainder,
};

use crate::certificate::{ENERGY_OF_ONE, issue};

/// A month of a green power contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// The contracted energy.
    pub contracted: Energy,
    /// The part of the generator's grid energy, less mechanism energy, that is for this contract.
    pub generated: Energy,
    /// The part of the user's use that is for this contract.
    pub used: Energy,
    /// The tail carried from the last month of the contract period.
    pub carry: Energy,
}

/// What a month settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The certificates that move to the user: whole MWh.
    pub certificates: i64,
    /// The tail carried to the next month.
    pub carry: Energy,
    /// What the contract lacks because too little was generated or used. The tail is no shortfall.
    pub shortfall: Energy,
}

/// Shares the scarce energy of a generator (or a user) over its contracts, in proportion to them.
/// If it suffices each contract gets its own quantity, and the rest belongs to none.
///
/// # Errors
///
/// Returns [`OverflowError`] if an energy is negative or a product does not fit.
pub fn share_over_contracts(
    available: Energy,
    contracted: &[Energy],
) -> Result<Vec<Energy>, OverflowError> {
    let overflow = OverflowError { operation: "share of a contract", unit: "kWh" };
    let total = Energy::sum(contracted.iter().copied())?.min(available);
    let weights: Vec<i128> = contracted.iter().map(|energy| energy.kwh().into()).collect();
    let parts = largest_remainder(total.kwh().into(), &weights)?.into_iter();
    parts.map(|part| i64::try_from(part).map(Energy::from_kwh).map_err(|_| overflow)).collect()
}

/// Settles a month: the least of contract, generation and use, in whole MWh with the carried tail.
///
/// # Errors
///
/// Returns [`OverflowError`] if an energy is negative or a sum does not fit.
///
/// # Source
///
/// Beijing 2024-59 art. 67; Shandong 14.9.2; vector V7.
pub fn settle(month: &Month) -> Result<Settled, OverflowError> {
    let least = month.contracted.min(month.generated).min(month.used);
    let (certificates, carry) = issue(least, month.carry)?;
    Ok(Settled { certificates, carry, shortfall: month.contracted.minus(least)? })
}

/// The share of the environmental value that is due for a shortfall unless the contract names
/// another (Jiangsu): 25 %.
pub const SHORTFALL_SHARE: BasisPoints = BasisPoints::from_bp(2_500);

/// The price of environmental value of one kWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortfallTerms {
    /// The environmental value, kept apart from the price of energy.
    pub value: Price,
    /// The share of it that is due.
    pub share: BasisPoints,
}

/// Returns what the party that caused a shortfall pays, rounded once.
///
/// # Errors
///
/// Returns [`OverflowError`] if a product does not fit.
///
/// # Source
///
/// market-rules.md 4.13.
pub fn shortfall_charge(shortfall: Energy, terms: &ShortfallTerms) -> Result<Money, OverflowError> {
    let overflow = OverflowError { operation: "shortfall charge", unit: "fen" };
    let product =
        terms.value.value_of(shortfall)?.micro_yuan().checked_mul(terms.share.bp().into());
    // micro-yuan * bp: 10^4 of one and 10^4 of the other make a fen.
    product.and_then(|x| div_half_away(x, 100_000_000)).map(Money::from_fen).ok_or(overflow)
}

/// The most certificates that `energy` can back.
#[must_use]
pub fn certificates_backed(energy: Energy) -> i64 {
    energy.kwh().div_euclid(ENERGY_OF_ONE.kwh())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn kwh(kwh: i64) -> Energy {
        Energy::from_kwh(kwh)
    }

    #[test]
    fn the_tail_of_one_month_completes_a_certificate_of_the_next() {
        let month = Month {
            contracted: kwh(3_000),
            generated: kwh(2_700),
            used: kwh(9_000),
            carry: kwh(0),
        };
        let first = settle(&month).unwrap();
        assert_eq!(first, Settled { certificates: 2, carry: kwh(700), shortfall: kwh(300) });
        let second = settle(&Month { carry: first.carry, ..month }).unwrap();
        assert_eq!((second.certificates, second.carry), (3, kwh(400)));
    }

    #[test]
    fn a_shortfall_costs_a_quarter_of_the_value() {
        let terms = ShortfallTerms {
            value: Price::from_milli_yuan_per_mwh(30_000),
            share: SHORTFALL_SHARE,
        };
        // 1,000 kWh at 30 yuan/MWh are 30 yuan.
        assert_eq!(shortfall_charge(kwh(1_000), &terms), Ok(Money::from_fen(750)));
    }

    proptest! {
        #[test]
        fn certificates_and_tail_are_the_energy_of_all_months(
            months in proptest::collection::vec((0..9_000_i64, 0..9_000_i64, 0..9_000_i64), 1..13),
        ) {
            let (mut carry, mut certificates, mut energy) = (kwh(0), 0, 0);
            for (contracted, generated, used) in months {
                energy += contracted.min(generated).min(used);
                let (contracted, generated, used) = (kwh(contracted), kwh(generated), kwh(used));
                let settled = settle(&Month { contracted, generated, used, carry }).unwrap();
                certificates += settled.certificates;
                carry = settled.carry;
            }
            prop_assert_eq!(certificates * 1_000 + carry.kwh(), energy);
            prop_assert!(carry < ENERGY_OF_ONE);
            prop_assert_eq!(certificates_backed(kwh(energy)), certificates);
        }

        #[test]
        fn scarce_energy_is_shared_whole(
            available in 0..9_000_i64,
            contracted in proptest::collection::vec(0..3_000_i64, 0..6),
        ) {
            let contracted: Vec<Energy> = contracted.into_iter().map(kwh).collect();
            let shares = share_over_contracts(kwh(available), &contracted).unwrap();
            let total = Energy::sum(contracted.iter().copied()).unwrap();
            prop_assert_eq!(Energy::sum(shares.iter().copied()), Ok(total.min(kwh(available))));
            prop_assert!(shares.iter().zip(&contracted).all(|(share, most)| share <= most));
        }
    }
}
