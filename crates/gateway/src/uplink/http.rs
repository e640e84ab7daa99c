//! The ledger over a node's API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use duet_ledger::{Action, Dispatch, DispatchId, DispatchState, Rejection, SessionId, UnitId};
use duet_sdk::client::{Client, ClientError};
use duet_sdk::wire;
use duet_units::{ClockTime, Power};
use tokio::time::timeout;

use super::{Delivery, Uplink, judge};
use crate::clock::Clock;
use crate::device::Device;
use crate::dispatch::verify_dispatch;

/// How long one request waits for the receipt.
const WAIT: Duration = Duration::from_secs(10);
/// How far ahead of the gateway's clock a dispatch may have been issued.
const AHEAD_MS: i64 = 60_000;
/// No answer of a node takes longer.
const GIVE_UP: Duration = Duration::from_secs(20);

/// What the gateway asks of a node, and how far it takes the node's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAccess {
    /// The address of its API.
    pub node: String,
    /// The units whose dispatches concern the gateway.
    pub units: BTreeSet<u32>,
    /// How far the state that a proof shows may be away from the gateway's clock, in milliseconds.
    pub fresh_ms: i64,
    /// Whether dispatches are taken without proof.
    pub unproven: bool,
}

impl NodeAccess {
    /// The access that a point map describes; `None` if it names no node.
    #[must_use]
    pub fn of(map: &crate::point_map::PointMap) -> Option<Self> {
        let uplink = map.uplink.as_ref()?;
        Some(Self {
            node: uplink.node.clone(),
            units: crate::dispatch::SetpointRule::of(map).into_iter().map(|r| r.unit).collect(),
            fresh_ms: i64::from(uplink.fresh_s) * 1_000,
            unproven: uplink.follow_unproven,
        })
    }
}

/// A node, and the device that signs for it.
pub struct HttpUplink {
    client: Client,
    access: NodeAccess,
    device: Device,
    clock: Arc<dyn Clock>,
    last_nonce: Mutex<u64>,
    /// The dispatches that were proved and are not over. A proof holds for good as to what was to
    /// be done; whether it was answered is known here.
    proved: Mutex<BTreeMap<DispatchId, Dispatch>>,
}

impl std::fmt::Debug for HttpUplink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpUplink").field("access", &self.access).finish_non_exhaustive()
    }
}

impl HttpUplink {
    /// The node that `access` names.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the system's network cannot be used at all.
    pub fn new(
        access: NodeAccess,
        device: Device,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let client = Client::new(&access.node)?;
        let (last_nonce, proved) = (Mutex::new(0), Mutex::default());
        Ok(Self { client, access, device, clock, last_nonce, proved })
    }

    /// The next nonce: the time in milliseconds, or one more than the last. It needs no memory
    /// over restarts as long as the clock does not go back; if it does, the ledger says so and the
    /// last one is asked for.
    fn nonce(&self) -> u64 {
        let mut last = lock(&self.last_nonce);
        let now = u64::try_from(self.clock.now().unix_ms()).unwrap_or(0);
        *last = now.max(last.saturating_add(1));
        *last
    }

    async fn ask_nonce(&self) {
        let key = wire::Hex32(*self.device.public().bytes());
        if let Ok(Ok(identity)) = timeout(GIVE_UP, self.client.identity(key)).await {
            let mut last = lock(&self.last_nonce);
            *last = (*last).max(identity.last_nonce);
        }
    }

    /// The dispatches that concern the gateway, at the node's word.
    async fn listed(&self) -> Option<Vec<(DispatchId, Dispatch)>> {
        let now = self.clock.now().plus_ms(AHEAD_MS);
        let today = self.clock.now().day();
        let (mut after, mut dispatches) = (0, Vec::new());
        loop {
            let page = timeout(GIVE_UP, self.client.dispatches(after)).await.ok()?.ok()?;
            let own = page.items.iter().map(dispatch);
            // One that is issued in the future of this clock is looked at again when it has come.
            let here = |d: &Dispatch| {
                d.day >= today && d.issued_at <= now && self.access.units.contains(&d.unit.0)
            };
            dispatches.extend(own.filter(|(_, dispatch)| here(dispatch)));
            match page.next {
                Some(next) if next > after => after = next,
                Some(_) | None => return Some(dispatches),
            }
        }
    }

    async fn proof_of(&self, id: DispatchId) -> Option<duet_sdk::proof::RowProof> {
        match timeout(GIVE_UP, self.client.dispatch_proof(id.0)).await.ok()? {
            Ok(proof) => Some(proof),
            Err(error) => {
                tracing::warn!("dispatch {id}: no proof: {error}");
                None
            }
        }
    }

    /// What the ledger's proof says about a dispatch that the node lists; `None` if there is none.
    async fn prove(&self, id: DispatchId, listed: &Dispatch) -> Option<Dispatch> {
        if let Some(proved) = lock(&self.proved).get(&id) {
            return Some(Dispatch { state: listed.state, ..proved.clone() });
        }
        let proof = self.proof_of(id).await?;
        let fresh = (self.clock.now(), self.access.fresh_ms);
        match verify_dispatch(&proof, id, self.device.channel(), fresh) {
            Ok(dispatch) => {
                lock(&self.proved).insert(id, dispatch.clone());
                Some(dispatch)
            }
            Err(error) => {
                tracing::warn!("dispatch {id} is not followed: {error}");
                None
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Uplink for HttpUplink {
    async fn submit(&self, action: Action) -> Delivery {
        let nonce = self.nonce();
        let transaction = self.device.member().sign(*self.device.channel(), nonce, action);
        let answer = timeout(GIVE_UP, self.client.submit(&transaction, WAIT)).await;
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
        let listed = self.listed().await?;
        if self.access.unproven {
            return Some(listed);
        }
        let mut proved = Vec::new();
        for (id, dispatch) in &listed {
            proved.extend(self.prove(*id, dispatch).await.map(|dispatch| (*id, dispatch)));
        }
        lock(&self.proved).retain(|id, _| listed.iter().any(|(listed, _)| listed == id));
        Some(proved)
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
