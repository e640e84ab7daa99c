//! Whole clusters on the deterministic runtime: simulated clock, network and disk.
//!
//! The engine is the one that runs in production. A [`Scenario`] with its seed decides everything
//! that happens: latency, loss, crashes, partitions; the same scenario gives the same run, which
//! [`Outcome::fingerprint`] shows. Storage survives a crash, memory does not.

use crate::{
    application::Application,
    config::{CHANNELS, Config, MESSAGES_PER_SECOND, message_bytes_max},
    engine::{Network, start},
    key::ValidatorKey,
    mailbox::Mailbox,
};
use commonware_cryptography::{Signer as _, ed25519::PublicKey};
use commonware_glue::simulate::{
    action::{Action, Crash, Schedule},
    engine::{EngineDefinition, InitContext},
    exit::ExitCondition,
    plan::PlanBuilder,
    processed::ProcessedHeight,
    property::Property,
    tracker::ProgressTracker,
};
use commonware_p2p::simulated;
use commonware_runtime::{Handle as Task, Quota, Supervisor as _, deterministic};
use commonware_utils::{NZU32, Probability};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Every one-way connection between two validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Mean time on the way.
    pub latency: Duration,
    /// Standard deviation of that time.
    pub jitter: Duration,
    /// Messages that are lost, of a hundred.
    pub loss_percent: u8,
}

impl Link {
    /// A local network: 5 ms, give or take 2, and nothing lost.
    pub const LAN: Self = Self {
        latency: Duration::from_millis(5),
        jitter: Duration::from_millis(2),
        loss_percent: 0,
    };

    fn simulated(self) -> simulated::Link {
        let delivered = 100_u64.saturating_sub(self.loss_percent.into());
        simulated::Link {
            latency: self.latency,
            jitter: self.jitter,
            success_rate: Probability::new(delivered, 100).expect("at most one"),
        }
    }
}

/// What happens to the cluster from outside. Validators are counted in the order of
/// [`Scenario::keys`], from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The validator loses its memory and its connections.
    Crash(usize),
    /// The validator starts again, on the storage that it had.
    Restart(usize),
    /// These validators and the others no longer hear each other.
    Partition(Vec<usize>),
    /// All links are as at the start.
    Heal,
}

/// A cluster, what happens to it, and when the run is over.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Decides everything that is random.
    pub seed: u64,
    /// The channel; its committee is replaced by `keys`, its storage prefix by one for each
    /// validator.
    pub config: Config,
    /// The validators, for example those of [`keys`].
    pub keys: Vec<ValidatorKey>,
    /// Connections at the start and after [`Fault::Heal`].
    pub link: Link,
    /// What happens, each at a time since the start, in order of time.
    pub faults: Vec<(Duration, Fault)>,
    /// The run lasts at least until every validator has processed this height.
    pub height: u64,
    /// Simulated time after which the run has failed.
    pub time_limit: Duration,
}

/// What is left of a run.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    /// What the caller kept of it; [`run`] keeps the applications, in committee order.
    pub kept: T,
    /// Digests of the blocks of heights 1 to [`Scenario::height`], on which all agreed.
    pub digests: Vec<[u8; 32]>,
    /// Hash of every event of the run: equal for equal runs.
    pub fingerprint: String,
    /// How often a validator crashed.
    pub crashes: u64,
}

/// Returns the keys of a simulated committee, in committee order.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "256 validators are more than can be simulated")]
pub fn keys(validators: usize) -> Vec<ValidatorKey> {
    let seed = |index| [u8::try_from(index).expect("at most 256 validators"); 32];
    let mut keys: Vec<_> =
        (0..validators).map(|index| ValidatorKey::from_seed(seed(index))).collect();
    keys.sort_by_key(ValidatorKey::public);
    keys
}

/// Runs `scenario` until every validator is up, has processed [`Scenario::height`], and `done`
/// holds for the applications.
///
/// `build` makes the application of the validator with that index, at the start and again after
/// each crash; its context is the validator's own.
///
/// # Errors
///
/// Says what went wrong: a fork, or an error of the harness.
///
/// # Panics
///
/// Panics if the time limit passes, if a validator panics, or if a fault was not in time.
pub fn run<A, F, Fut>(
    scenario: &Scenario,
    build: F,
    done: impl Fn(&[A]) -> bool + Clone + Send + Sync + 'static,
) -> Result<Outcome<Vec<A>>, String>
where
    A: Application,
    F: Fn(deterministic::Context, usize) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = A> + Send,
{
    let kept = move |applications: &[A]| done(applications).then(|| applications.to_vec());
    run_watched(scenario, build, |_, _| {}, kept)
}

/// As [`run`], and tells `started` the mailbox of every validator that is up, at the start and
/// again after each crash. Ends when `end` returns what is to be kept of the run, which must not
/// hold a context of the runtime: that is over then.
///
/// # Errors
///
/// As [`run`].
///
/// # Panics
///
/// As [`run`].
pub fn run_watched<A, F, Fut, T>(
    scenario: &Scenario,
    build: F,
    started: impl Fn(usize, Mailbox) + Clone + Send + Sync + 'static,
    end: impl Fn(&[A]) -> Option<T> + Clone + Send + Sync + 'static,
) -> Result<Outcome<T>, String>
where
    A: Application,
    T: Send + 'static,
    F: Fn(deterministic::Context, usize) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = A> + Send,
{
    let keys = scenario.keys.clone();
    let committee: Vec<_> = keys.iter().map(ValidatorKey::public).collect();
    let config = Config { committee, ..scenario.config.clone() };
    let cluster = Cluster { keys, config, build, started };
    let participants = cluster.participants();
    let probe = Probe { height: scenario.height, end, found: Arc::default() };

    let mut plan = PlanBuilder::new(cluster)
        .seed(scenario.seed)
        .link(scenario.link.simulated())
        .timeout(scenario.time_limit)
        .exit_condition(probe.clone())
        .property(probe.clone());
    if !scenario.faults.is_empty() {
        plan = plan.crash(Crash::Schedule(schedule(scenario, &participants)));
    }
    let result = plan.run()?.pop().ok_or("the plan has one seed")?;
    let (kept, digests) = std::mem::take(&mut *probe.found());
    let kept = kept.ok_or("the run ended before its end was examined")?;
    Ok(Outcome { kept, digests, fingerprint: result.state, crashes: result.crashes })
}

fn schedule(scenario: &Scenario, participants: &[PublicKey]) -> Schedule<PublicKey> {
    let mut schedule = Schedule::new();
    let dead = Link { loss_percent: 100, ..scenario.link }.simulated();
    for (at, fault) in &scenario.faults {
        match fault {
            Fault::Crash(index) => {
                schedule = schedule.at(*at, Action::Crash(participants[*index].clone()));
            }
            Fault::Restart(index) => {
                schedule = schedule.at(*at, Action::Restart(participants[*index].clone()));
            }
            Fault::Heal => schedule = schedule.at(*at, Action::Heal(scenario.link.simulated())),
            Fault::Partition(side) => {
                for (a, from) in participants.iter().enumerate() {
                    for (b, to) in participants.iter().enumerate() {
                        if side.contains(&a) != side.contains(&b) {
                            let (from, to, link) = (from.clone(), to.clone(), dead.clone());
                            schedule = schedule.at(*at, Action::UpdateLink { from, to, link });
                        }
                    }
                }
            }
        }
    }
    schedule
}

/// How the harness builds a validator.
#[derive(Clone)]
struct Cluster<F, S> {
    keys: Vec<ValidatorKey>,
    config: Config,
    build: F,
    started: S,
}

impl<A, F, Fut, S> EngineDefinition for Cluster<F, S>
where
    A: Application,
    F: Fn(deterministic::Context, usize) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = A> + Send,
    S: Fn(usize, Mailbox) + Clone + Send + Sync + 'static,
{
    type PublicKey = PublicKey;
    type Engine = Task<()>;
    type State = Validator<A>;

    fn participants(&self) -> Vec<PublicKey> {
        self.keys.iter().map(|key| key.private_key().public_key()).collect()
    }

    fn channels(&self) -> Vec<(u64, Quota)> {
        let quota = Quota::per_second(NZU32!(MESSAGES_PER_SECOND));
        (0..CHANNELS as u64).map(|channel| (channel, quota)).collect()
    }

    fn max_message_size(&self) -> u32 {
        let validators = u32::try_from(self.keys.len()).expect("at most 256 validators");
        message_bytes_max(validators, self.config.block_bytes_max)
    }

    async fn init(&self, init: InitContext<'_, PublicKey>) -> (Task<()>, Validator<A>) {
        let index = init.index;
        let application = (self.build)(init.context.child("node"), index).await;
        let network = Network {
            blocker: init.oracle.control(init.public_key.clone()),
            peers: init.oracle.manager(),
            channels: init.channels.try_into().expect("the channels that were asked for"),
        };
        let prefix = format!("{}-{index}", self.config.storage_prefix);
        let config = Config { storage_prefix: prefix, ..self.config.clone() };
        let key = self.keys[index].clone();
        let handle = start(init.context, config, key, application.clone(), network)
            .await
            .expect("a simulated validator starts");
        let (mailbox, task) = handle.into_parts();
        (self.started)(index, mailbox.clone());
        (task, Validator { mailbox, application })
    }

    fn start(task: Task<()>) -> Task<()> {
        task
    }
}

struct Validator<A> {
    mailbox: Mailbox,
    application: A,
}

impl<A: Send + Sync> ProcessedHeight for Validator<A> {
    async fn processed_height(&self) -> u64 {
        self.mailbox.processed_height().await
    }
}

/// What the caller keeps, and the digests by height.
type Found<T> = (Option<T>, Vec<[u8; 32]>);

/// Decides when a run is over, then compares what the validators hold.
struct Probe<D, T> {
    height: u64,
    end: D,
    found: Arc<Mutex<Found<T>>>,
}

impl<D, T> Probe<D, T> {
    fn found(&self) -> MutexGuard<'_, Found<T>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Clone, T> Clone for Probe<D, T> {
    fn clone(&self) -> Self {
        Self { height: self.height, end: self.end.clone(), found: self.found.clone() }
    }
}

type Verdict<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

impl<A, D, T> ExitCondition<PublicKey, Validator<A>> for Probe<D, T>
where
    A: Application,
    D: Fn(&[A]) -> Option<T> + Send + Sync,
    T: Send,
{
    fn name(&self) -> &str {
        "everybody has processed the height, and the caller is content"
    }

    fn requires_polling(&self) -> bool {
        true
    }

    fn reached<'a>(
        &'a self,
        _: &'a ProgressTracker<PublicKey>,
        validators: &'a [&'a Validator<A>],
        expected: usize,
    ) -> Verdict<'a, bool> {
        Box::pin(async move {
            if validators.len() < expected {
                return Ok(false); // Somebody is down.
            }
            for validator in validators {
                if validator.processed_height().await < self.height {
                    return Ok(false);
                }
            }
            let applications: Vec<_> =
                validators.iter().map(|validator| validator.application.clone()).collect();
            let kept = (self.end)(&applications);
            let ended = kept.is_some();
            self.found().0 = kept;
            Ok(ended)
        })
    }
}

impl<A, D, T> Property<PublicKey, Validator<A>> for Probe<D, T>
where
    A: Application,
    D: Send + Sync,
    T: Send,
{
    fn name(&self) -> &str {
        "agreement"
    }

    fn check<'a>(
        &'a self,
        _: &'a ProgressTracker<PublicKey>,
        validators: &'a [&'a Validator<A>],
    ) -> Verdict<'a, ()> {
        Box::pin(async move {
            let mut digests = Vec::new();
            for height in 1..=self.height {
                let mut agreed = None;
                for validator in validators {
                    let block = validator.mailbox.block(height).await;
                    let digest = block.ok_or(format!("height {height} is missing"))?.digest();
                    if *agreed.get_or_insert(digest) != digest {
                        return Err(format!("fork at height {height}"));
                    }
                }
                digests.extend(agreed);
            }
            self.found().1 = digests;
            Ok(())
        })
    }
}
