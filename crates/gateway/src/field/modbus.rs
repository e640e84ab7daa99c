//! A station over Modbus TCP: the gateway polls.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_modbus::ExceptionCode;
use tokio_modbus::client::{Context, Reader as _, Writer as _, tcp};
use tokio_modbus::slave::Slave;

use super::registers::{Block, decode_words, encode_words, plan};
use super::{
    ANSWER_TIMEOUT, Command, CommandFailure, FieldEvent, RETRY_FIRST, Surroundings, Value, longer,
};
use crate::point_map::{ModbusStation, Register, Table};
use crate::reading::Flags;

/// An answer takes [`ANSWER_TIMEOUT`] at most: if the clock says more than this, it was set.
const CLOCK_STEP_MS: u64 = 300_000;

/// Reads `station` and carries out commands on it until `commands` is closed.
pub async fn run_modbus(
    station: ModbusStation,
    around: Surroundings,
    mut commands: mpsc::Receiver<Command>,
) {
    let poll = Poll::new(&station);
    let mut pause = RETRY_FIRST;
    loop {
        if let Some(mut context) = connect(&station).await {
            poll.say(true, &around).await;
            let end = poll.serve(&mut context, &around, &mut commands).await;
            poll.say(false, &around).await;
            match end {
                End::Closed => return,
                // A station that answered is worth coming back to soon.
                End::Lost { answered: true } => pause = RETRY_FIRST,
                End::Lost { answered: false } => {}
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = longer(pause),
            command = commands.recv() => {
                let Some(command) = command else { return };
                let _ = command.reply.send(Err(CommandFailure::NotConnected));
            }
        }
    }
}

async fn connect(station: &ModbusStation) -> Option<Context> {
    let address: SocketAddr = lookup_host(&station.address).await.ok()?.next()?;
    let stream = timeout(ANSWER_TIMEOUT, TcpStream::connect(address)).await.ok()?.ok()?;
    Some(tcp::attach_slave(stream, Slave(station.unit)))
}

enum End {
    Closed,
    Lost { answered: bool },
}

#[derive(Clone, Copy)]
enum Kind {
    Energy,
    Power { w_per_count: i128 },
    State,
}

struct Point {
    name: Arc<str>,
    at: Register,
    kind: Kind,
}

struct Poll {
    name: Arc<str>,
    every: Duration,
    /// The points of each block, in the order of the requests.
    blocks: Vec<(Block, Vec<Point>)>,
    setpoints: BTreeMap<Arc<str>, Register>,
}

impl Poll {
    fn new(station: &ModbusStation) -> Self {
        let energy = station.energy.iter().map(|p| (&p.name, p.at, Kind::Energy));
        let power = station
            .power
            .iter()
            .map(|p| (&p.name, p.at, Kind::Power { w_per_count: p.w_per_count.into() }));
        let state = station.state.iter().map(|p| (&p.name, p.at, Kind::State));
        let points: Vec<Point> = energy
            .chain(power)
            .chain(state)
            .map(|(name, at, kind)| Point { name: name.as_str().into(), at, kind })
            .collect();
        let registers: Vec<Register> = points.iter().map(|p| p.at).collect();
        let mut blocks: Vec<(Block, Vec<Point>)> =
            plan(&registers).into_iter().map(|block| (block, Vec::new())).collect();
        for point in points {
            let home = blocks.iter_mut().find(|(b, _)| {
                let offset = point.at.register.checked_sub(b.first);
                b.table == point.at.table && offset.is_some_and(|o| o < b.count)
            });
            if let Some((_, points)) = home {
                points.push(point);
            }
        }
        let setpoints =
            station.setpoint.iter().map(|p| (Arc::from(p.name.as_str()), p.at)).collect();
        let every = Duration::from_millis(station.poll_ms.into());
        Self { name: station.name.as_str().into(), every, blocks, setpoints }
    }

    async fn serve(
        &self,
        context: &mut Context,
        around: &Surroundings,
        commands: &mut mpsc::Receiver<Command>,
    ) -> End {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answered = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if self.poll(context, around).await.is_none() {
                        return End::Lost { answered };
                    }
                    answered = true;
                }
                command = commands.recv() => {
                    let Some(command) = command else { return End::Closed };
                    if command.reply.is_closed() {
                        // It was given up; what it was for may be over.
                        continue;
                    }
                    let outcome = self.command(context, &command).await;
                    let lost = outcome == Err(CommandFailure::Timeout)
                        || outcome == Err(CommandFailure::NotConnected);
                    let _ = command.reply.send(outcome);
                    if lost {
                        return End::Lost { answered };
                    }
                }
            }
        }
    }

    /// Reads every block once; `None` if the connection is of no more use. A block that the
    /// station answers with an exception marks its points invalid, the others go on. An answer
    /// that the clock was put on for meanwhile is of no known time: the next poll asks again.
    async fn poll(&self, context: &mut Context, around: &Surroundings) -> Option<()> {
        for (block, points) in &self.blocks {
            let asked = around.clock.now();
            let words = read(context, *block).await.ok()?;
            let at = around.clock.now();
            if at.unix_ms().abs_diff(asked.unix_ms()) > CLOCK_STEP_MS {
                continue;
            }
            for point in points {
                let number = words
                    .as_ref()
                    .ok()
                    .and_then(|words| decode_words(point.at, block.words(point.at, words)?));
                let (value, flags) = value(point.kind, number);
                let event = FieldEvent { name: point.name.clone(), value, at, flags };
                around.events.send(event).await.ok()?;
            }
        }
        Some(())
    }

    async fn say(&self, up: bool, around: &Surroundings) {
        let (name, at) = (self.name.clone(), around.clock.now());
        let event = FieldEvent { name, value: Value::Link(up), at, flags: Flags::GOOD };
        let _ = around.events.send(event).await;
    }

    /// Writes, then reads back: the answer to a write says only that the frame was understood.
    async fn command(
        &self,
        context: &mut Context,
        command: &Command,
    ) -> Result<(), CommandFailure> {
        let at = *self.setpoints.get(&command.name).ok_or(CommandFailure::OutOfRange)?;
        let words = encode_words(at, command.counts).ok_or(CommandFailure::OutOfRange)?;
        let write = context.write_multiple_registers(at.register, &words);
        match timeout(ANSWER_TIMEOUT, write).await {
            Err(_) => return Err(CommandFailure::Timeout),
            Ok(Err(_)) => return Err(CommandFailure::NotConnected),
            Ok(Ok(Err(exception))) => return Err(CommandFailure::Exception(exception.into())),
            Ok(Ok(Ok(()))) => {}
        }
        let block = Block { table: Table::Holding, first: at.register, count: at.format.width() };
        let back = read(context, block).await?.map_err(|e| CommandFailure::Exception(e.into()))?;
        if back == words {
            return Ok(());
        }
        let back = decode_words(at, &back).and_then(|n| i64::try_from(n).ok());
        Err(CommandFailure::ReadBack(back.unwrap_or(i64::MAX)))
    }
}

async fn read(
    context: &mut Context,
    block: Block,
) -> Result<Result<Vec<u16>, ExceptionCode>, CommandFailure> {
    let answer = match block.table {
        Table::Holding => {
            timeout(ANSWER_TIMEOUT, context.read_holding_registers(block.first, block.count)).await
        }
        Table::Input => {
            timeout(ANSWER_TIMEOUT, context.read_input_registers(block.first, block.count)).await
        }
    };
    match answer {
        Err(_) => Err(CommandFailure::Timeout),
        Ok(Err(_)) => Err(CommandFailure::NotConnected),
        Ok(Ok(answer)) => Ok(answer),
    }
}

fn value(kind: Kind, number: Option<i128>) -> (Value, Flags) {
    let (value, fallback) = match kind {
        Kind::Energy => {
            let count = number.and_then(|n| u64::try_from(n).ok());
            (count.map(Value::Energy), Value::Energy(0))
        }
        Kind::Power { w_per_count } => {
            let watts = number.and_then(|n| i64::try_from(n.checked_mul(w_per_count)?).ok());
            (watts.map(Value::Power), Value::Power(0))
        }
        Kind::State => (number.map(|n| Value::State(n != 0)), Value::State(false)),
    };
    value.map_or((fallback, Flags::INVALID), |value| (value, Flags::GOOD))
}
