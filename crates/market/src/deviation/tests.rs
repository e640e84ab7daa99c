//! The schemes on small numbers, and what holds for each of them.

use proptest::prelude::*;

use super::*;

const fn delivery(contracted: i64, metered: i64) -> Delivery {
    Delivery { contracted: Energy::from_kwh(contracted), metered: Energy::from_kwh(metered) }
}

const fn price(milli: i64) -> Price {
    Price::from_milli_yuan_per_mwh(milli)
}

const BAND: FreeBand = FreeBand {
    free: BasisPoints::from_bp(300),
    share: BasisPoints::from_bp(500),
    charged: Charged::Both,
};

const TERMS: Clawback = Clawback {
    least: BasisPoints::from_bp(8_000),
    most: BasisPoints::from_bp(11_000),
    lacking: BasisPoints::from_bp(15_000),
    excess: BasisPoints::ONE,
};

#[test]
fn a_shortage_costs_three_times_the_spread() {
    let amount = |metered| spread(&delivery(1_000, metered), price(-20_000)).unwrap().amount.fen();
    assert_eq!((amount(1_100), amount(900), amount(1_000)), (200, 600, 0));
}

#[test]
fn a_free_band_spares_whom_it_does_not_charge() {
    let quantity = |metered, charged| {
        let terms = FreeBand { charged, ..BAND };
        free_band(&delivery(1_000, metered), price(400_000), &terms).unwrap().quantity.kwh()
    };
    assert_eq!((quantity(1_030, Charged::Both), quantity(1_031, Charged::Both)), (0, 1));
    assert_eq!((quantity(969, Charged::Both), quantity(969, Charged::Shortage)), (1, 1));
    assert_eq!((quantity(1_100, Charged::Shortage), quantity(900, Charged::Neither)), (0, 0));
}

#[test]
fn a_clawback_takes_only_a_gain() {
    let charge = |account, contracted, spot| {
        let prices = MeanPrices { contract: price(400_000), spot: price(spot) };
        let charge = clawback(account, &delivery(contracted, 1_000), &prices, &TERMS).unwrap();
        (charge.quantity.kwh(), charge.price.milli_yuan_per_mwh(), charge.amount.fen())
    };
    // Too few contracts: 700 of at least 800 kWh. Too many: 1,200 of at most 1,100.
    assert_eq!(charge(Account::User, 700, 380_000), (100, 30_000, 300));
    assert_eq!(charge(Account::User, 700, 420_000), (100, 0, 0));
    assert_eq!(charge(Account::Generator, 700, 420_000), (100, 30_000, 300));
    assert_eq!(charge(Account::User, 1_200, 420_000), (100, 20_000, 200));
    assert_eq!(charge(Account::Generator, 1_200, 380_000), (100, 20_000, 200));
    assert_eq!(charge(Account::Generator, 1_000, 380_000), (0, 20_000, 0));
}

#[test]
fn recovered_money_goes_to_the_other_side_to_the_fen() {
    let metered = [1, 1, 1].map(Energy::from_kwh);
    let parts = redistribute(Money::from_fen(100), &metered).unwrap();
    assert_eq!(parts, [34, 33, 33].map(Money::from_fen));
    assert_eq!(redistribute(Money::from_fen(9), &[Energy::ZERO]), Ok(vec![Money::ZERO]));
}

proptest! {
    #[test]
    fn no_scheme_pays_a_deviation(contracted in 0..9_999_i64, metered in 0..9_999_i64, spot in 0..900_000_i64) {
        let delivery = delivery(contracted, metered);
        let prices = MeanPrices { contract: price(400_000), spot: price(spot) };
        let charges = [
            spread(&delivery, price(spot - 400_000)).unwrap(),
            free_band(&delivery, price(spot), &BAND).unwrap(),
            clawback(Account::User, &delivery, &prices, &TERMS).unwrap(),
            clawback(Account::Generator, &delivery, &prices, &TERMS).unwrap(),
        ];
        for charge in charges {
            prop_assert!(Energy::ZERO <= charge.quantity && Money::ZERO <= charge.amount);
            prop_assert!(contracted != metered || charge.amount.is_zero(), "{charge:?}");
        }
    }
}

#[test]
fn extremes_are_errors() {
    let wide = Delivery { contracted: Energy::from_kwh(i64::MIN), metered: Energy::MAX };
    assert!(spread(&wide, price(1)).is_err());
    assert!(free_band(&wide, price(1), &BAND).is_err());
    let prices = MeanPrices { contract: Price::MAX, spot: price(-1) };
    assert!(clawback(Account::User, &delivery(1, 1), &prices, &TERMS).is_err());
}
