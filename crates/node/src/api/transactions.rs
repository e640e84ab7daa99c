//! Submission, receipts, proofs.

use super::{
    Api,
    extract::{InPath, InQuery},
    problem::ApiProblem,
};
use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use duet_ledger::{MAX_TRANSACTION_BYTES, Rejection};
use duet_sdk::{
    proof::ReceiptProof,
    wire::{Hex32, Problem, Receipt, SubmitRequest, Submitted},
};
use serde::Deserialize;
use std::time::Duration;

/// The longest that an answer waits for a receipt, in seconds.
const WAIT_SECONDS_MAX: u64 = 60;

/// How to answer a submission.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Waiting {
    /// Answer only when the receipt is final, or after so many seconds.
    #[param(minimum = 1, maximum = 60)]
    wait: Option<u64>,
}

/// Submits a signed transaction: its canonical bytes as `application/octet-stream`, or as hex in
/// JSON.
///
/// 202 says that it waits for a block; 200 brings its final receipt, whether it was accepted or
/// refused when its block was executed. Sending the same bytes again is safe.
#[utoipa::path(post, path = "/v1/transactions", tag = "chain", operation_id = "submit",
    params(Waiting),
    request_body(content(
        (SubmitRequest = "application/json"),
        (Vec<u8> = "application/octet-stream"),
    )),
    responses(
        (status = 200, body = Submitted, description = "Final, with its receipt."),
        (status = 202, body = Submitted, description = "Taken into the mempool."),
        (status = "4XX", body = Problem, description = "Refused at admission."),
        (status = 503, body = Problem, description = "The mempool is full."),
    ))]
pub(super) async fn submit(
    State(api): State<Api>,
    InQuery(waiting): InQuery<Waiting>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Submitted>), ApiProblem> {
    let bytes = canonical_bytes(&headers, body)?;
    let wait = match waiting.wait {
        None => Duration::ZERO,
        Some(seconds @ 1..=WAIT_SECONDS_MAX) => Duration::from_secs(seconds),
        Some(seconds) => {
            let detail = format!("wait = {seconds}: wait for 1 to {WAIT_SECONDS_MAX} seconds");
            return Err(ApiProblem::bad_request(detail));
        }
    };
    let hash = api.node.submit(&bytes)?;
    let found = match api.node.receipt(&hash) {
        None if !wait.is_zero() => api.node.wait_final(&hash, wait).await,
        found => found,
    };
    let receipt = found.map(|found| Receipt::new(found.height, found.index, &found.receipt));
    let status = if receipt.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Submitted { transaction: Hex32(hash), receipt })))
}

/// The bytes of the transaction in a body.
fn canonical_bytes(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Vec<u8>, ApiProblem> {
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let limit = i64::try_from(MAX_TRANSACTION_BYTES).unwrap_or(i64::MAX);
            crate::SubmitError::Refused(Rejection::TooLarge.of("body", limit + 1, limit)).into()
        }
        _ => ApiProblem::bad_request(error.body_text()),
    })?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match kind.map(|kind| kind.split(';').next().unwrap_or_default().trim()) {
        Some("application/octet-stream") => Ok(body.to_vec()),
        Some("application/json") => serde_json::from_slice::<SubmitRequest>(&body)
            .map(|request| request.transaction.0)
            .map_err(|error| ApiProblem::bad_request(error.to_string())),
        other => Err(ApiProblem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "A transaction is sent as application/octet-stream or application/json.",
            format!("content-type is {}", other.unwrap_or("absent")),
        )),
    }
}

/// The final receipt of a transaction; 404 until it is final, and when it is too old for the
/// node's index.
#[utoipa::path(get, path = "/v1/transactions/{hash}", tag = "chain", operation_id = "receipt",
    params(("hash" = Hex32, Path, description = "The hash of the transaction.")),
    responses((status = 200, body = Receipt), (status = 404, body = Problem)))]
pub(super) async fn receipt(
    State(api): State<Api>,
    InPath(hash): InPath<Hex32>,
) -> Result<Json<Receipt>, ApiProblem> {
    let found = api.node.receipt(&hash.0).ok_or_else(|| {
        if api.node.is_pending(&hash.0) {
            let title = "The transaction waits for a block.";
            let detail = format!("transaction {hash} is in the mempool");
            ApiProblem::new(StatusCode::NOT_FOUND, "not-final", title, detail)
        } else {
            ApiProblem::not_found("transaction", hash)
        }
    })?;
    Ok(Json(Receipt::new(found.height, found.index, &found.receipt)))
}

/// What convinces an outsider of a receipt, who trusts nothing but the channel id.
///
/// 404 with the code `not-final` until a later block's checkpoint covers the receipt.
#[utoipa::path(get, path = "/v1/transactions/{hash}/proof", tag = "chain",
    operation_id = "receipt_proof",
    params(("hash" = Hex32, Path, description = "The hash of the transaction.")),
    responses((status = 200, body = ReceiptProof), (status = 404, body = Problem)))]
pub(super) async fn receipt_proof(
    State(api): State<Api>,
    InPath(hash): InPath<Hex32>,
) -> Result<Json<ReceiptProof>, ApiProblem> {
    if let Some(proof) = api.node.receipt_proof(&hash.0).await {
        return Ok(Json(proof));
    }
    if api.node.receipt(&hash.0).is_none() && !api.node.is_pending(&hash.0) {
        return Err(ApiProblem::not_found("transaction", hash));
    }
    let title = "No checkpoint covers the receipt yet.";
    let detail = format!("ask again for transaction {hash} in a few blocks");
    Err(ApiProblem::new(StatusCode::NOT_FOUND, "not-final", title, detail))
}
