//! The lottery of the second stage: what it draws when the gate closes, and what that means.
//!
//! The draw is a hash over the session, the chain of receipts up to the last block before its gate
//! closed and the tenth of a second at which it closed. Anyone can compute it again from two
//! headers. docs/sessions.md says what it resists and what it does not.

use crate::codec::Encode;
use crate::hash::hash;
use crate::ids::SessionId;
use crate::records::Session;
use crate::state::State;
use duet_market::game::{Design, is_held};

const DRAW_DOMAIN: &[u8] = b"duet/second-stage-draw/v1";
const PERIOD_DOMAIN: &[u8] = b"duet/second-stage-period/v1";
/// The closing time counts in steps of this, so that the proposer of the block that closes the
/// gate has few draws to choose among.
const STEP_MS: i64 = 100;

impl State {
    /// Draws the lottery of a session whose gate closes now, if it has one and has not drawn.
    pub(super) fn draw(&mut self, id: SessionId, row: &mut Session) {
        let draws = row.mode.is_joint() && row.terms.has_lottery();
        if !draws || row.draw.is_some() {
            return;
        }
        let progress = self.progress();
        let step = progress.time.unix_ms().div_euclid(STEP_MS);
        let seed = (id, (progress.receipts_root, step)).to_bytes();
        row.draw = Some(hash(DRAW_DOMAIN, &[&self.channel, &seed]));
        if let Some(session) = self.sessions.get_mut(id) {
            session.draw = row.draw;
        }
    }
}

impl Session {
    /// Whether the lottery has the second stage of a period held; none without a draw.
    #[must_use]
    pub fn drawn(&self, period: u8) -> Option<bool> {
        let drawn = hash(PERIOD_DOMAIN, &[&self.draw?, &[period]]);
        let (bits, _) = drawn.split_first_chunk()?;
        Some(is_held(self.terms.second_stage_chance, u64::from_be_bytes(*bits)))
    }

    /// The design in which a period is cleared.
    pub(super) fn second_stage_of(&self, period: u8) -> Design {
        if self.drawn(period) == Some(false) { Design::None } else { self.terms.second_stage }
    }

    /// In how many periods the lottery has the second stage held.
    pub(super) fn held(&self) -> u8 {
        let periods = 0..self.terms.resolution.periods();
        let held = periods.filter(|period| self.drawn(*period) == Some(true)).count();
        u8::try_from(held).unwrap_or(u8::MAX)
    }
}
