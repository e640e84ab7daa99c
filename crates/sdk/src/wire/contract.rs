//! Contracts between two members, as JSON.

use super::{Big, Hex32, Side, mirror, view};
use duet_ledger::{CertificateLotId, SessionId, UnitId};
use duet_units::{Allowances, CarbonPrice, Energy, Money, Price};
use serde::{Deserialize, Serialize};

/// Energy of one period of each delivery day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// The delivery period within the day.
    pub period: u8,
    /// The energy.
    pub energy_kwh: i64,
}

/// Allowances that go with a contract, from the seller of the energy to its buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AllowanceLeg {
    /// How many.
    pub allowances_t: i64,
    /// What the buyer pays for each.
    pub price_fen_per_t: i64,
}

/// Certificates that go with a contract, from the seller of the energy to its buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CertificateLeg {
    /// The run.
    pub lot: u64,
    /// How many of it, from its start.
    pub count: u64,
    /// What the buyer pays for each; above zero.
    pub price_fen: Big,
}

/// What two members agree on: the terms whose hash both sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ContractTerms {
    /// The bilateral session.
    pub session: u32,
    /// The proposer's unit.
    pub unit: u32,
    /// The other party's unit.
    pub counterparty: u32,
    /// What the proposer does: buy or sell.
    pub side: Side,
    /// The price per unit.
    pub price_milli_yuan_per_mwh: i64,
    /// The energy of each period, in order of periods.
    pub curve: Vec<CurvePoint>,
    /// Allowances that change hands when the contract is confirmed.
    #[serde(default)]
    pub allowances: Option<AllowanceLeg>,
    /// Certificates that change hands when the contract is confirmed.
    #[serde(default)]
    pub certificates: Option<CertificateLeg>,
    /// The proposer's own reference.
    pub reference: u64,
}

impl From<ContractTerms> for duet_ledger::ContractTerms {
    fn from(wire: ContractTerms) -> Self {
        let point = |point: CurvePoint| duet_ledger::CurvePoint {
            period: point.period,
            energy: Energy::from_kwh(point.energy_kwh),
        };
        Self {
            session: SessionId(wire.session),
            unit: UnitId(wire.unit),
            counterparty: UnitId(wire.counterparty),
            side: wire.side.into(),
            price: Price::from_milli_yuan_per_mwh(wire.price_milli_yuan_per_mwh),
            curve: wire.curve.into_iter().map(point).collect(),
            allowances: wire.allowances.map(|leg| duet_ledger::AllowanceLeg {
                allowances: Allowances::from_t(leg.allowances_t),
                price: CarbonPrice::from_fen_per_t(leg.price_fen_per_t),
            }),
            certificates: wire.certificates.map(|leg| duet_ledger::CertificateLeg {
                lot: CertificateLotId(leg.lot),
                count: leg.count,
                price: Money::from_fen(leg.price_fen.0),
            }),
            reference: wire.reference,
        }
    }
}

impl From<&duet_ledger::ContractTerms> for ContractTerms {
    fn from(row: &duet_ledger::ContractTerms) -> Self {
        let point = |point: &duet_ledger::CurvePoint| CurvePoint {
            period: point.period,
            energy_kwh: point.energy.kwh(),
        };
        Self {
            session: row.session.0,
            unit: row.unit.0,
            counterparty: row.counterparty.0,
            side: row.side.into(),
            price_milli_yuan_per_mwh: row.price.milli_yuan_per_mwh(),
            curve: row.curve.iter().map(point).collect(),
            allowances: row.allowances.as_ref().map(|leg| AllowanceLeg {
                allowances_t: leg.allowances.t(),
                price_fen_per_t: leg.price.fen_per_t(),
            }),
            certificates: row.certificates.as_ref().map(|leg| CertificateLeg {
                lot: leg.lot.0,
                count: leg.count,
                price_fen: Big(leg.price.fen()),
            }),
            reference: row.reference,
        }
    }
}

mirror! {
    /// Where a proposal stands.
    ProposalState {
        /// Waiting for the other party.
        Proposed,
        /// Signed by both: final.
        Confirmed,
        /// Withdrawn by the proposer or declined by the other party: final.
        Withdrawn,
        /// Not confirmed when the gate closed: final.
        Expired,
    }
}

view! {
    /// A proposed contract.
    Proposal(id: duet_ledger::ProposalId, row: &duet_ledger::Proposal) {
        /// Its number.
        id: u64 = id.0;
        /// What is agreed on.
        terms: ContractTerms = (&row.terms).into();
        /// The hash of the terms, which the other party signs.
        hash: Hex32 = Hex32(row.hash);
        /// Who proposed it.
        proposer: u32 = row.proposer.0;
        /// The first of the proposer's orders, one a point of the curve, with rising numbers.
        first_order: u64 = row.first_order.0;
        /// Where it stands.
        state: ProposalState = row.state.into();
    }
}
