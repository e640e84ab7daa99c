//! The HTTP API: queries of the executed state, submission, proofs, the stream of final events.
//!
//! [`app`] builds the router apart from any listener; [`serve`] puts it behind one with limits.
//! Every refusal is an RFC 9457 problem with a stable code. The OpenAPI description is made from
//! the handlers, and a test holds the committed copy to it. docs/api.md tells the rest.

mod accounts;
mod auction;
mod body;
mod carbon;
mod certificates;
mod chain;
mod contracts;
mod devices;
mod events;
mod extract;
mod health;
mod market;
mod passthrough;
mod problem;
mod proofs;
mod query;
mod rules;
mod schedule;
mod sealed;
mod security;
mod server;
mod statements;
mod tls;
mod trace;
mod transactions;
mod web;

pub use server::{ServeLimits, serve};
pub use tls::{Tls, TlsError};

use crate::Handle;
use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use duet_ledger::MAX_TRANSACTION_BYTES;
use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::sync::Semaphore;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest body of a request: a transaction as hex in JSON.
const BODY_BYTES_MAX: usize = 2 * MAX_TRANSACTION_BYTES + 1_024;

/// What the API is told at its start.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// The folder of the built web page; none serves no page.
    pub web_dir: Option<PathBuf>,
    /// The most readers of the event stream at once.
    pub event_readers_max: usize,
    /// A node that executes no block for this long is not ready.
    pub ready_within: Duration,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self { web_dir: None, event_readers_max: 256, ready_within: Duration::from_secs(5) }
    }
}

/// What every handler sees.
#[derive(Clone, Debug)]
struct Api {
    node: Handle,
    readers: Arc<Semaphore>,
    ready_within: Duration,
    counters: Arc<Counters>,
}

/// Counted answers, by class of status.
#[derive(Debug, Default)]
struct Counters {
    succeeded: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Duet",
        description = "A joint electricity-carbon market: one validator's view. Integers of at \
            most 64 bits are numbers, wider ones decimal strings; units are in the names of fields.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "chain", description = "Status, blocks, transactions, receipts, proofs."),
        (name = "market", description = "Sessions, orders, trades, dispatch, metering, settlement."),
        (name = "accounts", description = "Organisations, identities, units, money, certificates."),
        (name = "carbon", description = "The allowance market, compliance, carbon credits."),
        (name = "node", description = "Health and metrics of this validator.")
    ),
    components(schemas(duet_sdk::wire::Action, duet_sdk::wire::FinalEvent))
)]
struct Description;

/// The routes with their descriptions, before they are bound to a node.
fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(chain_routes())
        .merge(market_routes())
        .merge(settlement_routes())
        .merge(statement_routes())
        .merge(rule_routes())
        .merge(account_routes())
        .merge(carbon_routes())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
}

fn chain_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(chain::status))
        .routes(routes!(chain::channel))
        .routes(routes!(chain::block))
        .routes(routes!(proofs::head_proof))
        .routes(routes!(transactions::submit))
        .routes(routes!(transactions::receipt))
        .routes(routes!(transactions::receipt_proof))
        .routes(routes!(events::stream))
}

fn market_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(market::sessions))
        .routes(routes!(market::session))
        .routes(routes!(market::clearings))
        .routes(routes!(market::depth))
        .routes(routes!(passthrough::pass_through))
        .routes(routes!(passthrough::carbon_shares))
        .routes(routes!(sealed::book))
        .routes(routes!(sealed::interventions))
        .routes(routes!(sealed::seals))
        .routes(routes!(market::orders))
        .routes(routes!(market::order))
        .routes(routes!(market::trades))
        .routes(routes!(contracts::contracts))
        .routes(routes!(contracts::contract))
}

fn settlement_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(market::dispatches))
        .routes(routes!(market::dispatch_curve))
        .routes(routes!(proofs::dispatch_proof))
        .routes(routes!(market::meters))
        .routes(routes!(auction::auction))
        .routes(routes!(auction::linked_orders))
        .routes(routes!(auction::linked_order))
        .routes(routes!(schedule::prices))
        .routes(routes!(schedule::curtailments))
}

fn statement_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(market::statements))
        .routes(routes!(trace::trace))
        .routes(routes!(statements::months))
        .routes(routes!(statements::objections))
        .routes(routes!(statements::later_lines))
        .routes(routes!(trace::later::later_trace))
}

fn rule_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(rules::rules))
        .routes(routes!(rules::rule))
        .routes(routes!(rules::limits))
}

fn account_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(accounts::organisations))
        .routes(routes!(accounts::organisation))
        .routes(routes!(accounts::identity))
        .routes(routes!(accounts::units))
        .routes(routes!(devices::devices))
        .routes(routes!(devices::one))
        .routes(routes!(accounts::payments))
        .routes(routes!(accounts::certificates))
        .merge(certificate_routes())
}

fn certificate_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(certificates::certificate))
        .routes(routes!(certificates::proof))
        .routes(routes!(certificates::offers))
        .routes(routes!(certificates::projects))
        .routes(routes!(certificates::green_contracts))
        .routes(routes!(certificates::green_contract))
        .routes(routes!(certificates::claim_report))
}

fn carbon_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(carbon::market))
        .routes(routes!(carbon::deals))
        .routes(routes!(carbon::biddings))
        .routes(routes!(carbon::account))
        .routes(routes!(carbon::period))
        .routes(routes!(carbon::obligation))
        .routes(routes!(carbon::gap))
        .routes(routes!(carbon::credits))
}

/// The OpenAPI description of the API.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

/// The router of a node's API: queries, submission, stream, Swagger UI and web page.
///
/// # Errors
///
/// Returns the system's error if the folder of the web page cannot be read.
pub fn app(node: Handle, config: &ApiConfig) -> io::Result<Router> {
    let api = Api {
        node,
        readers: Arc::new(Semaphore::new(config.event_readers_max)),
        ready_within: config.ready_within,
        counters: Arc::default(),
    };
    let (routes, description) = described().split_for_parts();
    let known = query::known(&description);
    let docs = utoipa_swagger_ui::SwaggerUi::new("/docs").url("/openapi.json", description);
    let page = web::Assets::load(config.web_dir.as_deref())?;
    let counters = api.counters.clone();
    Ok(routes
        .method_not_allowed_fallback(problem::method_not_allowed)
        .route_layer(middleware::from_fn_with_state(known, query::check))
        .with_state(api)
        .merge(docs)
        .fallback_service(get(web::serve).fallback(problem::not_found).with_state(page))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(body::in_time))
        .layer(middleware::map_response_with_state(counters, health::count))
        .layer(middleware::from_fn(security::headers)))
}
