//! The generator of synthetic data: small, seeded, the same on every machine.

/// A splitmix64 generator.
///
/// # Source
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// A generator that starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator for one thing named by several numbers, independent of all others: a day, a
    /// unit, a period. So one more member changes nobody else's numbers.
    #[must_use]
    pub fn keyed(seed: u64, key: &[u64]) -> Self {
        let mut random = Self(seed);
        for word in key {
            random = Self(random.next_u64() ^ word.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        }
        random
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..n`; 0 if `n` is 0. Multiply-shift: the bias is below `n / 2^64`.
    pub fn below(&mut self, n: u64) -> u64 {
        let product = u128::from(self.next_u64()) * u128::from(n);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A whole number in `lo..=hi`; `lo` if the range is empty.
    pub fn between(&mut self, lo: i64, hi: i64) -> i64 {
        let width = u64::try_from(i128::from(hi) - i128::from(lo) + 1).unwrap_or(0);
        lo.saturating_add_unsigned(self.below(width))
    }

    /// A number in `[0, 1)` with 53 random bits.
    #[expect(clippy::as_conversions, reason = "53 bits fit a float exactly")]
    pub const fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_the_published_ones() {
        // Reference values of splitmix64 for seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn ranges_are_kept_and_reached() {
        let mut random = Random::new(1);
        let mut seen = [false; 5];
        for _ in 0..200 {
            let x = random.between(-2, 2);
            seen[usize::try_from(x + 2).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.between(3, 3), 3);
        assert!((0.0..1.0).contains(&random.unit()));
    }

    #[test]
    fn keys_name_independent_streams() {
        let first = |key: &[u64]| Random::keyed(7, key).next_u64();
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[0]), first(&[0, 0]));
    }
}
