//! Rules of the market, limits before trading.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{OrganisationId, RuleId};
use duet_sdk::wire::{Day, Limits, Page, Problem, PublishedRule};
use serde::Deserialize;

/// Which rules.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RuleFilter {
    /// Of this province.
    province: Option<String>,
    /// In effect on this delivery day.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<Day>,
}

/// The published rules by number; with `day`, of each province the one in effect.
#[utoipa::path(get, path = "/v1/rules", tag = "market", operation_id = "rules",
    params(RuleFilter, Paging), responses((status = 200, body = Page<PublishedRule>)))]
pub(super) async fn rules(
    State(api): State<Api>,
    InQuery(filter): InQuery<RuleFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<PublishedRule>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.rules().iter().map(|(id, row)| (id.0.into(), (*id, row)));
            paging.page(rows, |(id, row)| {
                let in_effect = |Day(day)| {
                    state.rule_in_effect(&row.province, day).is_some_and(|(rule, _)| rule == id)
                };
                let wanted = filter.province.as_ref().is_none_or(|wanted| *wanted == row.province)
                    && filter.day.is_none_or(in_effect);
                wanted.then(|| PublishedRule::new(id, row))
            })
        })
        .map(Json)
}

/// One rule.
#[utoipa::path(get, path = "/v1/rules/{id}", tag = "market", operation_id = "rule",
    params(("id" = u32, Path, description = "The number of the rule.")),
    responses((status = 200, body = PublishedRule), (status = 404, body = Problem)))]
pub(super) async fn rule(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<PublishedRule>, ApiProblem> {
    let id = RuleId(id);
    api.node
        .read(|state| state.rules().get(&id).map(|row| PublishedRule::new(id, row)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("rule", id))
}

/// What an organisation may still trade: its limits by month of delivery, what it has used of them,
/// and its guarantee.
#[utoipa::path(get, path = "/v1/limits/{organisation}", tag = "accounts", operation_id = "limits",
    params(("organisation" = u32, Path, description = "The number of the organisation.")),
    responses((status = 200, body = Limits), (status = 404, body = Problem)))]
pub(super) async fn limits(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<Limits>, ApiProblem> {
    let id = OrganisationId(id);
    api.node
        .read(|state| {
            let known = state.organisations().contains_key(&id);
            // Sums that do not fit are refused before they get into the state.
            known.then(|| Limits::new(state, id).ok()).flatten()
        })
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("organisation", id))
}
