//! A station over IEC 60870-5-104: the gateway is the controlling station and connects.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use iec104::asdu::Asdu;
use iec104::client::{Client, ClientCallback};
use iec104::config::{ClientConfig, ProtocolConfig};
use iec104::cot::Cot;
use iec104::error::Error;
use iec104::types::commands::{Frz, Qoi, Rqt};
use iec104::types::information_elements::SelectExecute;
use iec104::types::quality_descriptors::Qos;
use iec104::types::{CCiNa1, CCsNa1, CIcNa1, CSeNc1, GenericObject, InformationObjects};
use iec104::types_id::TypeId;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use super::asdu::Decoder;
use super::{
    ANSWER_TIMEOUT, Command, CommandFailure, FieldEvent, RETRY_FIRST, Surroundings, Value, longer,
    to_time_tag,
};
use crate::clock;
use crate::point_map::{Iec104Station, Ioa, SetpointPoint};
use crate::reading::Flags;

/// Time to wait for a connection (t0). The standard's 30 s is for slow lines; a plant's LAN
/// answers at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How many answers to commands may wait; nobody needs those that do not fit.
const ANSWERS: usize = 64;

/// How often a link that is up is asked whether it lives. The library's task ends without a word
/// where its parser panics (a read command in sequence does that to it).
const PULSE: Duration = Duration::from_secs(3);
/// How many requests in a row may not be sent before the link is made anew.
const FAILURES_MAX: u32 = 3;

/// Reads `station` and carries out commands on it until `commands` is closed.
pub async fn run_iec104(
    station: Iec104Station,
    around: Surroundings,
    mut commands: mpsc::Receiver<Command>,
) {
    loop {
        let Some((mut link, up)) = Link::connect(&station, &around, &mut commands).await else {
            return;
        };
        if serve(&station, &around, &mut commands, &mut link, up).await.is_break() {
            return;
        }
        tracing::warn!("{}: the link is made anew", station.name);
        link.say(false, &around).await;
    }
}

/// Breaks when nobody gives commands any more, continues when the link is of no more use.
async fn serve(
    station: &Iec104Station,
    around: &Surroundings,
    commands: &mut mpsc::Receiver<Command>,
    link: &mut Link,
    mut up: watch::Receiver<bool>,
) -> ControlFlow<()> {
    let mut interrogation = ticks(station.interrogation_s);
    let mut counters = ticks(station.counter_s);
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0;
    while failures < FAILURES_MAX {
        // Only looked at: a connection that was made before this loop is a change, too.
        let connected = *up.borrow();
        let sent = tokio::select! {
            biased;
            // The other end is with the client, which outlives this.
            Ok(()) = up.changed() => {
                interrogation.reset();
                counters.reset();
                let connected = *up.borrow_and_update();
                link.turned(connected, around).await
            }
            _ = interrogation.tick(), if connected => link.interrogate().await,
            _ = counters.tick(), if connected => link.read_counters(around).await,
            _ = pulse.tick(), if connected => link.lives().await,
            command = commands.recv() => {
                let Some(command) = command else { return ControlFlow::Break(()) };
                link.carry_out(command).await;
                true
            }
        };
        failures = if sent { 0 } else { failures + 1 };
    }
    ControlFlow::Continue(())
}

fn ticks(seconds: u32) -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_secs(seconds.into()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// What the protocol library calls back with.
struct Listener {
    decoder: Decoder,
    around: Surroundings,
    answers: mpsc::Sender<Answer>,
    up: watch::Sender<bool>,
    pause_ms: AtomicU32,
    left: Arc<AtomicBool>,
}

/// A station's answer to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    ioa: u32,
    select: bool,
    negative: bool,
}

#[async_trait]
impl ClientCallback for Listener {
    async fn on_new_objects(&self, asdu: Asdu) {
        if self.left.load(Ordering::Relaxed) {
            // The library cannot be told to stop; this keeps it from reading on.
            std::future::pending::<()>().await;
        }
        // A station that sends something is worth coming back to soon. One that only takes
        // connections is not, or it could keep the gateway busy with them.
        self.pause_ms.store(pause_ms(RETRY_FIRST), Ordering::Relaxed);
        if let InformationObjects::CSeNc1(list) = &asdu.information_objects {
            self.answer(&asdu, list);
            return;
        }
        for event in self.decoder.decode(&asdu, self.around.clock.now()) {
            if self.around.events.send(event).await.is_err() {
                return;
            }
        }
    }

    async fn on_connection_started(&self) {
        self.up.send_replace(true);
    }

    async fn on_error(&self, error: Error) {
        tracing::warn!("connection lost: {error}");
        self.up.send_replace(false);
    }

    async fn on_reconnecting(&self) {
        let pause = Duration::from_millis(self.pause_ms.load(Ordering::Relaxed).into());
        self.pause_ms.store(pause_ms(longer(pause)), Ordering::Relaxed);
        if self.left.load(Ordering::Relaxed) {
            // The library would reconnect for ever; nobody listens any more.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(pause).await;
    }
}

fn pause_ms(pause: Duration) -> u32 {
    u32::try_from(pause.as_millis()).unwrap_or(u32::MAX)
}

impl Listener {
    fn answer(&self, asdu: &Asdu, list: &[GenericObject<CSeNc1>]) {
        let known = matches!(
            asdu.cot,
            Cot::ActivationConfirmation
                | Cot::UnknownType
                | Cot::UnknownCause
                | Cot::UnknownAsduAddress
                | Cot::UnknownObjectAddress
        );
        let negative = asdu.negative || asdu.cot != Cot::ActivationConfirmation;
        for object in list.iter().filter(|_| known) {
            let select = object.object.qos.se == SelectExecute::Select;
            let answer = Answer { ioa: object.address, select, negative };
            // A full queue means that nobody waits.
            let _ = self.answers.try_send(answer);
        }
    }
}

struct Link {
    client: Client<Listener>,
    common_address: u16,
    utc_offset_min: i16,
    name: Arc<str>,
    setpoints: Vec<SetpointPoint<Ioa>>,
    answers: mpsc::Receiver<Answer>,
    left: Arc<AtomicBool>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.left.store(true, Ordering::Relaxed);
    }
}

impl Link {
    /// Connects for the first time; afterwards the protocol library reconnects by itself. Commands
    /// are refused meanwhile; `None` when nobody gives any more.
    async fn connect(
        station: &Iec104Station,
        around: &Surroundings,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Option<(Self, watch::Receiver<bool>)> {
        let (up_sender, up) = watch::channel(false);
        let (answers_sender, answers) = mpsc::channel(ANSWERS);
        let left = Arc::new(AtomicBool::new(false));
        let listener = Listener {
            decoder: Decoder::new(station),
            around: around.clone(),
            answers: answers_sender,
            up: up_sender,
            pause_ms: AtomicU32::new(pause_ms(RETRY_FIRST)),
            left: left.clone(),
        };
        let (host, port) = station.address.rsplit_once(':').unwrap_or((&station.address, "2404"));
        let config = ClientConfig {
            address: host.to_owned(),
            port: port.parse().unwrap_or(2_404),
            protocol: ProtocolConfig { t0: CONNECT_TIMEOUT, ..ProtocolConfig::default() },
            tls: None,
        };
        let mut client = Client::new(config, listener);
        let mut pause = RETRY_FIRST;
        while client.connect().await.is_err() || client.start_receiving().await.is_err() {
            let retry = tokio::time::sleep(pause);
            tokio::pin!(retry);
            loop {
                tokio::select! {
                    () = &mut retry => break,
                    command = commands.recv() => {
                        // The asker may have given up; the outcome then concerns nobody.
                        let _ = command?.reply.send(Err(CommandFailure::NotConnected));
                    }
                }
            }
            pause = longer(pause);
        }
        let link = Self {
            client,
            common_address: station.common_address,
            utc_offset_min: station.utc_offset_min,
            name: station.name.as_str().into(),
            setpoints: station.setpoint.clone(),
            answers,
            left,
        };
        Some((link, up))
    }

    /// The connection is made, or lost; `false` if a station that is there cannot be asked.
    async fn turned(&self, up: bool, around: &Surroundings) -> bool {
        self.say(up, around).await;
        !up || self.greet(around).await
    }

    async fn say(&self, up: bool, around: &Surroundings) {
        let (name, at) = (self.name.clone(), around.clock.now());
        let event = FieldEvent { name, value: Value::Link(up), at, flags: Flags::GOOD };
        // The gateway stops when nobody reads events.
        let _ = around.events.send(event).await;
    }

    /// After every connection: the time, then everything the station knows.
    async fn greet(&self, around: &Surroundings) -> bool {
        self.read_counters(around).await && self.interrogate().await
    }

    /// Tells the station the time, if the gateway knows it. A station that does not take it goes
    /// on with its own.
    async fn set_clock(&self, around: &Surroundings) -> bool {
        let now = around.clock.now();
        let time = to_time_tag(now, self.utc_offset_min).filter(|_| clock::is_set(now));
        let Some(time) = time else { return true };
        let time = InformationObjects::CCsNa1(vec![object(0, CCsNa1 { time })]);
        self.send(TypeId::C_CS_NA_1, time).await
    }

    /// Sends a test frame; `false` if the library's task has ended.
    async fn lives(&mut self) -> bool {
        matches!(timeout(ANSWER_TIMEOUT, self.client.send_test_frame()).await, Ok(Ok(())))
    }

    async fn interrogate(&self) -> bool {
        let general = InformationObjects::CIcNa1(vec![object(0, CIcNa1 { qoi: Qoi::Global })]);
        self.send(TypeId::C_IC_NA_1, general).await
    }

    /// The time, then the counters, whose tags follow it.
    async fn read_counters(&self, around: &Surroundings) -> bool {
        if !self.set_clock(around).await {
            return false;
        }
        let request = CCiNa1 { rqt: Rqt::ReqCoGen, frz: Frz::Read };
        self.send(TypeId::C_CI_NA_1, InformationObjects::CCiNa1(vec![object(0, request)])).await
    }

    /// Sends an activation; `false` if the link cannot take it now.
    async fn send(&self, type_id: TypeId, information_objects: InformationObjects) -> bool {
        let asdu = Asdu {
            type_id,
            cot: Cot::Activation,
            originator_address: 1,
            address_field: self.common_address,
            sequence: false,
            test: false,
            negative: false,
            information_objects,
        };
        matches!(timeout(ANSWER_TIMEOUT, self.client.send_asdu(asdu)).await, Ok(Ok(())))
    }

    /// A command that was given up is not carried out: what it was for may be over.
    async fn carry_out(&mut self, command: Command) {
        if !command.reply.is_closed() {
            let outcome = self.command(&command).await;
            // The asker may have given up meanwhile.
            let _ = command.reply.send(outcome);
        }
    }

    /// Select before operate: the station must confirm the selection of exactly this value before
    /// it is told to execute it. A selection that is not followed up lapses at the station.
    async fn command(&mut self, command: &Command) -> Result<(), CommandFailure> {
        let ioa = self.setpoints.iter().find(|p| *p.name == *command.name).map(|p| p.at.ioa);
        let ioa = ioa.ok_or(CommandFailure::OutOfRange)?;
        let value = single(command.counts).ok_or(CommandFailure::OutOfRange)?;
        while self.answers.try_recv().is_ok() {}
        for (se, refused) in [
            (SelectExecute::Select, CommandFailure::SelectRefused),
            (SelectExecute::Execute, CommandFailure::ExecuteRefused),
        ] {
            let setpoint = CSeNc1 { value, qos: Qos { se, ql: 0 } };
            let objects = InformationObjects::CSeNc1(vec![object(ioa, setpoint)]);
            if !self.send(TypeId::C_SE_NC_1, objects).await {
                return Err(CommandFailure::NotConnected);
            }
            let answer = self.answer(ioa, se == SelectExecute::Select).await?;
            if answer.negative {
                return Err(refused);
            }
        }
        Ok(())
    }

    async fn answer(&mut self, ioa: u32, select: bool) -> Result<Answer, CommandFailure> {
        let until = Instant::now() + ANSWER_TIMEOUT;
        loop {
            match timeout_at(until, self.answers.recv()).await {
                Ok(Some(answer)) if answer.ioa == ioa && answer.select == select => {
                    return Ok(answer);
                }
                Ok(Some(_)) => {}
                Ok(None) => return Err(CommandFailure::NotConnected),
                Err(_) => return Err(CommandFailure::Timeout),
            }
        }
    }
}

/// Thousandths in single precision, which holds seven digits; `None` for what would lose its last
/// one: a set-point is refused rather than changed.
fn single(thousandths: i64) -> Option<f32> {
    // Rounded once: a quotient of two rounded numbers misses one whole kW in four above 131 MW.
    let value = (thousandths as f64 / 1_000.0) as f32;
    (super::thousandths(value) == Some(thousandths)).then_some(value)
}

const fn object<T>(address: u32, object: T) -> GenericObject<T>
where
    T: iec104::types::FromBytes + iec104::types::ToBytes + Default,
{
    GenericObject { address, object }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whole_kw_of_a_large_unit_can_be_sent_in_watts() {
        assert!((0..=1_000_000).all(|kw| single(kw * 1_000).is_some()));
        assert_eq!(single(134_219_001), None, "its last watt");
    }
}
