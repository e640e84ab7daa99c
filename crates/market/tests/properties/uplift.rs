//! The design D of the second stage: one price for all buyers, uplift for sellers above it.

use duet_market::game::{Design, GameOrder, GameRule, JointClearing, Stage, clear_joint};
use duet_market::order::{Order, Rationing, Side};
use duet_units::{Energy, Money, Price};
use proptest::prelude::*;

use crate::game::{RULE, buyer, seller, sessions};
use crate::support::{kwh, price};

const UPLIFT: GameRule = GameRule { second_stage: Design::Uplift, ..RULE };

fn uplifted() -> impl Strategy<Value = (Vec<GameOrder>, GameRule)> {
    let design = |rule| GameRule { second_stage: Design::Uplift, ..rule };
    sessions().prop_map(move |(orders, rule)| (orders, design(rule)))
}

fn money(joint: &JointClearing, amount: impl Fn(&duet_market::game::Trade) -> Money) -> Money {
    Money::sum(joint.trades.iter().map(amount)).unwrap()
}

#[test]
fn all_buyers_pay_the_last_bid_and_sellers_above_it_are_lifted() {
    // Stage 1: 1,000 kWh at 350.000, sold at 340.000 and at 349.000; left: 500 kWh asked at
    // 360.000, 500 kWh bid at 345.000.
    let orders = [
        buyer(351_000, 1_000),
        buyer(345_000, 500),
        seller(340_000, 600, 42_600),
        seller(349_000, 400, 42_600),
        seller(360_000, 500, 42_600),
    ];
    let joint = clear_joint(&orders, &UPLIFT).unwrap();
    assert_eq!(joint.first.price, Some(price(350_000)), "between 349 and 351");
    let second = joint.second.as_ref().unwrap();
    assert_eq!((second.buyer_price, second.volume), (price(345_000), kwh(500)));
    let sellers: Vec<_> = joint.trades.iter().map(|t| (t.sell, t.seller_price)).collect();
    assert_eq!(sellers, [(2, price(345_000)), (3, price(349_000)), (4, price(360_000))]);
    assert!(joint.trades.iter().all(|trade| trade.buyer_price == price(345_000)));
    // 400 kWh at 4 yuan/MWh and 500 kWh at 15 yuan/MWh: 1.60 + 7.50 yuan.
    assert_eq!(second.compensation, Money::from_fen(910));
    let levied: Vec<_> = joint.levies.iter().map(|levy| (levy.sell, levy.amount.fen())).collect();
    assert_eq!(levied, [(2, 546), (3, 364)], "by the rent of the first stage");
}

#[test]
fn the_fund_pays_first_stage_sellers_too() {
    // Fund: half of 1,000 kWh at 16.200 yuan/MWh = 8.10 yuan. 1.60 yuan lift the first stage; the
    // rest lifts 433 kWh by 15 yuan/MWh.
    let mut orders = vec![
        buyer(351_000, 1_000),
        buyer(345_000, 500),
        seller(340_000, 600, 16_200),
        seller(349_000, 400, 16_200),
        seller(360_000, 500, 42_600),
    ];
    let joint = clear_joint(&orders, &UPLIFT).unwrap();
    assert_eq!(joint.second.unwrap().volume, kwh(433));
    // A fund of 1.50 yuan could lift 100 kWh of the second stage, but not the first stage with it.
    for sell in &mut orders[2..4] {
        sell.rent = price(3_000);
    }
    let joint = clear_joint(&orders, &UPLIFT).unwrap();
    assert!(joint.second.is_none());
    assert!(joint.trades.iter().all(|trade| trade.buyer_price == price(350_000)));
    let compensated = GameRule { second_stage: Design::Compensation, ..RULE };
    assert_eq!(clear_joint(&orders, &compensated).unwrap().second.unwrap().volume, kwh(100));
}

#[test]
fn an_offer_above_its_registered_ask_has_no_part_in_either_stage() {
    let mut orders = vec![buyer(360_000, 100), seller(340_000, 100, 42_600)];
    orders[1].registered_ask = price(339_999);
    assert!(clear_joint(&orders, &UPLIFT).unwrap().trades.is_empty());
    assert_eq!(clear_joint(&orders, &RULE).unwrap().trades.len(), 1);
}

#[test]
fn extremes_are_errors_not_panics() {
    let most = i64::MAX;
    let wide = [buyer(most, most), seller(i64::MIN, most, most), seller(most, 1, most)];
    let _ = clear_joint(&wide, &UPLIFT);
    let full =
        [buyer(most, 9), buyer(0, most - 9), seller(0, 9, most), seller(most, most - 9, most)];
    let _ = clear_joint(&full, &GameRule { compensation_cap: Price::MAX, ..UPLIFT });
    assert!(clear_joint(&[buyer(1, 1), seller(1, -1, 1)], &UPLIFT).is_err());
    assert!(clear_joint(&[], &UPLIFT).unwrap().trades.is_empty());
}

/// The volume of the second stage, found by trying every volume, and its lowest bid.
fn naive(orders: &[GameOrder], fills: &[Energy], fund: i128, rule: &GameRule) -> (i64, i64) {
    let milli = Price::milli_yuan_per_mwh;
    let cap = milli(rule.compensation_cap);
    let (mut bids, mut asks): (Vec<i64>, Vec<(i64, i64)>) = (Vec::new(), Vec::new());
    for (row, fill) in orders.iter().zip(fills) {
        let left = usize::try_from(row.order.quantity.kwh() - fill.kwh()).unwrap();
        let limit = milli(row.order.limit);
        match row.order.side {
            Side::Buy => bids.extend(std::iter::repeat_n(limit, left)),
            Side::Sell if limit <= milli(row.registered_ask) => {
                asks.extend(std::iter::repeat_n((limit - milli(row.rent).min(cap), limit), left));
            }
            Side::Sell => {}
        }
    }
    bids.sort_by_key(|bid| -bid);
    asks.sort_unstable();
    // Orders at one price in the walk count with the highest ask among them.
    let highest = |price: i64| asks.iter().filter(|ask| ask.0 == price).map(|ask| ask.1).max();
    let mut best = (0, 0);
    for volume in 1..=bids.len().min(asks.len()) {
        let (bid, last) = (bids[volume - 1], asks[volume - 1].0);
        let first = orders.iter().zip(fills).filter(|(row, _)| row.order.side == Side::Sell);
        let first = first.map(|(row, fill)| (milli(row.order.limit) - bid).max(0) * fill.kwh());
        let second = asks[..volume].iter().map(|ask| (highest(ask.0).unwrap() - bid).max(0));
        if last <= bid && i128::from(first.chain(second).sum::<i64>()) <= fund {
            best = (i64::try_from(volume).unwrap(), bid);
        }
    }
    best
}

/// Half of each order in its place, twice.
fn split(orders: &[GameOrder]) -> Vec<GameOrder> {
    let half = |row: &GameOrder| {
        let quantity = kwh(row.order.quantity.kwh() / 2);
        GameOrder { order: Order { quantity, ..row.order }, ..*row }
    };
    orders.iter().flat_map(|row| [half(row), half(row)]).collect()
}

/// What a session comes to, whoever fills it.
fn sums(joint: &JointClearing) -> (Energy, Option<(Price, Price, Energy)>) {
    let second = joint.second.as_ref();
    (joint.first.volume, second.map(|s| (s.buyer_price, s.seller_price, s.volume)))
}

proptest! {
    #[test]
    fn the_volume_is_the_largest_that_rents_and_fund_allow((orders, rule) in uplifted()) {
        let joint = clear_joint(&orders, &rule).unwrap();
        let found = joint.second.as_ref().map_or((0, 0), |second| {
            (second.volume.kwh(), second.buyer_price.milli_yuan_per_mwh())
        });
        let sold = orders.iter().zip(&joint.first.fills);
        let sold = sold.filter(|(row, _)| row.order.side == Side::Sell);
        let rents = sold.map(|(row, fill)| row.rent.value_of(*fill).unwrap().micro_yuan());
        let fund = rents.sum::<i128>() * i128::from(rule.fund_share.bp()) / 10_000;
        let none = rule.compensation_cap <= Price::ZERO || fund <= 0;
        let expected = naive(&orders, &joint.first.fills, fund, &rule);
        prop_assert_eq!(found, if none { (0, 0) } else { expected });
    }

    #[test]
    fn money_balances_and_uplift_stays_within_the_fund((orders, rule) in uplifted()) {
        let joint = clear_joint(&orders, &rule).unwrap();
        let levied = Money::sum(joint.levies.iter().map(|levy| levy.amount)).unwrap();
        let (paid, received) = (money(&joint, |t| t.paid), money(&joint, |t| t.received));
        prop_assert_eq!(paid.plus(levied), Ok(received));
        let Some(second) = &joint.second else { prop_assert!(levied.is_zero()); return Ok(()) };
        prop_assert_eq!(levied, second.compensation);
        prop_assert!(levied.fen() * 10_000 <= second.fund.micro_yuan());
        let allocated = Money::sum(second.allocations.iter().map(|a| a.cost)).unwrap();
        prop_assert_eq!(allocated, levied);
        for levy in &joint.levies {
            // What a seller pays is no more than its rent, so that it keeps its registered ask
            // less what carbon does not cost it.
            let rent = orders[levy.sell].rent.value_of(joint.first.fills[levy.sell]).unwrap();
            prop_assert!(levy.amount <= rent.rounded_up().unwrap());
        }
    }

    #[test]
    fn one_price_buys_and_every_seller_gets_its_ask((orders, rule) in uplifted()) {
        let joint = clear_joint(&orders, &rule).unwrap();
        let mut traded = vec![Energy::ZERO; orders.len()];
        let price = joint.trades.first().map(|trade| trade.buyer_price);
        for trade in &joint.trades {
            let sell = &orders[trade.sell];
            prop_assert_eq!(Some(trade.buyer_price), price);
            prop_assert!(trade.buyer_price <= orders[trade.buy].order.limit);
            prop_assert_eq!(trade.seller_price, sell.order.limit.max(trade.buyer_price));
            prop_assert!(sell.order.limit <= sell.registered_ask, "above it, no part");
            let gap = trade.seller_price.minus(trade.buyer_price).unwrap();
            prop_assert!(gap <= rule.compensation_cap.max(Price::ZERO));
            if trade.stage == Stage::Second {
                prop_assert!(gap <= sell.rent, "theorem 8");
            }
            for order in [trade.buy, trade.sell] {
                traded[order] = traded[order].plus(trade.quantity).unwrap();
            }
        }
        for (index, energy) in traded.iter().enumerate() {
            let second = joint.second.as_ref().map_or(Energy::ZERO, |second| second.fills[index]);
            prop_assert_eq!(Ok(*energy), joint.first.fills[index].plus(second));
            prop_assert!(*energy <= orders[index].order.quantity);
        }
    }

    #[test]
    fn the_order_of_arrival_and_the_splitting_of_orders_change_no_price(
        (orders, rule) in uplifted(), turn in 0..12_usize,
    ) {
        let whole = clear_joint(&orders, &rule).unwrap();
        let mut turned = orders.clone();
        turned.rotate_left(turn.min(orders.len()));
        prop_assert_eq!(sums(&clear_joint(&turned, &rule).unwrap()).0, sums(&whole).0);
        // Who is filled at the margin depends on order: where no two orders tie, nothing does.
        let mut limits: Vec<_> = orders.iter().map(|row| (row.order.side, row.order.limit)).collect();
        let compensated = |row: &GameOrder| {
            let help = if row.order.side == Side::Buy { Price::ZERO } else {
                row.rent.min(rule.compensation_cap)
            };
            (row.order.side, row.order.limit.minus(help).unwrap())
        };
        let mut walked: Vec<_> = orders.iter().map(compensated).collect();
        for list in [&mut limits, &mut walked] {
            list.sort_unstable();
            list.dedup();
        }
        if limits.len() == orders.len() && walked.len() == orders.len() {
            prop_assert_eq!(sums(&clear_joint(&turned, &rule).unwrap()), sums(&whole));
        }
        // Books have even quantities. Halves tie with each other and share as one order does, but
        // for the kWh of rounding, which the rationing by time does not have.
        let call = duet_market::auction::CallRule { rationing: Rationing::Time, ..rule.call };
        let rule = GameRule { call, ..rule };
        let halves = clear_joint(&split(&orders), &rule).unwrap();
        prop_assert_eq!(sums(&halves), sums(&clear_joint(&orders, &rule).unwrap()));
    }
}

/// Guards the properties above against a generator under which nothing is ever lifted.
#[test]
fn random_sessions_often_lift_sellers_of_both_stages() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut second, mut first) = (0, 0);
    for _ in 0..400 {
        let (orders, rule) = uplifted().new_tree(&mut runner).unwrap().current();
        let joint = clear_joint(&orders, &rule).unwrap();
        second += u32::from(joint.second.is_some());
        let lifted = |trade: &&duet_market::game::Trade| trade.buyer_price < trade.seller_price;
        let mut lifted = joint.trades.iter().filter(lifted);
        first += u32::from(lifted.any(|trade| trade.stage == Stage::First));
    }
    assert!(30 <= second && 5 <= first, "{second} and {first} of 400");
}
