//! Listed agreements and one-way bidding of allowances against a market of sorted price levels.

use std::collections::BTreeMap;

use duet_market::allowance::bidding::{Bid, Notice, Pricing, award};
use duet_market::allowance::listed::{Level, Listing, Take, check, levels, take};
use duet_market::allowance::{Band, Deal, closing_price};
use duet_market::order::Side;
use duet_units::{Allowances, CarbonPrice};

use crate::random::Random;
use crate::{done, operations};

/// The listings of one side by price, each level a queue of (number, tonnes).
#[derive(Default)]
struct Levels(BTreeMap<i64, Vec<(usize, i64)>>);

impl Levels {
    /// The five best prices: the lowest of those who sell, the highest of those who buy.
    fn best(&self, side: Side) -> Vec<i64> {
        match side {
            Side::Sell => self.0.keys().take(5).copied().collect(),
            Side::Buy => self.0.keys().rev().take(5).copied().collect(),
        }
    }

    fn take(&mut self, side: Side, t: i64, limit: i64) -> Vec<(usize, i64, i64)> {
        let (mut left, mut picks) = (t, Vec::new());
        for price in self.best(side) {
            let is_worse = if side == Side::Sell { limit < price } else { price < limit };
            let queue = self.0.get_mut(&price).unwrap();
            while !is_worse && left > 0 && !queue.is_empty() {
                let (number, standing) = queue[0];
                let t = standing.min(left);
                left -= t;
                queue[0].1 -= t;
                if queue[0].1 == 0 {
                    queue.remove(0);
                }
                picks.push((number, t, price));
            }
        }
        self.0.retain(|_, queue| !queue.is_empty());
        picks
    }

    fn withdraw(&mut self, number: usize) {
        self.0.values_mut().for_each(|queue| queue.retain(|listing| listing.0 != number));
        self.0.retain(|_, queue| !queue.is_empty());
    }
}

/// A day of listed agreements, kept as a ledger would and as the model does.
struct Day {
    band: Band,
    close: i64,
    /// Every listing of the day, by side and number; taken quantities are taken off.
    listings: [Vec<Listing>; 2],
    model: [Levels; 2],
    deals: Vec<Deal>,
}

fn slot(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

impl Day {
    fn new(random: &mut Random) -> Self {
        let close = 5_000 + random.below(5_000);
        let band = Band::around(CarbonPrice::from_fen_per_t(close), Band::LISTED).unwrap();
        let (listings, model) = <([Vec<Listing>; 2], [Levels; 2])>::default();
        Self { band, close, listings, model, deals: Vec::new() }
    }

    fn list(&mut self, random: &mut Random) {
        let side = random.side();
        let price = self.close + (random.below(9) - 4) * (self.close / 30);
        let t = random.below(130_000) - 10_000;
        let listing =
            Listing { quantity: Allowances::from_t(t), price: CarbonPrice::from_fen_per_t(price) };
        let inside = (price - self.close).abs() * 10 <= self.close;
        let is_good = 0 < t && t < 100_000 && inside;
        assert_eq!(check(&listing, &self.band).is_ok(), is_good, "{listing:?}");
        if is_good {
            let number = self.listings[slot(side)].len();
            self.listings[slot(side)].push(listing);
            self.model[slot(side)].0.entry(price).or_default().push((number, t));
        }
    }

    fn take(&mut self, random: &mut Random) -> u64 {
        let side = random.side();
        let (t, limit) = (1 + random.below(99_999), self.close + random.below(2_000) - 1_000);
        let (quantity, worst) = (Allowances::from_t(t), CarbonPrice::from_fen_per_t(limit));
        let listed = slot(side.opposite());
        let picks = take(&self.listings[listed], &Take { side, quantity, limit: worst }).unwrap();
        let short: Vec<_> =
            picks.iter().map(|p| (p.listing, p.quantity.t(), p.price.fen_per_t())).collect();
        assert_eq!(short, self.model[listed].take(side.opposite(), t, limit));
        for pick in &picks {
            let listing = &mut self.listings[listed][pick.listing];
            listing.quantity = listing.quantity.minus(pick.quantity).unwrap();
            self.deals.push(Deal { quantity: pick.quantity, price: pick.price });
        }
        u64::try_from(picks.len()).unwrap()
    }

    fn withdraw(&mut self, random: &mut Random) {
        let listed = slot(random.side());
        if self.listings[listed].is_empty() {
            return;
        }
        let number = random.index(self.listings[listed].len());
        self.listings[listed][number].quantity = Allowances::ZERO;
        self.model[listed].withdraw(number);
    }

    fn look(&self) {
        for side in [Side::Buy, Side::Sell] {
            let short = |level: &Level| (level.price.fen_per_t(), level.quantity.t());
            let shown: Vec<_> =
                levels(&self.listings[slot(side)], side).iter().map(short).collect();
            let model = &self.model[slot(side)];
            let tonnes = |price: &i64| model.0[price].iter().map(|listing| listing.1).sum();
            let expected: Vec<(i64, i64)> =
                model.best(side).into_iter().map(|price| (price, tonnes(&price))).collect();
            assert_eq!(shown, expected);
        }
    }

    fn end(&self) {
        let value: i128 =
            self.deals.iter().map(|d| i128::from(d.quantity.t() * d.price.fen_per_t())).sum();
        let tonnes: i128 = self.deals.iter().map(|d| i128::from(d.quantity.t())).sum();
        // To the nearest fen, halves up: every price here is positive.
        let mean =
            if tonnes == 0 { self.close.into() } else { (2 * value + tonnes) / (2 * tonnes) };
        let close = closing_price(&self.deals, CarbonPrice::from_fen_per_t(self.close)).unwrap();
        assert_eq!(i128::from(close.fen_per_t()), mean);
    }
}

#[test]
fn listed_agreements_equal_queues_by_price() {
    let mut random = Random::new(4);
    let (mut done_so_far, mut deals) = (0, 0);
    while done_so_far < operations() {
        let mut day = Day::new(&mut random);
        for step in 0..100 {
            match random.below(8) {
                0 => day.withdraw(&mut random),
                1..5 => day.list(&mut random),
                _ => deals += day.take(&mut random),
            }
            if step % 5 == 0 {
                day.look();
            }
        }
        day.end();
        done_so_far += 100;
    }
    done("listed agreements", done_so_far, deals);
}

/// Awards to the best bid that is left, again and again, at or better than the reserve.
fn awards(notice: &Notice, bids: &[Bid]) -> Vec<(usize, i64, i64)> {
    let fen = |bid: &Bid| bid.price.fen_per_t();
    let (mut left, mut won) = (notice.quantity.t(), Vec::new());
    let mut waiting: Vec<usize> =
        (0..bids.len()).filter(|at| !bids[*at].quantity.is_zero()).collect();
    while left > 0 && !waiting.is_empty() {
        let best = match notice.side {
            Side::Sell => waiting.iter().map(|at| fen(&bids[*at])).max().unwrap(),
            Side::Buy => waiting.iter().map(|at| fen(&bids[*at])).min().unwrap(),
        };
        let place = waiting.iter().position(|at| fen(&bids[*at]) == best).unwrap();
        let at = waiting.remove(place);
        let is_good = match notice.side {
            Side::Sell => notice.reserve.fen_per_t() <= best,
            Side::Buy => best <= notice.reserve.fen_per_t(),
        };
        if !is_good {
            break;
        }
        let t = bids[at].quantity.t().min(left);
        left -= t;
        won.push((at, t, best));
    }
    let worst = won.last().map(|award| award.2);
    match notice.pricing {
        Pricing::PayAsBid => won,
        Pricing::Uniform => won.into_iter().map(|(at, t, _)| (at, t, worst.unwrap())).collect(),
    }
}

#[test]
fn one_way_bidding_equals_picking_the_best_bid_again_and_again() {
    let mut random = Random::new(5);
    let (mut done_so_far, mut deals) = (0, 0);
    while done_so_far < operations() {
        let mut bid = |_| Bid {
            quantity: Allowances::from_t(random.below(5_000)),
            price: CarbonPrice::from_fen_per_t(9_000 + 10 * random.below(60)),
        };
        let bids: Vec<Bid> = (0..1 + done_so_far % 30).map(&mut bid).collect();
        let notice = Notice {
            side: random.side(),
            quantity: Allowances::from_t(random.below(60_000)),
            reserve: CarbonPrice::from_fen_per_t(9_000 + 10 * random.below(60)),
            pricing: if random.below(2) == 0 { Pricing::PayAsBid } else { Pricing::Uniform },
        };
        let won = award(&notice, &bids).unwrap();
        let won: Vec<_> =
            won.iter().map(|a| (a.bid, a.quantity.t(), a.price.fen_per_t())).collect();
        assert_eq!(won, awards(&notice, &bids), "{notice:?} {bids:?}");
        deals += u64::try_from(won.len()).unwrap();
        done_so_far += u64::try_from(bids.len()).unwrap();
    }
    done("one-way bidding", done_so_far, deals);
}
