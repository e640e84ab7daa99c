//! Green power: contracts for the environmental value of one generator's energy, apart from the
//! price of the energy itself.

use crate::codec::{Encode, coded, record};
use crate::hash::{Digest, hash};
use crate::ids::{GreenContractId, OrganisationId, UnitId};
use duet_units::{BasisPoints, Energy, Money, Month, Price};

const CONTRACT_DOMAIN: &[u8] = b"duet/green-contract/v1";

record! {
    /// What both sides of a green contract sign.
    pub struct GreenTerms {
        /// The unit that generates; one unit, so that the energy can be traced.
        pub unit: UnitId,
        /// The point of consumption that uses the energy.
        pub user: UnitId,
        /// The first month of delivery.
        pub from: Month,
        /// The last month.
        pub to: Month,
        /// The energy of each month.
        pub energy: Energy,
        /// The environmental value, on top of the price of energy.
        pub value: Price,
        /// The share of the value that whoever causes a shortfall pays for it.
        pub shortfall: BasisPoints,
    }
}

impl GreenTerms {
    /// What the other side confirms.
    #[must_use]
    pub fn hash(&self, contract: GreenContractId) -> Digest {
        hash(CONTRACT_DOMAIN, &[&contract.to_bytes(), &self.to_bytes()])
    }

    /// Whether energy of `month` is contracted.
    #[must_use]
    pub fn covers(&self, month: Month) -> bool {
        (self.from..=self.to).contains(&month)
    }
}

coded! {
    /// Where a green contract stands.
    pub enum GreenState ("green contract state") {
        /// Proposed by one side.
        Proposed = 0,
        /// Confirmed by the other.
        Active = 1,
        /// Its last month is settled.
        Ended = 2,
    }
}

coded! {
    /// Who pays for a shortfall.
    pub enum ShortfallCause ("cause of a shortfall") {
        /// Nobody: there is none, or both sides lack as much.
        Nobody = 0,
        /// The generator generated less than the user used.
        Generator = 1,
        /// The user used less than the generator generated.
        User = 2,
    }
}

record! {
    /// What a month of a green contract came to: its lines of the statement.
    pub struct GreenMonth {
        /// The month.
        pub month: Month,
        /// The part of the generator's energy that is for this contract.
        pub generated: Energy,
        /// The part of the user's use that is for this contract.
        pub used: Energy,
        /// The certificates that went to the user.
        pub certificates: u64,
        /// What the user paid the generator for them.
        pub amount: Money,
        /// The energy that the contract lacks.
        pub shortfall: Energy,
        /// Who caused that.
        pub cause: ShortfallCause,
        /// What the cause paid the other side.
        pub compensation: Money,
    }
}

record! {
    /// A green contract.
    pub struct GreenContract {
        /// What both sides sign.
        pub terms: GreenTerms,
        /// The owner of the unit.
        pub generator: OrganisationId,
        /// The owner of the point of consumption.
        pub consumer: OrganisationId,
        /// Which of the two proposed it.
        pub proposer: OrganisationId,
        /// Where it stands.
        pub state: GreenState,
        /// Settled energy that has no certificate yet.
        pub carry: Energy,
        /// The months settled, in order.
        pub months: Vec<GreenMonth>,
    }
}

impl GreenContract {
    /// The month that is to be settled next; none unless it is active.
    #[must_use]
    pub fn due(&self) -> Option<Month> {
        let next = self.months.last().map_or(self.terms.from, |last| last.month.plus(1));
        (self.state == GreenState::Active).then_some(next)
    }
}
