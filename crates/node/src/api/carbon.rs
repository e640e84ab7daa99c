//! The allowance market and compliance: book, deals, biddings, accounts, obligations, credits.

use super::accounts::OwnedBy;
use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{CarbonAccount as Account, OrganisationId, State as Ledger};
use duet_sdk::wire::{
    CarbonAccountDetail, CarbonBidding, CarbonBook, CarbonDeal, CarbonMarket, CompliancePeriod,
    CreditLot, GapForecast, Obligation, Page, Problem,
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

/// The rules of a compliance period.
#[utoipa::path(get, path = "/v1/carbon/periods/{year}", tag = "carbon",
    operation_id = "compliance_period",
    params(("year" = u16, Path, description = "The calendar year.")),
    responses((status = 200, body = CompliancePeriod), (status = 404, body = Problem)))]
pub(super) async fn period(
    State(api): State<Api>,
    InPath(year): InPath<u16>,
) -> Result<Json<CompliancePeriod>, ApiProblem> {
    api.node
        .read(|state| state.compliance_periods().get(&year).cloned().map(CompliancePeriod::from))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("compliance period", year))
}

/// What an organisation emitted in a year, was given for it, and owes.
#[utoipa::path(get, path = "/v1/carbon/obligations/{year}/{organisation}", tag = "carbon",
    operation_id = "obligation",
    params(
        ("year" = u16, Path, description = "The calendar year."),
        ("organisation" = u32, Path, description = "The number of the organisation."),
    ),
    responses((status = 200, body = Obligation), (status = 404, body = Problem)))]
pub(super) async fn obligation(
    State(api): State<Api>,
    InPath((year, id)): InPath<(u16, u32)>,
) -> Result<Json<Obligation>, ApiProblem> {
    let id = OrganisationId(id);
    let key = (year, id);
    api.node
        .read(|state| state.obligations().get(&key).map(|row| Obligation::new(year, id, row)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("obligation of organisation", id))
}

/// Emissions, allocation, gap and the most that credits can cover of a year, at the pace of the
/// settled days.
#[utoipa::path(get, path = "/v1/carbon/gap/{year}/{organisation}", tag = "carbon",
    operation_id = "carbon_gap",
    params(
        ("year" = u16, Path, description = "The calendar year."),
        ("organisation" = u32, Path, description = "The number of the organisation."),
    ),
    responses((status = 200, body = GapForecast), (status = 404, body = Problem)))]
pub(super) async fn gap(
    State(api): State<Api>,
    InPath((year, id)): InPath<(u16, u32)>,
) -> Result<Json<GapForecast>, ApiProblem> {
    let id = OrganisationId(id);
    let shown = |state: &Ledger| {
        let row = state.obligations().get(&(year, id))?;
        let forecast = state.carbon_forecast(year, id).ok().flatten()?;
        Some(GapForecast::new(year, id, row, &forecast))
    };
    api.node
        .read(shown)
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("settled day with emissions of organisation", id))
}

/// The runs of carbon credits by number.
#[utoipa::path(get, path = "/v1/carbon/credits", tag = "carbon", operation_id = "credits",
    params(OwnedBy, Paging), responses((status = 200, body = Page<CreditLot>)))]
pub(super) async fn credits(
    State(api): State<Api>,
    InQuery(filter): InQuery<OwnedBy>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<CreditLot>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.credits().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| filter.fits(row.owner).then(|| CreditLot::new(id, row)))
        })
        .map(Json)
}
