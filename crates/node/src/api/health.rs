//! Health and metrics for operators.

use super::{Api, Counters, problem::ApiProblem};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use duet_sdk::wire::Problem;
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "node", operation_id = "healthz",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The node executes blocks: it answers after the next one, or with 503 after the time in which
/// one should have come.
#[utoipa::path(get, path = "/readyz", tag = "node", operation_id = "readyz",
    responses(
        (status = 200, content_type = "text/plain", body = String),
        (status = 503, body = Problem),
    ))]
pub(super) async fn ready(State(api): State<Api>) -> Result<&'static str, ApiProblem> {
    let height = api.node.status().height;
    let next = api.node.wait_height(height + 1);
    if tokio::time::timeout(api.ready_within, next).await.is_ok() {
        return Ok("ready\n");
    }
    let title = "The node executes no blocks.";
    let detail = format!("no block after {height} within {} s", api.ready_within.as_secs());
    Err(ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", title, detail))
}

/// Metrics in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "node", operation_id = "metrics",
    responses((status = 200, content_type = "text/plain; version=0.0.4", body = String)))]
pub(super) async fn metrics(State(api): State<Api>) -> Response {
    let status = api.node.status();
    let (accepted, sessions) =
        api.node.read(|state| (state.progress().accepted, state.sessions().len()));
    let load = |counter: &AtomicU64| i128::from(counter.load(Ordering::Relaxed));
    let counters = &api.counters;
    let lag_ms = status.now.unix_ms().saturating_sub(status.time.unix_ms());
    let rows = [
        ("height", "gauge", "Height of the last executed block.", i128::from(status.height)),
        ("block_age_ms", "gauge", "Market time since that block.", i128::from(lag_ms)),
        ("mempool_transactions", "gauge", "Transactions waiting.", status.mempool as i128),
        ("orders_accepted_total", "counter", "Orders ever accepted.", i128::from(accepted)),
        ("sessions", "gauge", "Sessions kept in the state.", sessions as i128),
        ("http_succeeded_total", "counter", "Answers below 400.", load(&counters.succeeded)),
        ("http_refused_total", "counter", "Answers of 4xx.", load(&counters.refused)),
        ("http_failed_total", "counter", "Answers of 5xx.", load(&counters.failed)),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        // Writing to a String cannot fail.
        writeln!(text, "# HELP duet_{name} {help}\n# TYPE duet_{name} {kind}\nduet_{name} {value}")
            .ok();
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Counts an answer.
pub(super) async fn count(State(counters): State<Arc<Counters>>, response: Response) -> Response {
    let counter = match response.status().as_u16() {
        ..400 => &counters.succeeded,
        400..500 => &counters.refused,
        _ => &counters.failed,
    };
    counter.fetch_add(1, Ordering::Relaxed);
    response
}
