//! The security check of the week: on one day a unit may not deliver all that it sold.

use crate::{
    ahead::{PEAK_HOURS, Request},
    day::{DayError, Tally, TradingDay},
};
use duet_ledger::{Action, Curtailment, ScheduleAction, SessionId};
use duet_units::{DeliveryDay, Energy};

/// On which day of the week, in which hour.
const DAY: i32 = 3;
const HOUR: u8 = PEAK_HOURS[2];

impl TradingDay {
    /// Cuts the unit that sold most of the hour to half of that, on the day whose turn it is; once.
    pub(crate) async fn curtail(
        &self,
        session: SessionId,
        day: DeliveryDay,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let number = day.days().saturating_sub(self.first_day().days());
        let done = self.state(|state| state.curtailments().values().any(|c| c.session == session));
        if number.rem_euclid(7) != DAY || done {
            return Ok(());
        }
        let sold = self.schedule(session).into_iter().filter(|of| of.meter.unit.is_some());
        let most = sold.filter(|of| of.period == HOUR).max_by_key(|of| of.energy);
        let Some(most) = most.filter(|of| Energy::ZERO < of.energy) else { return Ok(()) };
        let (unit, _) = self.place_of(most.meter);
        let curtailment = Curtailment {
            day,
            period: HOUR,
            units: vec![unit],
            limit: Energy::from_kwh(most.energy.kwh().div_euclid(2)),
            reason: "a line is out of service".to_owned(),
        };
        let action = Action::Schedule(ScheduleAction::Curtail(curtailment));
        let who = "DISPATCH".to_owned();
        self.done(Request { what: "curtailment", who, action }, tally).await.map(drop)
    }
}
