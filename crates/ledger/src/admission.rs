//! May this transaction enter the mempool? The same checks run again when its block is applied.
//!
//! In two steps: [`stateless`] needs only the bytes and the channel, so it can run anywhere and in
//! batches; [`against`] holds the transaction to a state.

use crate::apply::check;
use crate::codec::DecodeError;
use crate::ids::ChannelId;
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
use crate::transaction::{MAX_TRANSACTION_BYTES, Transaction};

/// Reads bytes and checks what needs no state: form, channel and, unless the caller checks
/// signatures in batches, the signature.
///
/// # Errors
///
/// Returns the [`Refusal`] of lowest number.
pub fn stateless(
    bytes: &[u8],
    channel: &ChannelId,
    with_signature: bool,
) -> Result<Transaction, Refusal> {
    let transaction =
        Transaction::from_bytes(bytes).map_err(|error| refused(error, bytes.len()))?;
    if transaction.channel() != channel {
        return Err(Rejection::WrongChannel.of("channel", 0, 0));
    }
    if with_signature && !transaction.signature_is_valid() {
        return Err(Rejection::BadSignature.of("signature", 0, 0));
    }
    Ok(transaction)
}

fn refused(error: DecodeError, length: usize) -> Refusal {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let limit = i64::try_from(MAX_TRANSACTION_BYTES).unwrap_or(i64::MAX);
    match error {
        DecodeError::TooLong { field: "transaction", .. } => {
            Rejection::TooLarge.of("transaction", length, limit)
        }
        DecodeError::UnknownTag { field: "suite", value } => {
            Rejection::UnknownSuite.of("suite", value, 1)
        }
        DecodeError::UnknownTag { field, value } => Rejection::Malformed.of(field, value, 0),
        DecodeError::TooLong { field, length, limit } => Rejection::Malformed.of(
            field,
            i64::try_from(length).unwrap_or(i64::MAX),
            i64::try_from(limit).unwrap_or(i64::MAX),
        ),
        DecodeError::Truncated(field) => Rejection::Malformed.of(field, length, 0),
        DecodeError::LeftOver(_) | DecodeError::NotUtf8 => {
            Rejection::Malformed.of("transaction", length, 0)
        }
    }
}

/// Holds a transaction to a state, at the time of its last block, without changing it.
///
/// # Errors
///
/// Returns the [`Refusal`] of lowest number that applying it now would give.
pub fn against(state: &State, transaction: &Transaction) -> Result<(), Refusal> {
    check(state, transaction)
}
