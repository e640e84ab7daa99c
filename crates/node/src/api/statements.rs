//! Monthly statements, objections, corrections.

use super::{
    Api,
    extract::{InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::OrganisationId;
use duet_sdk::wire::{CalendarMonth, LaterLine, MonthStatement, Objection, Page};
use duet_units::Month;
use serde::Deserialize;

/// Which statements.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MonthFilter {
    /// Of this month, `YYYY-MM`.
    #[param(value_type = Option<String>)]
    month: Option<CalendarMonth>,
    /// Of this organisation.
    organisation: Option<u32>,
}

impl MonthFilter {
    fn fits(&self, month: Month, parties: &[OrganisationId]) -> bool {
        self.month.is_none_or(|wanted| wanted.0 == month)
            && self.organisation.is_none_or(|id| parties.contains(&OrganisationId(id)))
    }
}

/// The monthly statements that are kept, by month and organisation; pages are counted from 1.
#[utoipa::path(get, path = "/v1/months", tag = "market", operation_id = "months",
    params(MonthFilter, Paging), responses((status = 200, body = Page<MonthStatement>)))]
pub(super) async fn months(
    State(api): State<Api>,
    InQuery(filter): InQuery<MonthFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<MonthStatement>>, ApiProblem> {
    api.node
        .read(|state| {
            let time = state.time();
            paging.page((1_u64..).zip(state.months()), |((month, organisation), row)| {
                let wanted = filter.fits(*month, &[*organisation]);
                wanted.then(|| MonthStatement::new(*month, *organisation, row, time))
            })
        })
        .map(Json)
}

/// Objections to statement lines, by number.
#[utoipa::path(get, path = "/v1/objections", tag = "market", operation_id = "objections",
    params(MonthFilter, Paging), responses((status = 200, body = Page<Objection>)))]
pub(super) async fn objections(
    State(api): State<Api>,
    InQuery(filter): InQuery<MonthFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Objection>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.objections().iter().map(|(number, row)| (*number, (*number, row)));
            paging.page(rows, |(number, row)| {
                let wanted = filter.fits(row.month, &[row.organisation]);
                wanted.then(|| Objection::new(number, row))
            })
        })
        .map(Json)
}

/// Corrections and month-end lines, by number.
#[utoipa::path(get, path = "/v1/later-lines", tag = "market", operation_id = "later_lines",
    params(MonthFilter, Paging), responses((status = 200, body = Page<LaterLine>)))]
pub(super) async fn later_lines(
    State(api): State<Api>,
    InQuery(filter): InQuery<MonthFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<LaterLine>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.later_lines().iter().map(|(number, row)| (*number, (*number, row)));
            paging.page(rows, |(number, row)| {
                let wanted = filter.fits(row.month, &[row.line.payer, row.line.payee]);
                wanted.then(|| LaterLine::new(number, row))
            })
        })
        .map(Json)
}
