//! Monthly statements: what stays of a settlement for each organisation, and what follows it.

use super::{LineItem, StatementCalendar, StatementLine};
use crate::codec::{coded, record};
use crate::hash::Digest;
use crate::ids::{GreenContractId, OrganisationId, PublicKey, RuleId, SessionId};
use duet_units::{ClockTime, DeliveryDay, Energy, Money, Month, Price};

record! {
    /// The lines of one item, summed.
    pub struct ItemSum {
        /// The item.
        pub item: LineItem,
        /// How many lines.
        pub lines: u32,
        /// The energy.
        pub energy: Energy,
        /// What the organisation pays.
        pub paid: Money,
        /// What it is paid.
        pub received: Money,
    }
}

coded! {
    /// Where a month's statement stands, by the calendar of its rule.
    pub enum StatementState ("statement state") {
        /// Lines are added day by day.
        Draft = 0,
        /// Sent for checking: members may object.
        Objection = 1,
        /// Final: changes are new lines of a later month.
        Final = 2,
    }
}

record! {
    /// An organisation's statement of one calendar month in UTC+8.
    ///
    /// The lines of a day are dropped with its session; what stays here are their sums and a hash
    /// chained over them, and in the seal of the day the root that every single one is proved
    /// under.
    pub struct MonthStatement {
        /// The calendar of the rule of the month's first settled session.
        pub calendar: StatementCalendar,
        /// Sums by item, in order of items.
        pub items: Vec<ItemSum>,
        /// How many lines.
        pub lines: u32,
        /// The hash over the lines, in order of settlement.
        pub hash: Digest,
        /// Whether the exchange has closed the month.
        pub closed: bool,
    }
}

coded! {
    /// Where an objection stands.
    pub enum ObjectionState ("objection state") {
        /// Not answered.
        Open = 0,
        /// Followed: a correction answers it.
        Corrected = 1,
        /// Not followed.
        Dismissed = 2,
    }
}

record! {
    /// A member's objection to a line of its statement.
    pub struct Objection {
        /// The month.
        pub month: Month,
        /// The joint session of the line's day.
        pub session: SessionId,
        /// The place of the line.
        pub place: u32,
        /// Whose objection it is.
        pub organisation: OrganisationId,
        /// Who signed it.
        pub signer: PublicKey,
        /// What is wrong.
        pub reason: String,
        /// When it was made.
        pub time: ClockTime,
        /// Where it stands.
        pub state: ObjectionState,
        /// What the exchange says to it; empty until then.
        pub answer: String,
    }
}

record! {
    /// A line that was made after the settlement of its day: a correction, or what a month's meter
    /// reading has above its days.
    pub struct LaterLine {
        /// The month in whose statement it is.
        pub month: Month,
        /// The line; the session and period are those of the old line.
        pub line: StatementLine,
        /// The place of the old line; none for a month's meter reading.
        pub place: Option<u32>,
        /// The objection that it answers.
        pub objection: Option<u64>,
        /// The green contract that it settles a month of.
        pub green: Option<GreenContractId>,
        /// Who made it.
        pub by: PublicKey,
        /// When.
        pub time: ClockTime,
        /// The height of the block.
        pub height: u64,
        /// Why.
        pub reason: String,
    }
}

record! {
    /// A unit's meter over a month.
    pub struct MeterMonth {
        /// The sum of the settled days.
        pub metered: Energy,
        /// The same at the price of each period, in micro-yuan.
        pub value: i128,
        /// What the meter says about the whole month.
        pub reported: Option<Energy>,
    }
}

record! {
    /// What the deviation scheme of a month needs beside its units: of days whose rule compares
    /// contracts and meters over the month.
    pub struct DeviationMonth {
        /// The last of these days, by its joint session.
        pub session: SessionId,
        /// Its rule.
        pub rule: RuleId,
        /// Its reference price, for a month in which nothing cleared.
        pub reference: Price,
        /// Energy cleared in the joint sessions.
        pub volume: Energy,
        /// The same at the price of each period, in micro-yuan.
        pub value: i128,
    }
}

record! {
    /// A unit's contracts and meter over the days that a deviation scheme compares.
    #[derive(Copy, Default)]
    pub struct UnitDeviation {
        /// Contracted energy.
        pub contracted: Energy,
        /// The same at the prices of its trades, in micro-yuan.
        pub contract_value: i128,
        /// Metered energy.
        pub metered: Energy,
        /// The same at the price of each period, in micro-yuan.
        pub spot_value: i128,
    }
}

impl MonthStatement {
    /// The statement before its first line.
    #[must_use]
    pub const fn empty(calendar: StatementCalendar) -> Self {
        Self { calendar, items: Vec::new(), lines: 0, hash: [0; 32], closed: false }
    }

    /// Where the statement of `month` stands at `time`.
    ///
    /// # Source
    ///
    /// NDRC/NEA 2025-976 arts 38 to 42: checking by working day 5, a day to object, final by
    /// working day 8.
    #[must_use]
    pub fn state(&self, month: Month, time: ClockTime) -> StatementState {
        if self.closed || self.final_from(month) <= time {
            StatementState::Final
        } else if self.objections_from(month) <= time {
            StatementState::Objection
        } else {
            StatementState::Draft
        }
    }

    /// When it is sent for checking.
    #[must_use]
    pub fn objections_from(&self, month: Month) -> ClockTime {
        working_day(month, self.calendar.statement_day).start()
    }

    /// When the time to object ends.
    #[must_use]
    pub fn objections_until(&self, month: Month) -> ClockTime {
        let last = self.calendar.statement_day.saturating_add(self.calendar.objection_days);
        working_day(month, last).next().start()
    }

    /// When it becomes final if the exchange does not close it earlier.
    #[must_use]
    pub fn final_from(&self, month: Month) -> ClockTime {
        working_day(month, self.calendar.final_day).next().start()
    }
}

/// The `number`-th working day of the month after `month`, counted from 1. Monday to Friday are
/// working days; public holidays are not known to the ledger.
#[must_use]
pub fn working_day(month: Month, number: u8) -> DeliveryDay {
    let mut day = month.plus(1).first_day();
    let mut left = number;
    // Seven days hold five working days, so the search is short.
    for _ in 0..u16::from(number).saturating_mul(2).saturating_add(7) {
        // 1970-01-01 was a Thursday.
        let weekday = i64::from(day.days()).saturating_add(3).rem_euclid(7);
        if weekday < 5 {
            left = left.saturating_sub(1);
            if left == 0 {
                return day;
            }
        }
        day = day.next();
    }
    day
}
