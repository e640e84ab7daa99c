//! The same book gives the same fills on every machine and in every build.
//!
//! The hashes were computed by an independent program in another language, written from the rule's
//! definitions with exact fractions; they hold in debug and release builds alike.

use duet_market::auction::{CallRule, clear};
use duet_market::order::{Order, Rationing, Side};
use duet_units::{EmissionFactor, Energy};

use crate::support::{kwh, order, price};

/// The splitmix64 sequence.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::try_from((z ^ (z >> 31)) % bound).unwrap()
    }
}

/// Bids from 340 and asks from 320 yuan/MWh, 60 wide, in steps of 0.01, so that prices tie.
fn book(seed: u64, count: usize) -> Vec<Order> {
    let mut random = Random(seed);
    let mut orders = Vec::with_capacity(count);
    for index in 0..count {
        let (side, from) =
            if index.is_multiple_of(2) { (Side::Buy, 340_000) } else { (Side::Sell, 320_000) };
        let (limit, quantity) = (from + 10 * random.below(6_000), 1 + random.below(2_000));
        let emission_factor = EmissionFactor::from_g_per_kwh(random.below(1_000));
        orders.push(Order { emission_factor, ..order(side, limit, quantity) });
    }
    orders
}

/// FNV-1a over the fills, eight bytes each, low byte first.
fn hash(fills: &[Energy]) -> u64 {
    fills
        .iter()
        .flat_map(|fill| fill.kwh().to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[test]
fn a_large_book_has_the_fills_of_the_independent_program() {
    // 20,000 orders: the book is narrowed by a histogram before anything is sorted.
    let orders = book(42, 20_000);
    for (rationing, expected) in [
        (Rationing::ProRata, 0xd9b0_985f_e51b_aa5d),
        (Rationing::Time, 0x3033_985d_984a_ca5f),
        (Rationing::GreenFirst, 0x257a_1e59_25df_259f),
    ] {
        let clearing = clear(&orders, &CallRule { rationing, ..CallRule::MIDPOINT }).unwrap();
        assert_eq!((clearing.price, clearing.volume), (Some(price(360_500)), kwh(6_592_940)));
        assert_eq!(hash(&clearing.fills), expected, "{rationing:?}");
    }
}

#[test]
fn a_small_book_has_them_too() {
    let clearing = clear(&book(42, 1_000), &CallRule::MIDPOINT).unwrap();
    assert_eq!((clearing.price, clearing.volume), (Some(price(359_100)), kwh(340_339)));
    assert_eq!(hash(&clearing.fills), 0x6a82_9176_ccca_2548);
}
