//! The allowance market: its terms and day, open orders, biddings, deals.

use crate::codec::{Decode, DecodeError, Encode, coded, record};
use crate::hash::{Digest, hash};
use crate::ids::{CarbonBiddingId, CarbonOrderId, ChannelId, OrganisationId};
use duet_market::allowance::bidding::Pricing;
use duet_market::order::Side;
use duet_units::{
    Allowances, BasisPoints, CarbonPrice, ClockTime, DeliveryDay, Money, OverflowError,
    div_half_away,
};

const BLOCK_DOMAIN: &[u8] = b"duet/carbon-block/v1";

record! {
    /// A span of the day: from a minute to before another, counted from 00:00 in UTC+8.
    pub struct Hours {
        /// The first minute.
        pub from: u16,
        /// The minute behind the last.
        pub until: u16,
    }
}

impl Hours {
    /// Whether the minute lies in the span.
    #[must_use]
    pub const fn hold(&self, minute: u16) -> bool {
        self.from <= minute && minute < self.until
    }
}

record! {
    /// The terms of the allowance market.
    pub struct CarbonTerms {
        /// The first part of the hours of listed agreements.
        pub morning: Hours,
        /// Their second part.
        pub afternoon: Hours,
        /// The hours of block agreements.
        pub block: Hours,
        /// How far a listing may be from the previous close.
        pub listed_band: BasisPoints,
        /// How far a block agreement may be from the previous close.
        pub block_band: BasisPoints,
        /// Whether block agreements count for the close.
        pub blocks_count: bool,
    }
}

impl CarbonTerms {
    /// 9:30 to 11:30 and 13:00 to 15:00, blocks 13:00 to 15:00; 10 % and 30 %; blocks do not
    /// count for the close.
    pub const USUAL: Self = Self {
        morning: Hours { from: 570, until: 690 },
        afternoon: Hours { from: 780, until: 900 },
        block: Hours { from: 780, until: 900 },
        listed_band: BasisPoints::from_bp(1_000),
        block_band: BasisPoints::from_bp(3_000),
        blocks_count: false,
    };

    /// The minute at which the day closes: the end of the last hours.
    #[must_use]
    pub fn day_closes(&self) -> u16 {
        self.morning.until.max(self.afternoon.until).max(self.block.until)
    }
}

record! {
    /// The allowance market: its terms, and its current day.
    pub struct CarbonMarket {
        /// The terms of the day.
        pub terms: CarbonTerms,
        /// The terms from the next day on, if they are others.
        pub next_terms: Option<CarbonTerms>,
        /// The day.
        pub day: DeliveryDay,
        /// The close of the day before: the reference price of allowances.
        pub previous_close: CarbonPrice,
        /// The price of the first listed deal of the day.
        pub first: Option<CarbonPrice>,
        /// What was dealt on the day and counts for the close.
        pub dealt: Allowances,
        /// What was paid for it.
        pub paid: Money,
    }
}

impl CarbonMarket {
    /// The close if the day ended now: the mean price of what counts, weighted by quantity and
    /// rounded half away from zero; the previous close if there is nothing.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the price does not fit, which no deals lead to.
    pub fn close(&self) -> Result<CarbonPrice, OverflowError> {
        if self.dealt.is_zero() {
            return Ok(self.previous_close);
        }
        div_half_away(self.paid.fen(), self.dealt.t().into())
            .and_then(|fen| i64::try_from(fen).ok())
            .map(CarbonPrice::from_fen_per_t)
            .ok_or(OverflowError { operation: "closing price", unit: "fen/t" })
    }
}

record! {
    /// An open order of the allowance market; ended ones are removed.
    ///
    /// A sell order keeps `allowances` locked, a buy order their value at `price` in escrow.
    pub struct CarbonOrder {
        /// Its owner.
        pub owner: OrganisationId,
        /// What the owner does.
        pub side: Side,
        /// What is left of it.
        pub allowances: Allowances,
        /// The price of a tonne.
        pub price: CarbonPrice,
        /// Of the proposal of a block: the other party.
        pub counterparty: Option<OrganisationId>,
        /// Of a bid: the bidding.
        pub bidding: Option<CarbonBiddingId>,
    }
}

impl CarbonOrder {
    /// Whether it is a listing, neither a block nor a bid.
    #[must_use]
    pub const fn is_listing(&self) -> bool {
        self.counterparty.is_none() && self.bidding.is_none()
    }

    /// What both parties of a block agreement sign.
    #[must_use]
    pub fn proposal_hash(&self, channel: &ChannelId, id: CarbonOrderId) -> Digest {
        hash(BLOCK_DOMAIN, &[channel, &id.to_bytes(), &self.to_bytes()])
    }
}

coded! {
    /// Where a bidding stands.
    pub enum CarbonBiddingState ("bidding state") {
        /// Taking bids, or about to.
        Open = 0,
        /// Awarded: final.
        Awarded = 1,
    }
}

record! {
    /// A one-way bidding. While it is open, a sale keeps `allowances` locked, a purchase their
    /// value at the reserve in escrow.
    pub struct CarbonBidding {
        /// Who announced it.
        pub owner: OrganisationId,
        /// What the owner does; the bidders do the opposite.
        pub side: Side,
        /// How much is offered or wanted.
        pub allowances: Allowances,
        /// The worst price the owner takes.
        pub reserve: CarbonPrice,
        /// What winners pay or get.
        pub pricing: Pricing,
        /// When bids are taken from.
        pub opens: ClockTime,
        /// When it is awarded.
        pub closes: ClockTime,
        /// Where it stands.
        pub state: CarbonBiddingState,
        /// How much was awarded.
        pub awarded: Allowances,
    }
}

coded! {
    /// How a deal came about.
    pub enum CarbonMode ("carbon mode") {
        /// A listed agreement.
        Listed = 0,
        /// A block agreement.
        Block = 1,
        /// A one-way bidding.
        Bidding = 2,
    }
}

record! {
    /// A deal in allowances: delivered and paid in one.
    pub struct CarbonDeal {
        /// When: the time of its block.
        pub time: ClockTime,
        /// How.
        pub mode: CarbonMode,
        /// The listing, proposal or bid.
        pub order: CarbonOrderId,
        /// Who gave the allowances.
        pub seller: OrganisationId,
        /// Who paid.
        pub buyer: OrganisationId,
        /// How much.
        pub allowances: Allowances,
        /// The price of a tonne.
        pub price: CarbonPrice,
        /// What was paid.
        pub amount: Money,
    }
}

impl Encode for Pricing {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::PayAsBid => 0,
            Self::Uniform => 1,
        });
    }
}

impl Decode for Pricing {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            0 => Ok(Self::PayAsBid),
            1 => Ok(Self::Uniform),
            value => Err(DecodeError::UnknownTag { field: "pricing", value: value.into() }),
        }
    }
}
