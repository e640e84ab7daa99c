//! One-way bidding: one participant offers or wants allowances, many bid.

use duet_units::{Allowances, CarbonPrice, OverflowError};

use crate::order::Side;

/// What the one side announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What the announcing side does; the bidders do the opposite.
    pub side: Side,
    /// How much it offers or wants.
    pub quantity: Allowances,
    /// The worst price it takes.
    pub reserve: CarbonPrice,
    /// What winners pay or get.
    pub pricing: Pricing,
}

/// At which price the winners of a bidding deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pricing {
    /// Each at its own bid.
    PayAsBid,
    /// All at the worst bid that won something.
    Uniform,
}

/// A bid. Its position in a slice is its priority among equal prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// How much; never negative.
    pub quantity: Allowances,
    /// At what price.
    pub price: CarbonPrice,
}

/// What a bidder wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Award {
    /// Position of the bid.
    pub bid: usize,
    /// How much; positive.
    pub quantity: Allowances,
    /// At what price.
    pub price: CarbonPrice,
}

/// Awards the announced quantity to the best bids at or better than the reserve: best price first,
/// then the earlier bid.
///
/// # Errors
///
/// Returns [`OverflowError`] if a quantity is negative.
///
/// # Source
///
/// market-rules.md 4.11, one-way bidding; the notice fixes reserve and pricing.
pub fn award(notice: &Notice, bids: &[Bid]) -> Result<Vec<Award>, OverflowError> {
    let negative = OverflowError { operation: "quantity of a bid", unit: "t CO2e" };
    if notice.quantity < Allowances::ZERO || bids.iter().any(|bid| bid.quantity < Allowances::ZERO)
    {
        return Err(negative);
    }
    // A bidder in a sale is the better the more it pays.
    let badness = |price: CarbonPrice| {
        let fen = i128::from(price.fen_per_t());
        match notice.side {
            Side::Sell => fen.saturating_neg(),
            Side::Buy => fen,
        }
    };
    let mut queue: Vec<_> = bids
        .iter()
        .enumerate()
        .filter(|(_, bid)| badness(bid.price) <= badness(notice.reserve))
        .map(|(position, bid)| (badness(bid.price), position, *bid))
        .collect();
    queue.sort_unstable_by_key(|(badness, position, _)| (*badness, *position));
    let mut left = notice.quantity;
    let mut awards = Vec::new();
    for (_, position, bid) in queue {
        let quantity = bid.quantity.min(left);
        if !quantity.is_zero() {
            left = left.minus(quantity)?;
            awards.push(Award { bid: position, quantity, price: bid.price });
        }
    }
    if notice.pricing == Pricing::Uniform
        && let Some(price) = awards.last().map(|award| award.price)
    {
        for award in &mut awards {
            award.price = price;
        }
    }
    Ok(awards)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bid(t: i64, fen: i64) -> Bid {
        Bid { quantity: Allowances::from_t(t), price: CarbonPrice::from_fen_per_t(fen) }
    }

    fn notice(side: Side, t: i64, reserve: i64, pricing: Pricing) -> Notice {
        let reserve = CarbonPrice::from_fen_per_t(reserve);
        Notice { side, quantity: Allowances::from_t(t), reserve, pricing }
    }

    fn short(awards: &[Award]) -> Vec<(usize, i64, i64)> {
        awards.iter().map(|a| (a.bid, a.quantity.t(), a.price.fen_per_t())).collect()
    }

    #[test]
    fn a_sale_goes_to_the_highest_bids_and_a_purchase_to_the_lowest() {
        let bids = [bid(50, 90), bid(50, 100), bid(50, 95), bid(50, 100)];
        let sale = notice(Side::Sell, 120, 95, Pricing::PayAsBid);
        assert_eq!(short(&award(&sale, &bids).unwrap()), [(1, 50, 100), (3, 50, 100), (2, 20, 95)]);
        let purchase = notice(Side::Buy, 120, 95, Pricing::Uniform);
        assert_eq!(short(&award(&purchase, &bids).unwrap()), [(0, 50, 95), (2, 50, 95)]);
    }

    proptest! {
        #[test]
        fn winners_deal_within_their_bid_and_the_reserve(
            sells in any::<bool>(),
            uniform in any::<bool>(),
            (quantity, reserve) in (0..100_i64, 80..100_i64),
            raw in proptest::collection::vec((0..30_i64, 80..100_i64), 0..9),
        ) {
            let side = if sells { Side::Sell } else { Side::Buy };
            let pricing = if uniform { Pricing::Uniform } else { Pricing::PayAsBid };
            let bids: Vec<Bid> = raw.into_iter().map(|(t, fen)| bid(t, fen)).collect();
            let notice = notice(side, quantity, reserve, pricing);
            let awards = award(&notice, &bids).unwrap();
            let good = |bid: &&Bid| if sells { notice.reserve <= bid.price } else { bid.price <= notice.reserve };
            let wanted: i64 = bids.iter().filter(good).map(|bid| bid.quantity.t()).sum();
            let won: i64 = awards.iter().map(|award| award.quantity.t()).sum();
            prop_assert_eq!(won, quantity.min(wanted));
            for award in &awards {
                let bid = bids[award.bid];
                let (worst, best) = if sells { (notice.reserve, bid.price) } else { (bid.price, notice.reserve) };
                prop_assert!(worst <= award.price && award.price <= best);
                prop_assert!(award.quantity <= bid.quantity);
            }
        }
    }
}
