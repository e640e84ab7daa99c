//! The allowance market and compliance: whole roads, and a naive model of the accounts.

#[path = "../common/mod.rs"]
mod common;

mod bidding;
mod compliance;
mod market;
mod model;
mod naive;
