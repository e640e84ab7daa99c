//! The price of allowances that a session takes from the allowance market.

use crate::event::Event;
use crate::ids::SessionId;
use crate::records::{CarbonReference, SessionTerms};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use duet_units::CarbonPrice;

impl State {
    /// Holds a notice that leaves its price of allowances to the last close to there being one,
    /// and to naming no price beside it.
    pub(super) fn check_carbon_reference(&self, terms: &SessionTerms) -> Result<(), Refusal> {
        if terms.carbon_reference == CarbonReference::Notice {
            return Ok(());
        }
        let named = terms.carbon_price.fen_per_t();
        if named != 0 || self.last_close().is_none() {
            return Err(Rejection::NoClose.of("carbon_price", named, 0));
        }
        Ok(())
    }

    /// Gives a session whose gate opens the last close, if its notice says so. It stays in the
    /// terms of the session, so that a sealed book holds it.
    pub(super) fn take_carbon_price(&mut self, id: SessionId, events: &mut Vec<Event>) {
        let (Some(price), Some(session)) = (self.last_close(), self.sessions.get(id)) else {
            return;
        };
        if session.terms.carbon_reference == CarbonReference::LastClose
            && let Some(row) = self.sessions.get_mut(id)
        {
            row.terms.carbon_price = price;
            events.push(Event::CarbonPriceTaken { session: id, price });
        }
    }

    /// The close of the last day of the allowance market that has ended. Gates pass before the
    /// market's day does, so its day may be over and not yet closed.
    fn last_close(&self) -> Option<CarbonPrice> {
        let market = self.carbon_market()?;
        if market.day < self.time().day() {
            market.close().ok()
        } else {
            Some(market.previous_close)
        }
    }
}
