//! A simulated station over Modbus TCP.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

use super::{Fault, Plant};
use crate::field::{decode_words, encode_words};
use crate::point_map::{ModbusStation, Register, Table};

/// A simulated station that serves until it is dropped.
#[derive(Debug)]
pub struct ModbusServer {
    /// Where it listens.
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// Starts a simulated station on `address` (port 0: any free one).
///
/// # Errors
///
/// Returns the error of the operating system if the port cannot be opened.
pub async fn serve_modbus(
    station: &ModbusStation,
    plant: &Plant,
    address: SocketAddr,
) -> io::Result<ModbusServer> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let image = Image { station: station.clone(), plant: plant.clone() };
    tokio::spawn(async move {
        let image = &image;
        let new_service = move |_| Ok(Some(image.clone()));
        let on_connected =
            move |stream, peer| async move { accept_tcp_connection(stream, peer, new_service) };
        let on_error = |error| tracing::debug!("simulated station: {error}");
        let server = Server::new(listener);
        tokio::select! {
            ended = server.serve(&on_connected, on_error) => {
                tracing::debug!("simulated station: {ended:?}");
            }
            _ = stopped => {}
        }
    });
    Ok(ModbusServer { address, _stop: stop })
}

/// The registers of a station.
#[derive(Clone)]
struct Image {
    station: ModbusStation,
    plant: Plant,
}

impl Image {
    fn answer(&self, request: &SlaveRequest<'static>) -> Result<Response, ExceptionCode> {
        if request.slave != self.station.unit {
            return Err(ExceptionCode::GatewayTargetDevice);
        }
        match &request.request {
            Request::ReadHoldingRegisters(first, count) => {
                self.read(Table::Holding, *first, *count).map(Response::ReadHoldingRegisters)
            }
            Request::ReadInputRegisters(first, count) => {
                self.read(Table::Input, *first, *count).map(Response::ReadInputRegisters)
            }
            Request::WriteMultipleRegisters(first, words) => self.write(*first, words).map(|()| {
                let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
                Response::WriteMultipleRegisters(*first, count)
            }),
            Request::WriteSingleRegister(first, word) => {
                self.write(*first, &[*word]).map(|()| Response::WriteSingleRegister(*first, *word))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }

    fn read(&self, table: Table, first: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
        let image = self.image(table)?;
        let registers = (0..u32::from(count)).map(|i| u32::from(first) + i);
        registers.map(|r| image.get(&r).copied().ok_or(ExceptionCode::IllegalDataAddress)).collect()
    }

    fn image(&self, table: Table) -> Result<BTreeMap<u32, u16>, ExceptionCode> {
        let mut image = BTreeMap::new();
        let mut put = |at: Register, number: Option<i64>| {
            if at.table != table {
                return Ok(());
            }
            let words = number.and_then(|n| encode_words(at, n));
            let words = words.ok_or(ExceptionCode::ServerDeviceFailure)?;
            image.extend((u32::from(at.register)..).zip(words));
            Ok(())
        };
        for p in &self.station.energy {
            put(p.at, self.of(&p.name, |m| i64::try_from(m.counts(p.wh_per_count, p.rollover))))?;
        }
        for p in &self.station.power {
            let scale = i64::from(p.w_per_count.max(1));
            put(p.at, self.of(&p.name, |m| Ok::<_, ()>(m.measured_w() / scale)))?;
        }
        for p in &self.station.state {
            put(p.at, self.of(&p.name, |m| Ok::<_, ()>(i64::from(m.on))))?;
        }
        for p in &self.station.setpoint {
            let scale = i64::from(p.w_per_count.max(1));
            put(p.at, self.plant.with(&p.name, |m| m.target_w() / scale))?;
        }
        Ok(image)
    }

    /// A value of a machine; `None` while it has a fault that makes its values invalid.
    fn of<E>(
        &self,
        name: &str,
        value: impl FnOnce(&mut super::Machine) -> Result<i64, E>,
    ) -> Option<i64> {
        let value = |m: &mut super::Machine| {
            if m.fault == Fault::Invalid { None } else { value(m).ok() }
        };
        self.plant.with(name, value).flatten()
    }

    fn write(&self, first: u16, words: &[u16]) -> Result<(), ExceptionCode> {
        let point =
            self.station.setpoint.iter().find(|p| {
                p.at.register == first && usize::from(p.at.format.width()) == words.len()
            });
        let point = point.ok_or(ExceptionCode::IllegalDataAddress)?;
        let number = decode_words(point.at, words).and_then(|n| i64::try_from(n).ok());
        let watts = number.and_then(|n| n.checked_mul(point.w_per_count.into()));
        let watts = watts.ok_or(ExceptionCode::IllegalDataValue)?;
        let told = self.plant.with(&point.name, |m| m.fault != Fault::Refuse && m.tell(watts));
        if told == Some(true) { Ok(()) } else { Err(ExceptionCode::IllegalDataValue) }
    }
}

impl Service for Image {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Response, ExceptionCode>> + Send>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let image = self.clone();
        Box::pin(async move {
            loop {
                image.plant.released().await;
                if let Some(answer) = image.plant.at_rest(|| image.answer(&request)) {
                    return answer;
                }
            }
        })
    }
}
