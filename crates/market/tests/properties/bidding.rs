//! The official rules of centralised bidding besides the call auction.

use duet_market::auction::pairwise::match_pairs;
use duet_market::auction::uniform::{MarginalPrice, UniformRule, clear_uniform};
use duet_market::auction::{CallRule, clear};
use duet_market::order::{Order, Rationing, Side};
use duet_units::{BasisPoints, Energy, Price};
use proptest::prelude::*;

use crate::support::{books, buy, kwh, order, price, sell};

const fn rule(marginal: MarginalPrice, k1_bp: i64) -> UniformRule {
    UniformRule { marginal, k1: BasisPoints::from_bp(k1_bp), rationing: Rationing::ProRata }
}

#[test]
fn the_crossing_point_is_found_in_each_way_two_curves_can_meet() {
    let crossing = |book: &[Order]| {
        let clearing = clear_uniform(book, &rule(MarginalPrice::CrossingPoint, 5_000)).unwrap();
        (clearing.price, clearing.volume)
    };
    // A bid's end cuts a step of the asks; an ask's end cuts a step of the bids.
    let on_ask = [buy(400, 5), buy(300, 5), sell(200, 3), sell(350, 9)];
    assert_eq!(crossing(&on_ask), (Some(price(350)), kwh(5)));
    let on_bid = [buy(400, 3), buy(350, 9), sell(200, 5), sell(380, 5)];
    assert_eq!(crossing(&on_bid), (Some(price(350)), kwh(5)));
    // Both steps end at the same volume: the mean of the piece that the curves share.
    let vertical = [buy(400, 5), buy(310, 5), sell(200, 5), sell(390, 5)];
    assert_eq!(crossing(&vertical), (Some(price(350)), kwh(5)));
    // Every bid above every ask: the curves never meet, the smaller total trades.
    let apart = [buy(400, 5), buy(370, 9), sell(200, 3), sell(365, 4)];
    assert_eq!(crossing(&apart), (Some(price(368)), kwh(7)));
    // Every bid below every ask: no trade.
    assert_eq!(crossing(&[buy(300, 5), sell(301, 5)]), (None, Energy::ZERO));
}

#[test]
fn a_price_is_rounded_half_away_from_zero_and_not_its_parts() {
    let last = |bid, ask| {
        let rule = rule(MarginalPrice::LastPair, 5_000);
        clear_uniform(&[buy(bid, 1), sell(ask, 1)], &rule).unwrap().price
    };
    assert_eq!(last(8, 5), Some(price(7)));
    assert_eq!(last(-5, -8), Some(price(-7)));
    assert_eq!(last(i64::MAX, i64::MIN), Some(price(-1)));
    let outside = rule(MarginalPrice::LastPair, 10_001);
    assert!(clear_uniform(&[buy(2, 1), sell(1, 1)], &outside).is_err());
}

#[test]
fn pairs_trade_from_the_widest_spread_inwards() {
    let book = [buy(400, 5), buy(380, 5), sell(300, 3), sell(380, 9)];
    let pairs = match_pairs(&book, BasisPoints::from_bp(5_000)).unwrap();
    let short: Vec<_> = pairs.iter().map(|p| (p.buy, p.sell, p.quantity, p.price)).collect();
    let expected = [(0, 2, 3, 350), (0, 3, 2, 390), (1, 3, 5, 380)];
    let expected = expected.map(|(b, s, q, p)| (b, s, kwh(q), price(p)));
    assert_eq!(short, expected);
}

fn gain(order: &Order, at: Price) -> i64 {
    let gain = match order.side {
        Side::Buy => order.limit.minus(at),
        Side::Sell => at.minus(order.limit),
    };
    gain.unwrap().milli_yuan_per_mwh()
}

proptest! {
    #[test]
    fn the_uniform_price_hurts_nobody_it_fills(
        orders in books(14),
        k1 in 0..=10_000_i64,
        crossing in any::<bool>(),
    ) {
        let marginal =
            if crossing { MarginalPrice::CrossingPoint } else { MarginalPrice::LastPair };
        let clearing = clear_uniform(&orders, &rule(marginal, k1)).unwrap();
        let call = clear(&orders, &CallRule::MIDPOINT).unwrap();
        prop_assert_eq!(&clearing.fills, &call.fills);
        prop_assert_eq!(clearing.price.is_some(), call.price.is_some());
        for (order, fill) in orders.iter().zip(&clearing.fills) {
            prop_assert!(fill.is_zero() || 0 <= gain(order, clearing.price.unwrap()));
        }
    }

    #[test]
    fn pairs_trade_the_energy_of_the_call_auction_within_every_limit(
        orders in books(14), k2 in 0..=10_000_i64,
    ) {
        let pairs = match_pairs(&orders, BasisPoints::from_bp(k2)).unwrap();
        let call = clear(&orders, &CallRule { rationing: Rationing::Time, ..CallRule::MIDPOINT });
        let mut fills = vec![Energy::ZERO; orders.len()];
        for pair in &pairs {
            prop_assert!(0 <= gain(&orders[pair.buy], pair.price));
            prop_assert!(0 <= gain(&orders[pair.sell], pair.price));
            for index in [pair.buy, pair.sell] {
                fills[index] = fills[index].plus(pair.quantity).unwrap();
            }
        }
        prop_assert_eq!(fills, call.unwrap().fills);
    }
}

#[test]
fn negative_quantities_are_errors() {
    let one = [order(Side::Buy, 1, -1)];
    assert!(match_pairs(&one, BasisPoints::ZERO).is_err());
}
