//! Generated orders from a seed.

use duet_market::order::{Order, Side};
use duet_units::{EmissionFactor, Energy, Price};

/// The splitmix64 sequence.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from zero up to but without `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::try_from((z ^ (z >> 31)) % bound).unwrap()
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    pub(crate) fn side(&mut self) -> Side {
        if self.below(2) == 0 { Side::Buy } else { Side::Sell }
    }

    /// A book of `count` orders over `width` prices, which tie and cross the more the narrower it
    /// is. One order in sixteen is of nothing; one book in sixteen has only one side.
    pub(crate) fn book(&mut self, count: usize, width: u64) -> Vec<Order> {
        let only = (self.below(16) == 0).then(|| self.side());
        let floor = self.below(7) - 3;
        let mut order = |_| {
            let side = only.unwrap_or_else(|| self.side());
            let quantity = if self.below(16) == 0 { 0 } else { 1 + self.below(2_000) };
            Order {
                side,
                limit: Price::from_milli_yuan_per_mwh(floor + self.below(width)),
                quantity: Energy::from_kwh(quantity),
                emission_factor: EmissionFactor::from_g_per_kwh(self.below(4) * 300),
            }
        };
        (0..count).map(&mut order).collect()
    }
}
