//! The ledger over a node's API.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use duet_ledger::{Action, Dispatch, DispatchId, DispatchState, Rejection, SessionId, UnitId};
use duet_sdk::client::{Client, ClientError, Trust, TrustError};
use duet_sdk::wire;
use duet_units::{ClockTime, Power};
use tokio::time::timeout;

use super::time::ProvenTime;
use super::{Delivery, Uplink, judge};
use crate::clock::{self, Clock};
use crate::device::Device;
use crate::dispatch::verify_dispatch;

/// How long one request waits for the receipt.
const WAIT: Duration = Duration::from_secs(10);
/// How far ahead of the gateway's clock a dispatch may have been issued.
const AHEAD_MS: i64 = 60_000;
/// How far ahead of the clock a nonce may be that the node tells, in milliseconds: a century.
const NONCE_AHEAD: u64 = 100 * 365 * 86_400_000;
/// No answer of a node takes longer.
const GIVE_UP: Duration = Duration::from_secs(20);

/// The latest proven time, among the gateway's data.
const TIME_FILE: &str = "proven-time.json";

/// What the gateway asks of a node, and how far it takes the node's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeAccess {
    /// The address of its API.
    pub node: String,
    /// The units whose dispatches concern the gateway.
    pub units: BTreeSet<u32>,
    /// How far the state that a proof shows may be away from the gateway's clock, in milliseconds.
    pub fresh_ms: i64,
    /// Whether dispatches are taken without proof.
    pub unproven: bool,
    /// The root that an https address must show a certificate of.
    pub root: Option<PathBuf>,
    /// Whether an http address of another machine is taken.
    pub plain_http: bool,
    /// Where the latest proven time is kept over restarts.
    pub time_file: Option<PathBuf>,
}

/// Why there is no way to a node.
#[derive(Debug, thiserror::Error)]
pub enum UplinkError {
    /// The pinned root is of no use.
    #[error(transparent)]
    Root(#[from] TrustError),
    /// The address is not one that is trusted.
    #[error("[uplink] node")]
    Node(#[from] ClientError),
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
            root: uplink.root.clone(),
            plain_http: uplink.plain_http,
            time_file: Some(map.gateway.data.join(TIME_FILE)),
        })
    }
}

/// A node, and the device that signs for it.
pub struct HttpUplink {
    client: Client,
    /// Asks for the time, and for nothing else: it takes certificates of any date.
    asking: Option<Client>,
    time: Arc<ProvenTime>,
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
    /// Returns [`UplinkError`] if the root cannot be read, or the address is not to be trusted.
    pub fn new(
        access: NodeAccess,
        device: Device,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, UplinkError> {
        let channel = *device.channel();
        let time = Arc::new(ProvenTime::new(clock.clone(), channel, access.time_file.clone()));
        let trust = match &access.root {
            Some(file) => Trust::pinned(file)?,
            None => Trust::default(),
        };
        let trust = trust.with_plain_http(access.plain_http).at(time.clone());
        let client = Client::trusting(&access.node, &trust)?;
        let asking = match client.is_encrypted() {
            true => Some(Client::trusting(&access.node, &trust.undated())?),
            false => None,
        };
        let (last_nonce, proved) = (Mutex::new(0), Mutex::default());
        Ok(Self { client, asking, time, access, device, clock, last_nonce, proved })
    }

    /// If the system's clock cannot be right, asks the node what time it is on the channel, so that
    /// its certificate can be checked.
    async fn step_time(&self) {
        let Some(asking) = self.asking.as_ref().filter(|_| self.time.wants_a_step()) else {
            return;
        };
        let told = match told(asking, &self.time).await {
            Ok(time) => format!("certificates are checked as of {}", time.day()),
            Err(why) => format!("the time is not known: {why}"),
        };
        tracing::warn!("the clock is not set; {told}");
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
            // Nothing proves what the node says: a number near the end would leave the device none.
            let now = self.clock.now().max(clock::SET_AFTER).unix_ms();
            let now = u64::try_from(now).unwrap_or(0);
            if identity.last_nonce > now.saturating_add(NONCE_AHEAD) {
                tracing::warn!("the node tells a nonce that cannot be: {}", identity.last_nonce);
                return;
            }
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

/// Steps to the time that the node proves; an error says why it proves none.
async fn told(asking: &Client, time: &ProvenTime) -> Result<ClockTime, String> {
    let answer = timeout(GIVE_UP, asking.head_proof()).await.map_err(|late| late.to_string())?;
    let proof = answer.map_err(|error| causes(&error))?;
    time.learn(&proof).map_err(|error| error.to_string())
}

/// An error behind its effect, each in turn.
fn causes(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Uplink for HttpUplink {
    async fn submit(&self, action: Action) -> Delivery {
        self.step_time().await;
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
            Ok(Err(error)) => {
                tracing::debug!("{}", causes(&error));
                None
            }
            Err(_) => None,
        };
        if rejection == Some(Rejection::StaleNonce) {
            self.ask_nonce().await;
        }
        rejection.map_or(Delivery::Later, judge)
    }

    async fn dispatches(&self) -> Option<Vec<(DispatchId, Dispatch)>> {
        self.step_time().await;
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
