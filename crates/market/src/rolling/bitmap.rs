//! A set of small numbers whose least and greatest member are found in a few steps.

/// Layer 0 has a bit per number; each layer above has a bit per word of the layer below.
#[derive(Clone, Debug)]
pub(super) struct Bitmap {
    layers: Vec<Vec<u64>>,
}

/// Which way a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

impl Way {
    /// The first set bit of a word in this direction.
    const fn first(self, word: u64) -> Option<u32> {
        if word == 0 {
            return None;
        }
        Some(match self {
            Self::Up => word.trailing_zeros(),
            Self::Down => 63_u32.saturating_sub(word.leading_zeros()),
        })
    }

    /// The bits of a word beyond `bit` in this direction.
    const fn beyond(self, word: u64, bit: u32) -> u64 {
        match self {
            // Two shifts, for shifting by 64 at once is not defined.
            Self::Up => word & (u64::MAX << bit) << 1,
            Self::Down => word & !(u64::MAX << bit),
        }
    }
}

const WORD_BITS: usize = 64;

/// The word of a member and the bit in it.
fn place(member: usize) -> (usize, u32) {
    let bit = u32::try_from(member.rem_euclid(WORD_BITS)).unwrap_or(0);
    (member.div_euclid(WORD_BITS), bit)
}

/// The number that a bit of a word stands for. It is below the capacity, so nothing saturates.
fn number(word: usize, bit: u32) -> usize {
    word.saturating_mul(WORD_BITS).saturating_add(usize::try_from(bit).unwrap_or(0))
}

impl Bitmap {
    /// An empty set of numbers below `capacity`.
    pub(super) fn new(capacity: usize) -> Self {
        let mut layers = Vec::new();
        let mut bits = capacity.max(1);
        loop {
            let words = bits.div_ceil(WORD_BITS);
            layers.push(vec![0; words]);
            if words == 1 {
                return Self { layers };
            }
            bits = words;
        }
    }

    pub(super) fn insert(&mut self, member: usize) {
        let mut member = member;
        for layer in &mut self.layers {
            let (index, bit) = place(member);
            let Some(word) = layer.get_mut(index) else { return };
            let was_empty = *word == 0;
            *word |= 1 << bit;
            if !was_empty {
                return;
            }
            member = index;
        }
    }

    pub(super) fn remove(&mut self, member: usize) {
        let mut member = member;
        for layer in &mut self.layers {
            let (index, bit) = place(member);
            let Some(word) = layer.get_mut(index) else { return };
            *word &= !(1 << bit);
            if *word != 0 {
                return;
            }
            member = index;
        }
    }

    /// The least member going up, the greatest going down.
    pub(super) fn first(&self, way: Way) -> Option<usize> {
        self.descend(way, self.layers.len(), 0)
    }

    /// The next member beyond `member`.
    pub(super) fn next(&self, way: Way, member: usize) -> Option<usize> {
        let mut member = member;
        for (height, layer) in self.layers.iter().enumerate() {
            let (index, bit) = place(member);
            let rest = way.beyond(layer.get(index).copied()?, bit);
            if let Some(bit) = way.first(rest) {
                return self.descend(way, height, number(index, bit));
            }
            member = index;
        }
        None
    }

    /// The first member under word `index` of the layers below `height`.
    fn descend(&self, way: Way, height: usize, index: usize) -> Option<usize> {
        let mut index = index;
        for layer in self.layers.get(..height)?.iter().rev() {
            index = number(index, way.first(layer.get(index).copied()?)?);
        }
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_an_ordered_set(
            capacity in prop_oneof![1..70_usize, Just(4_096), Just(300_000)],
            steps in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..60),
        ) {
            let (mut bitmap, mut set) = (Bitmap::new(capacity), BTreeSet::new());
            for (index, inserts) in steps {
                let member = index.index(capacity);
                if inserts {
                    bitmap.insert(member);
                    set.insert(member);
                } else {
                    bitmap.remove(member);
                    set.remove(&member);
                }
                prop_assert_eq!(bitmap.first(Way::Up), set.first().copied());
                prop_assert_eq!(bitmap.first(Way::Down), set.last().copied());
                let above = set.range(member + 1..).next().copied();
                prop_assert_eq!(bitmap.next(Way::Up, member), above);
                prop_assert_eq!(bitmap.next(Way::Down, member), set.range(..member).next_back().copied());
            }
        }
    }
}
