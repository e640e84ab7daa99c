//! Monthly statements, objections, corrections.

use super::{Big, CalendarMonth, Hex32, LineItem, StatementLine, mirror, view};
use duet_units::{ClockTime, Month};

mirror! {
    /// Where a month's statement stands.
    StatementState {
        /// Lines are added day by day.
        Draft,
        /// Sent for checking: members may object.
        Objection,
        /// Final: changes are new lines of a later month.
        Final,
    }
}

mirror! {
    /// Where an objection stands.
    ObjectionState {
        /// Not answered.
        Open,
        /// Followed: a correction answers it.
        Corrected,
        /// Not followed.
        Dismissed,
    }
}

view! {
    /// The lines of one item, summed.
    ItemSum(row: &duet_ledger::ItemSum) {
        /// The item.
        item: LineItem = row.item.into();
        /// How many lines.
        lines: u32 = row.lines;
        /// The energy.
        energy_kwh: i64 = row.energy.kwh();
        /// What the organisation pays.
        paid_fen: Big = Big(row.paid.fen());
        /// What it is paid.
        received_fen: Big = Big(row.received.fen());
    }
}

view! {
    /// An organisation's statement of one calendar month.
    MonthStatement(
        month: Month,
        organisation: duet_ledger::OrganisationId,
        row: &duet_ledger::MonthStatement,
        time: ClockTime
    ) {
        /// The month.
        month: CalendarMonth = CalendarMonth(month);
        /// Whose statement it is.
        organisation: u32 = organisation.0;
        /// Where it stands, at the time of the last block.
        state: StatementState = row.state(month, time).into();
        /// Objections are taken from here ...
        objections_from_ms: i64 = row.objections_from(month).unix_ms();
        /// ... to before here.
        objections_until_ms: i64 = row.objections_until(month).unix_ms();
        /// It is final from here, if the exchange does not close it earlier.
        final_from_ms: i64 = row.final_from(month).unix_ms();
        /// How many lines.
        lines: u32 = row.lines;
        /// The hash over the lines, in order of settlement.
        hash: Hex32 = Hex32(row.hash);
        /// Sums by item.
        items: Vec<ItemSum> = row.items.iter().map(ItemSum::new).collect();
    }
}

view! {
    /// A member's objection to a line of its statement.
    Objection(number: u64, row: &duet_ledger::Objection) {
        /// Its number.
        number: u64 = number;
        /// The month.
        month: CalendarMonth = CalendarMonth(row.month);
        /// The joint session of the line's day.
        session: u32 = row.session.0;
        /// The place of the line.
        place: u32 = row.place;
        /// Whose objection it is.
        organisation: u32 = row.organisation.0;
        /// Who signed it.
        signer: Hex32 = row.signer.into();
        /// What is wrong.
        reason: String = row.reason.clone();
        /// When it was made.
        time_ms: i64 = row.time.unix_ms();
        /// Where it stands.
        state: ObjectionState = row.state.into();
        /// What the exchange says to it.
        answer: String = row.answer.clone();
    }
}

view! {
    /// A line that was made after the settlement of its day.
    LaterLine(number: u64, row: &duet_ledger::LaterLine) {
        /// Its number.
        number: u64 = number;
        /// The month in whose statement it is.
        month: CalendarMonth = CalendarMonth(row.month);
        /// The line; session, period and place are those of the old line.
        line: StatementLine = StatementLine::new(row.place.unwrap_or_default(), &row.line);
        /// The place of the old line; none for a month's meter reading.
        corrects: Option<u32> = row.place;
        /// The objection that it answers.
        objection: Option<u64> = row.objection;
        /// The green contract that it settles a month of.
        green_contract: Option<u64> = row.green.map(|contract| contract.0);
        /// Who made it.
        by: Hex32 = row.by.into();
        /// When.
        time_ms: i64 = row.time.unix_ms();
        /// The height of the block.
        height: u64 = row.height;
        /// Why.
        reason: String = row.reason.clone();
    }
}
