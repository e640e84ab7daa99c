//! How a session matches orders.

use super::{Sharing, Side};
use duet_units::{BasisPoints, ClockTime};
use serde::{Deserialize, Serialize};

/// How a session matches orders; `kind` says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// The two-stage game, under which a delivery day is dispatched and settled.
    Joint,
    /// Centralised bidding at the uniform marginal price.
    Uniform {
        /// How far the price lies below the bid of the last matched pair.
        k1_bp: i64,
    },
    /// Centralised bidding in pairs.
    Pairwise {
        /// How far the price of a pair lies below its bid.
        k2_bp: i64,
    },
    /// A call auction at the price of most volume.
    Call,
    /// One side posts energy at a price, the other takes of it.
    Listing {
        /// How takers share a listing that they together want more of than there is.
        sharing: Sharing,
        /// The side that lists; none if both may.
        listers: Option<Side>,
    },
    /// Two parties agree; each signs the hash of the same contract.
    Bilateral,
    /// Orders match on arrival, at the price of the one already in the book.
    Rolling,
    /// A call auction, and then a phase in which orders match on arrival.
    Continuous {
        /// When the phase ends, and with it the session.
        until_ms: i64,
        /// With fewer participants in the call than this, its price does not lead the next.
        n1: u16,
        /// So long before the call no order can be withdrawn.
        freeze_ms: u32,
    },
}

impl From<duet_ledger::Mode> for Mode {
    fn from(mode: duet_ledger::Mode) -> Self {
        match mode {
            duet_ledger::Mode::Joint => Self::Joint,
            duet_ledger::Mode::Uniform(k1) => Self::Uniform { k1_bp: k1.bp() },
            duet_ledger::Mode::Pairwise(k2) => Self::Pairwise { k2_bp: k2.bp() },
            duet_ledger::Mode::Call => Self::Call,
            duet_ledger::Mode::Listing(terms) => Self::Listing {
                sharing: terms.sharing.into(),
                listers: terms.listers.map(Into::into),
            },
            duet_ledger::Mode::Bilateral => Self::Bilateral,
            duet_ledger::Mode::Rolling => Self::Rolling,
            duet_ledger::Mode::Continuous(terms) => Self::Continuous {
                until_ms: terms.until.unix_ms(),
                n1: terms.n1,
                freeze_ms: terms.freeze_ms,
            },
        }
    }
}

impl From<Mode> for duet_ledger::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Joint => Self::Joint,
            Mode::Uniform { k1_bp } => Self::Uniform(BasisPoints::from_bp(k1_bp)),
            Mode::Pairwise { k2_bp } => Self::Pairwise(BasisPoints::from_bp(k2_bp)),
            Mode::Call => Self::Call,
            Mode::Listing { sharing, listers } => Self::Listing(duet_ledger::ListingTerms {
                sharing: sharing.into(),
                listers: listers.map(Into::into),
            }),
            Mode::Bilateral => Self::Bilateral,
            Mode::Rolling => Self::Rolling,
            Mode::Continuous { until_ms, n1, freeze_ms } => {
                let until = ClockTime::from_unix_ms(until_ms);
                Self::Continuous(duet_ledger::ContinuousTerms { until, n1, freeze_ms })
            }
        }
    }
}
