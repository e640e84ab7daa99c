//! The competitive interval of a book: the lowest and the highest price that clears it.

use duet_units::{OverflowError, Price};

use crate::order::{Order, Side};

/// Books up to this many orders are sorted whole; larger ones are first narrowed by a histogram.
pub(super) const SORTED_UP_TO: usize = 8_192;

const BUCKETS: usize = 4_096;
const BUCKET_BITS: u32 = 12;

/// The energy that enters a side at one limit. One order sets one of the two.
#[derive(Clone, Copy, Default)]
struct Step {
    limit: i64,
    bought: i64,
    sold: i64,
}

impl Step {
    fn of(order: &Order) -> Self {
        let (limit, kwh) = (order.limit.milli_yuan_per_mwh(), order.quantity.kwh());
        match order.side {
            Side::Buy => Self { limit, bought: kwh, sold: 0 },
            Side::Sell => Self { limit, bought: 0, sold: kwh },
        }
    }

    const fn is_empty(&self) -> bool {
        self.bought == 0 && self.sold == 0
    }
}

/// Energy outside a range of limits: bought from its lower end up, sold from its upper end down.
///
/// Every sum of this file is a sum of energies of one side, which [`Survey::of`] has checked to
/// fit an `i64`, so saturating additions never saturate.
#[derive(Clone, Copy, Default)]
struct Outside {
    bought: i64,
    sold: i64,
}

/// What one look at all orders tells.
struct Survey {
    bought: i64,
    sold: i64,
    lowest: i64,
    highest: i64,
    orders: usize,
}

impl Survey {
    fn of(orders: &[Order]) -> Result<Self, OverflowError> {
        let overflow = OverflowError { operation: "energy of one side", unit: "kWh" };
        let mut survey =
            Self { bought: 0, sold: 0, lowest: i64::MAX, highest: i64::MIN, orders: 0 };
        for order in orders {
            let step = Step::of(order);
            if order.quantity.kwh() < 0 {
                return Err(overflow);
            }
            if step.is_empty() {
                continue;
            }
            survey.bought = survey.bought.checked_add(step.bought).ok_or(overflow)?;
            survey.sold = survey.sold.checked_add(step.sold).ok_or(overflow)?;
            survey.lowest = survey.lowest.min(step.limit);
            survey.highest = survey.highest.max(step.limit);
            survey.orders = survey.orders.saturating_add(1);
        }
        Ok(survey)
    }

    const fn is_one_sided(&self) -> bool {
        self.bought == 0 || self.sold == 0
    }
}

/// Returns `(lo, hi)` of the orders; `None` if a side has no energy. `sorted_up_to` only chooses
/// the way of computing: every value gives the same result.
///
/// # Errors
///
/// Returns [`OverflowError`] if a quantity is negative or the energy of a side exceeds an `i64`.
pub(super) fn competitive(
    orders: &[Order],
    sorted_up_to: usize,
) -> Result<Option<(Price, Price)>, OverflowError> {
    let survey = Survey::of(orders)?;
    if survey.is_one_sided() {
        return Ok(None);
    }
    let (lo, hi) = if survey.orders <= sorted_up_to {
        let mut steps: Vec<Step> = orders.iter().map(Step::of).collect();
        steps.retain(|step| !step.is_empty());
        steps.sort_unstable_by_key(|step| step.limit);
        let lo = lowest(&steps, Outside { bought: survey.bought, sold: 0 });
        (lo, highest(&steps, Outside { bought: 0, sold: survey.sold }))
    } else {
        narrowed(orders, &survey)
    };
    let pair = lo.zip(hi);
    let to_price = Price::from_milli_yuan_per_mwh;
    Ok(pair.map(|(lo, hi)| (to_price(lo), to_price(hi))))
}

/// The lowest price of sorted `steps` with `D+(p) <= S(p)`. `outside` holds the energy bought
/// in and above the steps and the energy sold below them.
fn lowest(steps: &[Step], mut outside: Outside) -> Option<i64> {
    for level in steps.chunk_by(|a, b| a.limit == b.limit) {
        for step in level {
            outside.bought = outside.bought.saturating_sub(step.bought);
            outside.sold = outside.sold.saturating_add(step.sold);
        }
        if outside.bought <= outside.sold {
            return level.first().map(|step| step.limit);
        }
    }
    None
}

/// The highest price of sorted `steps` with `S-(p) <= D(p)`. `outside` holds the energy bought
/// above the steps and the energy sold in and below them.
fn highest(steps: &[Step], mut outside: Outside) -> Option<i64> {
    for level in steps.chunk_by(|a, b| a.limit == b.limit).rev() {
        for step in level {
            outside.bought = outside.bought.saturating_add(step.bought);
            outside.sold = outside.sold.saturating_sub(step.sold);
        }
        if outside.sold <= outside.bought {
            return level.first().map(|step| step.limit);
        }
    }
    None
}

/// A histogram of the limits: bucket `k` holds limits `lowest + [k, k + 1) << shift`.
struct Buckets {
    lowest: i64,
    shift: u32,
    energy: Vec<Outside>,
}

impl Buckets {
    fn of(orders: &[Order], survey: &Survey) -> Self {
        let width_bits = u64::BITS.saturating_sub(survey.width().leading_zeros());
        let shift = width_bits.saturating_sub(BUCKET_BITS);
        let energy = vec![Outside::default(); BUCKETS];
        let mut buckets = Self { lowest: survey.lowest, shift, energy };
        for step in orders.iter().map(Step::of) {
            let index = buckets.index_of(step.limit);
            if let Some(bucket) = buckets.energy.get_mut(index) {
                bucket.bought = bucket.bought.saturating_add(step.bought);
                bucket.sold = bucket.sold.saturating_add(step.sold);
            }
        }
        buckets
    }

    /// The bucket of a limit. Orders of nothing may lie outside and are never looked at again.
    fn index_of(&self, limit: i64) -> usize {
        usize::try_from(limit.abs_diff(self.lowest) >> self.shift).unwrap_or(usize::MAX)
    }

    /// The bucket that holds `lo`, and the energy outside as [`lowest`] wants it.
    fn lower(&self, survey: &Survey) -> Option<(usize, Outside)> {
        let mut outside = Outside { bought: survey.bought, sold: 0 };
        for (index, bucket) in self.energy.iter().enumerate() {
            let before = outside;
            outside.bought = outside.bought.saturating_sub(bucket.bought);
            outside.sold = outside.sold.saturating_add(bucket.sold);
            if outside.bought <= outside.sold {
                return Some((index, before));
            }
        }
        None
    }

    /// The bucket that holds `hi`, and the energy outside as [`highest`] wants it.
    fn upper(&self, survey: &Survey) -> Option<(usize, Outside)> {
        let mut outside = Outside { bought: 0, sold: survey.sold };
        for (index, bucket) in self.energy.iter().enumerate().rev() {
            let before = outside;
            outside.bought = outside.bought.saturating_add(bucket.bought);
            outside.sold = outside.sold.saturating_sub(bucket.sold);
            if outside.sold <= outside.bought {
                return Some((index, before));
            }
        }
        None
    }
}

impl Survey {
    const fn width(&self) -> u64 {
        self.highest.abs_diff(self.lowest)
    }
}

/// As sorting everything, but sorts only the buckets in which `lo` and `hi` lie.
fn narrowed(orders: &[Order], survey: &Survey) -> (Option<i64>, Option<i64>) {
    let buckets = Buckets::of(orders, survey);
    let (Some((lower, below)), Some((upper, above))) =
        (buckets.lower(survey), buckets.upper(survey))
    else {
        return (None, None);
    };
    let (mut low_steps, mut high_steps) = (Vec::new(), Vec::new());
    for step in orders.iter().map(Step::of).filter(|step| !step.is_empty()) {
        let index = buckets.index_of(step.limit);
        if index == lower {
            low_steps.push(step);
        }
        if index == upper {
            high_steps.push(step);
        }
    }
    low_steps.sort_unstable_by_key(|step| step.limit);
    high_steps.sort_unstable_by_key(|step| step.limit);
    (lowest(&low_steps, below), highest(&high_steps, above))
}

#[cfg(test)]
mod tests {
    use duet_units::{EmissionFactor, Energy};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn narrowing_finds_the_same_interval_as_sorting(
            spread in prop_oneof![Just(10_i64), Just(100_000), Just(i64::MAX)],
            raw in proptest::collection::vec((any::<bool>(), any::<i64>(), 0..50_i64), 0..200),
        ) {
            let orders: Vec<Order> = raw
                .into_iter()
                .map(|(buys, limit, kwh)| Order {
                    side: if buys { Side::Buy } else { Side::Sell },
                    limit: Price::from_milli_yuan_per_mwh(limit % spread),
                    quantity: Energy::from_kwh(kwh),
                    emission_factor: EmissionFactor::ZERO,
                })
                .collect();
            prop_assert_eq!(competitive(&orders, 0), competitive(&orders, usize::MAX));
        }
    }
}
