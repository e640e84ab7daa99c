//! A session: its mode and terms, which its notice gives, its life, and what came of it.

use crate::codec::{coded, record};
use crate::hash::Digest;
use crate::ids::RuleId;
use duet_market::game::Design;
use duet_market::listing::Sharing;
use duet_market::order::{Rationing, Side};
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
        /// The call has cleared; orders match on arrival.
        Continuous = 6,
        /// Cleared; waiting for payments, dispatch, delivery.
        Cleared = 3,
        /// Settled: final.
        Settled = 4,
        /// Called off: every order expired, nothing traded.
        Void = 5,
    }
}

/// How a session matches orders.
///
/// A joint session is the last one before a delivery day and the one under which the day is
/// dispatched and settled. All others make contracts for one or more delivery days ahead of it.
///
/// # Source
///
/// market-rules.md 4.3 to 4.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// 0: The two-stage game over a call auction, with the carbon adder in every ask.
    Joint,
    /// 1: Centralised bidding at the uniform marginal price: this share `K1` below the bid of the
    /// last matched pair.
    Uniform(BasisPoints),
    /// 2: Centralised bidding in pairs, each this share `K2` below its own bid.
    Pairwise(BasisPoints),
    /// 3: A call auction at the price of most volume.
    Call,
    /// 4: One side posts energy at a price, the other takes of it.
    Listing(ListingTerms),
    /// 5: Two parties agree; each signs the hash of the same contract.
    Bilateral,
    /// 6: Orders match on arrival, at the price of the one already in the book.
    Rolling,
    /// 7: A call auction, and then a phase in which orders match on arrival.
    Continuous(ContinuousTerms),
}

record! {
    /// The continuous phase after a call auction; its gate closes for the call.
    ///
    /// # Source
    ///
    /// market-rules.md 4.5: Shandong 4.5.10, 4.5.18-20.
    #[derive(Copy, PartialOrd, Ord, Hash)]
    pub struct ContinuousTerms {
        /// The phase ends before here, and with it the session.
        pub until: ClockTime,
        /// With fewer participants than this in the call of a period, the first price of its phase is
        /// the mean of bid and ask, not led by the price of the call (N1).
        pub n1: u16,
        /// So long before the call no order can be withdrawn, in milliseconds.
        pub freeze_ms: u32,
    }
}

record! {
    /// Who may list, and how takers share a listing.
    #[derive(Copy, PartialOrd, Ord, Hash)]
    pub struct ListingTerms {
        /// How takers share a listing that they together want more of than there is.
        pub sharing: Sharing,
        /// The side that lists; none if both may, and then every member keeps to one role and one
        /// direction.
        pub listers: Option<Side>,
    }
}

impl Mode {
    /// Whether delivery days are dispatched and settled under sessions of this mode.
    #[must_use]
    pub const fn is_joint(self) -> bool {
        matches!(self, Self::Joint)
    }

    /// Whether orders trade while the session is open, rather than when its gate closes.
    #[must_use]
    pub const fn trades_while_open(self) -> bool {
        matches!(self, Self::Bilateral)
    }
}

impl Encode for Mode {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Joint => out.push(0),
            Self::Uniform(k1) => (1_u8, *k1).encode(out),
            Self::Pairwise(k2) => (2_u8, *k2).encode(out),
            Self::Call => out.push(3),
            Self::Listing(terms) => (4_u8, *terms).encode(out),
            Self::Bilateral => out.push(5),
            Self::Rolling => out.push(6),
            Self::Continuous(terms) => (7_u8, *terms).encode(out),
        }
    }
}

impl Decode for Mode {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            0 => Ok(Self::Joint),
            1 => Decode::decode(input).map(Self::Uniform),
            2 => Decode::decode(input).map(Self::Pairwise),
            3 => Ok(Self::Call),
            4 => Decode::decode(input).map(Self::Listing),
            5 => Ok(Self::Bilateral),
            6 => Ok(Self::Rolling),
            7 => Decode::decode(input).map(Self::Continuous),
            value => Err(DecodeError::UnknownTag { field: "mode", value: value.into() }),
        }
    }
}

impl Phase {
    /// Whether the session has not ended.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Settled | Self::Void)
    }
}

coded! {
    /// Where the price of allowances of a session comes from.
    pub enum CarbonReference ("carbon reference") {
        /// Its notice names it.
        Notice = 0,
        /// It is the close of the last day of the allowance market that has ended when the gate
        /// opens (market-rules.md 5).
        LastClose = 1,
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
        /// The price of allowances that the carbon adder of offers uses. Where it is the last
        /// close, it is zero in the notice and taken when the gate opens.
        pub carbon_price: CarbonPrice,
        /// Where in the interval of competitive prices the price lies: numerator ...
        pub price_numerator: u32,
        /// ... and denominator.
        pub price_denominator: u32,
        /// Who is served first at the margin.
        pub rationing: Rationing,
        /// The second stage of a joint session.
        pub second_stage: Design,
        /// The highest compensation per unit in the second stage.
        pub compensation_cap: Price,
        /// The share of the over-conduction rent that funds compensation.
        pub fund_share: BasisPoints,
        /// The chance that the second stage is held in a period; below the whole, a lottery
        /// decides when the gate closes.
        pub second_stage_chance: BasisPoints,
        /// Where the price of allowances comes from.
        pub carbon_reference: CarbonReference,
    }
}

impl SessionTerms {
    /// Whether a lottery decides about the second stage.
    #[must_use]
    pub fn has_lottery(&self) -> bool {
        self.second_stage != Design::None && self.second_stage_chance < BasisPoints::ONE
    }
}

record! {
    /// A session for a product: the energy of each period on one or more delivery days.
    pub struct Session {
        /// The rule of the market under which it runs; it never changes, so what came of the
        /// session does not, whatever is published later.
        pub rule: RuleId,
        /// How orders are matched.
        pub mode: Mode,
        /// The first day of delivery.
        pub day: DeliveryDay,
        /// How many days in a row; the energy of an order is that of each of them. One in a joint
        /// session.
        pub days: u16,
        /// Orders are taken from here ...
        pub gate_open: ClockTime,
        /// ... to before here; the first block at or after it clears the session.
        pub gate_close: ClockTime,
        /// The terms.
        pub terms: SessionTerms,
        /// Where it stands.
        pub phase: Phase,
        /// In the block of which height the call before its continuous phase cleared.
        pub called: Option<u64>,
        /// What the lottery of its second stage drew, once its gate has closed; none without one.
        pub draw: Option<Digest>,
        /// How many orders were accepted.
        pub orders: u32,
        /// Whether dispatch has been issued, in a session of several days for the first of them.
        pub dispatched: bool,
        /// How many of its days are settled.
        pub settled_days: u16,
        /// The hash over clearings, trades, statement lines and certificates: of a joint session
        /// once settled, of another once cleared, without lines.
        pub result_hash: Option<Digest>,
    }
}

record! {
    /// What one period cleared at.
    pub struct PeriodClearing {
        /// The price of the first stage; none if nothing traded. Under uplift, if the second stage
        /// trades, what the buyers of both stages pay.
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
        /// Whether the lottery had the second stage held; none without a lottery.
        pub drawn: Option<bool>,
    }
}

impl Session {
    /// Whether an order is matched as it arrives, not when the gate closes.
    #[must_use]
    pub const fn matches_on_arrival(&self) -> bool {
        match self.mode {
            Mode::Rolling => true,
            Mode::Continuous(_) => self.called.is_some(),
            _ => false,
        }
    }

    /// From when on the phase that it is in takes no orders.
    #[must_use]
    pub const fn closes_at(&self) -> ClockTime {
        match self.mode {
            Mode::Continuous(terms) if self.called.is_some() => terms.until,
            _ => self.gate_close,
        }
    }

    /// Whether no order can be withdrawn at `time`, for the call is near (Shandong 4.5.10).
    #[must_use]
    pub fn is_frozen(&self, time: ClockTime) -> bool {
        match self.mode {
            Mode::Continuous(terms) if self.called.is_none() => {
                let left = self.gate_close.unix_ms().saturating_sub(time.unix_ms());
                left <= i64::from(terms.freeze_ms)
            }
            _ => false,
        }
    }

    /// Whether its product is delivered on `day`.
    #[must_use]
    pub fn covers(&self, day: DeliveryDay) -> bool {
        let offset = i64::from(day.days()).saturating_sub(self.day.days().into());
        (0..i64::from(self.days)).contains(&offset)
    }

    /// The last of its delivery days.
    #[must_use]
    pub fn last_day(&self) -> DeliveryDay {
        let more = i32::from(self.days.saturating_sub(1));
        DeliveryDay::from_days(self.day.days().saturating_add(more))
    }

    /// Its delivery days, in order.
    pub fn delivery_days(&self) -> impl Iterator<Item = DeliveryDay> + use<> {
        let first = self.day.days();
        (0..self.days).map(move |n| DeliveryDay::from_days(first.saturating_add(n.into())))
    }
}
