//! A dispatch that is final on the ledger, checked on the device from the channel id alone.

use duet_ledger::{ChannelId, DecodeError, Dispatch, DispatchId, decode_all};
use duet_sdk::proof::{RowProof, RowProofError};
use duet_units::ClockTime;

/// Why a proof proves no dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DispatchProofError {
    /// It proves no row of the channel.
    #[error(transparent)]
    Row(#[from] RowProofError),
    /// It proves another row than the dispatch that was asked for.
    #[error("the proof is of another row")]
    OtherRow,
    /// The row is not a dispatch.
    #[error("the row: {0}")]
    Bytes(#[from] DecodeError),
    /// The state that it proves is too old, or of the future of the gateway's clock.
    #[error("the state that is proved is {0} s away from the gateway's clock")]
    NotFresh(i64),
}

/// The dispatch that `proof` proves, if it is the one with this number, and was current on the
/// channel no more than `fresh_ms` away from `now`.
///
/// # Errors
///
/// Returns the first [`DispatchProofError`] found.
pub fn verify_dispatch(
    proof: &RowProof,
    id: DispatchId,
    trusted: &ChannelId,
    (now, fresh_ms): (ClockTime, i64),
) -> Result<Dispatch, DispatchProofError> {
    let row = proof.verify(trusted)?;
    if proof.key.0 != Dispatch::store_key(id) {
        return Err(DispatchProofError::OtherRow);
    }
    let away = now.unix_ms().saturating_sub(row.time_ms);
    if away.saturating_abs() > fresh_ms {
        return Err(DispatchProofError::NotFresh(away / 1_000));
    }
    Ok(decode_all(&proof.row.0)?)
}
