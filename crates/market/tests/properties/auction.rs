//! The call auction and the pairing of its fills.

use duet_market::auction::{CallRule, Clearing, clear};
use duet_market::order::{Order, Rationing, Side};
use duet_market::pairing::pair;
use duet_units::{EmissionFactor, Energy, Price};
use proptest::prelude::*;

use crate::support::{
    books, buy, call_rules, kwh, order, price, rationings, sell, traded, units, worth,
};

#[test]
fn crossing_orders_clear_at_the_midpoint_of_the_interval() {
    let clearing = clear(&[buy(60, 10), sell(40, 4), sell(50, 6)], &CallRule::MIDPOINT).unwrap();
    assert_eq!(clearing.interval, Some((price(50), price(60))));
    assert_eq!(clearing.price, Some(price(55)));
    assert_eq!(clearing.fills, [kwh(10), kwh(4), kwh(6)]);
}

#[test]
fn a_midpoint_between_two_prices_rounds_down_also_below_zero() {
    let clearing = clear(&[buy(0, 1), sell(-1, 1)], &CallRule::MIDPOINT).unwrap();
    assert_eq!(clearing.price, Some(price(-1)));
}

#[test]
fn a_book_that_does_not_cross_shows_its_best_prices_and_trades_nothing() {
    let clearing = clear(&[buy(40, 3), buy(39, 3), sell(41, 5)], &CallRule::MIDPOINT).unwrap();
    assert_eq!(clearing.interval, Some((price(40), price(41))));
    assert_eq!((clearing.price, clearing.volume), (None, Energy::ZERO));
}

#[test]
fn a_one_sided_or_empty_book_has_no_interval() {
    for book in [vec![], vec![buy(40, 3)], vec![sell(40, 3)], vec![buy(40, 3), sell(1, 0)]] {
        let clearing = clear(&book, &CallRule::MIDPOINT).unwrap();
        assert_eq!((clearing.interval, clearing.price), (None, None), "{book:?}");
        assert_eq!(clearing.fills, vec![Energy::ZERO; book.len()]);
    }
}

#[test]
fn orders_at_the_price_share_by_the_rule() {
    let green = Order { emission_factor: EmissionFactor::ZERO, ..sell(50, 4) };
    let coal = Order { emission_factor: EmissionFactor::from_g_per_kwh(830), ..sell(50, 8) };
    let book = [buy(50, 6), coal, green];
    let fills = |rationing| clear(&book, &CallRule { rationing, ..CallRule::MIDPOINT }).unwrap();
    assert_eq!(fills(Rationing::ProRata).fills, [kwh(6), kwh(4), kwh(2)]);
    assert_eq!(fills(Rationing::Time).fills, [kwh(6), kwh(6), kwh(0)]);
    assert_eq!(fills(Rationing::GreenFirst).fills, [kwh(6), kwh(2), kwh(4)]);
}

#[test]
fn extremes_clear_or_are_errors() {
    let most = i64::MAX;
    let widest = [buy(most, most), sell(i64::MIN, most)];
    let clearing = clear(&widest, &CallRule::MIDPOINT).unwrap();
    assert_eq!((clearing.price, clearing.volume), (Some(price(-1)), Energy::MAX));
    assert_eq!(pair(&widest, &clearing.fills).unwrap().len(), 1);

    assert!(clear(&[buy(1, most), buy(1, 1), sell(1, 1)], &CallRule::MIDPOINT).is_err());
    assert!(clear(&[buy(1, -1), sell(1, 1)], &CallRule::MIDPOINT).is_err());
    for (numerator, denominator) in [(1, 0), (-1, 2), (3, 2), (1, -2)] {
        let rule = CallRule { numerator, denominator, rationing: Rationing::Time };
        assert!(clear(&[buy(2, 1), sell(1, 1)], &rule).is_err(), "{numerator}/{denominator}");
    }
}

#[test]
fn pairing_refuses_fills_that_do_not_balance() {
    let book = [buy(2, 5), sell(1, 5)];
    assert!(pair(&book, &[kwh(3), kwh(2)]).is_err());
    assert!(pair(&book, &[kwh(3)]).is_err());
    assert!(pair(&book, &[kwh(-1), kwh(-1)]).is_err());
}

/// The rule of the auction on books expanded to single kWh, by trying every price.
fn naive_interval_and_volume(orders: &[Order]) -> (Option<(Price, Price)>, usize) {
    let (bids, asks) = (units(orders, Side::Buy), units(orders, Side::Sell));
    let volume = bids.iter().zip(&asks).take_while(|(bid, ask)| ask <= bid).count();
    if bids.is_empty() || asks.is_empty() {
        return (None, volume);
    }
    let competitive: Vec<i64> = (-4..13)
        .filter(|p| {
            let above = bids.iter().filter(|bid| p < *bid).count();
            let below = asks.iter().filter(|ask| *ask < p).count();
            let at_or_above = bids.iter().filter(|bid| p <= *bid).count();
            let at_or_below = asks.iter().filter(|ask| *ask <= p).count();
            above <= at_or_below && below <= at_or_above
        })
        .collect();
    let ends = competitive.first().copied().map(price).zip(competitive.last().copied().map(price));
    (ends, volume)
}

fn gain(order: &Order, fill: Energy, price: Price) -> i64 {
    let per_kwh = match order.side {
        Side::Buy => order.limit.minus(price).unwrap(),
        Side::Sell => price.minus(order.limit).unwrap(),
    };
    per_kwh.milli_yuan_per_mwh() * fill.kwh()
}

/// Fills of orders strictly better than the price never depend on how the margin is shared.
fn fills_by_kind(orders: &[Order], clearing: &Clearing) -> Vec<(Side, Price, Energy)> {
    let mut fills: Vec<_> = orders
        .iter()
        .zip(&clearing.fills)
        .map(|(order, fill)| (order.side, order.limit, *fill))
        .filter(|(_, limit, _)| Some(*limit) != clearing.price)
        .collect();
    fills.sort_unstable();
    fills
}

proptest! {
    #[test]
    fn the_auction_equals_trying_every_price_on_single_kwh(
        orders in books(14), rule in call_rules(),
    ) {
        let clearing = clear(&orders, &rule).unwrap();
        let (interval, volume) = naive_interval_and_volume(&orders);
        prop_assert_eq!(clearing.interval, interval);
        prop_assert_eq!(clearing.volume.kwh(), i64::try_from(volume).unwrap());
    }

    #[test]
    fn energy_balances_and_every_limit_holds(orders in books(14), rule in call_rules()) {
        let clearing = clear(&orders, &rule).unwrap();
        for side in [Side::Buy, Side::Sell] {
            prop_assert_eq!(traded(&orders, &clearing.fills, side), clearing.volume.kwh());
        }
        prop_assert_eq!(clearing.price.is_some(), !clearing.volume.is_zero());
        for (order, fill) in orders.iter().zip(&clearing.fills) {
            prop_assert!(Energy::ZERO <= *fill && *fill <= order.quantity);
            let Some(price) = clearing.price else { continue };
            prop_assert!(clearing.interval.unwrap().0 <= price);
            prop_assert!(price <= clearing.interval.unwrap().1);
            prop_assert!(fill.is_zero() || 0 <= gain(order, kwh(1), price));
            let is_better = 0 < gain(order, kwh(1), price);
            prop_assert!(!is_better || *fill == order.quantity, "a better order waits: {order:?}");
        }
    }

    #[test]
    fn no_coalition_of_traders_gains_by_leaving(orders in books(7), rule in call_rules()) {
        let clearing = clear(&orders, &rule).unwrap();
        let price = clearing.price.or(clearing.interval.map(|ends| ends.0)).unwrap_or_default();
        let gains: Vec<i64> =
            orders.iter().zip(&clearing.fills).map(|(o, f)| gain(o, *f, price)).collect();
        for members in 0..1_u32 << orders.len() {
            let is_in = |index: &usize| members & (1 << index) != 0;
            let inside: Vec<usize> = (0..orders.len()).filter(is_in).collect();
            let coalition: Vec<Order> = inside.iter().map(|index| orders[*index]).collect();
            let gained: i64 = inside.iter().map(|index| gains[*index]).sum();
            prop_assert!(worth(&coalition) <= gained, "coalition {inside:?}");
        }
        prop_assert_eq!(worth(&orders), gains.iter().sum::<i64>());
    }

    #[test]
    fn the_arrival_of_orders_moves_nothing_but_the_margin(
        (orders, shuffled) in books(14).prop_flat_map(|orders| {
            (Just(orders.clone()), Just(orders).prop_shuffle())
        }),
        rule in call_rules(),
    ) {
        let (a, b) = (clear(&orders, &rule).unwrap(), clear(&shuffled, &rule).unwrap());
        prop_assert_eq!((a.interval, a.price, a.volume), (b.interval, b.price, b.volume));
        prop_assert_eq!(fills_by_kind(&orders, &a), fills_by_kind(&shuffled, &b));
    }

    #[test]
    fn splitting_an_order_moves_no_price_and_no_energy(
        orders in books(12),
        (which, part) in (any::<prop::sample::Index>(), 0..7_i64),
        rule in call_rules(),
    ) {
        if orders.is_empty() {
            return Ok(());
        }
        let index = which.index(orders.len());
        let whole = orders[index];
        let part = part.min(whole.quantity.kwh());
        let mut split = orders.clone();
        split[index].quantity = kwh(part);
        let rest = order(whole.side, whole.limit.milli_yuan_per_mwh(), whole.quantity.kwh() - part);
        split.insert(index + 1, Order { emission_factor: whole.emission_factor, ..rest });

        let (a, b) = (clear(&orders, &rule).unwrap(), clear(&split, &rule).unwrap());
        prop_assert_eq!((a.interval, a.price, a.volume), (b.interval, b.price, b.volume));
        // Pro rata in whole kWh: each of the two parts may round the other way.
        let tolerance = if rule.rationing == Rationing::ProRata { 2 } else { 0 };
        let apart = (b.fills[index].kwh() + b.fills[index + 1].kwh() - a.fills[index].kwh()).abs();
        prop_assert!(apart <= tolerance, "{apart} kWh apart");
    }

    #[test]
    fn any_numbers_give_a_result_or_an_error(
        raw in proptest::collection::vec((any::<bool>(), any::<i64>(), any::<i64>()), 0..6),
        rationing in rationings(),
    ) {
        let side = |buys| if buys { Side::Buy } else { Side::Sell };
        let orders: Vec<Order> =
            raw.into_iter().map(|(buys, limit, kwh)| order(side(buys), limit, kwh)).collect();
        let rule = CallRule { rationing, ..CallRule::MIDPOINT };
        if let Ok(clearing) = clear(&orders, &rule) {
            prop_assert!(pair(&orders, &clearing.fills).is_ok());
        }
    }

    #[test]
    fn pairs_deliver_every_fill_and_are_few(orders in books(14), rule in call_rules()) {
        let clearing = clear(&orders, &rule).unwrap();
        let pairs = pair(&orders, &clearing.fills).unwrap();
        let mut delivered = vec![Energy::ZERO; orders.len()];
        for pair in &pairs {
            prop_assert!(Energy::ZERO < pair.quantity);
            for order in [pair.buy, pair.sell] {
                delivered[order] = delivered[order].plus(pair.quantity).unwrap();
            }
        }
        let filled = clearing.fills.iter().filter(|fill| !fill.is_zero()).count();
        prop_assert!(pairs.len() <= filled.saturating_sub(1));
        prop_assert_eq!(delivered, clearing.fills);
    }
}
