//! A wire between the gateway and a station that counts the values which the station sends, by
//! the octets of the protocols alone: nothing of the product or its libraries helps it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

/// What stations send over a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// IEC 60870-5-104.
    Iec104,
    /// Modbus TCP, with registers of two words each.
    Modbus,
}

/// A wire to one station, and how many values have come over it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    values: Arc<AtomicU64>,
}

impl Wire {
    pub(crate) async fn to(target: SocketAddr, protocol: Protocol) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let values = Arc::new(AtomicU64::new(0));
        let counted = values.clone();
        tokio::spawn(async move {
            while let Ok((gateway, _)) = listener.accept().await {
                tokio::spawn(carry(gateway, target, protocol, counted.clone()));
            }
        });
        Self { address, values }
    }

    /// How many values the station has sent.
    pub(crate) fn values(&self) -> u64 {
        self.values.load(Ordering::Relaxed)
    }
}

async fn carry(
    gateway: TcpStream,
    target: SocketAddr,
    protocol: Protocol,
    values: Arc<AtomicU64>,
) -> std::io::Result<()> {
    let station = TcpStream::connect(target).await?;
    gateway.set_nodelay(true)?;
    station.set_nodelay(true)?;
    let (mut from_gateway, mut to_gateway) = gateway.into_split();
    let (mut from_station, mut to_station) = station.into_split();
    let asked = tokio::spawn(async move { copy(&mut from_gateway, &mut to_station).await });
    let (mut pending, mut octets) = (Vec::new(), vec![0; 16_384]);
    loop {
        let length = from_station.read(&mut octets).await?;
        if length == 0 {
            break;
        }
        pending.extend_from_slice(&octets[..length]);
        while let Some((size, count)) = frame(&pending, protocol) {
            values.fetch_add(count, Ordering::Relaxed);
            pending.drain(..size);
        }
        to_gateway.write_all(&octets[..length]).await?;
    }
    asked.abort();
    Ok(())
}

/// The size of the first frame and how many values it carries; `None` while it is not whole.
fn frame(octets: &[u8], protocol: Protocol) -> Option<(usize, u64)> {
    let (size, count) = match protocol {
        Protocol::Iec104 => {
            assert_eq!(*octets.first()?, 0x68, "a frame begins");
            let size = usize::from(*octets.get(1)?) + 2;
            let frame = octets.get(..size)?;
            // An I frame whose type is process information in monitoring direction.
            let is_values = frame[2] & 1 == 0 && frame[6] < 45;
            (size, if is_values { u64::from(frame[7] & 0x7f) } else { 0 })
        }
        Protocol::Modbus => {
            let length = [*octets.get(4)?, *octets.get(5)?];
            let size = usize::from(u16::from_be_bytes(length)) + 6;
            let frame = octets.get(..size)?;
            // An answer with registers; an exception has the highest bit of the function set.
            let is_values = frame[7] == 3 || frame[7] == 4;
            (size, if is_values { u64::from(frame[8]) / 4 } else { 0 })
        }
    };
    Some((size, count))
}
