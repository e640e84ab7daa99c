//! Orders over several periods, and what auctions came to.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{LinkedOrderId, SessionId};
use duet_sdk::wire::{Auction, LinkedOrder, Page, Problem};
use serde::Deserialize;

/// What an auction came to: prices and their intervals, the orders at the margin, the linked
/// orders that were accepted and rejected, and the orders with a minimum.
#[utoipa::path(get, path = "/v1/sessions/{id}/auction", tag = "market", operation_id = "auction",
    params(("id" = u32, Path, description = "The number of the session.")),
    responses((status = 200, body = Auction), (status = 404, body = Problem)))]
pub(super) async fn auction(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<Auction>, ApiProblem> {
    let id = SessionId(id);
    api.node
        .read(|state| state.sessions().contains_key(&id).then(|| Auction::new(state, id)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("session", id))
}

/// Which linked orders.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LinkedFilter {
    /// Of this session.
    session: Option<u32>,
    /// Of this organisation.
    owner: Option<u32>,
}

/// The orders over several periods of the sessions that are kept, by number.
#[utoipa::path(get, path = "/v1/linked-orders", tag = "market", operation_id = "linked_orders",
    params(LinkedFilter, Paging), responses((status = 200, body = Page<LinkedOrder>)))]
pub(super) async fn linked_orders(
    State(api): State<Api>,
    InQuery(filter): InQuery<LinkedFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<LinkedOrder>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.linked_orders().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| {
                let fits = filter.session.is_none_or(|session| row.session.0 == session)
                    && filter.owner.is_none_or(|owner| row.owner.0 == owner);
                fits.then(|| LinkedOrder::new(id, row, state))
            })
        })
        .map(Json)
}

/// One order over several periods.
#[utoipa::path(get, path = "/v1/linked-orders/{id}", tag = "market",
    operation_id = "linked_order",
    params(("id" = u64, Path, description = "The number of the linked order.")),
    responses((status = 200, body = LinkedOrder), (status = 404, body = Problem)))]
pub(super) async fn linked_order(
    State(api): State<Api>,
    InPath(id): InPath<u64>,
) -> Result<Json<LinkedOrder>, ApiProblem> {
    let id = LinkedOrderId(id);
    api.node
        .read(|state| state.linked_orders().get(&id).map(|row| LinkedOrder::new(id, row, state)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("linked order", id))
}
