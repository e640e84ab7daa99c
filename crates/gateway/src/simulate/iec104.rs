//! A simulated station over IEC 60870-5-104.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use iec104::config::ServerConfig;
use iec104::rtu_server::{
    CommandContext, CommandHandling, PointAddress, PointValue, RtuCommandHandler, RtuInitialPoint,
    RtuServer, RtuServerHandle, RtuSystemHandlers, start_rtu_server_ephemeral,
};
use iec104::types::information_elements::{SelectExecute, Siq, Spi};
use iec104::types::quality_descriptors::{Qds, SeqQd};
use iec104::types::{CSeNc1, InformationObjects, MItTb1, MMeTf1, MSpTb1};
use tokio::time::{Instant, interval};

use super::{Fault, Machine, Plant};
use crate::clock::Clock;
use crate::field::{thousandths, to_time_tag};
use crate::point_map::Iec104Station;

/// How long a selection holds at a simulated station.
const SELECT_HOLDS: Duration = Duration::from_secs(10);

/// Starts a simulated station on `address` (port 0: any free one of the loopback address) and lets
/// it send its values every `every`. It ends with the runtime.
///
/// # Errors
///
/// Returns the library's error if the port cannot be opened.
pub async fn serve_iec104(
    station: &Iec104Station,
    plant: &Plant,
    clock: Arc<dyn Clock>,
    address: SocketAddr,
    every: Duration,
) -> Result<SocketAddr, iec104::error::Error> {
    let image = Image { station: station.clone(), plant: plant.clone(), clock };
    let points: Vec<RtuInitialPoint> = image.points().into_iter().map(Into::into).collect();
    let handler = Arc::new(Commands::new(station, plant));
    let config = ServerConfig {
        address: address.ip().to_string(),
        port: address.port(),
        ..ServerConfig::default()
    };
    let (server, address) = if address.port() == 0 {
        let handlers = RtuSystemHandlers::default();
        start_rtu_server_ephemeral(config, points, handler, handlers).await?
    } else {
        (RtuServer::start(config, points, handler).await?, address)
    };
    tokio::spawn(async move {
        let mut ticks = interval(every);
        loop {
            ticks.tick().await;
            if !image.send(&server).await {
                return;
            }
        }
    });
    Ok(address)
}

/// The values of a station.
struct Image {
    station: Iec104Station,
    plant: Plant,
    clock: Arc<dyn Clock>,
}

impl Image {
    fn points(&self) -> Vec<(PointAddress, PointValue)> {
        let time = to_time_tag(self.clock.now(), self.station.utc_offset_min).unwrap_or_default();
        let mut points = Vec::new();
        for p in &self.station.energy {
            let value = self.plant.with(&p.name, |m| {
                let count = m.counts(p.wh_per_count, p.rollover);
                let bcr = u32::try_from(count).unwrap_or(u32::MAX).cast_signed();
                let sqd = SeqQd { iv: m.fault == Fault::Invalid, ..SeqQd::default() };
                PointValue::MItTb1(MItTb1 { bcr, sqd, time: time.clone() })
            });
            points.extend(value.map(|value| (self.address(p.at.ioa), value)));
        }
        for p in &self.station.power {
            let value = self.plant.with(&p.name, |m| {
                let value = (m.measured_w() / i64::from(p.w_per_count.max(1))) as f32 / 1_000.0;
                PointValue::MMeTf1(MMeTf1 { value, qds: qds(m), time: time.clone() })
            });
            points.extend(value.map(|value| (self.address(p.at.ioa), value)));
        }
        for p in &self.station.state {
            let value = self.plant.with(&p.name, |m| {
                let spi = if m.on { Spi::On } else { Spi::Off };
                let siq = Siq { iv: m.fault == Fault::Invalid, spi, ..Siq::default() };
                PointValue::MSpTb1(MSpTb1 { siq, time: time.clone() })
            });
            points.extend(value.map(|value| (self.address(p.at.ioa), value)));
        }
        points
    }

    const fn address(&self, ioa: u32) -> PointAddress {
        PointAddress::new(self.station.common_address, ioa)
    }

    /// Sends every value once; `false` if the server has gone.
    async fn send(&self, server: &RtuServerHandle) -> bool {
        // What stands still is sent at the next tick.
        for (address, value) in self.plant.at_rest(|| self.points()).into_iter().flatten() {
            match server.set_point(address, value).await {
                Ok(()) => {}
                Err(error) => {
                    // A peer that does not read is the peer's fault; the station goes on.
                    tracing::debug!("simulated station: {error}");
                    if matches!(error, iec104::rtu_server::RtuHandleError::Disconnected) {
                        return false;
                    }
                }
            }
        }
        true
    }
}

fn qds(machine: &Machine) -> Qds {
    Qds { iv: machine.fault == Fault::Invalid, ..Qds::default() }
}

/// Carries out set-points, but only those that were selected before with the same value.
struct Commands {
    plant: Plant,
    points: BTreeMap<u32, (String, i64)>,
    selected: Mutex<BTreeMap<u32, (u32, Instant)>>,
}

impl Commands {
    fn new(station: &Iec104Station, plant: &Plant) -> Self {
        let points = station.setpoint.iter();
        let points = points.map(|p| (p.at.ioa, (p.name.clone(), i64::from(p.w_per_count))));
        Self { plant: plant.clone(), points: points.collect(), selected: Mutex::default() }
    }

    fn accepts(&self, ioa: u32, command: &CSeNc1) -> bool {
        let Some((name, w_per_count)) = self.points.get(&ioa) else { return false };
        let watts = thousandths(command.value).and_then(|n| n.checked_mul(*w_per_count));
        let Some(watts) = watts else { return false };
        let (bits, now) = (command.value.to_bits(), Instant::now());
        let mut selected = self.selected.lock().unwrap_or_else(PoisonError::into_inner);
        self.plant
            .with(name, |machine| match command.qos.se {
                _ if machine.fault == Fault::Refuse => false,
                SelectExecute::Select => {
                    selected.insert(ioa, (bits, now + SELECT_HOLDS));
                    machine.on
                }
                SelectExecute::Execute => {
                    let held = selected.remove(&ioa);
                    held.is_some_and(|(b, until)| b == bits && now < until) && machine.tell(watts)
                }
            })
            .unwrap_or(false)
    }

    fn is_silent(&self, ioa: u32) -> bool {
        let name = self.points.get(&ioa).map(|(name, _)| name);
        name.and_then(|n| self.plant.with(n, |m| m.fault == Fault::Silent)).unwrap_or(false)
    }
}

#[async_trait::async_trait]
impl RtuCommandHandler for Commands {
    async fn handle_command(&self, ctx: CommandContext<'_>) -> CommandHandling {
        let objects = &ctx.asdu.information_objects;
        let InformationObjects::CSeNc1(list) = objects else { return answer(&ctx, true) };
        if list.iter().any(|object| self.is_silent(object.address)) {
            // The library must answer something; an answer to an address nobody asked is none.
            let mut handling = answer(&ctx, true);
            handling.reply_information_objects = InformationObjects::CSeNc1(Vec::new());
            return handling;
        }
        let accepted = list.iter().all(|object| self.accepts(object.address, &object.object));
        answer(&ctx, !accepted)
    }
}

fn answer(ctx: &CommandContext<'_>, negative: bool) -> CommandHandling {
    CommandHandling {
        negative,
        reply_type_id: ctx.asdu.type_id,
        reply_information_objects: ctx.asdu.information_objects.clone(),
        apply_updates: Vec::new(),
    }
}
