//! Published prices and curtailments.

use super::{
    Api,
    extract::{InQuery, Paging},
    market::OfSession,
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_sdk::wire::{CurtailmentRecord, Page, PublishedPrices};

/// The real-time prices of the days that are kept; pages are counted from 1.
#[utoipa::path(get, path = "/v1/prices", tag = "market", operation_id = "prices",
    params(Paging), responses((status = 200, body = Page<PublishedPrices>)))]
pub(super) async fn prices(
    State(api): State<Api>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<PublishedPrices>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = (1_u64..).zip(state.prices());
            paging.page(rows, |(day, row)| Some(PublishedPrices::new(*day, row)))
        })
        .map(Json)
}

/// The curtailments of the sessions that are kept, by number.
#[utoipa::path(get, path = "/v1/curtailments", tag = "market", operation_id = "curtailments",
    params(OfSession, Paging), responses((status = 200, body = Page<CurtailmentRecord>)))]
pub(super) async fn curtailments(
    State(api): State<Api>,
    InQuery(filter): InQuery<OfSession>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<CurtailmentRecord>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.curtailments().iter().map(|(number, row)| (*number, (*number, row)));
            paging.page(rows, |(number, row)| {
                filter.fits(row.session).then(|| CurtailmentRecord::new(number, row))
            })
        })
        .map(Json)
}
