//! What members, meters and the exchange do with statements.

use crate::codec::{cases, record};
use crate::hash::Digest;
use crate::ids::{OrganisationId, SessionId, UnitId};
use crate::records::StatementLine;
use duet_units::{Energy, Money, Month};

record! {
    /// A member's objection to a line of its statement.
    pub struct StatementObjection {
        /// The month.
        pub month: Month,
        /// The joint session of the line's day.
        pub session: SessionId,
        /// The place of the line.
        pub place: u32,
        /// What is wrong.
        pub reason: String,
    }
}

record! {
    /// A line whose rows are gone, with its path to the root that the seal of its day keeps.
    pub struct ProvedLine {
        /// The line.
        pub line: StatementLine,
        /// The siblings on the way up; none where a node is handed up.
        pub path: Vec<Option<Digest>>,
    }
}

record! {
    /// A correction: a new line that refers to an old one, which stays as it is.
    pub struct LineCorrection {
        /// The joint session of the old line's day.
        pub session: SessionId,
        /// The place of the old line.
        pub place: u32,
        /// The old line with its proof, if its rows are gone.
        pub proved: Option<ProvedLine>,
        /// Which of the two parties of the old line pays.
        pub payer: OrganisationId,
        /// How much.
        pub amount: Money,
        /// The objection that it answers.
        pub objection: Option<u64>,
        /// Why.
        pub reason: String,
    }
}

record! {
    /// The exchange's answer to an objection that it does not follow.
    pub struct ObjectionAnswer {
        /// The objection.
        pub objection: u64,
        /// Why not.
        pub reason: String,
    }
}

record! {
    /// What a meter says about a whole month.
    pub struct MonthReading {
        /// The unit.
        pub unit: UnitId,
        /// The month.
        pub month: Month,
        /// The energy of the month.
        pub energy: Energy,
    }
}

cases! {
    /// What is done with statements.
    pub enum StatementAction ("statement action") {
        /// A member objects to a line.
        Object(StatementObjection) = 1,
        /// The exchange corrects a line.
        Correct(LineCorrection) = 2,
        /// The exchange does not follow an objection.
        Dismiss(ObjectionAnswer) = 3,
        /// A meter reports a month.
        ReportMonth(MonthReading) = 4,
        /// The exchange makes a month final.
        CloseMonth(Month) = 5,
    }
}
