//! Listing: one side posts energy at a price, the other takes from it.
//!
//! All takers trade at the posted price, so the only question is who gets how much. In a two-sided
//! session each participant's role (lister or taker) and direction are fixed; each listing is
//! shared out by itself all the same.

use duet_units::{Energy, OverflowError, largest_remainder};

/// How takers share a listing that they together want more of than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// The earlier taker first (Guangdong, Guizhou).
    Time,
    /// In proportion to what they declared, by largest remainder (Chongqing).
    ProRata,
    /// The earlier window first; inside a window clean energy first, then the others, each group
    /// in proportion to what it declared (Beijing rules art. 76).
    Windows,
}

/// What a taker declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    /// The energy it wants; never negative.
    pub quantity: Energy,
    /// The window in which it declared, counted from the opening; officially 15 minutes long.
    pub window: u32,
    /// Whether it is clean energy.
    pub source: Source,
}

/// Whether energy counts as clean for the order of takers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Wind, sun, water and the like.
    Clean,
    /// Everything else, and every taker that buys.
    Other,
}

/// Returns what each taker gets of `listed`, by position; earlier positions declared earlier.
///
/// # Errors
///
/// Returns [`OverflowError`] if an energy is negative or a product does not fit.
///
/// # Source
///
/// market-rules.md 4.4.
pub fn share(
    listed: Energy,
    takes: &[Take],
    sharing: Sharing,
) -> Result<Vec<Energy>, OverflowError> {
    let negative = OverflowError { operation: "listed or taken energy", unit: "kWh" };
    if listed < Energy::ZERO || takes.iter().any(|take| take.quantity < Energy::ZERO) {
        return Err(negative);
    }
    // Groups are served one after the other; the members of a group share alike.
    let group = |position: usize, take: &Take| match sharing {
        Sharing::Time => (position, 0, Source::Other),
        Sharing::ProRata => (0, 0, Source::Other),
        Sharing::Windows => (0, take.window, take.source),
    };
    let mut queue: Vec<_> = takes
        .iter()
        .enumerate()
        .map(|(position, take)| (group(position, take), position, take.quantity))
        .collect();
    queue.sort_unstable();
    let mut left = i128::from(listed.kwh());
    let mut shares = vec![Energy::ZERO; takes.len()];
    for members in queue.chunk_by(|a, b| a.0 == b.0) {
        let wanted: Vec<i128> = members.iter().map(|member| member.2.kwh().into()).collect();
        // At most 2^63 summands below 2^63.
        let total = wanted.iter().fold(0_i128, |sum, kwh| sum.saturating_add(*kwh));
        let parts = largest_remainder(left.min(total), &wanted)?;
        for ((_, position, _), part) in members.iter().zip(parts) {
            left = left.saturating_sub(part);
            let part = i64::try_from(part).map_err(|_| negative)?;
            *shares.get_mut(*position).ok_or(negative)? = Energy::from_kwh(part);
        }
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn take(kwh: i64, window: u32, source: Source) -> Take {
        Take { quantity: Energy::from_kwh(kwh), window, source }
    }

    fn shares(listed: i64, takes: &[Take], sharing: Sharing) -> Vec<i64> {
        let shares = share(Energy::from_kwh(listed), takes, sharing).unwrap();
        shares.into_iter().map(Energy::kwh).collect()
    }

    #[test]
    fn each_rule_shares_the_same_listing_differently() {
        use Source::{Clean, Other};
        let takes =
            [take(60, 0, Other), take(60, 0, Clean), take(60, 0, Other), take(30, 1, Clean)];
        assert_eq!(shares(110, &takes, Sharing::Time), [60, 50, 0, 0]);
        assert_eq!(shares(105, &takes, Sharing::ProRata), [30, 30, 30, 15]);
        assert_eq!(shares(110, &takes, Sharing::Windows), [25, 60, 25, 0]);
        assert_eq!(shares(1_000, &takes, Sharing::Windows), [60, 60, 60, 30]);
    }

    proptest! {
        #[test]
        fn a_listing_is_taken_whole_or_everyone_is_served(
            listed in 0..200_i64,
            raw in proptest::collection::vec((0..50_i64, 0..3_u32, any::<bool>()), 0..9),
            sharing in prop_oneof![Just(Sharing::Time), Just(Sharing::ProRata), Just(Sharing::Windows)],
        ) {
            let source = |clean| if clean { Source::Clean } else { Source::Other };
            let takes: Vec<Take> =
                raw.into_iter().map(|(kwh, window, clean)| take(kwh, window, source(clean))).collect();
            let shares = shares(listed, &takes, sharing);
            let wanted: i64 = takes.iter().map(|take| take.quantity.kwh()).sum();
            prop_assert_eq!(shares.iter().sum::<i64>(), listed.min(wanted));
            for (share, take) in shares.iter().zip(&takes) {
                prop_assert!(0 <= *share && *share <= take.quantity.kwh());
            }
            if sharing == Sharing::Windows {
                // Nobody in a later group gets anything while an earlier one waits.
                for (a, share) in takes.iter().zip(&shares) {
                    let waits = *share < a.quantity.kwh();
                    let later = takes.iter().zip(&shares).filter(|(b, _)| {
                        (a.window, a.source) < (b.window, b.source)
                    });
                    prop_assert!(!waits || later.map(|(_, share)| share).sum::<i64>() == 0);
                }
            }
        }
    }

    #[test]
    fn extremes_do_not_panic() {
        let most = take(i64::MAX, 0, Source::Other);
        assert_eq!(shares(i64::MAX, &[most, most], Sharing::Time), [i64::MAX, 0]);
        assert!(share(Energy::from_kwh(-1), &[], Sharing::Time).is_err());
        assert!(share(Energy::MAX, &[take(-1, 0, Source::Other)], Sharing::Time).is_err());
    }
}
