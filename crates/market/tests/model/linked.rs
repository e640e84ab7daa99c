//! Orders with a condition against the acceptance rule, every round cleared from the definitions.

use duet_market::auction::CallRule;
use duet_market::linked::{LinkedBook, Minimum, MultiPeriodOrder, PriceRule, Reason, clear_linked};
use duet_market::order::{Order, Rationing, Side};
use duet_units::{BasisPoints, Energy, Price};

use crate::auction::{between, fills, interval, limit};
use crate::random::Random;
use crate::{done, operations};

/// A limit beyond all others.
const FAR: i64 = 1_000_000_000;

fn price(milli: i64) -> Price {
    Price::from_milli_yuan_per_mwh(milli)
}

/// A multi-period order as an order of one period that always trades.
fn forced(order: &MultiPeriodOrder, period: usize) -> Order {
    let limit = price(if order.side == Side::Buy { FAR } else { -FAR });
    let (side, quantity) = (order.side, order.quantities[period]);
    Order { side, limit, quantity, emission_factor: Default::default() }
}

/// One period of one round.
#[derive(Debug)]
struct Cleared {
    price: i64,
    /// Of own orders, then of the multi-period orders.
    fills: Vec<i64>,
}

fn clear(
    orders: &[Order],
    members: &[&MultiPeriodOrder],
    period: usize,
    rule: &PriceRule,
) -> Cleared {
    let mut all = orders.to_vec();
    all.extend(members.iter().map(|order| forced(order, period)));
    let Some((lo, hi)) = interval(&all) else {
        return Cleared { price: 0, fills: vec![0; all.len()] };
    };
    let trading = |side| {
        let of_side = members.iter().filter(move |order| order.side == side);
        of_side.filter(move |order| !order.quantities[period].is_zero())
    };
    let limits = |side| trading(side).map(|order| order.limit.milli_yuan_per_mwh());
    let (lo, hi) = match (lo == -FAR, hi == FAR) {
        (false, false) => (lo, hi),
        (false, true) => (lo, lo),
        (true, false) => (hi, hi),
        (true, true) => {
            let ends = [limits(Side::Sell).max().unwrap(), limits(Side::Buy).min().unwrap()];
            (ends[0].min(ends[1]), ends[0].max(ends[1]))
        }
    };
    let (numerator, denominator, rationing) = match rule {
        PriceRule::Call(rule) => (rule.numerator, rule.denominator, rule.rationing),
        PriceRule::LastPair { rationing, .. } => (1, 2, *rationing),
    };
    let inside = lo + ((hi - lo) * numerator).div_euclid(denominator);
    let fills = fills(&all, inside, rationing);
    let filled = |side| {
        let own =
            orders.iter().zip(&fills).filter(move |(order, fill)| order.side == side && 0 < **fill);
        own.map(|(order, _)| limit(order))
    };
    let (bid, ask) = (filled(Side::Buy).min(), filled(Side::Sell).max());
    let price = match rule {
        PriceRule::Call(_) => inside,
        PriceRule::LastPair { k1, .. } => {
            let upper = bid.or(ask).unwrap_or(hi);
            between(upper, ask.or(bid).unwrap_or(lo), k1.bp())
        }
    };
    Cleared { price, fills }
}

/// The acceptance rule, round after round from the start.
fn naive(
    book: &LinkedBook<'_>,
    rule: &PriceRule,
) -> (Vec<Cleared>, Vec<(usize, Reason)>, Vec<usize>) {
    let (mut rejected, mut short): (Vec<(usize, Reason)>, Vec<usize>) = (Vec::new(), Vec::new());
    for (place, order) in book.linked.iter().enumerate() {
        if order.quantities.iter().all(|energy| energy.is_zero()) {
            rejected.push((place, Reason::NotFilled));
        }
    }
    loop {
        let places: Vec<usize> = (0..book.linked.len())
            .filter(|place| rejected.iter().all(|(gone, _)| gone != place))
            .collect();
        let members: Vec<_> = places.iter().map(|place| &book.linked[*place]).collect();
        let mut own = book.periods.to_vec();
        for gone in short.iter().map(|place| &book.minimums[*place]) {
            own[gone.period][gone.order].quantity = Energy::ZERO;
        }
        let cleared: Vec<Cleared> = own
            .iter()
            .enumerate()
            .map(|(period, orders)| clear(orders, &members, period, rule))
            .collect();
        let whole = |place: usize| {
            let of = |period: usize| cleared[period].fills[own[period].len() + place];
            (0..own.len()).all(|period| of(period) == members[place].quantities[period].kwh())
        };
        if let Some(place) = (0..members.len()).rev().find(|place| !whole(*place)) {
            rejected.push((places[place], Reason::NotFilled));
            continue;
        }
        let gain = |order: &MultiPeriodOrder| {
            let limit = order.limit.milli_yuan_per_mwh();
            let sign = if order.side == Side::Buy { 1 } else { -1 };
            let energies = order.quantities.iter().map(|energy| energy.kwh());
            let sum: i64 =
                energies.clone().zip(&cleared).map(|(e, c)| sign * (limit - c.price) * e).sum();
            sum.div_euclid(energies.sum())
        };
        let losers = (0..members.len()).filter(|place| gain(members[*place]) < 0);
        if let Some(place) =
            losers.min_by_key(|place| (gain(members[*place]), -i64::try_from(*place).unwrap()))
        {
            rejected.push((places[place], Reason::AtALoss));
            continue;
        }
        let below = (0..book.minimums.len()).filter(|place| {
            let row = &book.minimums[*place];
            let fill = cleared[row.period].fills[row.order];
            0 < fill && fill < row.energy.kwh()
        });
        match below.min_by_key(|place| {
            let row = &book.minimums[*place];
            (row.period, -i64::try_from(row.order).unwrap())
        }) {
            Some(place) => short.push(place),
            None => return (cleared, rejected, short),
        }
    }
}

fn generated(random: &mut Random) -> (Vec<Vec<Order>>, Vec<MultiPeriodOrder>, Vec<Minimum>) {
    let width = [3, 12, 60][random.index(3)];
    let periods: Vec<Vec<Order>> = (0..1 + random.index(4))
        .map(|_| {
            let count = random.index(12);
            random.book(count, width)
        })
        .collect();
    let linked = (0..random.index(6)).map(|_| MultiPeriodOrder {
        side: random.side(),
        limit: price(random.below(width) - 3),
        quantities: periods
            .iter()
            .map(|_| Energy::from_kwh((random.below(2_000) - 700).max(0)))
            .collect(),
    });
    let linked = linked.collect();
    let mut minimums = Vec::new();
    for (period, orders) in periods.iter().enumerate() {
        for (order, row) in orders.iter().enumerate() {
            if random.below(4) == 0 && !row.quantity.is_zero() {
                let most = row.quantity.kwh().unsigned_abs();
                minimums.push(Minimum {
                    period,
                    order,
                    energy: Energy::from_kwh(1 + random.below(most)),
                });
            }
        }
    }
    (periods, linked, minimums)
}

#[test]
fn orders_with_a_condition_equal_the_acceptance_rule() {
    let mut random = Random::new(12);
    let (mut done_so_far, mut deals) = (0, 0);
    let (mut kinds, mut accepted) = ([0; 3], 0);
    while done_so_far < operations() {
        let (periods, linked, minimums) = generated(&mut random);
        let rationing =
            [Rationing::ProRata, Rationing::Time, Rationing::GreenFirst][random.index(3)];
        let rule = if random.below(2) == 0 {
            PriceRule::Call(CallRule { numerator: random.below(5), denominator: 4, rationing })
        } else {
            PriceRule::LastPair { k1: BasisPoints::from_bp(random.below(10_001)), rationing }
        };
        let book = LinkedBook { periods: &periods, linked: &linked, minimums: &minimums };
        let result = clear_linked(&book, &rule).unwrap();
        let (expected, rejected, short) = naive(&book, &rule);
        assert_eq!((&result.rejected, &result.short), (&rejected, &short), "{book:?} {rule:?}");
        for (period, (found, expected)) in result.periods.iter().zip(&expected).enumerate() {
            let own = periods[period].len();
            let kwh: Vec<i64> = found.fills.iter().map(|fill| fill.kwh()).collect();
            assert_eq!(kwh, expected.fills[..own], "{period} of {book:?} {rule:?}");
            let trades = expected.fills.iter().any(|fill| 0 < *fill);
            let price = found.price.map(Price::milli_yuan_per_mwh);
            assert_eq!(price, trades.then_some(expected.price), "{period} of {book:?} {rule:?}");
            let sum: i64 = expected.fills.iter().sum();
            assert_eq!(2 * found.volume.kwh(), sum);
            deals +=
                u64::try_from(expected.fills.iter().filter(|fill| 0 < **fill).count()).unwrap();
        }
        accepted += result.accepted.len();
        kinds[2] += short.len();
        for (_, reason) in rejected {
            kinds[usize::from(reason == Reason::AtALoss)] += 1;
        }
        let orders: usize = periods.iter().map(Vec::len).sum();
        done_so_far += u64::try_from(orders + linked.len()).unwrap();
    }
    assert!(0 < accepted && kinds.iter().all(|count| 0 < *count), "{accepted} {kinds:?}");
    done("orders with a condition", done_so_far, deals);
}
