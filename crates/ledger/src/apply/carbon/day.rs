//! The day of the allowance market: orders end at its close, the close is carried to the next.

use crate::event::Event;
use crate::ids::CarbonOrderId;
use crate::records::{CarbonBidding, CarbonBiddingState, CarbonMarket};
use crate::state::{BrokenInvariant, State};
use duet_units::{Allowances, ClockTime, DeliveryDay, Money};

/// How many days deals and awarded biddings are kept in the state, with the day of the deal.
const DAYS_KEPT: i32 = 7;
/// How many deals are kept at most; the oldest go first.
const DEALS_KEPT: usize = 100_000;
/// How many biddings are kept at most; of those awarded the oldest go first.
const BIDDINGS_KEPT: usize = 1_000;
const MS_PER_MINUTE: i64 = 60_000;

impl State {
    /// What the block's time brings about on the allowance market.
    pub(in crate::apply) fn pass_carbon(
        &mut self,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        let Some(market) = self.carbon_market() else { return Ok(()) };
        let time = self.time();
        let (ended, passed) = (closes_at(market) <= time, market.day < time.day());
        if ended || passed {
            self.end_day_orders(events)?;
        }
        if passed {
            self.begin_carbon_day(time.day(), events)?;
        }
        self.award_biddings(events)?;
        self.forget_beyond_limits();
        Ok(())
    }

    /// Forgets the oldest deals and awarded biddings beyond what is kept. As many biddings can be
    /// open as are kept, or fewer, so those are never forgotten.
    fn forget_beyond_limits(&mut self) {
        while self.carbon_deals.rows().len() > DEALS_KEPT {
            let Some(oldest) = self.carbon_deals.rows().keys().next().copied() else { return };
            self.carbon_deals.remove(oldest);
        }
        while self.carbon_biddings.rows().len() > BIDDINGS_KEPT {
            let awarded = |row: &CarbonBidding| row.state == CarbonBiddingState::Awarded;
            let rows = self.carbon_biddings.rows().iter();
            let oldest = rows.filter(|(_, row)| awarded(row)).map(|(id, _)| *id).next();
            let Some(oldest) = oldest else { return };
            self.carbon_biddings.remove(oldest);
        }
    }

    /// Listings and proposals of blocks end with the day; bids end with their bidding.
    fn end_day_orders(&mut self, events: &mut Vec<Event>) -> Result<(), BrokenInvariant> {
        let orders = self.carbon_orders.rows().iter();
        let of_day: Vec<CarbonOrderId> =
            orders.filter(|(_, order)| order.bidding.is_none()).map(|(id, _)| *id).collect();
        of_day.into_iter().try_for_each(|id| self.end_order(id, events))
    }

    fn begin_carbon_day(
        &mut self,
        day: DeliveryDay,
        events: &mut Vec<Event>,
    ) -> Result<(), BrokenInvariant> {
        if let Some(market) = self.carbon_market.get_mut(()) {
            let close = market.close()?;
            let (ended, dealt) = (market.day, market.dealt);
            events.push(Event::CarbonDayClosed { day: ended, close, dealt });
            if let Some(terms) = market.next_terms.take() {
                market.terms = terms;
            }
            market.day = day;
            market.previous_close = close;
            market.first = None;
            market.dealt = Allowances::ZERO;
            market.paid = Money::ZERO;
        }
        let first = DeliveryDay::from_days(day.days().saturating_sub(DAYS_KEPT)).start();
        self.carbon_deals.remove_where(|_, deal| deal.time < first);
        self.carbon_biddings.remove_where(|_, bidding| {
            bidding.state == CarbonBiddingState::Awarded && bidding.closes < first
        });
        Ok(())
    }
}

fn closes_at(market: &CarbonMarket) -> ClockTime {
    let minutes = i64::from(market.terms.day_closes());
    market.day.start().plus_ms(minutes.saturating_mul(MS_PER_MINUTE))
}
