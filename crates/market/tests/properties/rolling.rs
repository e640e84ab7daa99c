//! The book of continuous trading against a list of orders searched from end to end.

use duet_market::auction::{CallRule, clear};
use duet_market::order::Side;
use duet_market::rolling::{
    Book, BookRejection, Fill, Grid, Incoming, Level, Pricing, Ticket, TimeInForce, median,
};
use duet_units::{Energy, Price};
use proptest::prelude::*;

use crate::support::{books, kwh, price};

const GRID: Grid = Grid { floor: price_of(-20), tick: price_of(5), levels: 200 };

const fn price_of(milli: i64) -> Price {
    Price::from_milli_yuan_per_mwh(milli)
}

fn gtc(side: Side, limit: i64, quantity: i64) -> Incoming {
    let time_in_force = TimeInForce::Gtc;
    Incoming { side, limit: price(limit), quantity: kwh(quantity), time_in_force }
}

fn book(pricing: Pricing) -> Book {
    Book::new(GRID, pricing).unwrap()
}

#[test]
fn a_trade_is_at_the_price_of_the_earlier_order_and_serves_the_earliest_first() {
    let (mut book, mut fills) = (book(Pricing::Maker), Vec::new());
    let first = book.submit(gtc(Side::Sell, 100, 4), &mut fills).unwrap().unwrap();
    let second = book.submit(gtc(Side::Sell, 100, 4), &mut fills).unwrap().unwrap();
    let best = book.submit(gtc(Side::Sell, 95, 1), &mut fills).unwrap().unwrap();
    let rest = book.submit(gtc(Side::Buy, 105, 7), &mut fills).unwrap();
    let fill = |resting, quantity, at| Fill { resting, quantity: kwh(quantity), price: price(at) };
    assert_eq!(fills, [fill(best, 1, 95), fill(first, 4, 100), fill(second, 2, 100)]);
    assert_eq!((rest, book.standing(first), book.standing(second)), (None, None, Some(kwh(2))));
}

#[test]
fn a_fill_or_kill_order_that_cannot_fill_changes_nothing() {
    let (mut book, mut fills) = (book(Pricing::Maker), Vec::new());
    book.submit(gtc(Side::Sell, 100, 4), &mut fills).unwrap();
    let kill = Incoming { time_in_force: TimeInForce::Fok, ..gtc(Side::Buy, 100, 5) };
    assert_eq!(book.submit(kill, &mut fills), Ok(None));
    assert!(fills.is_empty());
    assert_eq!(book.depth(Side::Sell), [Level { price: price(100), quantity: kwh(4) }]);
}

#[test]
fn orders_off_the_grid_or_without_energy_are_refused() {
    let mut book = book(Pricing::Maker);
    for limit in [-21, -25, 3, 980, i64::MAX, i64::MIN] {
        let refused = book.submit(gtc(Side::Buy, limit, 1), &mut Vec::new());
        assert_eq!(refused, Err(BookRejection::OffGrid), "{limit}");
    }
    let nothing = book.submit(gtc(Side::Buy, 0, 0), &mut Vec::new());
    assert_eq!(nothing, Err(BookRejection::NoQuantity));
    let most = gtc(Side::Buy, 0, i64::MAX);
    assert!(book.submit(most, &mut Vec::new()).is_ok());
    assert_eq!(book.submit(most, &mut Vec::new()), Err(BookRejection::Full));
    for grid in [
        Grid { levels: 0, ..GRID },
        Grid { levels: Grid::LEVELS_MAX + 1, ..GRID },
        Grid { tick: price(0), ..GRID },
        Grid { floor: price(i64::MAX), ..GRID },
    ] {
        assert_eq!(Book::new(grid, Pricing::Maker).err(), Some(BookRejection::Grid));
    }
}

#[test]
fn after_a_thin_call_auction_the_first_price_is_the_mean_of_bid_and_ask() {
    let (mut book, mut fills) = (book(Pricing::Median { previous: None }), Vec::new());
    book.submit(gtc(Side::Sell, 380, 9), &mut fills).unwrap();
    book.submit(gtc(Side::Buy, 420, 1), &mut fills).unwrap();
    book.submit(gtc(Side::Buy, 390, 1), &mut fills).unwrap();
    let prices: Vec<Price> = fills.iter().map(|fill| fill.price).collect();
    assert_eq!(prices, [price(400), price(390)]);
}

#[test]
fn five_levels_are_shown_best_first() {
    let mut book = book(Pricing::Maker);
    for limit in [50, 40, 60, 45, 55, 65, 40] {
        book.submit(gtc(Side::Buy, limit, 2), &mut Vec::new()).unwrap();
    }
    let prices: Vec<i64> =
        book.depth(Side::Buy).iter().map(|level| level.price.milli_yuan_per_mwh()).collect();
    assert_eq!(prices, [65, 60, 55, 50, 45]);
}

/// The same rules written for a list: no ladder, no queues.
#[derive(Default)]
struct Naive {
    orders: Vec<(Side, Price, i64)>,
}

impl Naive {
    fn best(&self, incoming: &Incoming) -> Option<usize> {
        let meets = |index: &usize| {
            let (side, limit, left) = self.orders[*index];
            let meets = match incoming.side {
                Side::Buy => limit <= incoming.limit,
                Side::Sell => incoming.limit <= limit,
            };
            side != incoming.side && left > 0 && meets
        };
        let worst_first = |index: &usize| match incoming.side {
            Side::Buy => self.orders[*index].1.milli_yuan_per_mwh(),
            Side::Sell => -self.orders[*index].1.milli_yuan_per_mwh(),
        };
        (0..self.orders.len()).filter(meets).min_by_key(worst_first)
    }

    fn submit(&mut self, incoming: &Incoming) -> Vec<(usize, i64, Price)> {
        let (mut left, mut fills) = (incoming.quantity.kwh(), Vec::new());
        let before = self.orders.clone();
        while left > 0
            && let Some(index) = self.best(incoming)
        {
            let kwh = left.min(self.orders[index].2);
            self.orders[index].2 -= kwh;
            fills.push((index, kwh, self.orders[index].1));
            left -= kwh;
        }
        match incoming.time_in_force {
            TimeInForce::Gtc if left > 0 => self.orders.push((incoming.side, incoming.limit, left)),
            TimeInForce::Fok if left > 0 => {
                self.orders = before;
                return Vec::new();
            }
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => {}
        }
        fills
    }

    fn depth(&self, side: Side) -> Vec<Level> {
        let standing = || self.orders.iter().filter(move |order| order.0 == side && order.2 > 0);
        let mut prices: Vec<Price> = standing().map(|order| order.1).collect();
        prices.sort_unstable();
        prices.dedup();
        if side == Side::Buy {
            prices.reverse();
        }
        let energy = |at| standing().filter(|order| order.1 == at).map(|order| order.2).sum();
        let level = |price| Level { price, quantity: kwh(energy(price)) };
        prices.into_iter().take(5).map(level).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Submit(Incoming),
    Withdraw(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let force = prop_oneof![6 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::Ioc), 1 => Just(TimeInForce::Fok)];
    let submit = (side, 0..12_i64, 1..9_i64, force).prop_map(|(side, level, quantity, force)| {
        Step::Submit(Incoming { time_in_force: force, ..gtc(side, 5 * level, quantity) })
    });
    let withdraw = any::<prop::sample::Index>().prop_map(Step::Withdraw);
    proptest::collection::vec(prop_oneof![4 => submit, 1 => withdraw], 0..80)
}

proptest! {
    #[test]
    fn the_book_trades_as_a_searched_list_does(steps in steps()) {
        let (mut book, mut naive, mut tickets) = (book(Pricing::Maker), Naive::default(), vec![]);
        for step in steps {
            match step {
                Step::Submit(incoming) => {
                    let mut fills = Vec::new();
                    tickets.extend(book.submit(incoming, &mut fills).unwrap());
                    let name = |ticket: Ticket| tickets.iter().position(|t| *t == ticket).unwrap();
                    let fills: Vec<_> =
                        fills.iter().map(|f| (name(f.resting), f.quantity.kwh(), f.price)).collect();
                    prop_assert_eq!(fills, naive.submit(&incoming));
                }
                Step::Withdraw(index) if !tickets.is_empty() => {
                    let index = index.index(tickets.len());
                    let left = std::mem::take(&mut naive.orders[index].2);
                    let expected = (left > 0).then_some(kwh(left));
                    prop_assert_eq!(book.withdraw(tickets[index]), expected);
                }
                Step::Withdraw(_) => {}
            }
            prop_assert_eq!(naive.orders.len(), tickets.len());
            for side in [Side::Buy, Side::Sell] {
                prop_assert_eq!(book.depth(side), naive.depth(side));
            }
        }
    }

    #[test]
    fn what_a_call_auction_leaves_does_not_trade_in_the_continuous_phase(orders in books(14)) {
        let clearing = clear(&orders, &CallRule::MIDPOINT).unwrap();
        let grid = Grid { floor: price(-3), tick: price(1), levels: 15 };
        let mut book = Book::new(grid, Pricing::Median { previous: clearing.price }).unwrap();
        let mut fills = Vec::new();
        for (order, fill) in orders.iter().zip(&clearing.fills) {
            let left = order.quantity.minus(*fill).unwrap();
            if left > Energy::ZERO {
                let incoming = gtc(order.side, order.limit.milli_yuan_per_mwh(), left.kwh());
                book.submit(incoming, &mut fills).unwrap();
            }
        }
        prop_assert!(fills.is_empty());
    }

    #[test]
    fn the_median_is_the_middle_of_three(previous in -9..9_i64, bid in -9..9_i64, width in 0..9_i64) {
        let mut three = [previous, bid, bid - width];
        three.sort_unstable();
        prop_assert_eq!(median(price(previous), price(bid), price(bid - width)), price(three[1]));
    }
}
