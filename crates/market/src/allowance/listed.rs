//! Listed agreements: allowances are listed at a price, and takers pick the best listings.
//!
//! A listing stands until it is taken, withdrawn or the day ends; it never trades by itself, also
//! when the other side lists at a better price. A taker names a quantity and the worst price it
//! accepts, and gets the listings of the other side in turn: the best price first, then the
//! earlier listing, each at its own price, within the best five prices that stood when it came.
//! What these do not hold is not dealt and does not stand.
//!
//! Who may list and take, locked allowances and money, and that nothing bought today is sold
//! today, are the ledger's business. [`Band::LISTED`] gives the prices of a day and
//! [`closing_price`](super::closing_price) its close.

use duet_units::{Allowances, CarbonPrice};

use super::Band;
use crate::order::Side;

/// The quantity from which a trade is a block and not a listed agreement: 100,000 t (SEEE notice
/// of 22 June 2021).
pub const BLOCK_FROM: Allowances = Allowances::from_t(100_000);

/// How many prices of each side are shown and can be taken from (SEEE notice of 22 June 2021).
pub const LEVELS: usize = 5;

/// A listing of one side, or what is left of it. Its position in a slice is its priority among
/// equal prices: earlier is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What has not been taken yet; a listing of nothing does not stand.
    pub quantity: Allowances,
    /// The price of a tonne.
    pub price: CarbonPrice,
}

/// What a taker wants of the listings of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    /// What the taker does: who buys takes from those who sell.
    pub side: Side,
    /// How much.
    pub quantity: Allowances,
    /// The worst price it accepts.
    pub limit: CarbonPrice,
}

/// A deal between a taker and a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Position of the listing.
    pub listing: usize,
    /// How much; positive.
    pub quantity: Allowances,
    /// The price of the listing.
    pub price: CarbonPrice,
}

/// A price that is shown, and how much is listed at it by all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: CarbonPrice,
    /// The quantity of all listings at this price.
    pub quantity: Allowances,
}

/// Why a listing or a taker is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListedRejection {
    /// The quantity is not positive.
    #[error("the quantity is not positive")]
    NoQuantity,
    /// The quantity belongs into a block agreement.
    #[error("100,000 t and more are traded as a block")]
    BlockSize,
    /// The price lies outside the band of the day.
    #[error("the price lies outside the band of the day")]
    OutsideBand,
}

/// Checks that a listing may be made on a day with this band.
///
/// # Errors
///
/// Returns the first [`ListedRejection`], in their order, that applies.
pub fn check(listing: &Listing, band: &Band) -> Result<(), ListedRejection> {
    check_quantity(listing.quantity)?;
    if band.holds(listing.price) { Ok(()) } else { Err(ListedRejection::OutsideBand) }
}

fn check_quantity(quantity: Allowances) -> Result<(), ListedRejection> {
    if quantity <= Allowances::ZERO {
        return Err(ListedRejection::NoQuantity);
    }
    if BLOCK_FROM <= quantity { Err(ListedRejection::BlockSize) } else { Ok(()) }
}

/// Gives a taker what it gets of `listings`, which are all of the other side or at least those at
/// its best five prices. Listings are not changed: take the picked quantities off them.
///
/// # Errors
///
/// Returns [`ListedRejection::NoQuantity`] or [`ListedRejection::BlockSize`] for the quantity of
/// the taker. A taker who finds nothing gets nothing, which is no error.
///
/// # Source
///
/// market-rules.md 4.11, listed agreement; SEEE notice of 22 June 2021.
pub fn take(listings: &[Listing], take: &Take) -> Result<Vec<Pick>, ListedRejection> {
    check_quantity(take.quantity)?;
    let side = take.side.opposite();
    let Some(last) = best_prices(listings, side).last().copied() else { return Ok(Vec::new()) };
    let reach = badness(side, last).min(badness(side, take.limit));
    let mut queue: Vec<_> = standing(listings)
        .map(|(position, listing)| (badness(side, listing.price), position, listing))
        .filter(|(badness, _, _)| *badness <= reach)
        .collect();
    queue.sort_unstable_by_key(|(badness, position, _)| (*badness, *position));
    let mut left = take.quantity.t();
    let mut picks = Vec::new();
    for (_, position, listing) in queue {
        let t = listing.quantity.t().min(left);
        if t == 0 {
            break;
        }
        // `t` is at most `left`.
        left = left.saturating_sub(t);
        let quantity = Allowances::from_t(t);
        picks.push(Pick { listing: position, quantity, price: listing.price });
    }
    Ok(picks)
}

/// The best prices of the listings of `side`, best first, at most [`LEVELS`], without a hint of
/// who listed.
#[must_use]
pub fn levels(listings: &[Listing], side: Side) -> Vec<Level> {
    let level = |price| {
        let at_price = standing(listings).filter(|(_, listing)| listing.price == price);
        // A listing is below 100,000 t, so no book that fits in memory saturates.
        let t = at_price.fold(0_i64, |sum, (_, listing)| sum.saturating_add(listing.quantity.t()));
        Level { price, quantity: Allowances::from_t(t) }
    };
    best_prices(listings, side).into_iter().map(level).collect()
}

fn standing(listings: &[Listing]) -> impl Iterator<Item = (usize, Listing)> {
    let all = listings.iter().copied().enumerate();
    all.filter(|(_, listing)| Allowances::ZERO < listing.quantity)
}

/// A number that is lower the better the price of a listing of `side` is for takers.
fn badness(side: Side, price: CarbonPrice) -> i128 {
    let fen = i128::from(price.fen_per_t());
    match side {
        Side::Sell => fen,
        Side::Buy => fen.saturating_neg(),
    }
}

/// The best prices of the listings of `side`, best first, at most [`LEVELS`].
fn best_prices(listings: &[Listing], side: Side) -> Vec<CarbonPrice> {
    let mut best: Vec<CarbonPrice> = Vec::with_capacity(LEVELS.saturating_add(1));
    for (_, listing) in standing(listings) {
        let key = badness(side, listing.price);
        if let Err(place) = best.binary_search_by_key(&key, |price| badness(side, *price))
            && place < LEVELS
        {
            best.insert(place, listing.price);
            best.truncate(LEVELS);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn listing(t: i64, fen: i64) -> Listing {
        Listing { quantity: Allowances::from_t(t), price: CarbonPrice::from_fen_per_t(fen) }
    }

    fn taken(listings: &[Listing], side: Side, t: i64, limit: i64) -> Vec<(usize, i64, i64)> {
        let (quantity, limit) = (Allowances::from_t(t), CarbonPrice::from_fen_per_t(limit));
        let picks = take(listings, &Take { side, quantity, limit }).unwrap();
        picks.iter().map(|p| (p.listing, p.quantity.t(), p.price.fen_per_t())).collect()
    }

    #[test]
    fn the_best_price_comes_first_then_the_earlier_listing() {
        let book = [listing(50, 9_800), listing(30, 9_700), listing(30, 9_700)];
        assert_eq!(
            taken(&book, Side::Buy, 70, 9_900),
            [(1, 30, 9_700), (2, 30, 9_700), (0, 10, 9_800)]
        );
        assert_eq!(taken(&book, Side::Buy, 70, 9_700), [(1, 30, 9_700), (2, 30, 9_700)]);
        assert_eq!(taken(&book, Side::Sell, 60, 9_750), [(0, 50, 9_800)]);
    }

    #[test]
    fn a_taker_reaches_no_further_than_the_five_best_prices() {
        let sells: Vec<Listing> = (0..7).map(|step| listing(10, 9_700 + step)).collect();
        let reached = taken(&sells, Side::Buy, 1_000, 99_999);
        assert_eq!(reached.iter().map(|pick| pick.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let buys = taken(&sells, Side::Sell, 1_000, 0);
        assert_eq!(buys.iter().map(|pick| pick.0).collect::<Vec<_>>(), [6, 5, 4, 3, 2]);
    }

    #[test]
    fn the_levels_shown_add_up_all_listings_of_a_price() {
        let book = [listing(5, 9_702), listing(1, 9_700), listing(2, 9_700), listing(0, 9_699)];
        let shown = |side| {
            let levels = levels(&book, side).into_iter();
            levels.map(|l| (l.price.fen_per_t(), l.quantity.t())).collect::<Vec<_>>()
        };
        assert_eq!(shown(Side::Sell), [(9_700, 3), (9_702, 5)]);
        assert_eq!(shown(Side::Buy), [(9_702, 5), (9_700, 3)]);
        assert!(levels(&[], Side::Buy).is_empty());
    }

    #[test]
    fn blocks_nothing_and_prices_outside_the_band_are_refused() {
        let close = CarbonPrice::from_fen_per_t(9_749);
        let band = Band::around(close, Band::LISTED).unwrap();
        let checked = |t, fen| check(&listing(t, fen), &band);
        assert_eq!((checked(99_999, 8_775), checked(1, 10_723)), (Ok(()), Ok(())));
        assert_eq!(checked(1, 8_774), Err(ListedRejection::OutsideBand));
        assert_eq!(checked(1, 10_724), Err(ListedRejection::OutsideBand));
        assert_eq!(checked(100_000, 1), Err(ListedRejection::BlockSize));
        assert_eq!(checked(0, 9_749), Err(ListedRejection::NoQuantity));
        let take = |t| {
            let quantity = Allowances::from_t(t);
            take(&[], &Take { side: Side::Buy, quantity, limit: CarbonPrice::MAX })
        };
        assert_eq!(take(99_999), Ok(vec![]));
        assert_eq!(take(100_000), Err(ListedRejection::BlockSize));
        assert_eq!(take(-1), Err(ListedRejection::NoQuantity));
    }

    #[test]
    fn extremes_do_not_panic() {
        let wide = [listing(i64::MAX, i64::MIN), listing(i64::MAX, i64::MIN), listing(-1, 0)];
        assert_eq!(taken(&wide, Side::Buy, 7, i64::MIN), [(0, 7, i64::MIN)]);
        assert_eq!(taken(&wide, Side::Sell, 7, i64::MIN), [(0, 7, i64::MIN)]);
        assert_eq!(levels(&wide, Side::Sell)[0].quantity, Allowances::MAX);
    }
}
