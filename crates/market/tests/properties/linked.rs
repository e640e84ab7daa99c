//! Multi-period orders: all or nothing, never at a loss.

use duet_market::auction::{CallRule, clear};
use duet_market::linked::{LinkedClearing, MultiPeriodOrder, clear_linked};
use duet_market::order::{Order, Side};
use duet_units::Energy;
use proptest::prelude::*;

use crate::support::{books, buy, call_rules, kwh, price, sell, traded};

fn linked(side: Side, limit: i64, quantities: &[i64]) -> MultiPeriodOrder {
    let quantities = quantities.iter().copied().map(kwh).collect();
    MultiPeriodOrder { side, limit: price(limit), quantities }
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
    let clearing =
        clear_linked(&periods, std::slice::from_ref(&both), &CallRule::MIDPOINT).unwrap();
    assert_eq!(clearing.accepted, [0]);
    assert_eq!(prices(&clearing), [Some(450), Some(245)]);
    let dear = MultiPeriodOrder { limit: price(314), ..both };
    let clearing = clear_linked(&periods, &[dear], &CallRule::MIDPOINT).unwrap();
    assert!(clearing.accepted.is_empty());
}

#[test]
fn an_order_that_cannot_be_filled_whole_is_rejected_whole() {
    let periods = [vec![sell(100, 10)], vec![sell(100, 4)]];
    let clearing =
        clear_linked(&periods, &[linked(Side::Buy, 900, &[5, 5])], &CallRule::MIDPOINT).unwrap();
    assert!(clearing.accepted.is_empty());
    assert_eq!(prices(&clearing), [None, None]);
}

#[test]
fn of_two_that_do_not_both_fit_the_later_one_goes() {
    let periods = [vec![sell(100, 10)]];
    let orders = [linked(Side::Buy, 900, &[6]), linked(Side::Buy, 900, &[6])];
    let clearing = clear_linked(&periods, &orders, &CallRule::MIDPOINT).unwrap();
    assert_eq!(
        (clearing.accepted.as_slice(), prices(&clearing)),
        ([0].as_slice(), vec![Some(100)])
    );
}

#[test]
fn linked_orders_alone_trade_between_their_limits() {
    let orders = [linked(Side::Buy, 400, &[5, 0]), linked(Side::Sell, 300, &[5, 0])];
    let clearing = clear_linked(&[vec![], vec![]], &orders, &CallRule::MIDPOINT).unwrap();
    assert_eq!(
        (clearing.accepted.as_slice(), prices(&clearing)),
        ([0, 1].as_slice(), vec![Some(350), None])
    );
}

#[test]
fn orders_of_another_length_or_of_nothing_are_rejected() {
    let orders = [linked(Side::Buy, 900, &[5, 5]), linked(Side::Buy, 900, &[0])];
    let clearing = clear_linked(&[vec![sell(1, 9)]], &orders, &CallRule::MIDPOINT).unwrap();
    assert!(clearing.accepted.is_empty());
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
        let result = clear_linked(&periods, &linked, &rule).unwrap();
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
        let result = clear_linked(&periods, &[], &rule).unwrap();
        for (orders, period) in periods.iter().zip(&result.periods) {
            let alone = clear(orders, &rule).unwrap();
            prop_assert_eq!((period.price, &period.fills), (alone.price, &alone.fills));
        }
    }
}
