//! Proofs of rows of the ledger.

use super::{Api, extract::InPath, problem::ApiProblem};
use axum::{Json, extract::State, http::StatusCode};
use duet_ledger::{Dispatch, DispatchId, Encode as _, State as Ledger};
use duet_sdk::{
    proof::{HeadProof, RowProof},
    wire::Problem,
};
use std::time::Duration;

/// How long a proof may take: the chain makes a block every five seconds at least.
const PROOF_WITHIN: Duration = Duration::from_secs(15);

/// The last final header with its certificate: what time it is on the channel, for one who trusts
/// nothing but the channel id.
#[utoipa::path(get, path = "/v1/head/proof", tag = "chain", operation_id = "head_proof",
    responses((status = 200, body = HeadProof), (status = 503, body = Problem)))]
pub(super) async fn head_proof(State(api): State<Api>) -> Result<Json<HeadProof>, ApiProblem> {
    api.node.head_proof().await.map(Json).ok_or_else(|| {
        let (title, detail) = ("No block is final yet.", "ask again in a few seconds");
        ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "not-final", title, detail.to_owned())
    })
}

/// What convinces an outsider, who trusts nothing but the channel id, that a dispatch stands on the
/// ledger as it does. The answer takes a few blocks.
#[utoipa::path(get, path = "/v1/dispatches/{id}/proof", tag = "market",
    operation_id = "dispatch_proof",
    params(("id" = u64, Path, description = "The number of the dispatch.")),
    responses(
        (status = 200, body = RowProof),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ))]
pub(super) async fn dispatch_proof(
    State(api): State<Api>,
    InPath(id): InPath<u64>,
) -> Result<Json<RowProof>, ApiProblem> {
    let dispatch = DispatchId(id);
    let row = |state: &Ledger| {
        let row = state.dispatches().get(&dispatch)?;
        Some((Dispatch::store_key(dispatch), row.to_bytes()))
    };
    proved(&api, ("dispatch", id), row).await
}

/// The proof of the row that `row` finds, for the thing with this name and number.
pub(super) async fn proved(
    api: &Api,
    (what, id): (&'static str, u64),
    row: impl Fn(&Ledger) -> Option<(Vec<u8>, Vec<u8>)>,
) -> Result<Json<RowProof>, ApiProblem> {
    if api.node.read(&row).is_none() {
        return Err(ApiProblem::not_found(what, id));
    }
    let proof = tokio::time::timeout(PROOF_WITHIN, api.node.row_proof(row)).await;
    proof.ok().flatten().map(Json).ok_or_else(|| {
        let title = "No checkpoint covers the row yet.";
        let detail = format!("ask again for {what} {id} in a few blocks");
        ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "not-final", title, detail)
    })
}
