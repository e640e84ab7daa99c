//! Sessions.

use super::{Big, Day, Hex32, Mode, mirror, view};
use duet_units::{BasisPoints, CarbonPrice, Energy, Price};
use serde::{Deserialize, Serialize};

mirror! {
    /// Where a session stands.
    Phase {
        /// Announced; its gate is not open yet.
        Announced,
        /// Taking orders.
        Open,
        /// Halted by an intervention: no orders until resumed.
        Halted,
        /// The call has cleared; orders match on arrival.
        Continuous,
        /// Cleared; waiting for payments, dispatch, delivery.
        Cleared,
        /// Settled: final.
        Settled,
        /// Called off: every order expired, nothing traded.
        Void,
    }
}

mirror! {
    /// Who is served first at the margin.
    Rationing {
        /// In proportion to quantity.
        ProRata,
        /// The earlier order first.
        Time,
        /// The lower emission factor first.
        GreenFirst,
    }
}

mirror! {
    /// The second stage of a joint session.
    SecondStageDesign {
        /// There is none: the call auction is all.
        None,
        /// A: the rest trades at two prices, and the first stage keeps its own.
        Compensation,
        /// D: the buyers of both stages pay the lowest accepted bid, sellers above it get their
        /// ask.
        Uplift,
    }
}

mirror! {
    /// Where the price of allowances of a session comes from.
    CarbonReference {
        /// Its notice names it.
        Notice,
        /// It is the close of the last day of the allowance market that has ended when the gate
        /// opens.
        LastClose,
    }
}

/// The length of a delivery period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// 24 periods of one hour.
    Hour,
    /// 96 periods of a quarter of an hour.
    Quarter,
}

impl From<duet_units::Resolution> for Resolution {
    fn from(value: duet_units::Resolution) -> Self {
        match value {
            duet_units::Resolution::Hour => Self::Hour,
            duet_units::Resolution::Quarter => Self::Quarter,
        }
    }
}

impl From<Resolution> for duet_units::Resolution {
    fn from(value: Resolution) -> Self {
        match value {
            Resolution::Hour => Self::Hour,
            Resolution::Quarter => Self::Quarter,
        }
    }
}

view! {
    /// The terms under which a session runs.
    SessionTerms(row: &duet_ledger::SessionTerms) {
        /// The periods of the day.
        resolution: Resolution = row.resolution.into();
        /// The lowest limit price.
        floor_milli_yuan_per_mwh: i64 = row.floor.milli_yuan_per_mwh();
        /// The highest limit price and the highest effective ask.
        ceiling_milli_yuan_per_mwh: i64 = row.ceiling.milli_yuan_per_mwh();
        /// The step of limit prices.
        tick_milli_yuan_per_mwh: i64 = row.tick.milli_yuan_per_mwh();
        /// The step of quantities.
        lot_kwh: i64 = row.lot.kwh();
        /// The price of deviations in a period without a clearing price.
        reference_price_milli_yuan_per_mwh: i64 = row.reference_price.milli_yuan_per_mwh();
        /// The price of allowances that the carbon adder of offers uses; where it is the last
        /// close, zero until the gate opens.
        carbon_price_fen_per_t: i64 = row.carbon_price.fen_per_t();
        /// Where in the interval of competitive prices the price lies: numerator ...
        price_numerator: u32 = row.price_numerator;
        /// ... and denominator.
        price_denominator: u32 = row.price_denominator;
        /// Who is served first at the margin.
        rationing: Rationing = row.rationing.into();
        /// The second stage of a joint session.
        second_stage: SecondStageDesign = row.second_stage.into();
        /// The highest compensation per unit in the second stage.
        compensation_cap_milli_yuan_per_mwh: i64 = row.compensation_cap.milli_yuan_per_mwh();
        /// The share of the over-conduction rent that funds compensation.
        fund_share_bp: i64 = row.fund_share.bp();
        /// The chance that the second stage is held in a period; below the whole, a lottery
        /// decides when the gate closes.
        second_stage_chance_bp: i64 = row.second_stage_chance.bp();
        /// Where the price of allowances comes from.
        carbon_reference: CarbonReference = row.carbon_reference.into();
    }
}

impl From<SessionTerms> for duet_ledger::SessionTerms {
    fn from(wire: SessionTerms) -> Self {
        let price = Price::from_milli_yuan_per_mwh;
        Self {
            resolution: wire.resolution.into(),
            floor: price(wire.floor_milli_yuan_per_mwh),
            ceiling: price(wire.ceiling_milli_yuan_per_mwh),
            tick: price(wire.tick_milli_yuan_per_mwh),
            lot: Energy::from_kwh(wire.lot_kwh),
            reference_price: price(wire.reference_price_milli_yuan_per_mwh),
            carbon_price: CarbonPrice::from_fen_per_t(wire.carbon_price_fen_per_t),
            price_numerator: wire.price_numerator,
            price_denominator: wire.price_denominator,
            rationing: wire.rationing.into(),
            second_stage: wire.second_stage.into(),
            compensation_cap: price(wire.compensation_cap_milli_yuan_per_mwh),
            fund_share: BasisPoints::from_bp(wire.fund_share_bp),
            second_stage_chance: BasisPoints::from_bp(wire.second_stage_chance_bp),
            carbon_reference: wire.carbon_reference.into(),
        }
    }
}

view! {
    /// A session for a product: the energy of each period on one or more delivery days.
    Session(id: duet_ledger::SessionId, row: &duet_ledger::Session) {
        /// Its number.
        id: u32 = id.0;
        /// The rule of the market under which it runs.
        rule: u32 = row.rule.0;
        /// How orders are matched.
        mode: Mode = row.mode.into();
        /// The first day of delivery.
        day: Day = Day(row.day);
        /// How many days in a row.
        days: u16 = row.days;
        /// Orders are taken from here ...
        gate_open_ms: i64 = row.gate_open.unix_ms();
        /// ... to before here.
        gate_close_ms: i64 = row.gate_close.unix_ms();
        /// The terms.
        terms: SessionTerms = SessionTerms::new(&row.terms);
        /// Where it stands.
        phase: Phase = row.phase.into();
        /// What the lottery of its second stage drew, once its gate has closed; none without one.
        draw: Option<Hex32> = row.draw.map(Hex32);
        /// How many orders were accepted.
        orders: u32 = row.orders;
        /// How many of its days are settled.
        settled_days: u16 = row.settled_days;
        /// The hash over its results: of a joint session once settled, else once cleared.
        result_hash: Option<Hex32> = row.result_hash.map(Hex32);
    }
}

view! {
    /// What one period cleared at.
    PeriodClearing(session: duet_ledger::SessionId, period: u8, row: &duet_ledger::PeriodClearing) {
        /// The session.
        session: u32 = session.0;
        /// The delivery period within the day.
        period: u8 = period;
        /// The price of the first stage; none if nothing traded. Under uplift, if the second stage
        /// trades, what the buyers of both stages pay.
        price_milli_yuan_per_mwh: Option<i64> = row.price.map(Price::milli_yuan_per_mwh);
        /// Energy traded in the first stage.
        volume_kwh: i64 = row.volume.kwh();
        /// What buyers pay in the second stage; none if it did not trade.
        buyer_price_milli_yuan_per_mwh: Option<i64> = row.buyer_price.map(Price::milli_yuan_per_mwh);
        /// The marginal price of sellers in the second stage.
        seller_price_milli_yuan_per_mwh: Option<i64> = row.seller_price.map(Price::milli_yuan_per_mwh);
        /// Energy traded in the second stage.
        second_volume_kwh: i64 = row.second_volume.kwh();
        /// Compensation paid to sellers of the second stage.
        compensation_fen: Big = Big(row.compensation.fen());
        /// The most that could have been paid.
        fund_fen: Big = Big(row.fund.fen());
        /// Whether the lottery had the second stage held; none without a lottery.
        drawn: Option<bool> = row.drawn;
    }
}

view! {
    /// What one price of a book shows: energy, but not whose.
    DepthLevel(row: &duet_ledger::DepthLevel) {
        /// The price.
        price_milli_yuan_per_mwh: i64 = row.price.milli_yuan_per_mwh();
        /// The energy of all orders at it.
        quantity_kwh: i64 = row.quantity.kwh();
        /// How many orders that is.
        orders: u32 = row.orders;
    }
}

view! {
    /// The best five levels of each side of a book, best first.
    Depth(session: duet_ledger::SessionId, period: u8, row: &duet_ledger::Depth) {
        /// The session.
        session: u32 = session.0;
        /// The delivery period within the day.
        period: u8 = period;
        /// Of buyers.
        bids: Vec<DepthLevel> = row.bids.iter().map(DepthLevel::new).collect();
        /// Of sellers.
        asks: Vec<DepthLevel> = row.asks.iter().map(DepthLevel::new).collect();
    }
}
