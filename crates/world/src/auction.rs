//! The call auction of the week: sellers offer step curves, buyers bid for single hours, for all of
//! them together, and with a minimum.

use crate::ahead::{ORDER_LOTS, PEAK_HOURS, Party, Request, order, order_request};
use crate::day::{DayError, Tally, TradingDay};
use duet_ledger::{
    Action, AuctionAction, CurvePoint, CurveStep, LinkedRequest, MinimumRequest, PeriodSteps,
    SessionId, StepCurve,
};
use duet_market::order::Side;
use duet_units::{BasisPoints, Energy, Price};

impl TradingDay {
    /// Sellers offer curves; the first buyer bids for each hour, the second for all of them
    /// together, the third wants at least half of what it bids for.
    pub(crate) async fn offer_curves(
        &self,
        session: SessionId,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        for (place, party) in (0_i64..).zip(self.parties(true)) {
            let action = self.curve(session, &party, place);
            self.auction(&party, action, tally).await?;
        }
        for (place, party) in (0_i64..).zip(self.parties(false)) {
            let terms = (self.price(75 - 5 * place), self.lots(ORDER_LOTS));
            match place {
                0 => {
                    for period in PEAK_HOURS {
                        let bid = order(session, &party, (Side::Buy, period), terms);
                        self.done(bid, tally).await?;
                    }
                }
                1 => self.auction(&party, together(session, &party, terms), tally).await?,
                _ => {
                    let [period, ..] = PEAK_HOURS;
                    let order = order_request(session, &party, (Side::Buy, period), terms);
                    let minimum = Energy::from_kwh(terms.1.kwh().div_euclid(2).max(1));
                    let request = MinimumRequest { order, minimum };
                    self.auction(&party, AuctionAction::SubmitMinimum(request), tally).await?;
                }
            }
        }
        Ok(())
    }

    /// Three steps an hour, dearer from one seller to the next.
    fn curve(&self, session: SessionId, party: &Party, place: i64) -> AuctionAction {
        let step = |percent| CurveStep {
            limit: self.price(percent + 5 * place),
            quantity: self.lots(ORDER_LOTS),
        };
        let of = |period| PeriodSteps { period, steps: vec![step(35), step(45), step(55)] };
        AuctionAction::SubmitCurve(StepCurve {
            session,
            unit: party.unit,
            side: Side::Sell,
            conductivity: BasisPoints::ZERO,
            reference: 0,
            periods: PEAK_HOURS.map(of).to_vec(),
        })
    }

    async fn auction(
        &self,
        party: &Party,
        action: AuctionAction,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let (who, action) = (party.name.clone(), Action::Auction(action));
        self.done(Request { what: "order of an auction", who, action }, tally).await.map(drop)
    }
}

/// One order for all peak hours.
fn together(session: SessionId, party: &Party, (limit, energy): (Price, Energy)) -> AuctionAction {
    let point = |period| CurvePoint { period, energy };
    AuctionAction::SubmitLinked(LinkedRequest {
        session,
        unit: party.unit,
        side: Side::Buy,
        limit,
        curve: PEAK_HOURS.map(point).to_vec(),
        reference: 0,
    })
}
