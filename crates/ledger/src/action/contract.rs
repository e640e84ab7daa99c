//! What members do in bilateral and listing sessions.

use crate::codec::{cases, record};
use crate::hash::Digest;
use crate::ids::{OrderId, ProposalId, UnitId};
use crate::records::ContractTerms;
use duet_units::Energy;

record! {
    /// The other party's signature under a contract.
    pub struct ContractConfirmation {
        /// The proposal.
        pub proposal: ProposalId,
        /// The hash of its terms, as the other party has read them.
        pub hash: Digest,
    }
}

record! {
    /// A take of a listing.
    pub struct ListingTake {
        /// The listing.
        pub listing: OrderId,
        /// The unit that delivers or uses the energy.
        pub unit: UnitId,
        /// How much of it.
        pub quantity: Energy,
        /// The owner's own reference.
        pub reference: u64,
    }
}

cases! {
    /// What members do in bilateral and listing sessions.
    pub enum ContractAction ("contract action") {
        /// Proposes a contract to another member.
        Propose(ContractTerms) = 0,
        /// Signs it.
        Confirm(ContractConfirmation) = 1,
        /// Takes a proposal back, or declines it.
        Withdraw(ProposalId) = 2,
        /// Takes of a listing at its price.
        Take(ListingTake) = 3,
    }
}
