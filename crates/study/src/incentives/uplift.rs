//! Design D: one price for all buyers, uplift for sellers out of merit.
//!
//! A comparison, not a mode of the market: the volume goes beyond the call auction as long as the
//! gap between ask and bid is within the cap and the uplift within the fund. All buyers then pay
//! the last bid, sellers at or below it are paid it, and sellers above it their registered ask.

use std::cmp::Reverse;

use duet_market::auction::clear;
use duet_market::game::GameOrder;
use duet_market::order::{Order, Side};
use duet_units::OverflowError;

use super::Setting;
use super::payoff::Outcome;

pub(super) fn play(
    setting: &Setting,
    (orders, truthful): (&[GameOrder], &[GameOrder]),
) -> Result<Outcome, OverflowError> {
    let plain: Vec<Order> = orders.iter().map(|order| order.order).collect();
    let first = clear(&plain, &setting.rule.call)?;
    let rent: i128 = orders
        .iter()
        .zip(&first.fills)
        .map(|(order, fill)| i128::from(order.rent.milli_yuan_per_mwh()) * i128::from(fill.kwh()))
        .sum();
    let fund = rent * i128::from(setting.rule.fund_share.bp()) / 10_000;
    let ceiling = setting.ceiling.milli_yuan_per_mwh();
    let book = Book::of(orders);
    let cap = setting.rule.compensation_cap.milli_yuan_per_mwh();
    let (mut price, mut volume) =
        (first.price.map_or(ceiling, |price| price.milli_yuan_per_mwh()), first.volume.kwh());
    if let Some((bid, kwh)) = book.beyond(cap, fund)
        && volume < kwh
    {
        (price, volume) = (bid, kwh);
    }
    let mut outcome = Outcome {
        payoffs: vec![0; orders.len()],
        second_stage_kwh: i128::from(volume - first.volume.kwh()),
    };
    for side in [&book.buys, &book.sells] {
        let mut left = volume;
        for (index, quantity) in side {
            let kwh = left.min(*quantity);
            left -= kwh;
            let value = truthful[*index].order.limit.milli_yuan_per_mwh();
            let per_mwh = match orders[*index].order.side {
                Side::Buy => value - price,
                Side::Sell => {
                    let registered = truthful[*index].registered_ask.milli_yuan_per_mwh();
                    registered.max(price) - value
                }
            };
            outcome.payoffs[*index] += i128::from(per_mwh) * i128::from(kwh);
        }
    }
    Ok(outcome)
}

/// Both sides in the order in which they trade: position, quantity.
struct Book<'a> {
    orders: &'a [GameOrder],
    buys: Vec<(usize, i64)>,
    sells: Vec<(usize, i64)>,
}

impl<'a> Book<'a> {
    fn of(orders: &'a [GameOrder]) -> Self {
        let side = |side: Side| -> Vec<(usize, i64)> {
            let all = orders.iter().enumerate().filter(|(_, order)| order.order.side == side);
            all.map(|(index, order)| (index, order.order.quantity.kwh())).collect()
        };
        let (mut buys, mut sells) = (side(Side::Buy), side(Side::Sell));
        buys.sort_by_key(|(index, _)| (Reverse(orders[*index].order.limit), *index));
        sells.sort_by_key(|(index, _)| (orders[*index].order.limit, *index));
        Self { orders, buys, sells }
    }

    fn limit(&self, index: usize) -> i64 {
        self.orders[index].order.limit.milli_yuan_per_mwh()
    }

    /// The last bid and the largest volume whose gap is within the cap and whose uplift, at that
    /// bid, is within the fund.
    fn beyond(&self, cap: i64, fund: i128) -> Option<(i64, i64)> {
        let (mut buys, mut sells) = (self.buys.iter().copied(), self.sells.iter().copied());
        let (mut buy, mut sell) = (buys.next(), sells.next());
        let mut accepted: Vec<(i64, i64)> = Vec::new();
        let (mut volume, mut last) = (0, None);
        while let (Some((bidder, wanted)), Some((asker, offered))) = (buy, sell) {
            let (bid, ask) = (self.limit(bidder), self.limit(asker));
            let kwh = wanted.min(offered);
            accepted.push((ask, kwh));
            let uplift: i128 = accepted
                .iter()
                .map(|(ask, kwh)| i128::from((ask - bid).max(0)) * i128::from(*kwh))
                .sum();
            if cap < ask - bid || fund < uplift {
                break;
            }
            volume += kwh;
            last = Some((bid, volume));
            let rest = |index, left| (left > 0).then_some((index, left));
            buy = rest(bidder, wanted - kwh).or_else(|| buys.next());
            sell = rest(asker, offered - kwh).or_else(|| sells.next());
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use duet_market::auction::CallRule;
    use duet_market::game::{self, GameRule, clear_joint};
    use duet_units::{BasisPoints, Energy, Price};

    use super::*;

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

    /// Truthful orders at prices of their own, each of 100 kWh, with more rent than any gap.
    fn book(random: &mut Random) -> Vec<GameOrder> {
        let count = 4 + random.below(14);
        let order = |place: i64| {
            let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
            let limit = 340_000 + 18 * random.below(1_500) + place;
            let price =
                |milli| Price::from_milli_yuan_per_mwh(if side == Side::Sell { milli } else { 0 });
            GameOrder {
                order: Order {
                    side,
                    limit: Price::from_milli_yuan_per_mwh(limit),
                    quantity: Energy::from_kwh(100),
                    emission_factor: duet_units::EmissionFactor::from_g_per_kwh(800),
                },
                registered_ask: price(limit),
                registered_cost: price(limit),
                rent: price(100_000),
            }
        };
        (0..count).map(order).collect()
    }

    #[test]
    fn the_market_has_the_payoffs_of_this_reckoning() {
        let mut random = Random(7);
        let mut second = 0;
        for _ in 0..2_000 {
            let orders = book(&mut random);
            let setting = Setting {
                rule: GameRule {
                    call: CallRule::MIDPOINT,
                    second_stage: game::Design::Uplift,
                    compensation_cap: Price::from_milli_yuan_per_mwh(1_000 * random.below(20)),
                    fund_share: BasisPoints::ONE,
                },
                ceiling: Price::from_milli_yuan_per_mwh(600_000),
            };
            let expected = play(&setting, (&orders, &orders)).unwrap();
            let joint = clear_joint(&orders, &setting.rule).unwrap();
            let found = Outcome::of(&joint, &orders).unwrap();
            assert_eq!(found.second_stage_kwh, expected.second_stage_kwh, "{orders:?}");
            assert_eq!(found.payoffs, expected.payoffs, "{orders:?}");
            second += i32::from(joint.second.is_some());
        }
        assert!(500 <= second, "{second} of 2,000");
    }
}
