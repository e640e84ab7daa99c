//! Contracts that members propose to each other.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::ProposalId;
use duet_sdk::wire::{Page, Problem, Proposal};
use serde::Deserialize;

/// Which proposals.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ProposalFilter {
    /// Of this session.
    session: Option<u32>,
    /// That this organisation proposed or is asked to sign.
    party: Option<u32>,
}

/// The proposed contracts of the sessions that are kept, by number.
#[utoipa::path(get, path = "/v1/contracts", tag = "market", operation_id = "contracts",
    params(ProposalFilter, Paging), responses((status = 200, body = Page<Proposal>)))]
pub(super) async fn contracts(
    State(api): State<Api>,
    InQuery(filter): InQuery<ProposalFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Proposal>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.proposals().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| {
                let other = state.units().get(&row.terms.counterparty).map(|unit| unit.owner.0);
                let party = |party| row.proposer.0 == party || other == Some(party);
                let fits = filter.session.is_none_or(|session| row.terms.session.0 == session)
                    && filter.party.is_none_or(party);
                fits.then(|| Proposal::new(id, row))
            })
        })
        .map(Json)
}

/// One proposed contract.
#[utoipa::path(get, path = "/v1/contracts/{id}", tag = "market", operation_id = "contract",
    params(("id" = u64, Path, description = "The number of the proposal.")),
    responses((status = 200, body = Proposal), (status = 404, body = Problem)))]
pub(super) async fn contract(
    State(api): State<Api>,
    InPath(id): InPath<u64>,
) -> Result<Json<Proposal>, ApiProblem> {
    let id = ProposalId(id);
    api.node
        .read(|state| state.proposals().get(&id).map(|row| Proposal::new(id, row)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("contract", id))
}
