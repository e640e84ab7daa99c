//! Contracts that two members agree on, and the roles of members in a listing session.

use crate::codec::{coded, record};
use crate::hash::Digest;
use crate::ids::{CertificateLotId, OrderId, OrganisationId, SessionId, UnitId};
use duet_market::order::Side;
use duet_units::{Allowances, CarbonPrice, Energy, Money, Price};

record! {
    /// Energy of one period of each delivery day.
    pub struct CurvePoint {
        /// The delivery period within the day.
        pub period: u8,
        /// The energy.
        pub energy: Energy,
    }
}

record! {
    /// Allowances that go with a contract, from the seller of the energy to its buyer.
    pub struct AllowanceLeg {
        /// How many.
        pub allowances: Allowances,
        /// What the buyer pays for each.
        pub price: CarbonPrice,
    }
}

record! {
    /// Certificates that go with a contract, from the seller of the energy to its buyer.
    pub struct CertificateLeg {
        /// The run.
        pub lot: CertificateLotId,
        /// How many of it, from its start.
        pub count: u64,
        /// What the buyer pays for each; above zero.
        pub price: Money,
    }
}

record! {
    /// What two members agree on: the bytes whose hash both sign.
    pub struct ContractTerms {
        /// The bilateral session.
        pub session: SessionId,
        /// The proposer's unit.
        pub unit: UnitId,
        /// The other party's unit.
        pub counterparty: UnitId,
        /// What the proposer does: buy or sell.
        pub side: Side,
        /// The price per unit.
        pub price: Price,
        /// The energy of each period, in order of periods.
        pub curve: Vec<CurvePoint>,
        /// Allowances that change hands when the contract is confirmed.
        pub allowances: Option<AllowanceLeg>,
        /// Certificates that change hands when the contract is confirmed.
        pub certificates: Option<CertificateLeg>,
        /// The proposer's own reference.
        pub reference: u64,
    }
}

coded! {
    /// Where a proposal stands.
    pub enum ProposalState ("proposal state") {
        /// Waiting for the other party.
        Proposed = 0,
        /// Signed by both: final.
        Confirmed = 1,
        /// Withdrawn by the proposer or declined by the other party: final.
        Withdrawn = 2,
        /// Not confirmed when the gate closed: final.
        Expired = 3,
    }
}

record! {
    /// A proposed contract.
    pub struct Proposal {
        /// What is agreed on.
        pub terms: ContractTerms,
        /// The hash of the terms, which the other party signs.
        pub hash: Digest,
        /// Who proposed it.
        pub proposer: OrganisationId,
        /// The first of the proposer's orders, one a point of the curve, with rising numbers.
        pub first_order: OrderId,
        /// Where it stands.
        pub state: ProposalState,
    }
}

record! {
    /// What a member does in a listing session: once it has acted, it keeps to it.
    pub struct ListingRole {
        /// Whether it lists; else it takes.
        pub lists: bool,
        /// Buy or sell.
        pub side: Side,
    }
}
