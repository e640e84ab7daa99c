//! The way to the ledger: what was delivered, what never will be, and what is tried again.

mod http;
mod one_way;
mod report;
mod time;

pub use http::{HttpUplink, NodeAccess, UplinkError};
pub use one_way::{Collector, ONE_WAY_READINGS, OneWay, Taken};
pub use report::reports;

use async_trait::async_trait;
use duet_ledger::{Action, Dispatch, DispatchId, Rejection};

/// What came of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is final.
    Final,
    /// The ledger has it, or of a batch a part, from an earlier try.
    Repeated,
    /// The ledger will never take it.
    Refused(Rejection),
    /// The ledger does not know the unit, or not as one of this device: its owner may still be
    /// about to enrol it.
    NotEnrolled,
    /// Nobody knows yet; try again.
    Later,
}

/// The ledger as the gateway sees it. Tests bring their own.
#[async_trait]
pub trait Uplink: Send + Sync {
    /// Signs `action` as the device, submits it and waits for its receipt.
    async fn submit(&self, action: Action) -> Delivery;

    /// The dispatches of the device's units that are final and may be followed; `None` if the
    /// ledger cannot be asked.
    async fn dispatches(&self) -> Option<Vec<(DispatchId, Dispatch)>>;
}

/// What a rejection means for something that is sent until it is final: an earlier try may have
/// got through, and some refusals pass.
#[must_use]
pub const fn judge(rejection: Rejection) -> Delivery {
    match rejection {
        Rejection::StaleVersion | Rejection::DispatchNotIssued => Delivery::Repeated,
        // The device is enrolled later, the block's clock is behind ours, or another transaction
        // of ours overtook this one.
        Rejection::UnknownIdentity | Rejection::NotDelivered | Rejection::StaleNonce => {
            Delivery::Later
        }
        Rejection::NotYourDevice | Rejection::UnknownUnit => Delivery::NotEnrolled,
        other => Delivery::Refused(other),
    }
}
