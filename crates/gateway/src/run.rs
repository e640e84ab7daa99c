//! The gateway at work: one loop that owns the [`Core`], and tasks for stations and deliveries.

mod deliver;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use duet_ledger::Health;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::board::{self, Board, Level, Light};
use crate::clock::{self, Clock};
use crate::core::{Core, Standing};
use crate::device::Device;
use crate::dispatch::Due;
use crate::field::{
    Command, CommandFailure, FieldEvent, QUEUE, Surroundings, run_iec104, run_modbus,
};
use crate::outbox::OutboxError;
use crate::point_map::PointMap;
use crate::telemetry;
use crate::uplink::{OneWay, Uplink};
use deliver::{News, Outcome, Work, ask, deliver};

/// Ticks between two looks at the board, and between two lines in the log.
const BOARD_EVERY: u32 = 10;
const LOG_EVERY: u32 = 60;
/// A station has answered or given up by then.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(15);
/// How many values are taken before the loop looks at anything else.
const TAKE: usize = 512;

/// Why a gateway stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] crate::core::StartError),
    /// It can no longer keep what it reads.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The one-way link cannot be opened.
    #[error("the one-way link")]
    OneWay(#[from] io::Error),
}

/// Where the readings go.
pub enum WayOut {
    /// To a node, which answers.
    Node(Arc<dyn Uplink>),
    /// Over a link that carries nothing back.
    OneWay(OneWay),
}

impl std::fmt::Debug for WayOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Node(_) => "Node",
            Self::OneWay(_) => "OneWay",
        })
    }
}

/// Runs a gateway until `stop` is ready; returns how it stood then.
///
/// # Errors
///
/// Returns [`RunError`] if it cannot start, or can no longer keep what it reads.
pub async fn run(
    map: &PointMap,
    device: Device,
    way: WayOut,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) -> Result<Standing, RunError> {
    let core = Core::open(map, device)?;
    let (events_sender, events) = mpsc::channel(QUEUE);
    // Everything that is started here ends with this function.
    let mut tasks = JoinSet::new();
    let stations = start_stations(map, &events_sender, &clock, &mut tasks);
    let (outcomes_sender, outcomes) = mpsc::channel(QUEUE);
    let mut gateway = Loop {
        core,
        clock,
        stations,
        board: map.board.as_ref().map(Board::new),
        levels: Vec::new(),
        events,
        outcomes_sender,
        outcomes,
        delivered: true,
        refused: false,
        refused_untold: false,
        health_every: map.uplink.as_ref().map_or(0, |uplink| uplink.health_s),
        health: None,
        tick: Duration::from_millis(map.gateway.tick_ms.max(10).into()),
        pause: Duration::from_millis(
            map.uplink.as_ref().map_or(1_000, |uplink| uplink.pause_ms.max(10)).into(),
        ),
        ticks: 0,
    };
    tokio::select! {
        ended = gateway.run(way, &mut tasks) => ended?,
        () = stop => {}
    }
    gateway.core.keep()?;
    Ok(gateway.core.standing())
}

type Stations = BTreeMap<Arc<str>, mpsc::Sender<Command>>;

/// Starts a task for each station; returns where the commands of each set-point go. A second task
/// holds the channel open: a station without set-points has nobody else to, and would stop.
fn start_stations(
    map: &PointMap,
    events: &mpsc::Sender<FieldEvent>,
    clock: &Arc<dyn Clock>,
    tasks: &mut JoinSet<()>,
) -> Stations {
    let mut stations = Stations::new();
    let around = Surroundings { events: events.clone(), clock: clock.clone() };
    for station in &map.iec104 {
        let (commands, receiver) = mpsc::channel(QUEUE);
        for point in &station.setpoint {
            stations.insert(point.name.as_str().into(), commands.clone());
        }
        tasks.spawn(run_iec104(station.clone(), around.clone(), receiver));
        tasks.spawn(async move { commands.closed().await });
    }
    for station in &map.modbus {
        let (commands, receiver) = mpsc::channel(QUEUE);
        for point in &station.setpoint {
            stations.insert(point.name.as_str().into(), commands.clone());
        }
        tasks.spawn(run_modbus(station.clone(), around.clone(), receiver));
        tasks.spawn(async move { commands.closed().await });
    }
    stations
}

/// What came of the command of a unit with this number.
type Carried = (u32, u64, Result<(), CommandFailure>);

struct Loop {
    core: Core,
    clock: Arc<dyn Clock>,
    stations: Stations,
    board: Option<Board>,
    /// How the channels of the board stood last.
    levels: Vec<Level>,
    events: mpsc::Receiver<FieldEvent>,
    outcomes_sender: mpsc::Sender<Carried>,
    outcomes: mpsc::Receiver<Carried>,
    /// Whether the ledger took the last thing it was given.
    delivered: bool,
    /// Whether the ledger refused part of the last batch for good.
    refused: bool,
    /// Whether that happened and no health report, or without any no look, has shown it yet.
    refused_untold: bool,
    /// Seconds between two health reports; none are sent if zero.
    health_every: u32,
    /// The health report that waits to be sent.
    health: Option<Health>,
    tick: Duration,
    pause: Duration,
    ticks: u32,
}

impl Loop {
    async fn run(&mut self, mut way: WayOut, tasks: &mut JoinSet<()>) -> Result<(), OutboxError> {
        let (news_sender, mut news) = mpsc::channel(4);
        let (work, work_receiver) = mpsc::channel(1);
        if let WayOut::Node(uplink) = &way {
            let pause = self.pause;
            tasks.spawn(deliver(uplink.clone(), work_receiver, (news_sender.clone(), pause)));
            tasks.spawn(ask(uplink.clone(), news_sender, pause));
        }
        let mut ticks = interval(self.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(TAKE);
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    self.tick()?;
                    self.send_out(&mut way, &work).await?;
                }
                Some(item) = news.recv() => self.hear(item, &work)?,
                Some(carried) = self.outcomes.recv() => self.command_ended(carried),
                count = self.events.recv_many(&mut taken, TAKE) => {
                    if count == 0 {
                        return Ok(());
                    }
                    taken.drain(..).for_each(|event| self.core.take(event));
                }
            }
        }
    }

    async fn send_out(
        &mut self,
        way: &mut WayOut,
        work: &mpsc::Sender<Work>,
    ) -> Result<(), OutboxError> {
        let WayOut::OneWay(one_way) = way else {
            self.hand_out(work);
            return Ok(());
        };
        // What is sent without a link is lost, and nobody would say so.
        if self.board.as_ref().and_then(Board::link) == Some(false) {
            return Ok(());
        }
        for sequence in one_way.send(self.core.outbox().sealed()).await {
            self.core.outbox_mut().forget(sequence)?;
        }
        Ok(())
    }

    fn command_ended(&mut self, (unit, number, outcome): Carried) {
        if let Err(failure) = outcome {
            tracing::warn!("unit {unit}: {failure}");
        }
        self.core.outcome(unit, number, outcome);
    }

    fn tick(&mut self) -> Result<(), OutboxError> {
        let now = self.clock.now();
        for due in self.core.tick(now)? {
            self.command(due);
        }
        if self.ticks.is_multiple_of(BOARD_EVERY) {
            self.look_around();
        }
        if self.ticks.is_multiple_of(LOG_EVERY) {
            tracing::info!("{}", line(&self.core.standing()));
        }
        self.ticks = self.ticks.wrapping_add(1);
        Ok(())
    }

    /// Looks at the board, shows what is to be shown, and writes a health report if one is due.
    fn look_around(&mut self) {
        let now = self.clock.now();
        let standing = self.core.standing();
        let seen = self.board.as_mut().map(Board::read);
        let worst = seen.as_ref().map_or(Level::Normal, board::Health::worst);
        let refused = self.refused || self.refused_untold;
        let cut = seen.as_ref().is_some_and(|health| health.link == Some(false));
        let light = if worst >= Level::SensorFault || standing.backlog.is_alarming() || refused {
            Light::Alarm
        } else if !clock::is_set(now) || !self.delivered || cut {
            Light::Holding
        } else {
            Light::Running
        };
        if let Some(health) = &seen {
            self.say_levels(health);
        }
        let due = self.health_every > 0 && self.ticks.is_multiple_of(self.health_every);
        if due && clock::is_set(now) {
            let kinds = self.board.as_ref().map_or_else(Vec::new, Board::kinds);
            let board = seen.as_ref().map(|health| (health, kinds.as_slice()));
            self.health = Some(telemetry::health(now, &standing, board, (light, refused)));
        }
        if due || self.health_every == 0 {
            self.refused_untold = false;
        }
        if let Some(board) = &mut self.board {
            board.show(light);
        }
    }

    /// Logs the channels of the board that stand otherwise than at the last look.
    fn say_levels(&mut self, health: &board::Health) {
        let before = std::mem::take(&mut self.levels).into_iter();
        let before = before.chain(std::iter::repeat(Level::Normal));
        let changed = health.channels.iter().zip(before).filter(|((.., now), was)| now != was);
        for ((name, value, level), _) in changed {
            let value = value.map_or_else(|| "no value".to_owned(), |v| format!("{v} thousandths"));
            tracing::warn!("board: {name} {level}, {value}");
        }
        self.levels = health.channels.iter().map(|(.., level)| *level).collect();
    }

    fn command(&self, due: Due) {
        let Some(station) = self.stations.get(&due.name).cloned() else { return };
        let outcomes = self.outcomes_sender.clone();
        tracing::info!("unit {}: {} counts to {}", due.unit, due.counts, due.name);
        tokio::spawn(async move {
            let (reply, answer) = oneshot::channel();
            let command = Command { name: due.name, counts: due.counts, reply };
            let outcome = if station.try_send(command).is_err() {
                Err(CommandFailure::NotConnected)
            } else {
                match timeout(COMMAND_TIMEOUT, answer).await {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(_)) => Err(CommandFailure::NotConnected),
                    Err(_) => Err(CommandFailure::Timeout),
                }
            };
            // The loop that would hear it may have ended.
            let _ = outcomes.send((due.unit, due.number, outcome)).await;
        });
    }

    /// Gives the delivery task the oldest thing that waits, if it is idle.
    fn hand_out(&mut self, work: &mpsc::Sender<Work>) {
        let outbox = self.core.outbox();
        let answer = outbox.answers().next().cloned().map(Work::Answer);
        let next = answer.or_else(|| outbox.sealed().next().cloned().map(Work::Batch));
        if let Some(health) = self.health.take() {
            // Full: it is at work. The next report says more.
            let _ = work.try_send(Work::Health(health));
        }
        if let Some(next) = next {
            // Full: it is at work, and this is what it is at work on, or what comes after.
            let _ = work.try_send(next);
        }
    }

    fn batch_ended(&mut self, sequence: u64, outcome: Outcome) -> Result<(), OutboxError> {
        let Outcome { refused, early } = outcome;
        self.delivered = true;
        let waiting = early.len();
        let old = self.core.put_back(early, self.clock.now())?;
        self.refused = refused + old > 0;
        self.refused_untold |= self.refused;
        if refused + waiting > 0 {
            tracing::warn!(
                "batch {sequence}: {refused} reports refused for good, {waiting} readings of units \
                 that are not enrolled, {old} of these too old to keep"
            );
        }
        self.core.outbox_mut().forget(sequence)
    }

    fn hear(&mut self, news: News, work: &mpsc::Sender<Work>) -> Result<(), OutboxError> {
        match news {
            News::Batch { sequence, outcome } => self.batch_ended(sequence, outcome)?,
            News::Answer { dispatch } => {
                self.delivered = true;
                self.core.outbox_mut().forget_answer(dispatch.0)?;
            }
            News::Held => {
                self.delivered = false;
                return Ok(());
            }
            News::Dispatches(dispatches) => {
                return self.core.consider(&dispatches, self.clock.now());
            }
        }
        self.core.outbox_mut().commit()?;
        self.hand_out(work);
        Ok(())
    }
}

/// One line about how the gateway stands.
#[must_use]
pub fn line(standing: &Standing) -> String {
    let (c, b) = (standing.counts, standing.backlog);
    format!(
        "stations {} up {} down; values {} counted {} duplicate {} late {} doubtful {}; \
         backlog {} of {}, turned away {}; blocked {:?}",
        standing.stations_up,
        standing.stations_down,
        c.values,
        c.counted,
        c.duplicates,
        c.late,
        c.doubtful,
        b.readings,
        b.limit,
        b.turned_away,
        standing.blocked,
    )
}
