//! Rules of the market.

use super::{Big, Day, Rationing, SecondStageDesign, mirror, shape, view};
use duet_units::{BasisPoints, Energy, Money, Price};

mirror! {
    /// Over what time a deviation scheme compares contracts and meters.
    #[derive(Default)]
    DeviationPeriod {
        /// Each delivery day; its lines are those of the day.
        #[default]
        Day,
        /// The calendar month; its lines are made when the month is closed.
        Month,
    }
}

mirror! {
    /// How takers share a listing.
    Sharing {
        /// The earlier taker first.
        Time,
        /// In proportion to what they declared.
        ProRata,
        /// By windows of a quarter of an hour, clean energy first in each.
        Windows,
    }
}

mirror! {
    /// Which carbon cost an offer may carry.
    CostBasis {
        /// None.
        None,
        /// Of all emissions.
        Full,
        /// Of emissions above the benchmark.
        NetOfBenchmark,
    }
}

mirror! {
    /// How contracts and metered energy become statement lines.
    SettlementMethod {
        /// Contracts at their prices, the rest as deviation.
        Contract,
        /// All energy at spot prices, contracts as differences.
        One,
        /// Contracts in full, spot energy as deviations from them.
        Two,
    }
}

mirror! {
    /// Where the reference price of contracts comes from.
    ReferencePrice {
        /// The notice of the session gives it.
        Notice,
        /// The published day-ahead price.
        DayAhead,
        /// The published real-time price.
        RealTime,
    }
}

shape! {
    /// What a rule lays down for matching.
    TradingRule {
        /// The step of limit prices.
        tick_milli_yuan_per_mwh: i64,
        /// The step of quantities.
        lot_kwh: i64,
        /// The lowest limit price that a session may allow.
        floor_milli_yuan_per_mwh: i64,
        /// The highest limit price that a session may allow.
        ceiling_milli_yuan_per_mwh: i64,
        /// Where in the interval of competitive prices the price lies: numerator ...
        price_numerator: u32,
        /// ... and denominator.
        price_denominator: u32,
        /// Who is served first at the margin.
        rationing: Rationing,
        /// How far below the lowest bid the uniform price lies where curves do not cross.
        k1_bp: i64,
        /// How far below its bid the price of a pair lies.
        k2_bp: i64,
        /// With fewer participants in the call, the continuous phase begins at the mean of bid and
        /// ask.
        n1: u16,
        /// How takers share a listing.
        sharing: Sharing,
        /// The second stage of joint sessions.
        second_stage: SecondStageDesign,
        /// The highest compensation per unit in the second stage.
        compensation_cap_milli_yuan_per_mwh: i64,
        /// The share of the over-conduction rent that funds compensation.
        fund_share_bp: i64,
        /// The chance that the second stage is held in a period.
        second_stage_chance_bp: i64,
    }
}

shape! {
    /// A fee on one side of a trade.
    Fee {
        /// Per unit of energy.
        per_energy_milli_yuan_per_mwh: i64,
        /// Of the value of the trade, in millionths.
        of_value_ppm: i64,
        /// Per trade.
        fixed_fen: Big,
        /// The least fee.
        min_fen: Big,
        /// The highest fee; none if there is no cap.
        cap_fen: Option<Big>,
    }
}

shape! {
    /// The shares of metered energy between which contracts must lie.
    Clawback {
        /// The least share.
        least_bp: i64,
        /// The highest share.
        most_bp: i64,
        /// The factor on the price where contracts lack.
        lacking_bp: i64,
        /// The factor on the price where contracts are too many.
        excess_bp: i64,
    }
}

/// What a deviation costs; `scheme` says which way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
pub enum Deviation {
    /// The price of deviations, and nothing more.
    Price,
    /// The spread of the auction for a surplus, three times it for a shortage.
    Spread,
    /// A share of the price beyond a free band.
    FreeBand {
        /// The free share of the contract.
        free_bp: i64,
        /// The share of the price that is charged beyond it.
        share_bp: i64,
    },
    /// What was gained by contracting too little or too much.
    Contracting {
        /// Of users.
        user: Clawback,
        /// Of coal and gas.
        thermal: Clawback,
        /// Of wind and sun.
        renewable: Clawback,
    },
    /// The same for all participants alike, outside one band.
    Band(Clawback),
}

shape! {
    /// When statements become final, in working days of the month after delivery.
    StatementCalendar {
        /// The day by which a statement is sent for checking.
        statement_day: u8,
        /// How many days there are to object.
        objection_days: u8,
        /// The day by which it is final.
        final_day: u8,
        /// The day by which it is billed.
        bill_day: u8,
    }
}

shape! {
    /// What a member's guarantee must cover before it trades.
    GuaranteeRule {
        /// The share of the guarantee that counts (H).
        usable_bp: i64,
        /// The safety margin on the reference price (Q).
        margin_bp: i64,
        /// What a kWh of use is reckoned at.
        unit_charge_milli_yuan_per_mwh: i64,
    }
}

shape! {
    /// A version of the rules of one province's market.
    MarketRule {
        /// The province or area.
        province: String,
        /// The version within the province, from 1 without gaps.
        version: u32,
        /// The first delivery day on which it is in effect.
        effective_from: Day,
        /// The last one; none if it stays in effect.
        effective_until: Option<Day>,
        /// How long before its first day the next version must be published.
        notice_hours: u16,
        /// What it lays down for matching.
        trading: TradingRule,
        /// What the buyer of a trade pays to the exchange.
        buyer_fee: Fee,
        /// What the seller of a trade pays to the exchange.
        seller_fee: Fee,
        /// What a deviation costs.
        deviation: Deviation,
        /// Over what time contracts and meters are compared: of schemes with a band.
        #[serde(default)]
        deviation_period: DeviationPeriod,
        /// How energy becomes statement lines.
        settlement: SettlementMethod,
        /// Where the reference price comes from.
        reference: ReferencePrice,
        /// Which carbon cost an offer may carry.
        cost_basis: CostBasis,
        /// When statements become final.
        calendar: StatementCalendar,
        /// What guarantees must cover; none if trading needs none.
        guarantee: Option<GuaranteeRule>,
    }
}

view! {
    /// A published rule.
    PublishedRule(id: duet_ledger::RuleId, row: &duet_ledger::MarketRule) {
        /// Its number.
        id: u32 = id.0;
        /// What it lays down.
        rule: MarketRule = row.clone().into();
    }
}

/// Converts both ways between a record of the ledger and its JSON form.
macro_rules! both_ways {
    ($ledger:ident, $wire:ident { $($field:ident: $in:expr => $name:ident: $out:expr;)* }) => {
        impl From<duet_ledger::$ledger> for $wire {
            fn from(row: duet_ledger::$ledger) -> Self {
                Self { $($name: $in(row.$field),)* }
            }
        }
        impl From<$wire> for duet_ledger::$ledger {
            fn from(wire: $wire) -> Self {
                Self { $($field: $out(wire.$name),)* }
            }
        }
    };
}

const fn milli(price: Price) -> i64 {
    price.milli_yuan_per_mwh()
}

const fn price(milli: i64) -> Price {
    Price::from_milli_yuan_per_mwh(milli)
}

const fn big(money: Money) -> Big {
    Big(money.fen())
}

const fn money(fen: Big) -> Money {
    Money::from_fen(fen.0)
}

const fn same<T: Copy>(value: T) -> T {
    value
}

both_ways! {
    TradingRule, TradingRule {
        tick: milli => tick_milli_yuan_per_mwh: price;
        lot: Energy::kwh => lot_kwh: Energy::from_kwh;
        floor: milli => floor_milli_yuan_per_mwh: price;
        ceiling: milli => ceiling_milli_yuan_per_mwh: price;
        price_numerator: same => price_numerator: same;
        price_denominator: same => price_denominator: same;
        rationing: Into::into => rationing: Into::into;
        k1: BasisPoints::bp => k1_bp: BasisPoints::from_bp;
        k2: BasisPoints::bp => k2_bp: BasisPoints::from_bp;
        n1: same => n1: same;
        sharing: Into::into => sharing: Into::into;
        second_stage: Into::into => second_stage: Into::into;
        compensation_cap: milli => compensation_cap_milli_yuan_per_mwh: price;
        fund_share: BasisPoints::bp => fund_share_bp: BasisPoints::from_bp;
        second_stage_chance: BasisPoints::bp => second_stage_chance_bp: BasisPoints::from_bp;
    }
}

both_ways! {
    FeeRule, Fee {
        per_energy: milli => per_energy_milli_yuan_per_mwh: price;
        of_value_ppm: same => of_value_ppm: same;
        fixed: big => fixed_fen: money;
        min: big => min_fen: money;
        cap: (|cap: Option<Money>| cap.map(big)) => cap_fen: (|cap: Option<Big>| cap.map(money));
    }
}

both_ways! {
    Clawback, Clawback {
        least: BasisPoints::bp => least_bp: BasisPoints::from_bp;
        most: BasisPoints::bp => most_bp: BasisPoints::from_bp;
        lacking: BasisPoints::bp => lacking_bp: BasisPoints::from_bp;
        excess: BasisPoints::bp => excess_bp: BasisPoints::from_bp;
    }
}

both_ways! {
    StatementCalendar, StatementCalendar {
        statement_day: same => statement_day: same;
        objection_days: same => objection_days: same;
        final_day: same => final_day: same;
        bill_day: same => bill_day: same;
    }
}

both_ways! {
    GuaranteeRule, GuaranteeRule {
        usable: BasisPoints::bp => usable_bp: BasisPoints::from_bp;
        margin: BasisPoints::bp => margin_bp: BasisPoints::from_bp;
        unit_charge: milli => unit_charge_milli_yuan_per_mwh: price;
    }
}

both_ways! {
    MarketRule, MarketRule {
        province: String::from => province: String::from;
        version: same => version: same;
        effective_from: Day => effective_from: (|day: Day| day.0);
        effective_until: (|day: Option<_>| day.map(Day)) =>
            effective_until: (|day: Option<Day>| day.map(|day| day.0));
        notice_hours: same => notice_hours: same;
        trading: Into::into => trading: Into::into;
        buyer_fee: Into::into => buyer_fee: Into::into;
        seller_fee: Into::into => seller_fee: Into::into;
        deviation: Into::into => deviation: Into::into;
        deviation_period: Into::into => deviation_period: Into::into;
        settlement: Into::into => settlement: Into::into;
        reference: Into::into => reference: Into::into;
        cost_basis: Into::into => cost_basis: Into::into;
        calendar: Into::into => calendar: Into::into;
        guarantee: (|rule: Option<duet_ledger::GuaranteeRule>| rule.map(Into::into)) =>
            guarantee: (|rule: Option<GuaranteeRule>| rule.map(Into::into));
    }
}

impl From<duet_ledger::DeviationScheme> for Deviation {
    fn from(row: duet_ledger::DeviationScheme) -> Self {
        use duet_ledger::DeviationScheme as L;
        match row {
            L::Price => Self::Price,
            L::Spread => Self::Spread,
            L::FreeBand(terms) => {
                Self::FreeBand { free_bp: terms.free.bp(), share_bp: terms.share.bp() }
            }
            L::Contracting(terms) => Self::Contracting {
                user: terms.user.into(),
                thermal: terms.thermal.into(),
                renewable: terms.renewable.into(),
            },
            L::Band(terms) => Self::Band(terms.into()),
        }
    }
}

impl From<Deviation> for duet_ledger::DeviationScheme {
    fn from(wire: Deviation) -> Self {
        match wire {
            Deviation::Price => Self::Price,
            Deviation::Spread => Self::Spread,
            Deviation::FreeBand { free_bp, share_bp } => {
                Self::FreeBand(duet_ledger::FreeBandTerms {
                    free: BasisPoints::from_bp(free_bp),
                    share: BasisPoints::from_bp(share_bp),
                })
            }
            Deviation::Contracting { user, thermal, renewable } => {
                Self::Contracting(duet_ledger::ContractingTerms {
                    user: user.into(),
                    thermal: thermal.into(),
                    renewable: renewable.into(),
                })
            }
            Deviation::Band(terms) => Self::Band(terms.into()),
        }
    }
}
