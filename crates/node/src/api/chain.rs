//! Where the chain stands, what it was founded on, its blocks.

use super::{Api, extract::InPath, problem::ApiProblem};
use axum::{Json, extract::State};
use duet_ledger::MAX_TRANSACTION_BYTES;
use duet_sdk::wire::{
    Action, Block, BlockTransaction, Bytes, Channel, Hex32, Problem, Receipt, Status,
};

/// Where this validator stands.
#[utoipa::path(get, path = "/v1/status", tag = "chain", operation_id = "status",
    responses((status = 200, body = Status)))]
pub(super) async fn status(State(api): State<Api>) -> Json<Status> {
    let status = api.node.status();
    let mut committee = status.committee;
    committee.sort_unstable();
    Json(Status {
        validator: status.name,
        channel: Hex32(status.channel),
        height: status.height,
        time_ms: status.time.unix_ms(),
        now_ms: status.now.unix_ms(),
        state_root: Hex32(status.state_root),
        receipts_root: Hex32(status.receipts_root),
        mempool: status.mempool as u64,
        committee: committee.into_iter().map(Hex32::from).collect(),
    })
}

/// What the channel was founded on.
#[utoipa::path(get, path = "/v1/channel", tag = "chain", operation_id = "channel",
    responses((status = 200, body = Channel)))]
pub(super) async fn channel(State(api): State<Api>) -> Json<Channel> {
    let genesis = api.node.genesis();
    let mut validators = genesis.validators.clone();
    validators.sort_unstable_by_key(|validator| validator.key);
    Json(Channel {
        channel: Hex32(genesis.channel()),
        name: genesis.name.clone(),
        genesis_time_ms: genesis.time.unix_ms(),
        committee: validators.iter().map(|validator| validator.key.into()).collect(),
        validators: validators.into_iter().map(|validator| validator.name).collect(),
        genesis_hash: Hex32(genesis.content_hash()),
        transaction_bytes_max: MAX_TRANSACTION_BYTES as u64,
    })
}

/// A final block with its transactions and their receipts.
#[utoipa::path(get, path = "/v1/blocks/{height}", tag = "chain", operation_id = "block",
    params(("height" = u64, Path, description = "The height, from 0.")),
    responses((status = 200, body = Block), (status = 404, body = Problem)))]
pub(super) async fn block(
    State(api): State<Api>,
    InPath(height): InPath<u64>,
) -> Result<Json<Block>, ApiProblem> {
    let view =
        api.node.block(height).await.ok_or_else(|| ApiProblem::not_found("block", height))?;
    let certificate = api.node.mailbox().certificate(height).await;
    let header = view.block.header;
    let receipts = (0_u32..).zip(&view.receipts);
    let transactions = view
        .body
        .transactions
        .iter()
        .zip(receipts)
        .map(|(transaction, (index, receipt))| BlockTransaction {
            signer: (*transaction.signer()).into(),
            nonce: transaction.nonce(),
            action: Action::try_from(transaction.action().clone()).ok(),
            receipt: Receipt::new(height, index, receipt),
        })
        .collect();
    Ok(Json(Block {
        height,
        digest: Hex32(view.block.digest()),
        parent: Hex32(header.parent),
        time_ms: header.time_ms,
        checkpoint_height: header.checkpoint.height,
        state_root: Hex32(header.checkpoint.state_root),
        receipts_root: Hex32(header.checkpoint.receipts_root),
        header: Bytes(header.encode()),
        certificate: certificate.map(|certificate| Bytes(certificate.encode())),
        transactions,
    }))
}
