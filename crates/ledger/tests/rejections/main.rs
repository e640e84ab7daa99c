//! Every rejection: provoked at admission and in a block, in its order of precedence, and without
//! a trace but the nonce and the receipt.
//!
//! A ladder is a table whose first transaction breaks every rule of its action; each line mends
//! the fault that the line before was refused for.

#[path = "../common/mod.rs"]
mod common;

mod auction;
mod carbon;
mod carbon_market;
mod certificate;
mod compliance;
mod contract;
mod delivery;
mod device;
mod form;
mod game;
mod limit;
mod money;
mod order;
mod page;
mod rule;
mod schedule;
mod session;
mod statement;

use duet_ledger::Rejection;
use std::collections::BTreeSet;

#[test]
fn every_rejection_is_provoked() {
    let provoked: BTreeSet<&str> = [
        form::provoke(),
        order::provoke(),
        order::provoke_limits(),
        order::provoke_on_arrival(),
        session::provoke(),
        session::provoke_sharing(),
        rule::provoke(),
        game::provoke(),
        statement::provoke(),
        schedule::provoke(),
        limit::provoke(),
        auction::provoke(),
        contract::provoke(),
        contract::provoke_limit(),
        money::provoke(),
        delivery::provoke(),
        device::provoke(),
        carbon::provoke(),
        carbon_market::provoke(),
        compliance::provoke(),
        carbon::provoke_overflow(),
        certificate::provoke(),
        certificate::provoke_limit(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let missing: Vec<_> = Rejection::ALL.iter().filter(|r| !provoked.contains(r.name())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
