//! Multi-period orders: all or nothing, never at a loss.

use duet_market::auction::{CallRule, clear};
use duet_market::linked::{
    LinkedBook, LinkedClearing, Minimum, MultiPeriodOrder, PriceRule, Reason, clear_linked,
};
use duet_market::order::{Order, Side};
use duet_units::Energy;
use proptest::prelude::*;

use crate::support::{books, buy, call_rules, kwh, price, sell, traded};

fn linked(side: Side, limit: i64, quantities: &[i64]) -> MultiPeriodOrder {
    let quantities = quantities.iter().copied().map(kwh).collect();
    MultiPeriodOrder { side, limit: price(limit), quantities }
}

const MIDPOINT: PriceRule = PriceRule::Call(CallRule::MIDPOINT);

fn cleared(
    periods: &[Vec<Order>],
    linked: &[MultiPeriodOrder],
    rule: &PriceRule,
) -> LinkedClearing {
    clear_linked(&LinkedBook { periods, linked, minimums: &[] }, rule).unwrap()
}

fn prices(clearing: &LinkedClearing) -> Vec<Option<i64>> {
    clearing.periods.iter().map(|p| p.price.map(|price| price.milli_yuan_per_mwh())).collect()
}

#[test]
fn an_order_is_judged_on_the_mean_of_its_periods() {
    let periods =
        [vec![buy(500, 10), sell(450, 20)], vec![buy(300, 10), buy(200, 10), sell(290, 2)]];
    // 5 kWh at 450 and 10 kWh at 245: 313 and a third on the mean.
    let both = linked(Side::Sell, 313, &[5, 10]);
    let clearing = cleared(&periods, std::slice::from_ref(&both), &MIDPOINT);
    assert_eq!(clearing.accepted, [0]);
    assert_eq!(prices(&clearing), [Some(450), Some(245)]);
    let dear = MultiPeriodOrder { limit: price(314), ..both };
    let clearing = cleared(&periods, &[dear], &MIDPOINT);
    assert!(clearing.accepted.is_empty());
}

#[test]
fn an_order_that_cannot_be_filled_whole_is_rejected_whole() {
    let periods = [vec![sell(100, 10)], vec![sell(100, 4)]];
    let clearing = cleared(&periods, &[linked(Side::Buy, 900, &[5, 5])], &MIDPOINT);
    assert!(clearing.accepted.is_empty());
    assert_eq!(prices(&clearing), [None, None]);
}

#[test]
fn of_two_that_do_not_both_fit_the_later_one_goes() {
    let periods = [vec![sell(100, 10)]];
    let orders = [linked(Side::Buy, 900, &[6]), linked(Side::Buy, 900, &[6])];
    let clearing = cleared(&periods, &orders, &MIDPOINT);
    assert_eq!(
        (clearing.accepted.as_slice(), prices(&clearing)),
        ([0].as_slice(), vec![Some(100)])
    );
}

#[test]
fn linked_orders_alone_trade_between_their_limits() {
    let orders = [linked(Side::Buy, 400, &[5, 0]), linked(Side::Sell, 300, &[5, 0])];
    let clearing = cleared(&[vec![], vec![]], &orders, &MIDPOINT);
    assert_eq!(
        (clearing.accepted.as_slice(), prices(&clearing)),
        ([0, 1].as_slice(), vec![Some(350), None])
    );
}

#[test]
fn orders_of_another_length_or_of_nothing_are_rejected() {
    let orders = [linked(Side::Buy, 900, &[5, 5]), linked(Side::Buy, 900, &[0])];
    let clearing = cleared(&[vec![sell(1, 9)]], &orders, &MIDPOINT);
    assert!(clearing.accepted.is_empty());
}

#[test]
fn an_order_filled_below_its_minimum_is_rejected_and_the_rest_shares_anew() {
    // 9 kWh for two bids of 10 at the price: 5 and 4; the second wants 6.
    let periods = [vec![buy(300, 10), buy(300, 10), sell(200, 9)]];
    let least = |order, energy| Minimum { period: 0, order, energy: kwh(energy) };
    let with = |minimums: &[Minimum]| {
        clear_linked(&LinkedBook { periods: &periods, linked: &[], minimums }, &MIDPOINT).unwrap()
    };
    assert_eq!(with(&[least(0, 5)]).periods[0].fills, [kwh(5), kwh(4), kwh(9)]);
    let second = with(&[least(1, 6)]);
    assert_eq!(
        (second.periods[0].fills.clone(), second.short),
        (vec![kwh(9), kwh(0), kwh(9)], vec![0])
    );
    // Both ask for more than they get: the later one goes, and the other has enough.
    let both = with(&[least(0, 6), least(1, 6)]);
    assert_eq!(
        (both.periods[0].fills.clone(), both.short),
        (vec![kwh(9), kwh(0), kwh(9)], vec![1])
    );
    // One that is not filled at all has not fallen short.
    let out = [vec![buy(100, 10), sell(200, 9)]];
    let minimums = [least(0, 6)];
    let book = LinkedBook { periods: &out, linked: &[], minimums: &minimums };
    assert!(clear_linked(&book, &MIDPOINT).unwrap().short.is_empty());
}

#[test]
fn the_reasons_of_rejections_come_in_their_order() {
    let periods = [vec![sell(100, 10), buy(90, 50)]];
    let orders = [
        linked(Side::Buy, 99, &[1]),
        linked(Side::Buy, 900, &[11]),
        linked(Side::Buy, 98, &[1]),
        linked(Side::Buy, 900, &[0]),
    ];
    let clearing = cleared(&periods, &orders, &MIDPOINT);
    // All together are not filled, so the latest go; what is left would lose.
    let expected = [3, 2, 1].map(|position| (position, Reason::NotFilled));
    assert_eq!(clearing.rejected[..3], expected);
    assert_eq!(clearing.rejected[3..], [(0, Reason::AtALoss)]);
}

#[test]
fn the_last_matched_pair_is_one_of_the_periods_own_orders() {
    let k1 = duet_units::BasisPoints::from_bp(5_000);
    let rule = PriceRule::LastPair { k1, rationing: duet_market::order::Rationing::ProRata };
    let periods = [vec![buy(500, 10), sell(300, 10)]];
    // Own orders pair at the mean of 500 and 300, the linked sale takes 4 of the ask's place.
    let sale = linked(Side::Sell, 350, &[4]);
    let clearing = cleared(&periods, std::slice::from_ref(&sale), &rule);
    assert_eq!(
        (clearing.accepted.as_slice(), prices(&clearing)),
        ([0].as_slice(), vec![Some(400)])
    );
    assert_eq!(clearing.periods[0].fills, [kwh(10), kwh(6)]);
    // Without an ask of its own the period is priced at its bid.
    let clearing = cleared(&[vec![buy(500, 4)]], &[sale], &rule);
    assert_eq!(prices(&clearing), [Some(500)]);
}

#[test]
fn extremes_are_refused_or_fit() {
    let big = i64::MAX / 2;
    let whole = linked(Side::Buy, 900, &[big, big]);
    let periods = [vec![sell(1, big)], vec![sell(1, big)]];
    assert_eq!(cleared(&periods, std::slice::from_ref(&whole), &MIDPOINT).accepted, [0]);
    let thrice = [whole.clone(), whole.clone(), whole];
    let book = LinkedBook { periods: &periods, linked: &thrice, minimums: &[] };
    assert!(clear_linked(&book, &MIDPOINT).is_err());
    for limit in [i64::MIN, i64::MAX] {
        let periods = [vec![buy(limit, 1)]];
        let book = LinkedBook { periods: &periods, linked: &[], minimums: &[] };
        assert!(clear_linked(&book, &MIDPOINT).is_err());
    }
    let negative = [linked(Side::Buy, 1, &[-1, 2])];
    let book = LinkedBook { periods: &periods, linked: &negative, minimums: &[] };
    assert!(clear_linked(&book, &MIDPOINT).is_err());
}

fn cases() -> impl Strategy<Value = (Vec<Vec<Order>>, Vec<MultiPeriodOrder>)> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let one = (side, -3..12_i64, proptest::collection::vec(0..5_i64, 3));
    let one = one.prop_map(|(side, limit, quantities)| linked(side, limit, &quantities));
    (proptest::collection::vec(books(8), 3), proptest::collection::vec(one, 0..5))
}

proptest! {
    #[test]
    fn accepted_orders_are_filled_whole_and_never_lose(
        (periods, linked) in cases(), rule in call_rules(),
    ) {
        let result = cleared(&periods, &linked, &PriceRule::Call(rule));
        for (index, (orders, period)) in periods.iter().zip(&result.periods).enumerate() {
            for side in [Side::Buy, Side::Sell] {
                let own = traded(orders, &period.fills, side);
                let accepted = result.accepted.iter().map(|position| &linked[*position]);
                let whole: i64 =
                    accepted.filter(|o| o.side == side).map(|o| o.quantities[index].kwh()).sum();
                prop_assert_eq!(own + whole, period.volume.kwh());
            }
            for (order, fill) in orders.iter().zip(&period.fills) {
                let holds = |price| match order.side {
                    Side::Buy => price <= order.limit,
                    Side::Sell => order.limit <= price,
                };
                prop_assert!(fill.is_zero() || holds(period.price.unwrap()));
                prop_assert!(Energy::ZERO <= *fill && *fill <= order.quantity);
            }
        }
        for order in result.accepted.iter().map(|position| &linked[*position]) {
            let gain: i64 = order.quantities.iter().zip(&result.periods).map(|(quantity, period)| {
                let price = period.price.map_or(0, |price| price.milli_yuan_per_mwh());
                let limit = order.limit.milli_yuan_per_mwh();
                quantity.kwh() * if order.side == Side::Buy { limit - price } else { price - limit }
            }).sum();
            prop_assert!(0 <= gain);
        }
    }

    #[test]
    fn without_linked_orders_each_period_is_a_call_auction(
        periods in proptest::collection::vec(books(8), 3), rule in call_rules(),
    ) {
        let result = cleared(&periods, &[], &PriceRule::Call(rule));
        for (orders, period) in periods.iter().zip(&result.periods) {
            let alone = clear(orders, &rule).unwrap();
            prop_assert_eq!((period.price, &period.fills), (alone.price, &alone.fills));
        }
    }
}
