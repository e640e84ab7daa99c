//! What members do in bilateral and listing sessions, as JSON.

use crate::wire::Hex32;
use duet_ledger::{ContractAction, OrderId, ProposalId, UnitId};
use duet_units::Energy;
use serde::{Deserialize, Serialize};

/// The other party's signature under a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ContractConfirmation {
    /// The proposal.
    pub proposal: u64,
    /// The hash of its terms, as the other party has read them.
    pub hash: Hex32,
}

/// A take of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ListingTake {
    /// The listing.
    pub listing: u64,
    /// The unit that delivers or uses the energy.
    pub unit: u32,
    /// How much of it.
    pub quantity_kwh: i64,
    /// The owner's own reference.
    pub reference: u64,
}

impl From<ContractConfirmation> for ContractAction {
    fn from(wire: ContractConfirmation) -> Self {
        let proposal = ProposalId(wire.proposal);
        Self::Confirm(duet_ledger::ContractConfirmation { proposal, hash: wire.hash.0 })
    }
}

impl From<ListingTake> for ContractAction {
    fn from(wire: ListingTake) -> Self {
        Self::Take(duet_ledger::ListingTake {
            listing: OrderId(wire.listing),
            unit: UnitId(wire.unit),
            quantity: Energy::from_kwh(wire.quantity_kwh),
            reference: wire.reference,
        })
    }
}

impl TryFrom<ContractAction> for super::Action {
    type Error = super::ActionError;

    fn try_from(action: ContractAction) -> Result<Self, Self::Error> {
        Ok(match action {
            ContractAction::Propose(terms) => Self::ProposeContract((&terms).into()),
            ContractAction::Confirm(signed) => Self::ConfirmContract(ContractConfirmation {
                proposal: signed.proposal.0,
                hash: Hex32(signed.hash),
            }),
            ContractAction::Withdraw(proposal) => Self::WithdrawContract { proposal: proposal.0 },
            ContractAction::Take(take) => Self::TakeListing(ListingTake {
                listing: take.listing.0,
                unit: take.unit.0,
                quantity_kwh: take.quantity.kwh(),
                reference: take.reference,
            }),
            _ => return Err(super::ActionError),
        })
    }
}
