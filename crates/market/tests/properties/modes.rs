//! What must hold in every mode: one-sided and empty books, extremes, and that neither the order
//! of arrival nor splitting an order moves what the rule does not let it move.

use std::collections::BTreeMap;

use duet_market::auction::CallRule;
use duet_market::auction::pairwise::match_pairs;
use duet_market::auction::uniform::{MarginalPrice, UniformRule, clear_uniform};
use duet_market::game::{GameOrder, clear_joint};
use duet_market::linked::{LinkedBook, PriceRule, clear_linked};
use duet_market::listing::{Sharing, Source, Take, share};
use duet_market::order::{Order, Rationing, Side};
use duet_market::rolling::{Book, Grid, Incoming, Pricing, TimeInForce};
use duet_units::{BasisPoints, Energy, Price};
use proptest::prelude::*;

use crate::game::{RULE, buyer, seller};
use crate::support::{books, buy, kwh, price, sell};

const HALF: BasisPoints = BasisPoints::from_bp(5_000);

const UNIFORM: [UniformRule; 2] = [
    UniformRule { marginal: MarginalPrice::LastPair, k1: HALF, rationing: Rationing::ProRata },
    UniformRule { marginal: MarginalPrice::CrossingPoint, k1: HALF, rationing: Rationing::Time },
];

fn game(orders: &[Order]) -> Vec<GameOrder> {
    let game = |order: &Order| match order.side {
        Side::Buy => GameOrder { order: *order, ..buyer(0, 0) },
        Side::Sell => GameOrder { order: *order, ..seller(order.limit.milli_yuan_per_mwh(), 0, 9) },
    };
    orders.iter().map(game).collect()
}

#[test]
fn an_empty_or_one_sided_book_trades_nothing_in_any_mode() {
    for book in
        [vec![], vec![buy(40, 3), buy(41, 2)], vec![sell(40, 3)], vec![buy(9, 0), sell(1, 5)]]
    {
        for rule in UNIFORM {
            let uniform = clear_uniform(&book, &rule).unwrap();
            assert_eq!((uniform.price, uniform.volume), (None, Energy::ZERO), "{book:?}");
        }
        assert!(match_pairs(&book, HALF).unwrap().is_empty());
        let joint = clear_joint(&game(&book), &RULE).unwrap();
        assert!(joint.trades.is_empty() && joint.levies.is_empty() && joint.second.is_none());
        let periods = std::slice::from_ref(&book);
        let book = LinkedBook { periods, linked: &[], minimums: &[] };
        let linked = clear_linked(&book, &PriceRule::Call(CallRule::MIDPOINT)).unwrap();
        assert_eq!(linked.periods[0].price, None);
    }
}

#[test]
fn orders_at_one_price_trade_at_it_in_every_mode() {
    let book = [buy(50, 3), sell(50, 2), buy(50, 1), sell(50, 5)];
    for rule in UNIFORM {
        let uniform = clear_uniform(&book, &rule).unwrap();
        assert_eq!((uniform.price, uniform.volume), (Some(price(50)), kwh(4)));
    }
    let pairs = match_pairs(&book, HALF).unwrap();
    let short: Vec<_> = pairs.iter().map(|p| (p.buy, p.sell, p.quantity.kwh())).collect();
    assert_eq!(short, [(0, 1, 2), (0, 3, 1), (2, 3, 1)]);
    assert!(pairs.iter().all(|pair| pair.price == price(50)));
    let joint = clear_joint(&game(&book), &RULE).unwrap();
    assert!(joint.trades.iter().all(|trade| trade.buyer_price == price(50)));
    assert_eq!(Energy::sum(joint.trades.iter().map(|trade| trade.quantity)), Ok(kwh(4)));
}

#[test]
fn the_widest_books_give_results_or_errors() {
    let most = i64::MAX;
    let widest = [buy(most, most), sell(i64::MIN, most)];
    for rule in UNIFORM {
        assert_eq!(clear_uniform(&widest, &rule).unwrap().volume, Energy::MAX);
    }
    assert_eq!(match_pairs(&widest, HALF).unwrap()[0].price, price(-1));
    assert!(clear_joint(&game(&[buy(1, most), buy(1, most), sell(1, 1)]), &RULE).is_err());
    // A book refuses what it could not add up, and stays as it was.
    let grid = Grid { floor: price(0), tick: price(1), levels: 2 };
    let mut book = Book::new(grid, Pricing::Maker).unwrap();
    let order = |side, quantity| Incoming {
        side,
        limit: price(1),
        quantity: kwh(quantity),
        time_in_force: TimeInForce::Gtc,
    };
    let mut fills = Vec::new();
    book.submit(order(Side::Buy, most), &mut fills).unwrap();
    assert!(book.submit(order(Side::Buy, 1), &mut fills).is_err());
    book.submit(order(Side::Sell, most), &mut fills).unwrap();
    assert_eq!((fills.len(), book.depth(Side::Buy).len()), (1, 0));
}

/// How much is traded at each pair of limits and price, whoever trades it.
fn flows(orders: &[Order]) -> BTreeMap<(Price, Price, Price), i64> {
    let mut flows = BTreeMap::new();
    for pair in match_pairs(orders, HALF).unwrap() {
        let (bid, ask) = (orders[pair.buy].limit, orders[pair.sell].limit);
        *flows.entry((bid, ask, pair.price)).or_default() += pair.quantity.kwh();
    }
    flows
}

fn prices_and_volumes(orders: &[Order]) -> Vec<(Option<Price>, Energy)> {
    let uniform = UNIFORM.iter().map(|rule| clear_uniform(orders, rule).unwrap());
    uniform.map(|clearing| (clearing.price, clearing.volume)).collect()
}

/// Orders whose limits are all different, so that nothing is ever rationed.
fn without_ties() -> impl Strategy<Value = Vec<GameOrder>> {
    let limits = Just((0..24_i64).collect::<Vec<_>>()).prop_shuffle();
    let rest = proptest::collection::vec((any::<bool>(), 0..9_i64), 0..12);
    (limits, rest).prop_map(|(limits, rest)| {
        let order = |(limit, (buys, quantity)): (i64, (bool, i64))| {
            let (limit, quantity) = (1_000 * limit, 40 * quantity);
            if buys { buyer(limit, quantity) } else { seller(limit, quantity, 6_000) }
        };
        limits.into_iter().zip(rest).map(order).collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_arrival_moves_no_price_and_no_flow(
        (orders, shuffled) in books(14).prop_flat_map(|orders| {
            (Just(orders.clone()), Just(orders).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(prices_and_volumes(&orders), prices_and_volumes(&shuffled));
        prop_assert_eq!(flows(&orders), flows(&shuffled));
    }

    #[test]
    fn splitting_an_order_moves_no_price_and_no_flow(
        orders in books(12),
        (which, part) in (any::<prop::sample::Index>(), 0..7_i64),
    ) {
        prop_assume!(!orders.is_empty());
        let index = which.index(orders.len());
        let part = kwh(part).min(orders[index].quantity);
        let mut split = orders.clone();
        split[index].quantity = part;
        split.push(Order { quantity: orders[index].quantity.minus(part).unwrap(), ..orders[index] });
        prop_assert_eq!(prices_and_volumes(&orders), prices_and_volumes(&split));
        prop_assert_eq!(flows(&orders), flows(&split));
    }

    #[test]
    fn a_joint_session_without_ties_does_not_depend_on_arrival(
        (orders, places) in without_ties().prop_flat_map(|orders| {
            let places: Vec<usize> = (0..orders.len()).collect();
            (Just(orders), Just(places).prop_shuffle())
        }),
    ) {
        let shuffled: Vec<GameOrder> = places.iter().map(|place| orders[*place]).collect();
        let (a, b) = (clear_joint(&orders, &RULE).unwrap(), clear_joint(&shuffled, &RULE).unwrap());
        prop_assert_eq!((a.first.price, a.first.volume), (b.first.price, b.first.volume));
        for (here, there) in places.iter().enumerate() {
            prop_assert_eq!(a.first.fills[*there], b.first.fills[here]);
        }
        prop_assert_eq!(a.second.is_some(), b.second.is_some());
        if let (Some(a), Some(b)) = (a.second, b.second) {
            prop_assert_eq!((a.buyer_price, a.seller_price, a.volume), (b.buyer_price, b.seller_price, b.volume));
            prop_assert_eq!((a.compensation, a.fund, a.cap), (b.compensation, b.fund, b.cap));
            for (here, there) in places.iter().enumerate() {
                prop_assert_eq!(a.fills[*there], b.fills[here]);
            }
        }
    }

    #[test]
    fn takers_share_a_listing_alike_whoever_came_first(
        listed in 0..200_i64,
        wants in proptest::collection::vec(0..50_i64, 1..9),
        sharing in prop_oneof![Just(Sharing::ProRata), Just(Sharing::Windows)],
    ) {
        let take = |quantity: &i64| Take { quantity: kwh(*quantity), window: 0, source: Source::Clean };
        let takes: Vec<Take> = wants.iter().map(take).collect();
        let reversed: Vec<Take> = takes.iter().rev().copied().collect();
        let a = share(kwh(listed), &takes, sharing).unwrap();
        let b = share(kwh(listed), &reversed, sharing).unwrap();
        for (a, b) in a.iter().zip(b.iter().rev()) {
            prop_assert!((a.kwh() - b.kwh()).abs() <= 1, "a unit of rounding goes to the earlier");
        }
    }
}
