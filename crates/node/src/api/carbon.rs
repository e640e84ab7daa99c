//! The allowance market: book, deals, biddings, accounts.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{CarbonAccount as Account, OrganisationId, State as Ledger};
use duet_sdk::wire::{
    CarbonAccountDetail, CarbonBidding, CarbonBook, CarbonDeal, CarbonMarket, Page, Problem,
};

/// The allowance market: terms, day, previous close, bands, five best prices of each side.
#[utoipa::path(get, path = "/v1/carbon/market", tag = "carbon", operation_id = "carbon_market",
    responses((status = 200, body = CarbonMarket), (status = 404, body = Problem)))]
pub(super) async fn market(State(api): State<Api>) -> Result<Json<CarbonMarket>, ApiProblem> {
    let shown = |state: &Ledger| {
        state.carbon_market().map(|row| CarbonMarket::new(row, CarbonBook::new(state)))
    };
    api.node
        .read(shown)
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("allowance market", "before its first terms"))
}

/// The deals in allowances of the last days, by number.
#[utoipa::path(get, path = "/v1/carbon/deals", tag = "carbon", operation_id = "carbon_deals",
    params(Paging), responses((status = 200, body = Page<CarbonDeal>)))]
pub(super) async fn deals(
    State(api): State<Api>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<CarbonDeal>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.carbon_deals().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| Some(CarbonDeal::new(id, row)))
        })
        .map(Json)
}

/// The one-way biddings, open and lately awarded, by number; bids are sealed until the award.
#[utoipa::path(get, path = "/v1/carbon/biddings", tag = "carbon",
    operation_id = "carbon_biddings",
    params(Paging), responses((status = 200, body = Page<CarbonBidding>)))]
pub(super) async fn biddings(
    State(api): State<Api>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<CarbonBidding>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.carbon_biddings().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| Some(CarbonBidding::new(id, row)))
        })
        .map(Json)
}

/// The carbon side of an organisation, with its listings and blocks.
#[utoipa::path(get, path = "/v1/carbon/accounts/{organisation}", tag = "carbon",
    operation_id = "carbon_account",
    params(("organisation" = u32, Path, description = "The number of the organisation.")),
    responses((status = 200, body = CarbonAccountDetail), (status = 404, body = Problem)))]
pub(super) async fn account(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<CarbonAccountDetail>, ApiProblem> {
    let id = OrganisationId(id);
    let shown = |state: &Ledger| {
        state.organisations().get(&id)?;
        let account = state.carbon().get(&id).cloned().unwrap_or(Account::EMPTY);
        Some(CarbonAccountDetail::new(state, id, &account))
    };
    api.node.read(shown).map(Json).ok_or_else(|| ApiProblem::not_found("organisation", id))
}
