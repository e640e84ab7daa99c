//! What holds for every sequence of transactions.

mod common;

use common::chain::Chain;
use common::market::Who;
use common::traffic::Traffic;
use duet_ledger::{LineItem, Mode, OrderStatus, Outcome, Phase, State, Transaction};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A few blocks of random traffic.
fn run(chain: &mut Chain, traffic: &mut Traffic, blocks: usize) -> Vec<Outcome> {
    (0..blocks)
        .map(|_| {
            chain.time = traffic.time_after(chain.time);
            let count = traffic.random.below(12);
            let transactions = (0..count).map(|_| traffic.transaction(&chain.state)).collect();
            chain.block(transactions)
        })
        .collect()
}

/// Every accepted order of the sessions that are kept is in one status that its session allows.
fn assert_orders_are_counted(state: &State, outcomes: &[Outcome]) {
    let mut counts: BTreeMap<OrderStatus, u64> = BTreeMap::new();
    for order in state.orders().values() {
        *counts.entry(order.status).or_default() += 1;
        let session = &state.sessions()[&order.session];
        assert!(order.sequence < session.orders);
        // An order that matches on arrival waits with a part filled; what was traded in a session
        // that is called off is void.
        let partly = session.mode == Mode::Rolling
            && (order.status == OrderStatus::Pending || session.phase == Phase::Void);
        let filled = !order.filled.is_zero();
        assert!(partly || order.status.was_filled() == filled, "{order:?}");
        let phases: &[Phase] = match order.status {
            OrderStatus::Pending => &[Phase::Open, Phase::Halted],
            OrderStatus::Matched | OrderStatus::Expired if session.mode == Mode::Rolling => {
                &[Phase::Open, Phase::Halted, Phase::Cleared, Phase::Settled, Phase::Void]
            }
            OrderStatus::Matched
            | OrderStatus::Paid
            | OrderStatus::Dispatched
            | OrderStatus::Delivered => &[Phase::Cleared],
            OrderStatus::Settled => &[Phase::Settled],
            OrderStatus::Expired => &[Phase::Cleared, Phase::Settled, Phase::Void],
            OrderStatus::Defaulted => &[Phase::Cleared, Phase::Settled],
            OrderStatus::Cancelled => Phase::ALL,
        };
        assert!(phases.contains(&session.phase), "{order:?} in {:?}", session.phase);
    }
    for (id, session) in state.sessions() {
        let orders = state.orders().values().filter(|order| order.session == *id).count();
        assert_eq!(orders, usize::try_from(session.orders).unwrap(), "of session {id}");
    }
    let accepted = outcomes
        .iter()
        .flat_map(|outcome| &outcome.events)
        .filter(|event| matches!(event, duet_ledger::Event::OrderAccepted { .. }))
        .count();
    assert_eq!(state.progress().accepted, u64::try_from(accepted).unwrap());
    assert!(counts.values().sum::<u64>() <= state.progress().accepted);
}

/// Energy bought is energy sold, and no order is filled beyond its quantity.
fn assert_trades_balance(state: &State) {
    let mut filled = BTreeMap::new();
    for trade in state.trades().values() {
        for order in [trade.buy, trade.sell] {
            *filled.entry(order).or_insert(0) += trade.quantity.kwh();
        }
        let (buy, sell) = (&state.orders()[&trade.buy], &state.orders()[&trade.sell]);
        assert!(trade.buyer_price <= buy.limit, "{trade:?} {buy:?}");
        assert!(sell.effective <= trade.seller_price, "{trade:?} {sell:?}");
        assert!(trade.paid <= trade.received);
    }
    for (id, order) in state.orders() {
        assert_eq!(order.filled.kwh(), filled.get(id).copied().unwrap_or(0), "order {id}");
        assert!(order.filled <= order.quantity);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// [`Chain::block`] checks conservation, escrow and trust after every block.
    #[test]
    fn no_traffic_breaks_the_ledger(seed: u64, blocks in 1..220_usize) {
        let (mut chain, mut traffic) = (Chain::new(), Traffic::of_all_modes(seed));
        let outcomes = run(&mut chain, &mut traffic, blocks);
        assert_orders_are_counted(&chain.state, &outcomes);
        assert_trades_balance(&chain.state);
    }

    #[test]
    fn a_restored_state_goes_on_the_same(seed: u64, before in 1..160_usize) {
        let (mut chain, mut traffic) = (Chain::new(), Traffic::of_all_modes(seed));
        run(&mut chain, &mut traffic, before);
        let mut other = chain.clone();
        other.state = chain.restored();
        prop_assert_eq!(other.state.totals(), chain.state.totals());
        let mut same_traffic = traffic.clone();
        let outcomes = run(&mut chain, &mut traffic, 40);
        prop_assert_eq!(run(&mut other, &mut same_traffic, 40), outcomes);
        prop_assert_eq!(&other.rows, &chain.rows);
        // The delta of a new state is all of its rows.
        let mut restored = chain.restored();
        prop_assert!(restored.take_delta().is_empty());
    }

    /// Transactions of different signers that do not wait for each other: deposits, and sell
    /// orders within the capacity.
    #[test]
    fn the_order_of_independent_transactions_leaves_every_total(seed: u64, turn in 1..30_usize) {
        let (mut chain, mut traffic) = (Chain::new(), Traffic::new(seed));
        run(&mut chain, &mut traffic, 60);
        let mut by_signer: Vec<Transaction> = Vec::new();
        for who in [Who::Coal, Who::Wind, Who::Retail, Who::Factory, Who::Registry, Who::Bank] {
            let action = common::market::deposit(who, common::market::yuan(1), u64::MAX);
            let allocation = duet_ledger::Action::AllocateAllowances {
                organisation: who.organisation(),
                allowances: duet_units::Allowances::from_t(3),
                reference: u64::MAX - 1,
            };
            let order = common::market::sell(common::market::WIND, 7, 100, 1);
            let action = match who {
                Who::Bank => action,
                Who::Registry => allocation,
                _ => order,
            };
            let nonce = chain.state.nonce(who.public()) + 1;
            let (channel, signer) = (*chain.state.channel(), who.public());
            let unsigned = duet_ledger::Unsigned { channel, signer, nonce, action };
            by_signer.push(common::chain::draft(&unsigned));
        }
        let mut other = chain.clone();
        let first = chain.block(by_signer.clone());
        let turned = turn % by_signer.len();
        by_signer.rotate_left(turned);
        let second = other.block(by_signer);
        let codes = |outcome: &Outcome| -> BTreeMap<_, u16> {
            outcome.receipts.iter().map(|r| (r.transaction, r.code)).collect()
        };
        prop_assert_eq!(codes(&first), codes(&second));
        prop_assert_eq!(chain.state.totals(), other.state.totals());
        prop_assert_eq!(chain.state.balances(), other.state.balances());
    }
}

/// So that the properties above are about something: in the long run everything happens.
#[test]
fn traffic_reaches_every_status() {
    let (mut chain, mut traffic) = (Chain::new(), Traffic::new(8));
    let (mut statuses, mut codes) = (BTreeMap::new(), BTreeMap::new());
    let mut items = BTreeSet::new();
    for _ in 0..150 {
        for outcome in run(&mut chain, &mut traffic, 10) {
            for receipt in outcome.receipts {
                *codes.entry(receipt.code).or_insert(0) += 1;
            }
        }
        for order in chain.state.orders().values() {
            *statuses.entry(order.status).or_insert(0) += 1;
        }
        items.extend(chain.state.lines().values().map(|line| line.item));
    }
    assert_eq!(statuses.len(), OrderStatus::ALL.len(), "{statuses:?} {codes:?}");
    assert!(codes[&0] > 2_000, "{codes:?}");
    assert!(codes.len() > 35, "{} {codes:?}", codes.len());
    // The rule of the traffic settles by contract, without a deviation scheme; the items of spot
    // settlement, schemes and corrections have tests of their own.
    use LineItem::{Compensation, Contract, Deviation, Fee, Levy};
    assert_eq!(items, BTreeSet::from([Contract, Compensation, Levy, Deviation, Fee]));
}
