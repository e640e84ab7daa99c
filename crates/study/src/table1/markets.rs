//! Hours of the calibrated market as books of orders, for studies of the session alone.

use duet_market::game::GameOrder;
use duet_units::OverflowError;

use super::hour::{Fleet, Hour};
use super::report::TableScenario;
use super::session::orders;

impl TableScenario {
    /// The orders of `count` hours: the month's hours in turn, each next month with the next seed.
    /// Plants come first, three segments each, then the buyers.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded parameters it always does.
    pub fn markets(&self, count: usize) -> Result<Vec<Vec<GameOrder>>, OverflowError> {
        const HOURS: usize = 72;
        let fleet = Fleet::of(&self.parameters)?;
        let mut markets = Vec::with_capacity(count);
        for month in 0..count.div_ceil(HOURS) {
            let offset = u64::try_from(month).unwrap_or(u64::MAX);
            let seed = self.parameters.seed.wrapping_add(offset);
            let draws = Self::draws_of(&self.parameters.with_seed(seed));
            for hour in 0..HOURS.min(count - markets.len()) {
                // 7 is prime to 72, so a small sample still meets all hours and day types.
                let at = hour * 7 % HOURS;
                let hour =
                    Hour::new(&self.parameters, &self.loads, &draws, &fleet, (at / 24, at % 24))?;
                markets.push(orders(&fleet, &hour));
            }
        }
        Ok(markets)
    }
}
