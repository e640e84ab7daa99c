//! A joint session: the terms in its notice, its life, and what came of it.

use crate::codec::{coded, record};
use crate::hash::Digest;
use duet_market::order::Rationing;
use duet_units::{
    BasisPoints, CarbonPrice, ClockTime, DeliveryDay, Energy, Money, Price, Resolution,
};

use crate::codec::{Decode, DecodeError, Encode};

coded! {
    /// Where a session stands.
    pub enum Phase ("phase") {
        /// Announced; its gate is not open yet.
        Announced = 0,
        /// Taking orders.
        Open = 1,
        /// Halted by an intervention: no orders until resumed.
        Halted = 2,
        /// Cleared; waiting for payments, dispatch, delivery.
        Cleared = 3,
        /// Settled: final.
        Settled = 4,
        /// Called off: every order expired, nothing traded.
        Void = 5,
    }
}

impl Phase {
    /// Whether the session has not ended.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Settled | Self::Void)
    }
}

impl Encode for Rationing {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::ProRata => 0,
            Self::Time => 1,
            Self::GreenFirst => 2,
        });
    }
}

impl Decode for Rationing {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            0 => Ok(Self::ProRata),
            1 => Ok(Self::Time),
            2 => Ok(Self::GreenFirst),
            value => Err(DecodeError::UnknownTag { field: "rationing", value: value.into() }),
        }
    }
}

impl Encode for Resolution {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.periods());
    }
}

impl Decode for Resolution {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            24 => Ok(Self::Hour),
            96 => Ok(Self::Quarter),
            value => Err(DecodeError::UnknownTag { field: "resolution", value: value.into() }),
        }
    }
}

record! {
    /// The terms under which a session runs: part of its notice, never changed afterwards.
    pub struct SessionTerms {
        /// The periods of the day.
        pub resolution: Resolution,
        /// The lowest limit price.
        pub floor: Price,
        /// The highest limit price and the highest effective ask.
        pub ceiling: Price,
        /// The step of limit prices.
        pub tick: Price,
        /// The step of quantities.
        pub lot: Energy,
        /// The price at which deviations settle in a period without a clearing price.
        pub reference_price: Price,
        /// The price of allowances that the carbon adder of offers uses.
        pub carbon_price: CarbonPrice,
        /// Where in the interval of competitive prices the price lies: numerator ...
        pub price_numerator: u32,
        /// ... and denominator.
        pub price_denominator: u32,
        /// Who is served first at the margin.
        pub rationing: Rationing,
        /// Whether the second stage is run.
        pub second_stage: bool,
        /// The highest compensation per unit in the second stage.
        pub compensation_cap: Price,
        /// The share of the over-conduction rent that funds compensation.
        pub fund_share: BasisPoints,
    }
}

record! {
    /// A joint session for one delivery day.
    pub struct Session {
        /// The day of delivery.
        pub day: DeliveryDay,
        /// Orders are taken from here ...
        pub gate_open: ClockTime,
        /// ... to before here; the first block at or after it clears the session.
        pub gate_close: ClockTime,
        /// The terms.
        pub terms: SessionTerms,
        /// Where it stands.
        pub phase: Phase,
        /// How many orders were accepted.
        pub orders: u32,
        /// Whether dispatch has been issued.
        pub dispatched: bool,
        /// The hash over clearings, trades, statement lines and certificates, once settled.
        pub result_hash: Option<Digest>,
    }
}

record! {
    /// What one period cleared at.
    pub struct PeriodClearing {
        /// The uniform price of the first stage; none if nothing traded.
        pub price: Option<Price>,
        /// Energy traded in the first stage.
        pub volume: Energy,
        /// What buyers pay in the second stage; none if it did not trade.
        pub buyer_price: Option<Price>,
        /// The marginal price of sellers in the second stage.
        pub seller_price: Option<Price>,
        /// Energy traded in the second stage.
        pub second_volume: Energy,
        /// Compensation paid to sellers of the second stage.
        pub compensation: Money,
        /// The most that could have been paid, rounded down.
        pub fund: Money,
    }
}
