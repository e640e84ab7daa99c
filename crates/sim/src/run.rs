//! One run: a cluster, a day, and the checks at its end.

use crate::{
    check::{Walk, check},
    cluster::Cluster,
    failure::Failure,
    liar::Liar,
    market::Market,
    plan::{Plan, Window},
};
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _, deterministic::Context};
use duet_consensus::simulation::{Scenario, run_watched};
use duet_ledger::PublicKey;
use duet_world::{DayReport, Nodes, Tally, TradingDay, demo_seed};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// Simulated time after which a day is taken for stuck. A calm one takes a quarter of a minute, one
/// with a fifth of all messages lost some minutes.
const TIME_LIMIT: Duration = Duration::from_secs(1_800);
/// The day is not traded before, so that faults can be timed. On good links accounts are open by
/// then.
const TRADING_FROM: Duration = Duration::from_secs(8);
/// The last period of a day of hours.
const LAST_PERIOD: u8 = 23;
/// How often to look whether all validators are up.
const LOOK: Duration = Duration::from_millis(10);

/// What a run that ended well came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The day.
    pub report: DayReport,
    /// The height up to which all validators hold the same blocks and roots.
    pub height: u64,
    /// From the first order to the last device's answer.
    pub trading: Window,
    /// How long the whole day took on the simulated clock.
    pub lasted: Duration,
    /// How often a validator crashed.
    pub crashes: u64,
    /// The heights that restarted validators found on their disks.
    pub recovered: Vec<u64>,
    /// Blocks with a misdeed that were proposed.
    pub lies: usize,
    /// Transactions that came again after they were final, and were refused.
    pub replays_refused: u64,
    /// Hash of every event of the run: equal for equal runs.
    pub fingerprint: String,
}

/// What the world knows at the end of the day.
struct Day {
    report: DayReport,
    walk: Walk,
    trading: Window,
    lasted: Duration,
}

/// Simulates one delivery day of `market` as `plan` has it.
///
/// # Errors
///
/// Returns the first [`Failure`] that is found.
///
/// # Panics
///
/// Panics if the day is stuck or a validator panics.
pub fn run(market: &Market, plan: &Plan) -> Result<Outcome, Failure> {
    let liar = plan.misdeed.map(|misdeed| {
        let bank = VerificationKeyBytes::from(&SigningKey::from(demo_seed("BANK")));
        Liar::new(misdeed, market.genesis().channel(), PublicKey::from_bytes(bank.into()))
    });
    let cluster = Cluster::new(market.clone(), liar.clone());
    let scenario = Scenario {
        seed: plan.seed,
        config: cluster.config(0).engine(),
        keys: cluster.keys(),
        link: plan.link,
        faults: plan.faults.clone(),
        height: 1,
        time_limit: TIME_LIMIT,
    };
    let verdict: Arc<Mutex<Option<Result<Day, Failure>>>> = Arc::default();
    let world = World { market: market.clone(), cluster: cluster.clone(), liar: liar.clone() };
    let world = Arc::new(Mutex::new(Some((world, verdict.clone()))));

    let build = {
        let cluster = cluster.clone();
        move |context: Context, index| {
            // One world, beside the first validator that is built.
            if let Some((world, verdict)) = lock(&world).take() {
                context.child("world").spawn(|context| async move {
                    let cluster = world.cluster.clone();
                    let day = world.live(context).await;
                    cluster.close();
                    *lock(&verdict) = Some(day);
                });
            }
            cluster.clone().build(context, index)
        }
    };
    let started = {
        let cluster = cluster.clone();
        move |index, mailbox| cluster.started(index, mailbox)
    };
    let outcome = run_watched(&scenario, build, started, move |_| lock(&verdict).take())
        .map_err(Failure::Engine)?;
    let day = outcome.kept?;
    Ok(Outcome {
        report: day.report,
        height: day.walk.height,
        trading: day.trading,
        lasted: day.lasted,
        crashes: outcome.crashes,
        recovered: cluster.recovered(),
        lies: liar.map_or(0, |liar| liar.lies()),
        replays_refused: day.walk.replays_refused,
        fingerprint: outcome.fingerprint,
    })
}

/// The world around the cluster of a run.
struct World {
    market: Market,
    cluster: Cluster,
    liar: Option<Liar>,
}

impl World {
    /// Lives through one delivery day, then looks whether the chain tells it rightly.
    async fn live(self, context: Context) -> Result<Day, Failure> {
        let start = context.current();
        let nodes = self.nodes(&context).await;
        let Market { scenario, founding } = self.market;
        let (time, clock) = (self.cluster.time.clone(), self.cluster.clock(&context));
        let world = TradingDay::new((scenario, founding), nodes.clone(), time, clock);
        let (day, mut tally) = (world.first_day(), Tally::default());
        world.open_accounts(&mut tally).await?;
        context.sleep_until(start + TRADING_FROM).await;
        let from = since(&context, start);
        world.trade(day, None, &mut tally).await?;
        let trading = Window { from, to: since(&context, start) };
        world.deliver(day, LAST_PERIOD, &mut tally).await?;
        world.settle(day, &mut tally).await?;
        let report = world.report(day, &tally).await?;
        let walk = check(&nodes.all(), (&report, &tally), self.liar.as_ref()).await?;
        Ok(Day { report, walk, trading, lasted: since(&context, start) })
    }

    async fn nodes(&self, context: &Context) -> Nodes {
        loop {
            if let Some(nodes) = self.cluster.nodes() {
                return nodes;
            }
            context.sleep(LOOK).await;
        }
    }
}

fn since(context: &Context, start: SystemTime) -> Duration {
    context.current().duration_since(start).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
