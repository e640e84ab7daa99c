//! What a second stage is: its design, and the lottery that decides whether it is held.

use duet_units::BasisPoints;

/// The design of the second stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Design {
    /// There is none: the call auction is all.
    None,
    /// A: the rest trades at two prices. Sellers of the second stage are paid their registered
    /// ask, at most the highest accepted one, and the first stage keeps its price.
    Compensation,
    /// D: one price for the buyers of both stages, the lowest accepted bid. A seller whose ask is
    /// at or below it is paid it, a seller above it its own ask, the uplift.
    Uplift,
}

/// Whether a second stage that is held with a chance of `chance` is held, by 64 bits that are
/// drawn evenly: they are scaled to 0 to 9,999 and held against the chance in 1e-4, so that 10,000
/// always holds and 0 never does.
#[must_use]
pub fn is_held(chance: BasisPoints, bits: u64) -> bool {
    let whole = i128::from(BasisPoints::ONE.bp());
    // 64 bits times 10,000 are far below 2^127.
    let scaled = whole.saturating_mul(bits.into()).div_euclid(1_i128 << 64);
    scaled < i128::from(chance.bp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_chance_are_certain() {
        for bits in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(is_held(BasisPoints::ONE, bits));
            assert!(!is_held(BasisPoints::ZERO, bits));
        }
    }

    #[test]
    fn half_a_chance_is_half_of_all_bits() {
        let half = BasisPoints::from_bp(5_000);
        assert!(is_held(half, (1 << 63) - 1));
        assert!(!is_held(half, 1 << 63));
        // The least chance holds for the lowest ten-thousandth.
        let least = BasisPoints::from_bp(1);
        let share = u64::MAX / 10_000;
        assert!(is_held(least, share) && !is_held(least, share + 1));
    }
}
