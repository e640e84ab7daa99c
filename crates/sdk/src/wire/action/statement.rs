//! What is done with statements, as JSON.

use crate::wire::{Big, CalendarMonth, Hex32, StatementLine, shape};
use duet_ledger::{OrganisationId, SessionId, StatementAction, UnitId};
use duet_units::{Energy, Money};

shape! {
    /// A member's objection to a line of its statement.
    StatementObjection {
        /// The month.
        month: CalendarMonth,
        /// The joint session of the line's day.
        session: u32,
        /// The place of the line.
        place: u32,
        /// What is wrong.
        reason: String,
    }
}

shape! {
    /// A line whose rows are gone, with its path to the root in the seal of its day.
    ProvedLine {
        /// The line.
        line: StatementLine,
        /// The siblings on the way up; null where a node is handed up.
        path: Vec<Option<Hex32>>,
    }
}

shape! {
    /// A new line that refers to an old one.
    LineCorrection {
        /// The joint session of the old line's day.
        session: u32,
        /// The place of the old line.
        place: u32,
        /// The old line with its proof, if its rows are gone.
        proved: Option<ProvedLine>,
        /// Which of the two parties of the old line pays.
        payer: u32,
        /// How much.
        amount_fen: Big,
        /// The objection that it answers.
        objection: Option<u64>,
        /// Why.
        reason: String,
    }
}

shape! {
    /// The answer to an objection that the exchange does not follow.
    ObjectionAnswer {
        /// The objection.
        objection: u64,
        /// Why not.
        reason: String,
    }
}

shape! {
    /// What a meter says about a whole month.
    MonthReading {
        /// The unit.
        unit: u32,
        /// The month.
        month: CalendarMonth,
        /// The energy of the month.
        energy_kwh: i64,
    }
}

impl From<StatementObjection> for StatementAction {
    fn from(wire: StatementObjection) -> Self {
        Self::Object(duet_ledger::StatementObjection {
            month: wire.month.0,
            session: SessionId(wire.session),
            place: wire.place,
            reason: wire.reason,
        })
    }
}

impl From<LineCorrection> for StatementAction {
    fn from(wire: LineCorrection) -> Self {
        let proved = |proved: ProvedLine| duet_ledger::ProvedLine {
            line: proved.line.into(),
            path: proved.path.into_iter().map(|node| node.map(|Hex32(hash)| hash)).collect(),
        };
        Self::Correct(duet_ledger::LineCorrection {
            session: SessionId(wire.session),
            place: wire.place,
            proved: wire.proved.map(proved),
            payer: OrganisationId(wire.payer),
            amount: Money::from_fen(wire.amount_fen.0),
            objection: wire.objection,
            reason: wire.reason,
        })
    }
}

impl From<ObjectionAnswer> for StatementAction {
    fn from(wire: ObjectionAnswer) -> Self {
        let (objection, reason) = (wire.objection, wire.reason);
        Self::Dismiss(duet_ledger::ObjectionAnswer { objection, reason })
    }
}

impl From<MonthReading> for StatementAction {
    fn from(wire: MonthReading) -> Self {
        Self::ReportMonth(duet_ledger::MonthReading {
            unit: UnitId(wire.unit),
            month: wire.month.0,
            energy: Energy::from_kwh(wire.energy_kwh),
        })
    }
}

impl From<CalendarMonth> for StatementAction {
    fn from(wire: CalendarMonth) -> Self {
        Self::CloseMonth(wire.0)
    }
}

impl TryFrom<StatementAction> for super::Action {
    type Error = super::ActionError;

    fn try_from(action: StatementAction) -> Result<Self, Self::Error> {
        Ok(match action {
            StatementAction::Object(row) => Self::ObjectStatement(StatementObjection {
                month: CalendarMonth(row.month),
                session: row.session.0,
                place: row.place,
                reason: row.reason,
            }),
            StatementAction::Correct(row) => Self::CorrectLine(Box::new(LineCorrection {
                session: row.session.0,
                place: row.place,
                proved: row.proved.map(|proved| ProvedLine {
                    line: StatementLine::new(row.place, &proved.line),
                    path: proved.path.into_iter().map(|node| node.map(Hex32)).collect(),
                }),
                payer: row.payer.0,
                amount_fen: Big(row.amount.fen()),
                objection: row.objection,
                reason: row.reason,
            })),
            StatementAction::Dismiss(row) => Self::DismissObjection(ObjectionAnswer {
                objection: row.objection,
                reason: row.reason,
            }),
            StatementAction::ReportMonth(row) => Self::ReportMonth(MonthReading {
                unit: row.unit.0,
                month: CalendarMonth(row.month),
                energy_kwh: row.energy.kwh(),
            }),
            StatementAction::CloseMonth(month) => Self::CloseMonth { month: CalendarMonth(month) },
            _ => return Err(super::ActionError),
        })
    }
}
