//! Generated sessions: what the acceptance rule promises, checked from the rows alone.

use super::common::chain::Chain;
use super::common::market::*;
use super::common::random::Random;
use super::{
    SESSION, assert_replays, curve, linked, market, minimum, order, plain, submit_curve, withdraw,
};
use duet_ledger::*;
use duet_units::BasisPoints;

/// Sessions of one run; `DUET_AUCTION_SESSIONS` sets another number.
const SESSIONS: u64 = 60;

const TRADERS: [(Who, (UnitId, Side)); 4] = [
    (Who::Coal, (COAL, Side::Sell)),
    (Who::Wind, (WIND, Side::Sell)),
    (Who::Retail, (RETAIL, Side::Buy)),
    (Who::Factory, (FACTORY, Side::Buy)),
];

fn mode(random: &mut Random) -> Mode {
    let k1 = BasisPoints::from_bp(5_000);
    if random.one_in(2) { Mode::Call } else { Mode::Uniform(k1) }
}

fn price(random: &mut Random) -> i64 {
    random.between(-3, 12) * 10
}

/// Orders, curves, linked orders, orders with a minimum, withdrawals; some are refused.
fn operate(chain: &mut Chain, random: &mut Random) {
    let (who, unit_side) = random.pick(&TRADERS);
    let (period, limit) = (u8::try_from(random.below(3)).unwrap(), price(random));
    let quantity = random.between(1, 9);
    let action = match random.below(8) {
        0 => {
            let step = if unit_side.1 == Side::Buy { -10 } else { 10 };
            let steps = [(limit, quantity), (limit + step, random.between(1, 9))];
            submit_curve(curve(unit_side, &[(period, &steps)]))
        }
        1 | 2 => {
            let points: Vec<(u8, i64)> = (0..3).map(|p| (p, random.between(0, 6))).collect();
            let points: Vec<_> = points.into_iter().filter(|(_, energy)| 0 < *energy).collect();
            linked(unit_side, limit, &points)
        }
        3 => minimum(plain(unit_side, period, limit, quantity), random.between(1, 9)),
        4 => withdraw(1 + random.next() % 8),
        5 => Action::CancelOrder { order: OrderId(1 + random.next() % 20) },
        _ => order(unit_side, period, limit, quantity),
    };
    chain.send(who, action).ok();
}

/// What one order paid or got, in milli-yuan, and the energy.
fn traded(state: &State, id: OrderId) -> (i128, i64) {
    let trades = state.trades().values().filter(|trade| trade.buy == id || trade.sell == id);
    trades.fold((0, 0), |(value, energy), trade| {
        let kwh = trade.quantity.kwh();
        (value + i128::from(trade.buyer_price.milli_yuan_per_mwh()) * i128::from(kwh), energy + kwh)
    })
}

#[derive(Debug, Default)]
struct Seen {
    accepted: u64,
    not_filled: u64,
    at_a_loss: u64,
    withdrawn: u64,
    above: u64,
    short: u64,
}

/// Every order has ended, and none alone traded beyond its limit.
fn check_orders(state: &State, seen: &mut Seen) {
    for (id, order) in state.orders() {
        let (value, energy) = traded(state, *id);
        assert_eq!(energy, order.filled.kwh());
        let ends = if energy == 0 {
            matches!(order.status, OrderStatus::Expired | OrderStatus::Cancelled)
        } else {
            order.status == OrderStatus::Matched || order.status == OrderStatus::Paid
        };
        assert!(ends, "{id}: {order:?}");
        let limit = i128::from(order.limit.milli_yuan_per_mwh()) * i128::from(energy);
        let loses = if order.side == Side::Buy { value > limit } else { value < limit };
        let part = state.links().contains_key(id);
        seen.above += u64::from(part && loses);
        assert!(part || !loses, "{id}: {order:?}");
        if let Some(least) = state.minimums().get(id) {
            assert!(energy == 0 || least.kwh() <= energy, "{id}: {order:?}");
            let at_price =
                state.clearings()[&(order.session, order.period)].price == Some(order.limit);
            seen.short += u64::from(energy == 0 && at_price);
        }
    }
}

/// A linked order is filled whole or not at all, and does not lose on the mean.
fn check_linked(state: &State, seen: &mut Seen) {
    for (id, row) in state.linked_orders() {
        let (mut value, mut energy, mut whole) = (0, 0, 0);
        for part in row.orders() {
            let (of, kwh) = traded(state, part);
            value += of;
            energy += kwh;
            whole += state.orders()[&part].quantity.kwh();
        }
        let limit = i128::from(row.limit.milli_yuan_per_mwh()) * i128::from(energy);
        let loses = if row.side == Side::Buy { value > limit } else { value < limit };
        assert!(!loses, "{id}: {row:?}");
        let accepted = row.state == LinkedState::Accepted;
        assert_eq!(energy, if accepted { whole } else { 0 }, "{id}: {row:?}");
        match row.state {
            LinkedState::Accepted => seen.accepted += 1,
            LinkedState::NotFilled => seen.not_filled += 1,
            LinkedState::AtALoss => seen.at_a_loss += 1,
            LinkedState::Withdrawn => seen.withdrawn += 1,
            other => panic!("{id} ends as {other:?}"),
        }
    }
}

fn check_volumes(state: &State) {
    for (key, clearing) in state.clearings() {
        let trades = state.trades().values().filter(|t| (t.session, t.period) == *key);
        let sum: i64 = trades.map(|trade| trade.quantity.kwh()).sum();
        assert_eq!(sum, clearing.volume.kwh());
    }
}

#[test]
fn generated_sessions_keep_what_the_acceptance_rule_promises() {
    let sessions = std::env::var("DUET_AUCTION_SESSIONS").ok().and_then(|text| text.parse().ok());
    let mut seen = Seen::default();
    for seed in 0..sessions.unwrap_or(SESSIONS) {
        let mut random = Random(seed);
        let mode = mode(&mut random);
        let mut chain = market(mode, 1);
        for _ in 0..30 {
            operate(&mut chain, &mut random);
        }
        assert_eq!(chain.restored().linked_orders(), chain.state.linked_orders());
        chain.pass_to(gate_close(DAY));
        check_orders(&chain.state, &mut seen);
        check_linked(&chain.state, &mut seen);
        check_volumes(&chain.state);
        assert_replays(&chain);
    }
    let Seen { accepted, not_filled, at_a_loss, withdrawn, above, short } = seen;
    for count in [accepted, not_filled, at_a_loss, withdrawn, above, short] {
        assert!(0 < count, "{seen:?}");
    }
}

/// A linked order that nobody can fill turns the way of clearing, and nothing else.
#[test]
fn without_a_condition_that_holds_both_ways_of_clearing_agree() {
    for seed in 0..20 {
        let mut random = Random(1_000 + seed);
        let mode = mode(&mut random);
        let (mut one, mut other) = (market(mode, 1), market(mode, 1));
        for _ in 0..20 {
            let (who, unit_side) = random.pick(&TRADERS);
            let period = u8::try_from(random.below(3)).unwrap();
            let action = order(unit_side, period, price(&mut random), random.between(1, 9));
            assert_eq!(one.send(who, action.clone()), other.send(who, action));
        }
        other.done(Who::Retail, linked((RETAIL, Side::Buy), -100, &[(5, 1)]));
        one.pass_to(gate_close(DAY));
        other.pass_to(gate_close(DAY));
        assert_eq!(one.state.trades(), other.state.trades());
        assert_eq!(one.state.clearings(), other.state.clearings());
        assert_eq!(one.state.intervals(), other.state.intervals());
        assert!(one.state.intervals().keys().all(|(session, _)| *session == SESSION));
    }
}
