//! The orders of one delivery day.

use duet_market::order::Side;
use duet_units::{Energy, Price};

use super::load::on_tick;
use super::{Member, Scenario, Supply, Unit};
use crate::random::Random;

/// What the draw is for; the first word of its key.
pub(super) mod stream {
    pub(crate) const AVAILABILITY: u64 = 1;
    pub(crate) const OFFER: u64 = 2;
    pub(crate) const BID: u64 = 3;
    pub(crate) const METER: u64 = 4;
}

/// An order that a member means to place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedOrder {
    /// Position of the member in the scenario.
    pub member: usize,
    /// Position of the unit in the member's list; nothing for a consumer.
    pub unit: Option<usize>,
    /// Whether it buys or sells.
    pub side: Side,
    /// The delivery hour, from 0.
    pub period: u8,
    /// The limit: of a sell without carbon, of a buy all in all. On the tick.
    pub limit: Price,
    /// How much; whole lots, never zero.
    pub quantity: Energy,
}

/// All orders of one delivery day, by period, within it by member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayPlan {
    /// The number of the day since the scenario's first.
    pub day_number: u32,
    /// The orders.
    pub orders: Vec<PlannedOrder>,
}

impl Scenario {
    /// Draws the orders of a day. The same scenario and number give the same orders.
    ///
    /// Days 5 and 6 of each week of seven have the weekend's load; the renewable shapes repeat
    /// after their last day.
    #[must_use]
    pub fn day(&self, day_number: u32) -> DayPlan {
        let mut orders = Vec::new();
        for period in 0..24 {
            for (index, member) in self.members.iter().enumerate() {
                let at = At { day: day_number, period, member: index };
                for (unit_index, unit) in member.units.iter().enumerate() {
                    self.offers(at, (unit_index, unit), &mut orders);
                }
                self.bids(at, member, &mut orders);
            }
        }
        DayPlan { day_number, orders }
    }

    /// The sells of one unit in one period: equal segments, each cheaper one a step below the
    /// next, the dearest at the registered cost, all less a random mark-down.
    fn offers(&self, at: At, (index, unit): (usize, &Unit), orders: &mut Vec<PlannedOrder>) {
        let kwh = self.available_kwh(at, index, unit);
        let segments = match unit.supply {
            Supply::Segments(segments) => i64::from(segments),
            Supply::Shape(_) => 1,
        };
        let cost = unit.registered_cost.milli_yuan_per_mwh();
        for segment in 0..segments {
            let mut random = at.random(self.seed, stream::OFFER, &[key(index), key(segment)]);
            let step = (segments - 1 - segment) * self.offers.segment_step_bp;
            let markdown = random.between(0, self.offers.markdown_bp_max);
            let ask = cost - cost * (step + markdown) / 10_000;
            orders.extend(self.order(at, Side::Sell, Some(index), (ask, kwh / segments)));
        }
    }

    fn available_kwh(&self, at: At, index: usize, unit: &Unit) -> i64 {
        let kw = unit.capacity.kw();
        match unit.supply {
            Supply::Segments(_) => {
                // One draw for the whole day, so the period is not part of the key.
                let whole_day = At { period: 0, ..at };
                let mut random = whole_day.random(self.seed, stream::AVAILABILITY, &[key(index)]);
                kw * random.between(self.offers.availability_bp_min, 10_000) / 10_000
            }
            Supply::Shape(column) => {
                let days = u32::try_from(self.renewable_days.len()).unwrap_or(u32::MAX);
                let day = &self.renewable_days[usize_of(at.day % days)];
                kw * day[column][usize::from(at.period)] / 1_000
            }
        }
    }

    /// The buys of one consumer in one period: its load in steps of falling limits.
    fn bids(&self, at: At, member: &Member, orders: &mut Vec<PlannedOrder>) {
        let Some(load) = member.load else { return };
        let shape = if at.day % 7 < 5 { &self.demand.workday } else { &self.demand.weekend };
        let kwh = load.kw() * shape[usize::from(at.period)] / 1_000;
        for (index, step) in self.demand.steps.iter().enumerate() {
            let mut random = at.random(self.seed, stream::BID, &[key(index)]);
            let price_noise = self.demand.price_noise;
            let limit = step.limit_milli_yuan_per_mwh + random.between(-price_noise, price_noise);
            let volume_noise = self.demand.volume_noise_bp;
            let volume_bp = 10_000 + random.between(-volume_noise, volume_noise);
            let kwh = kwh * step.share_bp / 10_000 * volume_bp / 10_000;
            orders.extend(self.order(at, Side::Buy, None, (limit, kwh)));
        }
    }

    /// The order on the tick, in the price band and in whole lots; nothing below one lot.
    fn order(
        &self,
        at: At,
        side: Side,
        unit: Option<usize>,
        (milli, kwh): (i64, i64),
    ) -> Option<PlannedOrder> {
        let lot = self.market.lot.kwh();
        let quantity = Energy::from_kwh(kwh / lot * lot);
        let band =
            (self.market.floor.milli_yuan_per_mwh(), self.market.ceiling.milli_yuan_per_mwh());
        let limit = on_tick(&self.market, milli.clamp(band.0, band.1));
        (!quantity.is_zero()).then_some(PlannedOrder {
            member: at.member,
            unit,
            side,
            period: at.period,
            limit,
            quantity,
        })
    }
}

/// Whose order, and for when.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) day: u32,
    pub(super) period: u8,
    pub(super) member: usize,
}

impl At {
    pub(super) fn random(self, seed: u64, stream: u64, rest: &[u64]) -> Random {
        let mut words = vec![stream, self.day.into(), self.period.into(), key(self.member)];
        words.extend_from_slice(rest);
        Random::keyed(seed, &words)
    }
}

/// A position as a word of a key.
pub(super) fn key(position: impl TryInto<u64>) -> u64 {
    position.try_into().unwrap_or(u64::MAX)
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
