//! Rules of the market: what a province lays down and a session refers to.

mod bounds;

use super::SessionTerms;
use crate::codec::{Decode, DecodeError, Encode, coded, record};
use duet_market::carbon::passthrough::CostBasis;
use duet_market::deviation::Clawback;
use duet_market::fee::FeeRule;
use duet_market::game::Design;
use duet_market::listing::Sharing;
use duet_market::order::Rationing;
use duet_units::{BasisPoints, DeliveryDay, Energy, Money, Price};

record! {
    /// What a rule lays down for matching. Sessions take their terms from it.
    pub struct TradingRule {
        /// The step of limit prices.
        pub tick: Price,
        /// The step of quantities.
        pub lot: Energy,
        /// The lowest limit price that a session may allow.
        pub floor: Price,
        /// The highest limit price that a session may allow.
        pub ceiling: Price,
        /// Where in the interval of competitive prices the price lies: numerator ...
        pub price_numerator: u32,
        /// ... and denominator.
        pub price_denominator: u32,
        /// Who is served first at the margin.
        pub rationing: Rationing,
        /// How far below the lowest bid the uniform price lies where curves do not cross (K1).
        pub k1: BasisPoints,
        /// How far below its bid the price of a pair lies (K2).
        pub k2: BasisPoints,
        /// With fewer participants than this in the call, the first price of the continuous phase
        /// is the mean of bid and ask (N1).
        pub n1: u16,
        /// How takers share a listing.
        pub sharing: Sharing,
        /// The second stage of joint sessions.
        pub second_stage: Design,
        /// The highest compensation per unit in the second stage.
        pub compensation_cap: Price,
        /// The share of the over-conduction rent that funds compensation.
        pub fund_share: BasisPoints,
        /// The chance that the second stage is held in a period.
        pub second_stage_chance: BasisPoints,
    }
}

coded! {
    /// Over what time a deviation scheme compares contracts and meters.
    pub enum DeviationPeriod ("deviation period") {
        /// Each delivery day; its lines are those of the day.
        Day = 0,
        /// The calendar month; its lines are made when the month is closed.
        Month = 1,
    }
}

record! {
    /// A band around the contract in which a deviation costs nothing more.
    pub struct FreeBandTerms {
        /// The free share of the contract.
        pub free: BasisPoints,
        /// The share of the price that is charged beyond it.
        pub share: BasisPoints,
    }
}

record! {
    /// How much of its metered energy a participant must have under contract, by what it is.
    pub struct ContractingTerms {
        /// Of users.
        pub user: Clawback,
        /// Of coal and gas.
        pub thermal: Clawback,
        /// Of wind and sun.
        pub renewable: Clawback,
    }
}

/// What a deviation of metered from contracted energy costs.
///
/// # Source
///
/// market-rules.md 4.10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviationScheme {
    /// 0: The price of deviations, and nothing more.
    Price,
    /// 1: The spread of the auction for a surplus, three times it for a shortage.
    Spread,
    /// 2: A share of the price beyond a free band.
    FreeBand(FreeBandTerms),
    /// 3: What was gained by contracting too little or too much.
    Contracting(ContractingTerms),
    /// 4: The same for all participants alike, outside one band.
    Band(Clawback),
}

impl Encode for DeviationScheme {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Price => out.push(0),
            Self::Spread => out.push(1),
            Self::FreeBand(terms) => {
                out.push(2);
                terms.encode(out);
            }
            Self::Contracting(terms) => {
                out.push(3);
                terms.encode(out);
            }
            Self::Band(terms) => {
                out.push(4);
                terms.encode(out);
            }
        }
    }
}

impl Decode for DeviationScheme {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            0 => Ok(Self::Price),
            1 => Ok(Self::Spread),
            2 => Decode::decode(input).map(Self::FreeBand),
            3 => Decode::decode(input).map(Self::Contracting),
            4 => Decode::decode(input).map(Self::Band),
            value => {
                Err(DecodeError::UnknownTag { field: "deviation scheme", value: value.into() })
            }
        }
    }
}

impl Encode for Clawback {
    fn encode(&self, out: &mut Vec<u8>) {
        ((self.least, self.most), (self.lacking, self.excess)).encode(out);
    }
}

impl Decode for Clawback {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let ((least, most), (lacking, excess)) = Decode::decode(input)?;
        Ok(Self { least, most, lacking, excess })
    }
}

impl Encode for FeeRule {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.per_energy, self.of_value_ppm, self.fixed).encode(out);
        (self.min, self.cap).encode(out);
    }
}

impl Decode for FeeRule {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let (per_energy, of_value_ppm, fixed) = Decode::decode(input)?;
        let (min, cap): (Money, Option<Money>) = Decode::decode(input)?;
        Ok(Self { per_energy, of_value_ppm, fixed, min, cap })
    }
}

coded! {
    /// How contracts and metered energy become statement lines (market-rules.md 4.9).
    pub enum SettlementMethod ("settlement method") {
        /// Contracts at their prices, the rest as deviation: without a spot market.
        Contract = 0,
        /// All energy at spot prices, contracts as differences.
        One = 1,
        /// Contracts in full, spot energy as deviations from them.
        Two = 2,
    }
}

coded! {
    /// Where the reference price of contracts comes from.
    pub enum ReferencePrice ("reference price") {
        /// The notice of the session gives it.
        Notice = 0,
        /// The published day-ahead price.
        DayAhead = 1,
        /// The published real-time price.
        RealTime = 2,
    }
}

record! {
    /// When statements become final, in working days of the month after delivery
    /// (NDRC/NEA 2025-976 arts 38 to 42).
    pub struct StatementCalendar {
        /// The day by which a statement is sent for checking.
        pub statement_day: u8,
        /// How many days there are to object.
        pub objection_days: u8,
        /// The day by which it is final.
        pub final_day: u8,
        /// The day by which it is billed.
        pub bill_day: u8,
    }
}

impl StatementCalendar {
    /// Checking by day 5, a day to object, final by day 8, bill by day 10.
    pub const NATIONAL: Self =
        Self { statement_day: 5, objection_days: 1, final_day: 8, bill_day: 10 };
}

record! {
    /// What a member's guarantee must cover before it trades (Shandong 4.4.17 (4), 17.3).
    pub struct GuaranteeRule {
        /// The share of the guarantee that counts (H).
        pub usable: BasisPoints,
        /// The safety margin on the reference price (Q).
        pub margin: BasisPoints,
        /// What a kWh of use is reckoned at in the settlement risk.
        pub unit_charge: Price,
    }
}

record! {
    /// A version of the rules of one province's market. It is never changed: a later version of
    /// the province supersedes it for sessions announced afterwards.
    pub struct MarketRule {
        /// The province or area: 1 to 32 of A-Z, 0-9, `-` and `_`.
        pub province: String,
        /// The version within the province, from 1 without gaps.
        pub version: u32,
        /// The first delivery day on which it is in effect.
        pub effective_from: DeliveryDay,
        /// The last one; none if it stays in effect.
        pub effective_until: Option<DeliveryDay>,
        /// How long before its first day the next version must be published, in hours.
        pub notice_hours: u16,
        /// What it lays down for matching.
        pub trading: TradingRule,
        /// What the buyer of a trade pays to the exchange.
        pub buyer_fee: FeeRule,
        /// What the seller of a trade pays to the exchange.
        pub seller_fee: FeeRule,
        /// What a deviation costs.
        pub deviation: DeviationScheme,
        /// Over what time contracts and meters are compared: of schemes with a band.
        pub deviation_period: DeviationPeriod,
        /// How energy becomes statement lines.
        pub settlement: SettlementMethod,
        /// Where the reference price comes from.
        pub reference: ReferencePrice,
        /// Which carbon cost an offer may carry.
        pub cost_basis: CostBasis,
        /// When statements become final.
        pub calendar: StatementCalendar,
        /// What guarantees must cover; none if trading needs none.
        pub guarantee: Option<GuaranteeRule>,
    }
}

impl MarketRule {
    /// The first rule of a province whose sessions have these terms, in effect from the first day
    /// on: no fees, deviations at their price alone, no guarantee.
    #[must_use]
    pub fn plain(province: &str, terms: &SessionTerms) -> Self {
        Self {
            province: province.to_owned(),
            version: 1,
            effective_from: DeliveryDay::default(),
            effective_until: None,
            notice_hours: bounds::NOTICE_HOURS_MIN,
            trading: TradingRule {
                tick: terms.tick,
                lot: terms.lot,
                floor: terms.floor,
                ceiling: terms.ceiling,
                price_numerator: terms.price_numerator,
                price_denominator: terms.price_denominator,
                rationing: terms.rationing,
                k1: BasisPoints::ZERO,
                k2: BasisPoints::from_bp(5_000),
                n1: 10,
                sharing: Sharing::Time,
                second_stage: terms.second_stage,
                compensation_cap: terms.compensation_cap,
                fund_share: terms.fund_share,
                second_stage_chance: terms.second_stage_chance,
            },
            buyer_fee: FeeRule::FREE,
            seller_fee: FeeRule::FREE,
            deviation: DeviationScheme::Price,
            deviation_period: DeviationPeriod::Day,
            settlement: SettlementMethod::Contract,
            reference: ReferencePrice::Notice,
            cost_basis: CostBasis::Full,
            calendar: StatementCalendar::NATIONAL,
            guarantee: None,
        }
    }

    /// Whether it is in effect on a delivery day, later versions aside.
    #[must_use]
    pub fn covers(&self, day: DeliveryDay) -> bool {
        self.effective_from <= day && self.effective_until.is_none_or(|last| day <= last)
    }
}
