//! Carbon in offers and the split of responsibility.

use duet_market::carbon::{CarbonTerms, Generation, offer, split_responsibility};
use duet_units::{BasisPoints, CarbonPrice, EmissionFactor, Emissions, Energy, Price};
use proptest::prelude::*;

use crate::support::{kwh, price};

const fn terms(conductivity_bp: i64) -> CarbonTerms {
    CarbonTerms {
        emission_factor: EmissionFactor::from_g_per_kwh(830),
        benchmark: EmissionFactor::from_g_per_kwh(791),
        conductivity: BasisPoints::from_bp(conductivity_bp),
        carbon_price: CarbonPrice::from_fen_per_t(8_500),
    }
}

#[test]
fn rent_is_what_the_adder_collects_above_the_net_carbon_cost() {
    // 65 % of 830 g/kWh at 85 yuan/t is 45.858 yuan/MWh; 39 g/kWh above the benchmark cost 3.315.
    let offer = offer(price(300_000), price(290_000), price(437_280), &terms(6_500)).unwrap();
    assert_eq!(offer.ask, price(345_858));
    assert_eq!(offer.registered_ask, price(335_858));
    assert_eq!(offer.net_carbon_cost, price(3_315));
    assert_eq!(offer.rent, price(42_543));
}

#[test]
fn the_ceiling_takes_its_cut_from_the_rent() {
    let offer = offer(price(420_000), price(420_000), price(437_280), &terms(6_500)).unwrap();
    assert_eq!((offer.ask, offer.registered_ask), (price(437_280), price(437_280)));
    assert_eq!(offer.rent, price(17_280 - 3_315));
}

#[test]
fn a_seller_that_passes_nothing_on_or_emits_nothing_has_no_rent() {
    assert_eq!(offer(price(1), price(1), Price::MAX, &terms(0)).unwrap().rent, Price::ZERO);
    let wind = CarbonTerms { emission_factor: EmissionFactor::ZERO, ..terms(10_000) };
    let offer = offer(price(1), price(1), Price::MAX, &wind).unwrap();
    assert_eq!((offer.ask, offer.net_carbon_cost, offer.rent), (price(1), price(0), price(0)));
}

#[test]
fn without_buyers_sellers_answer_for_all_emissions() {
    let seller = Generation {
        metered: kwh(10),
        emission_factor: EmissionFactor::from_g_per_kwh(830),
        conductivity: BasisPoints::from_bp(6_500),
    };
    let split = split_responsibility(&[seller], &[Energy::ZERO]).unwrap();
    assert_eq!(split.sellers, [Emissions::from_g(8_300)]);
    let split = split_responsibility(&[seller], &[kwh(4), kwh(6)]).unwrap();
    assert_eq!(split.sellers, [Emissions::from_g(2_905)]);
    assert_eq!(split.buyers, [Emissions::from_g(2_158), Emissions::from_g(3_237)]);
}

proptest! {
    #[test]
    fn responsibility_is_the_emissions_to_the_gram(
        sellers in proptest::collection::vec((0..1_000_000_i64, 0..1_200_i64, 0..=10_000_i64), 0..9),
        bought in proptest::collection::vec(0..1_000_000_i64, 0..9),
    ) {
        let sellers: Vec<Generation> = sellers
            .into_iter()
            .map(|(metered, factor, rho)| Generation {
                metered: kwh(metered),
                emission_factor: EmissionFactor::from_g_per_kwh(factor),
                conductivity: BasisPoints::from_bp(rho),
            })
            .collect();
        let bought: Vec<Energy> = bought.into_iter().map(kwh).collect();
        let split = split_responsibility(&sellers, &bought).unwrap();
        let emitted: i128 = sellers
            .iter()
            .map(|seller| seller.emission_factor.emissions_of(seller.metered).unwrap().g())
            .sum();
        let everyone = split.sellers.iter().chain(&split.buyers).copied();
        prop_assert_eq!(Emissions::sum(everyone).unwrap().g(), emitted);
        prop_assert!(split.sellers.iter().chain(&split.buyers).all(|part| Emissions::ZERO <= *part));
    }
}
