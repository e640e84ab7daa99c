//! A delivery day in the simulated world, from the opening of accounts to settlement.
//!
//! ```text
//! day before  09:00 gate opens, members place orders   11:00 gate closes, the session clears
//!             11:30 the bank confirms   12:00 dispatch is issued   12:05 devices answer
//! the day     energy flows; meters report every quarter of the day
//! day after   00:10 the session is settled; allowances are surrendered, certificates sold
//! ```

use crate::{
    actor::{Actor, Refused},
    clock::WorldClock,
    founding::{Founding, joint_terms, session_terms},
    nodes::Nodes,
};
use duet_ledger::{
    Acknowledgement, Action, Digest, DispatchId, DispatchState, MeterReport, Mode, PaymentId,
    PaymentState, Phase, Quality, Reading, SessionId, SessionNotice, SessionTerms, State, UnitId,
};
use duet_node::{FinalReceipt, Handle, SubmitError};
use duet_study::scenario::{MeterId, PeriodEnergy, Scenario};
use duet_units::{ClockTime, DeliveryDay, Energy, Resolution};
use std::{collections::BTreeMap, time::Duration};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// How long to wait when a mempool is full.
const BACK_OFF: Duration = Duration::from_millis(50);
/// How often to look whether a validator has come far enough.
const LOOK: Duration = Duration::from_millis(10);

/// Why a simulated day cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// Something that the world must do was refused.
    #[error("{what}: {reason}")]
    Refused {
        /// What was to be done.
        what: &'static str,
        /// Why it was not.
        reason: Refused,
    },
    /// The ledger does not show what it should by now.
    #[error("{0}")]
    Missing(&'static str),
}

/// What members sent on a day, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Orders sent.
    pub submitted: u64,
    /// Orders accepted.
    pub accepted: u64,
    /// Orders refused, by a validator or in a block.
    pub rejected: u64,
    /// Every transaction of the day that became final, for the check of its receipt.
    pub transactions: Vec<Digest>,
}

/// The simulated world around a channel.
#[derive(Debug)]
pub struct TradingDay {
    pub(crate) scenario: Scenario,
    pub(crate) founding: Founding,
    nodes: Nodes,
    clock: WorldClock,
    runtime: duet_node::Clock,
    first: DeliveryDay,
    /// Whether the devices answer and report by themselves, outside this crate.
    has_field: bool,
}

impl TradingDay {
    /// The world of `scenario` around the validators `nodes`. The first delivery day is the one
    /// after the genesis.
    #[must_use]
    pub fn new(
        (scenario, founding): (Scenario, Founding),
        nodes: impl Into<Nodes>,
        clock: WorldClock,
        runtime: duet_node::Clock,
    ) -> Self {
        let first = founding.genesis.time.day().next();
        Self { scenario, founding, nodes: nodes.into(), clock, runtime, first, has_field: false }
    }

    /// The same world with devices of their own: gateways that answer dispatches and report
    /// readings. Without them, as in a simulation of the chain alone, devices are played here.
    #[must_use]
    pub fn with_field(self) -> Self {
        Self { has_field: true, ..self }
    }

    /// The scenario.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Where its members are on the channel.
    #[must_use]
    pub const fn founding(&self) -> &Founding {
        &self.founding
    }

    /// The first delivery day.
    #[must_use]
    pub const fn first_day(&self) -> DeliveryDay {
        self.first
    }

    /// The validators.
    #[must_use]
    pub const fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    pub(crate) const fn clock(&self) -> &WorldClock {
        &self.clock
    }

    pub(crate) fn state<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        self.nodes.at(0).read(f)
    }

    pub(crate) fn actor(&self, label: &str) -> Actor {
        Actor::new(label, &self.nodes.at(0))
    }

    /// The session of a delivery day, if it is announced and not void.
    #[must_use]
    pub fn session_of(&self, day: DeliveryDay) -> Option<(SessionId, Phase, bool)> {
        self.state(|state| {
            let mut sessions = state.sessions().iter();
            sessions
                .find(|(_, s)| s.mode.is_joint() && s.day == day && s.phase != Phase::Void)
                .map(|(id, s)| (*id, s.phase, s.dispatched))
        })
    }

    /// Opens the members' accounts: money from the bank, allowances from the registry; once.
    ///
    /// # Errors
    ///
    /// Returns [`DayError`] if the ledger refuses.
    pub async fn open_accounts(&self, tally: &mut Tally) -> Result<(), DayError> {
        let opened = self.state(|state| !state.balances().is_empty());
        if opened {
            return Ok(());
        }
        let (mut bank, mut registry) = (self.actor("BANK"), self.actor("REGISTRY"));
        let places = self.scenario.members.iter().zip(&self.founding.members);
        for (reference, (member, place)) in (1_u64..).zip(places) {
            let organisation = place.organisation;
            let amount = member.opening_cash;
            if !amount.is_zero() {
                let action = Action::Deposit { organisation, amount, reference };
                tally.note("opening deposit", bank.act(action).await)?;
            }
            let allowances = member.opening_allowances;
            if !allowances.is_zero() {
                let action = Action::AllocateAllowances { organisation, allowances, reference };
                tally.note("opening allocation", registry.act(action).await)?;
            }
        }
        Ok(())
    }

    /// The terms of the scenario's sessions.
    #[must_use]
    pub fn terms(&self) -> SessionTerms {
        session_terms(&self.scenario)
    }

    /// Trades a delivery day: notice, orders, gate, payments, dispatch, answers. With `window` the
    /// gate stays open that long on the runtime's clock, so that others can place orders too.
    ///
    /// # Errors
    ///
    /// Returns [`DayError`] if the ledger refuses what the institutions do.
    pub async fn trade(
        &self,
        day: DeliveryDay,
        window: Option<Duration>,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let (open, close) = gates(day);
        self.clock.jump_to(open.plus_ms(-HOUR_MS));
        if self.session_of(day).is_none() {
            let number = day.days().saturating_sub(self.first_day().days());
            let (rule, terms) = joint_terms(&self.scenario, number);
            let notice = SessionNotice {
                rule,
                mode: Mode::Joint,
                day,
                days: 1,
                gate_open: open,
                gate_close: close,
                terms,
            };
            let receipt = self.actor("EXCHANGE").act(Action::OpenSession(notice)).await;
            tally.note("notice of the session", receipt)?;
        }
        let (session, phase, _) =
            self.session_of(day).ok_or(DayError::Missing("the session was not announced"))?;
        if phase.is_live() && phase != Phase::Cleared {
            self.clock.jump_to(open);
            self.until(|state| phase_of(state, session) != Some(Phase::Announced)).await;
            // A validator whose gate is still closed would not take what the others pass on.
            self.catch_up().await;
            let untouched = self.state(|state| {
                state.sessions().get(&session).is_some_and(|session| session.orders == 0)
            });
            if untouched {
                self.place_orders(session, day, tally).await?;
            }
            if let Some(window) = window {
                self.clock.pass_to(close, window, &self.runtime).await;
            }
            self.clock.jump_to(close);
            self.until(|state| phase_of(state, session).is_none_or(|p| p >= Phase::Cleared)).await;
        }
        self.pay(session, close, tally).await?;
        self.dispatch((session, day), close, tally).await
    }

    /// Waits until the first validator's state satisfies `done`.
    pub(crate) async fn until(&self, done: impl Fn(&State) -> bool) {
        let mut height = self.state(State::height);
        while !self.state(&done) {
            height += 1;
            self.nodes.at(0).wait_height(height).await;
        }
    }

    /// Waits until every validator has executed what any of them has: an actor that turns to
    /// another validator then finds its own last nonce there.
    pub(crate) async fn catch_up(&self) -> u64 {
        let height = self.highest();
        for place in 0..self.nodes.count() {
            self.reached(place, height).await;
        }
        height
    }

    /// The validator at `place`, once it has executed what any of them has.
    pub(crate) async fn caught_up(&self, place: usize) -> Handle {
        self.reached(place, self.highest()).await
    }

    /// The validator at `place`, once it, or whoever takes its place, has executed `height`.
    pub(crate) async fn reached(&self, place: usize, height: u64) -> Handle {
        loop {
            let node = self.nodes.at(place);
            if height <= node.read(State::height) {
                return node;
            }
            self.runtime.sleep(LOOK).await;
        }
    }

    fn highest(&self) -> u64 {
        self.nodes.all().iter().map(|node| node.read(State::height)).max().unwrap_or(0)
    }

    /// Sends, and waits while the mempool is full.
    async fn send(&self, actor: &mut Actor, action: Action) -> Result<Digest, SubmitError> {
        loop {
            match actor.send(action.clone()) {
                Err(SubmitError::Full(_)) => self.back_off().await,
                result => return result,
            }
        }
    }

    pub(crate) async fn back_off(&self) {
        self.runtime.sleep(BACK_OFF).await;
    }

    /// The bank carries out every payment instruction of the session.
    async fn pay(
        &self,
        session: SessionId,
        close: ClockTime,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        self.clock.jump_to(close.plus_ms(30 * MINUTE_MS));
        self.confirm_payments(session, tally).await
    }

    /// The bank carries out every payment instruction of a session, now.
    pub(crate) async fn confirm_payments(
        &self,
        session: SessionId,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let open: Vec<PaymentId> = self.state(|state| {
            let payments = state.payments().iter();
            payments
                .filter(|(_, p)| p.session == session && p.state == PaymentState::Proposed)
                .map(|(id, _)| *id)
                .collect()
        });
        let mut bank = self.actor("BANK");
        for payment in open {
            let action = Action::ConfirmPayment { payment, confirmed: true };
            tally.note("payment", bank.act(action).await)?;
        }
        Ok(())
    }

    /// The dispatcher instructs the units, and their devices answer.
    async fn dispatch(
        &self,
        (session, day): (SessionId, DeliveryDay),
        close: ClockTime,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        self.clock.jump_to(close.plus_ms(HOUR_MS));
        let due = self.state(|state| {
            let row = state.sessions().get(&session);
            row.is_some_and(|s| s.phase == Phase::Cleared && !s.dispatched)
        });
        if due {
            self.curtail(session, day, tally).await?;
            let action = Action::IssueDispatch { session };
            tally.note("dispatch", self.actor("DISPATCH").act(action).await)?;
        }
        self.clock.jump_to(close.plus_ms(HOUR_MS + 5 * MINUTE_MS));
        if self.has_field {
            return Ok(());
        }
        let waiting: Vec<(DispatchId, String)> = self.state(|state| {
            let dispatches = state.dispatches().iter();
            dispatches
                .filter(|(_, d)| d.session == session && d.state == DispatchState::Issued)
                .filter_map(|(id, d)| Some((*id, self.device_of(d.unit)?)))
                .collect()
        });
        let answers = waiting.into_iter().map(|(dispatch, label)| {
            let answer = Acknowledgement { dispatch, accepted: true, cause: 0 };
            (label, Action::AckDispatch(answer))
        });
        self.send_all("answer of a device", answers.collect(), tally).await
    }

    /// Delivers without a field: meters report what has flowed of `day` by the end of `period` and
    /// is not reported yet. The readings are simulated around the schedule.
    ///
    /// # Errors
    ///
    /// Returns [`DayError`] if the ledger refuses a report.
    pub async fn deliver(
        &self,
        day: DeliveryDay,
        through: u8,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        self.reach(day.start().plus_ms((i64::from(through) + 1) * HOUR_MS + 5 * MINUTE_MS)).await;
        let Some((session, Phase::Cleared, _)) = self.session_of(day) else { return Ok(()) };
        let metered = self.scenario.metered(self.number_of(day), &self.schedule(session));
        let mut reports = Vec::new();
        for readings in metered.chunk_by(|a, b| a.meter == b.meter) {
            let Some(first) = readings.first() else { continue };
            let (unit, label) = self.place_of(first.meter);
            let known = self.state(|state| {
                state.readings().range((unit, day, 0)..=(unit, day, through)).count()
            });
            let due = usize::from(through) + 1;
            if due <= known {
                continue;
            }
            let readings = readings[known..due]
                .iter()
                .map(|reading| Reading { energy: reading.energy, quality: Quality::Good })
                .collect();
            let first_period = u8::try_from(known).unwrap_or(u8::MAX);
            let report = MeterReport { unit, day, first_period, version: 1, readings };
            reports.push((label, Action::ReportMeter(report)));
        }
        self.send_all("meter report", reports, tally).await
    }

    /// Sends what devices have to say, all at once, and waits until all of it is final.
    async fn send_all(
        &self,
        what: &'static str,
        actions: Vec<(String, Action)>,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let mut devices: BTreeMap<String, Actor> = BTreeMap::new();
        let mut sent = Vec::new();
        // A validator that does not know yet what they speak of would not take what is passed on.
        self.catch_up().await;
        for (label, action) in actions {
            let device = devices.entry(label).or_insert_with_key(|label| self.actor(label));
            sent.push(self.send(device, action).await.map_err(Refused::from));
        }
        let witness = self.actor("witness");
        for hash in sent {
            let receipt = match hash {
                Ok(hash) => witness.receipt(&hash).await,
                Err(reason) => Err(reason),
            };
            tally.note(what, receipt)?;
        }
        Ok(())
    }

    /// Moves the clock on to `time` and waits for a block of it: a report is judged by that.
    pub async fn reach(&self, time: ClockTime) {
        self.clock.jump_to(time);
        self.until(|state| time <= state.time()).await;
    }

    /// How many days after the first one a delivery day is.
    fn number_of(&self, day: DeliveryDay) -> u32 {
        u32::try_from(day.days() - self.first.days()).unwrap_or(0)
    }

    /// The unit of a meter, and the label of its device.
    pub(crate) fn place_of(&self, meter: MeterId) -> (UnitId, String) {
        let place = &self.founding.members[meter.member];
        (place.units[meter.unit.unwrap_or(0)], place.device.clone())
    }

    fn device_of(&self, unit: UnitId) -> Option<String> {
        let mut places = self.founding.members.iter();
        places.find(|place| place.units.contains(&unit)).map(|place| place.device.clone())
    }

    /// What flows at every unit in a period of a traded day, for the simulated plants of a field: a
    /// consumer uses about what it bought, a generator makes about what its station was `told`, in
    /// kWh. The deviations are drawn from the seed.
    #[must_use]
    pub fn flows(
        &self,
        (session, day, period): (SessionId, DeliveryDay, u8),
        told: impl Fn(UnitId) -> Energy,
    ) -> Vec<(UnitId, Energy)> {
        let mut planned = self.schedule(session);
        planned.retain(|planned| planned.period == period);
        for planned in planned.iter_mut().filter(|planned| planned.meter.unit.is_some()) {
            planned.energy = told(self.place_of(planned.meter).0);
        }
        let metered = self.scenario.metered(self.number_of(day), &planned);
        metered.iter().map(|flow| (self.place_of(flow.meter).0, flow.energy)).collect()
    }

    /// The contracted energy of every meter of the scenario in every period, over all sessions for
    /// the day, zero included.
    pub(crate) fn schedule(&self, session: SessionId) -> Vec<PeriodEnergy> {
        let mut contracted: BTreeMap<_, Energy> = BTreeMap::new();
        self.state(|state| {
            let day = state.sessions().get(&session).map(|session| session.day);
            let covers = |of: &SessionId| {
                day.zip(state.sessions().get(of)).is_some_and(|(day, of)| of.covers(day))
            };
            let trades = state.trades().iter();
            for (id, trade) in trades.filter(|(_, t)| covers(&t.session) && !t.defaulted) {
                let cut = day.and_then(|day| state.cuts().get(&(day, *id, trade.period)));
                let cut = cut.map_or(Energy::ZERO, |cut| cut.energy);
                let energy = trade.quantity.minus(cut).unwrap_or(trade.quantity);
                for order in [trade.buy, trade.sell] {
                    let Some(order) = state.orders().get(&order) else { continue };
                    let sum = contracted.entry((order.unit, trade.period)).or_default();
                    *sum = sum.plus(energy).unwrap_or(*sum);
                }
            }
        });
        let mut schedule = Vec::new();
        for (member, place) in self.founding.members.iter().enumerate() {
            let generates = self.scenario.members[member].load.is_none();
            for (position, unit) in place.units.iter().enumerate() {
                let meter = MeterId { member, unit: generates.then_some(position) };
                for period in 0..Resolution::Hour.periods() {
                    let energy = contracted.get(&(*unit, period)).copied().unwrap_or_default();
                    schedule.push(PeriodEnergy { meter, period, energy });
                }
            }
        }
        schedule
    }

    /// Settles a delivered day; then generators surrender allowances for whole tonnes emitted,
    /// and certificates are sold to users, who retire half of them.
    ///
    /// # Errors
    ///
    /// Returns [`DayError`] if the ledger refuses.
    pub async fn settle(&self, day: DeliveryDay, tally: &mut Tally) -> Result<(), DayError> {
        self.clock.jump_to(day.next().start().plus_ms(10 * MINUTE_MS));
        let Some((session, phase, _)) = self.session_of(day) else { return Ok(()) };
        if phase == Phase::Cleared {
            let action = Action::SettleSession { session };
            tally.note("settlement", self.actor("EXCHANGE").act(action).await)?;
        }
        self.surrender(tally).await?;
        self.sell_certificates(tally).await
    }
}

impl Tally {
    /// Remembers what became final; returns what its receipt names.
    pub(crate) fn note(
        &mut self,
        what: &'static str,
        receipt: Result<FinalReceipt, Refused>,
    ) -> Result<u64, DayError> {
        let receipt = receipt.map_err(|reason| DayError::Refused { what, reason })?;
        self.transactions.push(receipt.receipt.transaction);
        Ok(receipt.receipt.subject)
    }
}

fn phase_of(state: &State, session: SessionId) -> Option<Phase> {
    state.sessions().get(&session).map(|session| session.phase)
}

/// When the gate of a delivery day opens and closes: 09:00 and 11:00 of the day before.
fn gates(day: DeliveryDay) -> (ClockTime, ClockTime) {
    let start = day.start();
    (start.plus_ms(-15 * HOUR_MS), start.plus_ms(-13 * HOUR_MS))
}
