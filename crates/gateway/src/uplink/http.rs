//! The ledger over a node's API.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use duet_ledger::{Action, Dispatch, DispatchId, DispatchState, Rejection, SessionId, UnitId};
use duet_sdk::client::{Client, ClientError};
use duet_sdk::wire;
use duet_units::{ClockTime, Power};

use super::{Delivery, Uplink, judge};
use crate::clock::Clock;
use crate::device::Device;

/// How long one request waits for the receipt.
const WAIT: Duration = Duration::from_secs(10);
/// No answer of a node takes longer.
const GIVE_UP: Duration = Duration::from_secs(20);

/// A node, and the device that signs for it.
pub struct HttpUplink {
    client: Client,
    rows: reqwest::Client,
    node: String,
    device: Device,
    clock: Arc<dyn Clock>,
    last_nonce: Mutex<u64>,
    follows: bool,
}

impl std::fmt::Debug for HttpUplink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpUplink").field("node", &self.node).finish_non_exhaustive()
    }
}

impl HttpUplink {
    /// The node at `node`. `follows` says that its dispatches are taken at its word: its API does
    /// not serve their proofs yet.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the system's network cannot be used at all.
    pub fn new(
        node: &str,
        device: Device,
        clock: Arc<dyn Clock>,
        follows: bool,
    ) -> Result<Self, ClientError> {
        let client = Client::new(node)?;
        let rows = reqwest::Client::builder().timeout(GIVE_UP).build();
        let rows =
            rows.map_err(|source| ClientError::Unreachable { url: node.to_owned(), source })?;
        let (node, last_nonce) = (node.trim_end_matches('/').to_owned(), Mutex::new(0));
        Ok(Self { client, rows, node, device, clock, last_nonce, follows })
    }

    /// The next nonce: the time in milliseconds, or one more than the last. It needs no memory
    /// over restarts as long as the clock does not go back; if it does, the ledger says so and the
    /// last one is asked for.
    fn nonce(&self) -> u64 {
        let mut last = self.last_nonce.lock().unwrap_or_else(PoisonError::into_inner);
        let now = u64::try_from(self.clock.now().unix_ms()).unwrap_or(0);
        *last = now.max(last.saturating_add(1));
        *last
    }

    async fn ask_nonce(&self) {
        let key = wire::Hex32(*self.device.public().bytes());
        if let Ok(identity) = self.client.identity(key).await {
            let mut last = self.last_nonce.lock().unwrap_or_else(PoisonError::into_inner);
            *last = (*last).max(identity.last_nonce);
        }
    }

    async fn rows(&self, after: u64) -> Option<wire::Page<wire::Dispatch>> {
        let request = self.rows.get(format!("{}/v1/dispatches", self.node));
        let query = [("after", after), ("limit", 1_000)];
        request.query(&query).send().await.ok()?.json().await.ok()
    }
}

#[async_trait]
impl Uplink for HttpUplink {
    async fn submit(&self, action: Action) -> Delivery {
        let nonce = self.nonce();
        let transaction = self.device.member().sign(*self.device.channel(), nonce, action);
        let answer = tokio::time::timeout(GIVE_UP, self.client.submit(&transaction, WAIT)).await;
        let rejection = match answer {
            Ok(Ok(submitted)) => match submitted.receipt {
                Some(receipt) if receipt.accepted => return Delivery::Final,
                Some(receipt) => Rejection::from_code(receipt.number),
                None => None,
            },
            Ok(Err(ClientError::Refused(problem))) => problem.number.and_then(Rejection::from_code),
            Ok(Err(ClientError::Unreachable { .. } | ClientError::NotTheApi { .. })) | Err(_) => {
                None
            }
        };
        if rejection == Some(Rejection::StaleNonce) {
            self.ask_nonce().await;
        }
        rejection.map_or(Delivery::Later, judge)
    }

    async fn dispatches(&self) -> Option<Vec<(DispatchId, Dispatch)>> {
        if !self.follows {
            return Some(Vec::new());
        }
        let (mut after, mut dispatches) = (0, Vec::new());
        loop {
            let page = self.rows(after).await?;
            dispatches.extend(page.items.iter().map(dispatch));
            match page.next {
                Some(next) if next > after => after = next,
                Some(_) | None => return Some(dispatches),
            }
        }
    }
}

fn dispatch(row: &wire::Dispatch) -> (DispatchId, Dispatch) {
    let dispatch = Dispatch {
        session: SessionId(row.session),
        unit: UnitId(row.unit),
        day: row.day.0,
        setpoints: row.setpoints_kw.iter().copied().map(Power::from_kw).collect(),
        issued_at: ClockTime::from_unix_ms(row.issued_at_ms),
        state: match row.state {
            wire::DispatchState::Issued => DispatchState::Issued,
            wire::DispatchState::Accepted => DispatchState::Accepted,
            wire::DispatchState::Refused => DispatchState::Refused,
        },
        cause: row.cause,
    };
    (DispatchId(row.id), dispatch)
}
