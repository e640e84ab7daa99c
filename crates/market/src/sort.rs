//! Sorting orders by price without comparing them.

/// Which price comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Lowest,
    Highest,
}

/// Below this many items comparing is faster.
const COMPARED_UP_TO: usize = 1_024;
const DIGIT_BITS: u32 = 11;
const DIGITS_MAX: u32 = 4;

/// Sorts `items` by price, keeping the order of items with equal prices.
///
/// Prices of one session lie close together, so a few passes of counting do: `O(n)` time for a
/// range of up to 2^44 steps, `O(n log n)` beyond.
pub(crate) fn by_price<T: Copy>(items: &mut Vec<T>, first: First, price: impl Fn(&T) -> i64) {
    let prices = || items.iter().map(&price);
    let (Some(lowest), Some(highest)) = (prices().min(), prices().max()) else { return };
    let origin = match first {
        First::Lowest => lowest,
        First::Highest => highest,
    };
    let key = |item: &T| price(item).abs_diff(origin);
    let bits = u64::BITS.saturating_sub(highest.abs_diff(lowest).leading_zeros());
    let digits = bits.div_ceil(DIGIT_BITS);
    if items.len() <= COMPARED_UP_TO || DIGITS_MAX < digits {
        items.sort_by_key(key);
        return;
    }
    let mut sorted = items.clone();
    for digit in 0..digits {
        let shift = digit.saturating_mul(DIGIT_BITS);
        pass(items, &mut sorted, |item| usize::try_from(key(item) >> shift & MASK).unwrap_or(0));
        std::mem::swap(items, &mut sorted);
    }
}

const MASK: u64 = (1 << DIGIT_BITS) - 1;

/// Writes `from` into `to`, sorted by digit and otherwise in the same order.
fn pass<T: Copy>(from: &[T], to: &mut [T], digit: impl Fn(&T) -> usize) {
    let mut starts = [0_usize; 1 << DIGIT_BITS];
    for item in from {
        if let Some(count) = starts.get_mut(digit(item)) {
            *count = count.saturating_add(1);
        }
    }
    let mut start = 0_usize;
    for count in &mut starts {
        start = start.saturating_add(std::mem::replace(count, start));
    }
    for item in from {
        let Some(place) = starts.get_mut(digit(item)) else { continue };
        if let Some(slot) = to.get_mut(*place) {
            *slot = *item;
        }
        *place = place.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counting_gives_the_same_order_as_comparing(
            seeds in proptest::collection::vec(any::<i64>(), 1_000..1_300),
            range in prop_oneof![Just(3_i64), Just(70_000), Just(1 << 40), Just(i64::MAX)],
        ) {
            let items: Vec<(i64, usize)> =
                seeds.iter().enumerate().map(|(index, seed)| (seed % range, index)).collect();
            let (mut up, mut down) = (items.clone(), items.clone());
            by_price(&mut up, First::Lowest, |item| item.0);
            by_price(&mut down, First::Highest, |item| item.0);
            let mut expected = items;
            expected.sort_by_key(|item| item.0);
            prop_assert_eq!(&up, &expected);
            expected.sort_by_key(|item| std::cmp::Reverse(item.0));
            prop_assert_eq!(&down, &expected);
        }
    }
}
