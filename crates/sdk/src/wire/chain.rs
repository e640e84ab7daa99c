//! The chain: status, blocks, receipts, submission, problems.

use super::{Action, Big, Bytes, Hex32};
use duet_ledger::{Refusal, Rejection};
use serde::{Deserialize, Serialize};

/// Derives what every JSON shape of this file has.
macro_rules! shape {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)* }
    };
}

shape! {
    /// Where a validator stands.
    Status {
        /// What people call the validator.
        validator: String,
        /// The channel.
        channel: Hex32,
        /// The height of the last executed block; it is final.
        height: u64,
        /// The time of that block.
        time_ms: i64,
        /// The market's clock now.
        now_ms: i64,
        /// The root of the state after that block.
        state_root: Hex32,
        /// The root of the receipts up to it.
        receipts_root: Hex32,
        /// Transactions that wait for a block.
        mempool: u64,
        /// The public keys of the validators, ascending.
        committee: Vec<Hex32>,
    }
}

shape! {
    /// What a channel was founded on.
    Channel {
        /// The channel id: what a reader needs to trust a proof.
        channel: Hex32,
        /// What people call the channel.
        name: String,
        /// The time of the block at height 0.
        genesis_time_ms: i64,
        /// The validators' public keys, ascending.
        committee: Vec<Hex32>,
        /// The names of the validators, in the order of `committee`.
        validators: Vec<String>,
        /// The hash of the genesis, which with the committee makes the channel id.
        genesis_hash: Hex32,
        /// The longest transaction, in bytes.
        transaction_bytes_max: u64,
    }
}

shape! {
    /// What came of a transaction, with its place in the chain.
    Receipt {
        /// The hash of the transaction.
        transaction: Hex32,
        /// The height of its block.
        height: u64,
        /// Its place in the block, from 0.
        index: u32,
        /// Whether it was accepted.
        accepted: bool,
        /// 0 if accepted, else the number of the rejection.
        number: u16,
        /// The stable name of the rejection; none if accepted.
        code: Option<String>,
        /// The rule that was broken; none if accepted.
        rule: Option<String>,
        /// The number of the thing that was made or acted on; 0 if none.
        subject: u64,
    }
}

impl Receipt {
    /// The JSON form of the receipt at this place.
    #[must_use]
    pub fn new(height: u64, index: u32, receipt: &duet_ledger::Receipt) -> Self {
        let rejection = receipt.rejection();
        Self {
            transaction: Hex32(receipt.transaction),
            height,
            index,
            accepted: receipt.is_accepted(),
            number: receipt.code,
            code: rejection.map(|rejection| rejection.name().to_owned()),
            rule: rejection.map(|rejection| rejection.rule().to_owned()),
            subject: receipt.subject,
        }
    }
}

shape! {
    /// A transaction of a block.
    BlockTransaction {
        /// Who signed.
        signer: Hex32,
        /// Its nonce.
        nonce: u64,
        /// What it asks for; none if this release has no form for it.
        action: Option<Action>,
        /// What came of it.
        receipt: Receipt,
    }
}

shape! {
    /// A final block.
    Block {
        /// Its height.
        height: u64,
        /// The digest of its header.
        digest: Hex32,
        /// The digest of its parent's header.
        parent: Hex32,
        /// Its time.
        time_ms: i64,
        /// The height whose execution the header vouches for.
        checkpoint_height: u64,
        /// The root of the state after that block.
        state_root: Hex32,
        /// The root of the receipts up to that block.
        receipts_root: Hex32,
        /// Its header, as bytes.
        header: Bytes,
        /// Its finality certificate, as bytes; none if a later block's makes it final.
        certificate: Option<Bytes>,
        /// Its transactions, in order.
        transactions: Vec<BlockTransaction>,
    }
}

shape! {
    /// A transaction to submit.
    SubmitRequest {
        /// Its canonical bytes.
        transaction: Bytes,
    }
}

shape! {
    /// A transaction that was taken into the mempool.
    Submitted {
        /// The hash by which its receipt is found.
        transaction: Hex32,
        /// What came of it; none if it was not waited for, or is not final yet.
        receipt: Option<Receipt>,
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows, ascending.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; none if this is the last.
    pub next: Option<u64>,
}

/// A refusal or fault, as RFC 9457 problem details (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A relative reference that names the kind of problem: `/problems/` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in words; the rule that was broken.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened in this case.
    pub detail: String,
    /// The stable name of the problem, for programs.
    pub code: String,
    /// The number of the rejection; none if the ledger was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
    /// The field that breaks the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The field's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Big>,
    /// The bound that the value was held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Big>,
}

impl Problem {
    /// A problem outside the ledger's rules.
    #[must_use]
    pub fn new(status: u16, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{code}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            number: None,
            field: None,
            value: None,
            bound: None,
        }
    }

    /// A refusal by one of the ledger's rules.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let rejection = refusal.rejection;
        Self {
            number: Some(rejection.code()),
            field: Some(refusal.field.to_owned()),
            value: Some(Big(refusal.value)),
            bound: Some(Big(refusal.bound)),
            ..Self::new(
                status_of(rejection),
                rejection.name(),
                rejection.rule(),
                refusal.to_string(),
            )
        }
    }
}

/// The HTTP status of a rejection: by the class of its number, which docs/api.md lists.
const fn status_of(rejection: Rejection) -> u16 {
    match rejection {
        Rejection::TooLarge => 413,
        Rejection::UnknownIdentity | Rejection::BadSignature => 401,
        Rejection::WrongRole | Rejection::NotYours | Rejection::NotYourDevice => 403,
        Rejection::StaleNonce => 409,
        _ if rejection.code() < 200 => 400,
        _ => 422,
    }
}
