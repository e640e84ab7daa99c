//! Sessions, orders, trades, dispatch, metering, settlement.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
};
use axum::{Json, extract::State};
use duet_ledger::{DispatchId, OrderId, OrganisationId, SessionId, TradeId, UnitId};
use duet_sdk::wire::{
    Day, Depth, Dispatch, DispatchCurve, MeterRecord, Order, OrderStatus, Page, PeriodClearing,
    Problem, Session, Side, StatementLine, Trade,
};
use serde::Deserialize;
use std::ops::Bound;

/// The session of a filter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfSession {
    /// Of this session.
    session: Option<u32>,
}

impl OfSession {
    pub(super) fn fits(&self, session: SessionId) -> bool {
        self.session.is_none_or(|wanted| wanted == session.0)
    }
}

/// The start of a range behind the rows already read.
fn behind<K>(after: Option<u64>, key: impl Fn(u64) -> K) -> (Bound<K>, Bound<K>) {
    (after.map_or(Bound::Unbounded, |after| Bound::Excluded(key(after))), Bound::Unbounded)
}

/// The sessions by number: live ones and the last few that ended.
#[utoipa::path(get, path = "/v1/sessions", tag = "market", operation_id = "sessions",
    params(Paging), responses((status = 200, body = Page<Session>)))]
pub(super) async fn sessions(
    State(api): State<Api>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Session>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.sessions().iter().map(|(id, row)| (id.0.into(), (*id, row)));
            paging.page(rows, |(id, row)| Some(Session::new(id, row)))
        })
        .map(Json)
}

/// One session.
#[utoipa::path(get, path = "/v1/sessions/{id}", tag = "market", operation_id = "session",
    params(("id" = u32, Path, description = "The number of the session.")),
    responses((status = 200, body = Session), (status = 404, body = Problem)))]
pub(super) async fn session(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<Session>, ApiProblem> {
    let id = SessionId(id);
    api.node
        .read(|state| state.sessions().get(&id).map(|row| Session::new(id, row)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("session", id))
}

/// What each period of a session cleared at; empty until its gate closes.
#[utoipa::path(get, path = "/v1/sessions/{id}/clearings", tag = "market",
    operation_id = "clearings",
    params(("id" = u32, Path, description = "The number of the session.")),
    responses((status = 200, body = Vec<PeriodClearing>), (status = 404, body = Problem)))]
pub(super) async fn clearings(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
) -> Result<Json<Vec<PeriodClearing>>, ApiProblem> {
    let id = SessionId(id);
    api.node
        .read(|state| {
            state.sessions().contains_key(&id).then(|| {
                let rows = state.clearings().range((id, 0)..=(id, u8::MAX));
                rows.map(|((_, period), row)| PeriodClearing::new(id, *period, row)).collect()
            })
        })
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("session", id))
}

/// Which book of a session.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfPeriod {
    /// The delivery period within the day, from 0.
    period: u8,
}

/// The best five levels of each side of a book, without owners. Only a session whose orders match
/// on arrival shows any.
#[utoipa::path(get, path = "/v1/sessions/{id}/depth", tag = "market", operation_id = "depth",
    params(("id" = u32, Path, description = "The number of the session."), OfPeriod),
    responses((status = 200, body = Depth), (status = 404, body = Problem)))]
pub(super) async fn depth(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
    InQuery(of): InQuery<OfPeriod>,
) -> Result<Json<Depth>, ApiProblem> {
    let id = SessionId(id);
    api.node
        .read(|state| {
            let session = state.sessions().get(&id)?;
            let known = of.period < session.terms.resolution.periods();
            known.then(|| Depth::new(id, of.period, &state.depth(id, of.period)))
        })
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("session or period", id))
}

/// Which orders.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OrderFilter {
    /// Of this session.
    session: Option<u32>,
    /// Of this organisation.
    owner: Option<u32>,
    /// In this status.
    #[param(inline)]
    status: Option<OrderStatus>,
    /// On this side.
    #[param(inline)]
    side: Option<Side>,
}

impl OrderFilter {
    fn fits(&self, order: &duet_ledger::Order) -> bool {
        self.session.is_none_or(|session| session == order.session.0)
            && self.owner.is_none_or(|owner| owner == order.owner.0)
            && self.status.is_none_or(|status| status == order.status.into())
            && self.side.is_none_or(|side| side == order.side.into())
    }
}

/// The orders of the sessions that are kept, by number.
#[utoipa::path(get, path = "/v1/orders", tag = "market", operation_id = "orders",
    params(OrderFilter, Paging), responses((status = 200, body = Page<Order>)))]
pub(super) async fn orders(
    State(api): State<Api>,
    InQuery(filter): InQuery<OrderFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Order>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.orders().range(behind(paging.after(), OrderId));
            paging.page(rows.map(|(id, row)| (id.0, (*id, row))), |(id, row)| {
                filter.fits(row).then(|| Order::new(id, row))
            })
        })
        .map(Json)
}

/// One order.
#[utoipa::path(get, path = "/v1/orders/{id}", tag = "market", operation_id = "order",
    params(("id" = u64, Path, description = "The number of the order.")),
    responses((status = 200, body = Order), (status = 404, body = Problem)))]
pub(super) async fn order(
    State(api): State<Api>,
    InPath(id): InPath<u64>,
) -> Result<Json<Order>, ApiProblem> {
    let id = OrderId(id);
    api.node
        .read(|state| state.orders().get(&id).map(|row| Order::new(id, row)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("order", id))
}

/// The trades of the sessions that are kept, by number.
#[utoipa::path(get, path = "/v1/trades", tag = "market", operation_id = "trades",
    params(OfSession, Paging), responses((status = 200, body = Page<Trade>)))]
pub(super) async fn trades(
    State(api): State<Api>,
    InQuery(filter): InQuery<OfSession>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Trade>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.trades().range(behind(paging.after(), TradeId));
            paging.page(rows.map(|(id, row)| (id.0, (*id, row))), |(id, row)| {
                let wanted = filter.session.is_none_or(|session| session == row.session.0);
                wanted.then(|| Trade::new(id, row))
            })
        })
        .map(Json)
}

/// The dispatches by number.
#[utoipa::path(get, path = "/v1/dispatches", tag = "market", operation_id = "dispatches",
    params(OfSession, Paging), responses((status = 200, body = Page<Dispatch>)))]
pub(super) async fn dispatches(
    State(api): State<Api>,
    InQuery(filter): InQuery<OfSession>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<Dispatch>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.dispatches().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| {
                let wanted = filter.session.is_none_or(|session| session == row.session.0);
                wanted.then(|| Dispatch::new(id, row))
            })
        })
        .map(Json)
}

/// The day of a dispatch as a power curve of 96 points, between two hours interpolated.
#[utoipa::path(get, path = "/v1/dispatches/{id}/curve", tag = "market",
    operation_id = "dispatch_curve",
    params(("id" = u64, Path, description = "The number of the dispatch.")),
    responses((status = 200, body = DispatchCurve), (status = 404, body = Problem)))]
pub(super) async fn dispatch_curve(
    State(api): State<Api>,
    InPath(id): InPath<u64>,
) -> Result<Json<DispatchCurve>, ApiProblem> {
    let id = DispatchId(id);
    api.node
        .read(|state| state.dispatches().get(&id).map(|row| DispatchCurve::new(id, row)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("dispatch", id))
}

/// Which meter readings: of a session's day, or of one unit and day.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MeterFilter {
    /// Of the delivery day of this session.
    session: Option<u32>,
    /// Of this unit; with `day`.
    unit: Option<u32>,
    /// Of this day.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<Day>,
}

/// The meter readings of a day, by unit and period. Pages hold whole units; `next` and `after` are
/// numbers of units.
#[utoipa::path(get, path = "/v1/meters", tag = "market", operation_id = "meters",
    params(MeterFilter, Paging),
    responses((status = 200, body = Page<MeterRecord>), (status = 400, body = Problem)))]
pub(super) async fn meters(
    State(api): State<Api>,
    InQuery(filter): InQuery<MeterFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<MeterRecord>>, ApiProblem> {
    let limit = paging.limit()?;
    api.node.read(|state| {
        let session = filter.session.map(|id| {
            let session = state.sessions().get(&SessionId(id));
            session.map(|row| row.day).ok_or_else(|| ApiProblem::not_found("session", id))
        });
        let day = match (session.transpose()?, filter.day) {
            (Some(day), None) | (None, Some(Day(day))) => day,
            _ => return Err(ApiProblem::bad_request("give either session or day".to_owned())),
        };
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        for unit in state.units().range(behind_unit(paging)).map(|(unit, _)| *unit) {
            if filter.unit.is_some_and(|wanted| wanted != unit.0) {
                continue;
            }
            if limit <= page.items.len() {
                page.next = last;
                break;
            }
            let rows = state.readings().range((unit, day, 0)..=(unit, day, u8::MAX));
            page.items.extend(
                rows.map(|((unit, day, period), row)| MeterRecord::new(*unit, *day, *period, row)),
            );
            last = Some(u64::from(unit.0));
        }
        Ok(Json(page))
    })
}

fn behind_unit(paging: Paging) -> (Bound<UnitId>, Bound<UnitId>) {
    behind(paging.after(), |after| UnitId(u32::try_from(after).unwrap_or(u32::MAX)))
}

/// Whose statement of which session.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatementFilter {
    /// The session.
    session: u32,
    /// Lines that this organisation pays or is paid by.
    organisation: Option<u32>,
}

/// The lines of a session's statement, by place; empty until it is settled.
#[utoipa::path(get, path = "/v1/statements", tag = "market", operation_id = "statements",
    params(StatementFilter, Paging), responses((status = 200, body = Page<StatementLine>)))]
pub(super) async fn statements(
    State(api): State<Api>,
    InQuery(filter): InQuery<StatementFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<StatementLine>>, ApiProblem> {
    let session = SessionId(filter.session);
    let organisation = filter.organisation.map(OrganisationId);
    api.node
        .read(|state| {
            let rows = state.lines().range((session, 0)..=(session, u32::MAX));
            paging.page(
                rows.map(|((_, place), row)| (u64::from(*place), (*place, row))),
                |(place, row)| {
                    let wanted = organisation.is_none_or(|id| id == row.payer || id == row.payee);
                    wanted.then(|| StatementLine::new(place, row))
                },
            )
        })
        .map(Json)
}
