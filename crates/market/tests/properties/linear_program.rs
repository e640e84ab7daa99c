//! Small markets against their linear programs: what is cleared is worth what is best, and no two
//! traders could do better between themselves.

use duet_market::auction::clear;
use duet_market::auction::pairwise::match_pairs;
use duet_market::joint::certificate::certify;
use duet_market::joint::solve;
use duet_market::order::{Order, Side};
use duet_units::{BasisPoints, Energy, Price};
use proptest::prelude::*;

use crate::joint::{market, periods};
use crate::simplex::{Fraction, maximum};
use crate::support::{books, buy, call_rules, price, sell, traded};

fn limit(order: &Order) -> i128 {
    order.limit.milli_yuan_per_mwh().into()
}

fn of_side(orders: &[Order], side: Side) -> Vec<&Order> {
    orders.iter().filter(|order| order.side == side).collect()
}

/// The transportation game of the paper as it is written: for every pair how much it trades, no
/// order more than its quantity, the sum of `bid - ask` as large as can be.
fn transportation(orders: &[Order]) -> Fraction {
    let (buys, sells) = (of_side(orders, Side::Buy), of_side(orders, Side::Sell));
    let pairs: Vec<(usize, usize)> =
        (0..buys.len()).flat_map(|b| (0..sells.len()).map(move |s| (b, s))).collect();
    let objective: Vec<i128> =
        pairs.iter().map(|(b, s)| limit(buys[*b]) - limit(sells[*s])).collect();
    let row = |order: &Order, is_in: &dyn Fn(&(usize, usize)) -> bool| {
        let row = pairs.iter().map(|pair| i128::from(is_in(pair))).collect();
        (row, i128::from(order.quantity.kwh()))
    };
    let mut rows: Vec<(Vec<i128>, i128)> = Vec::new();
    rows.extend(buys.iter().enumerate().map(|(at, order)| row(order, &|pair| pair.0 == at)));
    rows.extend(sells.iter().enumerate().map(|(at, order)| row(order, &|pair| pair.1 == at)));
    maximum(&objective, &rows)
}

/// What everybody together gains, in milli-yuan/MWh times kWh.
fn worth(orders: &[Order], fills: &[Energy]) -> i128 {
    let worth = orders.iter().zip(fills).map(|(order, fill)| {
        let value = limit(order) * i128::from(fill.kwh());
        if order.side == Side::Buy { value } else { -value }
    });
    worth.sum()
}

/// What the orders would gain at a price if each could have its whole quantity: the dual value.
fn dual(orders: &[Order], price: Price) -> i128 {
    let at = i128::from(price.milli_yuan_per_mwh());
    let gain = |order: &Order| match order.side {
        Side::Buy => limit(order) - at,
        Side::Sell => at - limit(order),
    };
    orders.iter().map(|order| gain(order).max(0) * i128::from(order.quantity.kwh())).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_auction_is_worth_what_the_linear_program_finds(orders in books(9), rule in call_rules()) {
        let clearing = clear(&orders, &rule).unwrap();
        let best = transportation(&orders);
        prop_assert_eq!(Fraction::whole(worth(&orders, &clearing.fills)), best);
    }

    #[test]
    fn the_interval_holds_all_prices_of_the_dual_and_no_others(orders in books(14), rule in call_rules()) {
        let clearing = clear(&orders, &rule).unwrap();
        let Some((lo, hi)) = clearing.interval else { return Ok(()) };
        let best = worth(&orders, &clearing.fills);
        for milli in lo.milli_yuan_per_mwh()..=hi.milli_yuan_per_mwh() {
            prop_assert_eq!(dual(&orders, price(milli)), best);
        }
        for outside in [lo.minus(price(1)).unwrap(), hi.plus(price(1)).unwrap()] {
            prop_assert!(best < dual(&orders, outside));
        }
    }

    #[test]
    fn no_two_traders_gain_by_trading_with_each_other(orders in books(14), rule in call_rules()) {
        let clearing = clear(&orders, &rule).unwrap();
        let price = clearing.price.map_or(0, |price| i128::from(price.milli_yuan_per_mwh()));
        // What a kWh gains that the order would give up first: one that is not traded, if any.
        let gain = |index: usize| {
            let order = &orders[index];
            let whole = clearing.fills[index] == order.quantity;
            let gain = if order.side == Side::Buy { limit(order) - price } else { price - limit(order) };
            if whole { gain } else { 0 }
        };
        let real = |index: &usize| !orders[*index].quantity.is_zero();
        for b in (0..orders.len()).filter(real).filter(|at| orders[*at].side == Side::Buy) {
            for s in (0..orders.len()).filter(real).filter(|at| orders[*at].side == Side::Sell) {
                prop_assert!(limit(&orders[b]) - limit(&orders[s]) <= gain(b) + gain(s), "{b} and {s}");
            }
        }
    }

    #[test]
    fn joint_clearing_brackets_the_linear_program(periods in periods(), cap in 0..1_500_i128) {
        let market = market(periods, cap);
        let Some(solution) = solve(&market).unwrap() else { return Ok(()) };
        let certificate = certify(&market, &solution).unwrap();
        let (mut objective, mut rows) = (Vec::new(), Vec::new());
        let mut emissions = Vec::new();
        let mut bounds = Vec::new();
        let mut balances = Vec::new();
        for period in &market.periods {
            let first = objective.len();
            for unit in &period.units {
                objective.push(-100 * i128::from(unit.cost.milli_yuan_per_mwh()));
                emissions.push(i128::from(unit.emission_factor.minus(unit.benchmark).unwrap().g_per_kwh()));
                bounds.push(i128::from(unit.quantity.kwh()));
            }
            let generated = objective.len();
            for demand in &period.demands {
                objective.push(100 * i128::from(demand.limit.milli_yuan_per_mwh()));
                emissions.push(0);
                bounds.push(i128::from(demand.quantity.kwh()));
            }
            balances.push((first, generated, objective.len()));
        }
        for (at, bound) in bounds.iter().enumerate() {
            let row = (0..objective.len()).map(|other| i128::from(other == at)).collect();
            rows.push((row, *bound));
        }
        for (first, generated, end) in balances {
            let sign = |at: usize| i128::from((generated..end).contains(&at)) - i128::from((first..generated).contains(&at));
            let balance: Vec<i128> = (0..objective.len()).map(sign).collect();
            rows.push((balance.iter().map(|entry| -entry).collect(), 0));
            rows.push((balance, 0));
        }
        rows.push((emissions, cap));
        let best = maximum(&objective, &rows);
        prop_assert!(Fraction::whole(certificate.worth) <= best);
        prop_assert!(best <= Fraction::whole(certificate.bound));
    }
}

#[test]
fn pairs_at_different_prices_block_each_other() {
    // Pair matching is an official rule and not a core rule: the seller of the first pair gets 250
    // and the buyer of the second pays 290, so they would rather trade with each other at 270.
    let book = [buy(400, 5), buy(310, 5), sell(100, 5), sell(270, 5)];
    let pairs = match_pairs(&book, BasisPoints::from_bp(5_000)).unwrap();
    let prices: Vec<Price> = pairs.iter().map(|pair| pair.price).collect();
    assert_eq!(prices, [price(250), price(290)]);
    let first_seller = prices[0].minus(book[2].limit).unwrap();
    let second_buyer = book[1].limit.minus(prices[1]).unwrap();
    let together = book[1].limit.minus(book[2].limit).unwrap();
    assert!(first_seller.plus(second_buyer).unwrap() < together);
}

#[test]
fn random_books_often_trade() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let trades = (0..200).filter(|_| {
        let orders = books(9).new_tree(&mut runner).unwrap().current();
        let clearing = clear(&orders, &duet_market::auction::CallRule::MIDPOINT).unwrap();
        0 < traded(&orders, &clearing.fills, Side::Buy)
    });
    let count = trades.count();
    assert!(60 <= count, "only {count} of 200");
}
