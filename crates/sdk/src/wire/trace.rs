//! Where a statement line comes from: its trade, orders, terms, readings and blocks.

use super::{
    Big, Day, GreenContract, Hex32, LaterLine, LineItem, MeterRecord, Objection, Order,
    PeriodClearing, Seal, Session, StatementLine, Trade, view,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};

/// Where the price of a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// The trade, as its session matched it.
    Trade,
    /// What the period cleared at.
    Clearing,
    /// The reference price of the session's notice, because the period did not clear.
    Reference,
    /// Published prices of the day.
    Published,
    /// The mean of the month's periods, weighted by what was metered.
    Month,
    /// The green contract.
    Contract,
    /// None: the amount is a share or a fee by its rule.
    Rule,
}

/// How the amount of a line comes about, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Formula {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// A transaction that a line depends on, in its block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TracedTransaction {
    /// What it did, as the kind of its action.
    pub kind: String,
    /// The height of its block.
    pub height: u64,
    /// The time of its block.
    pub time_ms: i64,
    /// Its place in the block.
    pub index: u32,
    /// Its hash.
    pub transaction: Hex32,
}

/// A statement line with everything that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LineTrace {
    /// The line.
    pub line: StatementLine,
    /// The delivery day.
    pub day: Day,
    /// How its amount comes about.
    pub formula: Formula,
    /// Where its price comes from.
    pub price_source: PriceSource,
    /// The joint session of the day, with its terms.
    pub session: Session,
    /// Of a line of a trade made in another session: that session.
    pub traded_in: Option<Session>,
    /// What the period of the trade, or else of the line, cleared at.
    pub clearing: Option<PeriodClearing>,
    /// The trade.
    pub trade: Option<Trade>,
    /// Its orders: the buyer's, then the seller's.
    pub orders: Vec<Order>,
    /// The readings of the unit that the line depends on.
    pub readings: Vec<MeterRecord>,
    /// The seal of the day.
    pub seal: Option<Seal>,
    /// The transactions, by height: orders, readings, settlement.
    pub transactions: Vec<TracedTransaction>,
    /// Of a transaction that was not found: what it is. A node that joined later may not have its
    /// block.
    pub not_found: Vec<String>,
}

view! {
    /// A unit's meter over a month, as its true-up compares it.
    MonthMeter(row: &duet_ledger::MeterMonth) {
        /// The sum of the settled days.
        metered_kwh: i64 = row.metered.kwh();
        /// The same at the price of each period, in micro-yuan.
        value_micro_yuan: Big = Big(row.value);
        /// What the meter says about the whole month.
        reported_kwh: Option<i64> = row.reported.map(duet_units::Energy::kwh);
    }
}

/// A line that was made after its day, with everything that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LaterTrace {
    /// The line.
    pub line: LaterLine,
    /// How its amount comes about.
    pub formula: Formula,
    /// Where its price comes from.
    pub price_source: PriceSource,
    /// The joint session under whose rule it was made: of the old line, or of the last settled day
    /// of its month.
    pub session: Option<Session>,
    /// The line that it corrects, while the rows of its day are kept.
    pub corrects: Option<LineTrace>,
    /// The objection that it answers.
    pub objection: Option<Objection>,
    /// Of a true-up: the meter of its unit over the month.
    pub meter: Option<MonthMeter>,
    /// The green contract that it settles a month of.
    pub green_contract: Option<GreenContract>,
    /// The transactions, by height: objection, month reading, and the one that made it.
    pub transactions: Vec<TracedTransaction>,
    /// Of a transaction that was not found: what it is.
    pub not_found: Vec<String>,
}

impl Formula {
    /// The formula of an item; empty if this release knows none.
    #[must_use]
    pub fn of(item: LineItem) -> Self {
        static TEXT: LazyLock<BTreeMap<String, Formula>> = LazyLock::new(|| {
            // A test reads every item, so the text is always readable.
            serde_json::from_str(include_str!("trace/formulas.json")).unwrap_or_default()
        });
        let name = serde_json::to_string(&item).unwrap_or_default();
        TEXT.get(name.trim_matches('"')).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_its_formula_in_two_languages() {
        for item in duet_ledger::LineItem::ALL {
            let formula = Formula::of(LineItem::from(*item));
            assert!(!formula.en.is_empty() && !formula.zh.is_ascii(), "{item:?}");
        }
    }
}
