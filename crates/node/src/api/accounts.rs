//! Organisations, identities, units, money, certificates.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{AccountKey, AccountKind, OrganisationId, PublicKey, State as Ledger};
use duet_sdk::wire::{
    Balance, CarbonAccount, CertificateLot, Hex32, Identity, Organisation, OrganisationDetail,
    Page, Payment, PaymentState, Problem, Unit,
};
use serde::Deserialize;

/// The organisations by number.
#[utoipa::path(get, path = "/v1/organisations", tag = "accounts", operation_id = "organisations",
    params(Paging), responses((status = 200, body = Page<Organisation>)))]
pub(super) async fn organisations(
    State(api): State<Api>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Organisation>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.organisations().iter().map(|(id, row)| (id.0.into(), (*id, row)));
            paging.page(rows, |(id, row)| Some(Organisation::new(id, row)))
        })
        .map(Json)
}

/// An organisation with its money, allowances, certificates and units.
#[utoipa::path(get, path = "/v1/organisations/{id}", tag = "accounts",
    operation_id = "organisation",
    params(("id" = u32, Path, description = "The number of the organisation.")),
    responses((status = 200, body = OrganisationDetail), (status = 404, body = Problem)))]
pub(super) async fn organisation(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<OrganisationDetail>, ApiProblem> {
    let id = OrganisationId(id);
    api.node
        .read(|state| detail(state, id))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("organisation", id))
}

fn detail(state: &Ledger, id: OrganisationId) -> Option<OrganisationDetail> {
    let row = state.organisations().get(&id)?;
    let account = |kind: &AccountKind| AccountKey { organisation: id, kind: *kind };
    let balances = AccountKind::ALL.iter().map(account).filter_map(|key| {
        let balance = state.balances().get(&key)?;
        Some(Balance::new(key, balance))
    });
    let certificates = state.lots().iter().filter(|(_, lot)| lot.owner == id);
    let units = state.units().iter().filter(|(_, unit)| unit.owner == id);
    Some(OrganisationDetail {
        organisation: Organisation::new(id, row),
        balances: balances.collect(),
        carbon: state.carbon().get(&id).map(CarbonAccount::new),
        certificates: certificates.map(|(lot, row)| CertificateLot::new(*lot, row)).collect(),
        units: units.map(|(unit, row)| Unit::new(*unit, row)).collect(),
    })
}

/// Who the ledger knows under a key: organisation, roles, last nonce.
#[utoipa::path(get, path = "/v1/identities/{public_key}", tag = "accounts",
    operation_id = "identity",
    params(("public_key" = Hex32, Path, description = "The Ed25519 public key.")),
    responses((status = 200, body = Identity), (status = 404, body = Problem)))]
pub(super) async fn identity(
    State(api): State<Api>,
    InPath(key): InPath<Hex32>,
) -> Result<Json<Identity>, ApiProblem> {
    let public = PublicKey::from_bytes(key.0);
    api.node
        .read(|state| {
            let row = state.identities().get(&public)?;
            Some(Identity::new(public, row, state.nonce(public)))
        })
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("identity", key))
}

/// Whose units.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OwnedBy {
    /// Of this organisation.
    owner: Option<u32>,
}

impl OwnedBy {
    pub(super) fn fits(&self, owner: OrganisationId) -> bool {
        self.owner.is_none_or(|wanted| wanted == owner.0)
    }
}

/// The generating units and points of consumption by number.
#[utoipa::path(get, path = "/v1/units", tag = "accounts", operation_id = "units",
    params(OwnedBy, Paging), responses((status = 200, body = Page<Unit>)))]
pub(super) async fn units(
    State(api): State<Api>,
    InQuery(filter): InQuery<OwnedBy>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Unit>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.units().iter().map(|(id, row)| (id.0.into(), (*id, row)));
            paging.page(rows, |(id, row)| {
                let wanted = filter.owner.is_none_or(|owner| owner == row.owner.0);
                wanted.then(|| Unit::new(id, row))
            })
        })
        .map(Json)
}

/// Which payment instructions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PaymentFilter {
    /// Of this session.
    session: Option<u32>,
    /// Of this buyer.
    payer: Option<u32>,
    /// In this state.
    #[param(inline)]
    state: Option<PaymentState>,
}

/// The payment instructions by number.
#[utoipa::path(get, path = "/v1/payments", tag = "accounts", operation_id = "payments",
    params(PaymentFilter, Paging), responses((status = 200, body = Page<Payment>)))]
pub(super) async fn payments(
    State(api): State<Api>,
    InQuery(filter): InQuery<PaymentFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Payment>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.payments().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| {
                let wanted = filter.session.is_none_or(|session| session == row.session.0)
                    && filter.payer.is_none_or(|payer| payer == row.payer.0)
                    && filter.state.is_none_or(|wanted| wanted == row.state.into());
                wanted.then(|| Payment::new(id, row))
            })
        })
        .map(Json)
}

/// The runs of energy certificates by number.
#[utoipa::path(get, path = "/v1/certificates", tag = "accounts", operation_id = "certificates",
    params(OwnedBy, Paging), responses((status = 200, body = Page<CertificateLot>)))]
pub(super) async fn certificates(
    State(api): State<Api>,
    InQuery(filter): InQuery<OwnedBy>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<CertificateLot>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.lots().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| {
                let wanted = filter.owner.is_none_or(|owner| owner == row.owner.0);
                wanted.then(|| CertificateLot::new(id, row))
            })
        })
        .map(Json)
}
