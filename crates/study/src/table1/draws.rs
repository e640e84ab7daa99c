//! What is random about the month: drawn once, the same for every platform and parameter.

use crate::random::Random;

/// The draws of a month. The order in which they are drawn is part of the calibration: another
/// order would be another month.
#[derive(Clone, Debug)]
pub struct Draws {
    /// Each buyer's taste, as a sum of four uniform numbers less its mean; its standard deviation
    /// is [`TASTE_DEVIATION`].
    pub(super) tastes: Vec<i64>,
    /// Each buyer's weight in the demand.
    pub(super) weights: Vec<i128>,
    /// For each hour of each day type, in that order.
    pub(super) hours: Vec<Encounters>,
}

/// Who comes when, and whom they meet.
#[derive(Clone, Debug)]
pub(super) struct Encounters {
    /// The buyers as they come.
    pub(super) arrivals: Vec<usize>,
    /// For each buyer, the plants in the order in which it meets them.
    pub(super) plants: Vec<Vec<usize>>,
}

/// The standard deviation of the sum of four uniform numbers from 0 to 100,000.
pub(super) const TASTE_DEVIATION: i64 = 57_735;

impl Draws {
    /// Draws the month of `buyers` and `plants` from `seed`.
    #[must_use]
    pub fn new(seed: u64, buyers: usize, plants: usize) -> Self {
        let mut random = Random::new(seed);
        let taste =
            |random: &mut Random| (0..4).map(|_| random.between(0, 100_000)).sum::<i64>() - 200_000;
        let tastes = (0..buyers).map(|_| taste(&mut random)).collect();
        let weights = (0..buyers).map(|_| i128::from(random.between(500, 1_500))).collect();
        let mut hours = Vec::with_capacity(72);
        for day in 0..3_u64 {
            for hour in 0..24_u64 {
                let mut random = Random::new(seed ^ (day << 32) ^ (hour << 16) ^ 0xABCD);
                let arrivals = shuffled(&mut random, buyers);
                let plants = (0..buyers).map(|_| shuffled(&mut random, plants)).collect();
                hours.push(Encounters { arrivals, plants });
            }
        }
        Self { tastes, weights, hours }
    }
}

/// The numbers below `n` in a random order (Fisher and Yates).
fn shuffled(random: &mut Random, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        let bound = u64::try_from(last + 1).unwrap_or(u64::MAX);
        order.swap(last, usize::try_from(random.below(bound)).unwrap_or(0));
    }
    order
}
