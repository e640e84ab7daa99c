//! Sealed books, seals of settled days, the log of interventions.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    market::OfSession,
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{SessionId, sealed};
use duet_sdk::wire::{InterventionRecord, Page, Problem, Seal, SealedBook};

/// The sealed book of a session that was cleared or settled: everything that its result depends
/// on, and the result.
#[utoipa::path(get, path = "/v1/sessions/{id}/sealed", tag = "market",
    operation_id = "sealed_book",
    params(("id" = u32, Path, description = "The number of the session.")),
    responses((status = 200, body = SealedBook), (status = 404, body = Problem)))]
pub(super) async fn book(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<SealedBook>, ApiProblem> {
    let book = api.node.read(|state| {
        sealed::SealedBook::of(state, SessionId(id)).map(|book| (*state.channel(), book))
    });
    book.map(|(channel, book)| Json(SealedBook::new(&channel, &book)))
        .ok_or_else(|| ApiProblem::not_found("cleared session", id))
}

/// What operators did to sessions, by number.
#[utoipa::path(get, path = "/v1/interventions", tag = "market", operation_id = "interventions",
    params(OfSession, Paging), responses((status = 200, body = Page<InterventionRecord>)))]
pub(super) async fn interventions(
    State(api): State<Api>,
    InQuery(filter): InQuery<OfSession>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<InterventionRecord>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.interventions().iter().map(|(number, row)| (*number, (*number, row)));
            paging.page(rows, |(number, row)| {
                filter.fits(row.session).then(|| InterventionRecord::new(number, row))
            })
        })
        .map(Json)
}

/// The seals of settled days, by joint session.
#[utoipa::path(get, path = "/v1/seals", tag = "market", operation_id = "seals",
    params(OfSession, Paging), responses((status = 200, body = Page<Seal>)))]
pub(super) async fn seals(
    State(api): State<Api>,
    InQuery(filter): InQuery<OfSession>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Seal>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.seals().iter().map(|(id, row)| (id.0.into(), (*id, row)));
            paging.page(rows, |(id, row)| filter.fits(id).then(|| Seal::new(id, row)))
        })
        .map(Json)
}
