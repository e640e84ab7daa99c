//! The ledger's money against a naive model of it, written from the rules.
//!
//! The model sees transactions, receipts and trades; it keeps its own accounts, orders, payments
//! and readings, and must agree with every balance after every block. `DUET_OPERATIONS` sets how
//! many transactions are compared.

#[path = "../common/mod.rs"]
mod common;

mod model;

use common::market::{DAY, gate_open, genesis};
use common::traffic::Traffic;
use duet_ledger::{Body, State};
use model::Model;

const OPERATIONS: u64 = 60_000;
const BLOCK: u64 = 25;

#[test]
fn every_balance_is_what_the_rules_say() {
    let operations = std::env::var("DUET_OPERATIONS").ok();
    let operations = operations.map_or(OPERATIONS, |text| text.parse().unwrap());
    let genesis = genesis();
    let (mut state, mut model) = (State::genesis(&genesis).unwrap(), Model::new(&genesis));
    let (mut traffic, mut time) = (Traffic::new(42), gate_open(DAY));
    let (mut done, mut accepted) = (0, 0);
    while done < operations {
        time = traffic.time_after(time);
        let sent: Vec<_> = (0..BLOCK).map(|_| traffic.transaction(&state)).collect();
        let body = Body { transactions: sent };
        let outcome = state.apply(state.height() + 1, time, &body).unwrap();
        model.pass_to(time, &state);
        for (transaction, receipt) in body.transactions.iter().zip(&outcome.receipts) {
            model.see(transaction.signer(), transaction.action(), receipt);
            accepted += u64::from(receipt.is_accepted());
        }
        model.assert_agrees(&state);
        state.take_delta();
        done += BLOCK;
    }
    assert!(accepted > operations / 6, "{accepted} of {operations} accepted");
    assert!(
        model.settled > 10 && model.compensated > 0 && model.fees > 0 && model.drawn > 0,
        "{} settled",
        model.settled
    );
}
