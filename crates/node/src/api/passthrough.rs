//! Carbon in the prices of a session.

use super::{Api, extract::InPath, problem::ApiProblem};
use axum::{Json, extract::State};
use duet_ledger::{OrganisationId, SessionId};
use duet_sdk::wire::{CarbonShare, PassThrough, Problem};

/// What carbon did to the price of each period of a joint session; empty until it clears.
#[utoipa::path(get, path = "/v1/sessions/{id}/pass-through", tag = "market",
    operation_id = "pass_through",
    params(("id" = u32, Path, description = "The number of the session.")),
    responses((status = 200, body = Vec<PassThrough>), (status = 404, body = Problem)))]
pub(super) async fn pass_through(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<Vec<PassThrough>>, ApiProblem> {
    let id = SessionId(id);
    api.node
        .read(|state| {
            state.sessions().contains_key(&id).then(|| {
                let rows = state.pass_through().range((id, 0)..=(id, u8::MAX));
                rows.map(|((_, period), row)| PassThrough::new(id, *period, row)).collect()
            })
        })
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("session", id))
}

/// Who answers for the emissions of a joint session's contracts; empty until it is settled.
#[utoipa::path(get, path = "/v1/sessions/{id}/carbon-shares", tag = "market",
    operation_id = "carbon_shares",
    params(("id" = u32, Path, description = "The number of the session.")),
    responses((status = 200, body = Vec<CarbonShare>), (status = 404, body = Problem)))]
pub(super) async fn carbon_shares(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<Vec<CarbonShare>>, ApiProblem> {
    let id = SessionId(id);
    let all = (id, OrganisationId(0))..=(id, OrganisationId(u32::MAX));
    api.node
        .read(|state| {
            state.sessions().contains_key(&id).then(|| {
                let rows = state.carbon_shares().range(all);
                rows.map(|((_, whose), row)| CarbonShare::new(id, *whose, row)).collect()
            })
        })
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("session", id))
}
