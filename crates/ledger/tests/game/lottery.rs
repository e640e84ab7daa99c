//! The lottery of the second stage.

use super::*;
use duet_ledger::sealed::{ReplayError, SealedBook};

const A: SecondStageDesign = SecondStageDesign::Compensation;

/// A session of 24 equal periods with a lottery of one half, cleared by a block at `late` ms after
/// its gate closed.
fn drawn(late: i64) -> (Chain, SessionId) {
    let (mut chain, notice) = chain_with(A, 5_000);
    funded(&mut chain);
    let session = trade(&mut chain, notice, 24);
    assert_eq!(chain.state.sessions()[&session].draw, None, "not before the gate closes");
    chain.pass_to(gate_close(DAY).plus_ms(late));
    (chain, session)
}

fn held(chain: &Chain, session: SessionId) -> Vec<bool> {
    let rows = chain.state.clearings().range((session, 0)..=(session, 23));
    rows.map(|(_, row)| row.drawn.unwrap()).collect()
}

#[test]
fn the_second_stage_takes_place_where_the_draw_says_so() {
    let (mut chain, notice) = chain_with(A, 5_000);
    funded(&mut chain);
    let session = trade(&mut chain, notice, 24);
    let receipts_root = chain.state.progress().receipts_root;
    let outcome = chain.pass_to(gate_close(DAY));
    let held = held(&chain, session);
    let count = held.iter().filter(|held| **held).count();
    assert!((4..=20).contains(&count), "{count} of 24 at one half");
    for (period, held) in (0..).zip(&held) {
        let row = clearing(&chain, session, period);
        assert_eq!(row.price, Some(yuan_per_mwh(400)), "the first stage is the same");
        assert_eq!(row.second_volume > mwh(0), *held, "period {period}");
        assert_eq!(row.buyer_price.is_some(), *held);
    }
    // Written again from docs/sessions.md.
    let step = gate_close(DAY).unix_ms() / 100;
    let (id, step) = (session.0.to_be_bytes(), step.to_be_bytes());
    let parts: [&[u8]; 4] = [chain.state.channel(), &id, &receipts_root, &step];
    let draw = hash(b"duet/second-stage-draw/v1", &parts);
    assert_eq!(chain.state.sessions()[&session].draw, Some(draw));
    for (period, held) in (0_u8..).zip(held) {
        let of_period = hash(b"duet/second-stage-period/v1", &[&draw, &[period]]);
        let bits = u64::from_be_bytes(of_period[..8].try_into().unwrap());
        assert_eq!((u128::from(bits) * 10_000) >> 64 < 5_000, held);
    }
    let held = u8::try_from(count).unwrap();
    let event = Event::SecondStageDrawn { session, draw, held };
    assert!(outcome.events.contains(&event), "{:?}", outcome.events);
}

#[test]
fn another_closing_time_or_history_draws_otherwise_and_99_ms_do_not() {
    let draw = |(chain, session): &(Chain, SessionId)| chain.state.sessions()[session].draw;
    let (base, step, next) = (drawn(0), drawn(99), drawn(100));
    assert_eq!(draw(&base), draw(&step));
    assert_ne!(draw(&base), draw(&next));
    assert_ne!(held(&base.0, base.1), held(&next.0, next.1));
    let (mut chain, notice) = chain_with(A, 5_000);
    funded(&mut chain);
    let session = trade(&mut chain, notice, 24);
    chain.done(Who::Bank, deposit(Who::Retail, yuan(1), 3));
    chain.pass_to(gate_close(DAY));
    assert_ne!(draw(&base), draw(&(chain, session)), "one more transaction before the gate");
}

#[test]
fn a_sealed_book_holds_the_draw_and_runs_again_by_it() {
    let (chain, session) = drawn(0);
    let book = SealedBook::of(&chain.state, session).unwrap();
    assert_eq!(book.input.sessions[0].draw, chain.state.sessions()[&session].draw);
    assert_eq!(book.replay().unwrap().differences, []);
    let mut other = book.clone();
    other.input.sessions[0].draw = Some([7; 32]);
    let replay = other.replay().unwrap();
    assert!(!replay.differences.is_empty());
    assert_ne!(replay.book, book.replay().unwrap().book, "the seal of the day shows it too");
    other.input.sessions[0].draw = None;
    assert!(matches!(other.replay(), Err(ReplayError::Missing(_))));
}

#[test]
fn the_ends_of_the_chance_are_certain() {
    let (mut chain, notice) = chain_with(A, 0);
    funded(&mut chain);
    let session = trade(&mut chain, notice, 3);
    chain.pass_to(gate_close(DAY));
    assert_eq!(held(&chain, session), [false; 24]);
    assert_eq!(clearing(&chain, session, 0).second_volume, mwh(0));
    let (mut chain, notice) = chain_with(A, 10_000);
    funded(&mut chain);
    let session = trade(&mut chain, notice, 3);
    chain.pass_to(gate_close(DAY));
    assert_eq!(chain.state.sessions()[&session].draw, None, "a certainty is not drawn");
    assert_eq!(clearing(&chain, session, 0).drawn, None);
    assert!(clearing(&chain, session, 0).second_volume > mwh(0));
}
