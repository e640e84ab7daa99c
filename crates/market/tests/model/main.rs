//! The market functions against second implementations, written from the rules, on generated
//! operations; and the fills of generated books, which are the same in every build.
//!
//! `DUET_OPERATIONS` says how many operations each mode runs. Ten million of each:
//!
//! `DUET_OPERATIONS=10000000 cargo test --release -p duet-market --test model -- --nocapture`

mod auction;
mod fill_hashes;
mod game;
mod linked;
mod listed;
mod listing;
mod random;
mod rolling;
mod shares;

/// How many operations each mode runs.
fn operations() -> u64 {
    let count = std::env::var("DUET_OPERATIONS").unwrap_or_default();
    if count.is_empty() { 20_000 } else { count.parse().expect("DUET_OPERATIONS is a number") }
}

/// Says what a mode has run; shown under `--nocapture`.
fn done(mode: &str, operations: u64, deals: u64) {
    eprintln!("{mode}: {operations} operations, {deals} deals, no difference");
    assert!(operations < deals.saturating_mul(20), "{mode}: hardly anything is dealt");
}
