//! Clients that hold on to what others need: places at the listener.

use crate::support::{Site, with_site};
use duet_node::api::{ApiConfig, ServeLimits, serve};
use duet_sdk::client::Client;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// A test waits no longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

async fn served(site: &Site, limits: ServeLimits) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, site.app.clone(), limits, None, std::future::pending()));
    address
}

#[test]
fn a_client_that_reads_no_answer_gives_its_place_back() {
    with_site("unread", &ApiConfig::default(), async |site| {
        let write_timeout = Duration::from_millis(300);
        let limits = ServeLimits { connections_max: 1, write_timeout, ..ServeLimits::default() };
        let address = served(&site, limits).await;
        let mut deaf = TcpStream::connect(address).await.unwrap();
        let ask = b"GET /openapi.json HTTP/1.1\r\nhost: duet\r\n\r\n";
        // More answers than the system keeps for a reader.
        deaf.write_all(&ask.repeat(200)).await.unwrap();
        let client = Client::new(&format!("http://{address}")).unwrap();
        timeout(PATIENCE, client.status()).await.unwrap().unwrap();
        drop(deaf);
    });
}

#[test]
fn one_address_does_not_get_every_place() {
    with_site("guests", &ApiConfig::default(), async |site| {
        let limits = ServeLimits { connections_of_one_max: 2, ..ServeLimits::default() };
        let address = served(&site, limits).await;
        let ask = b"GET /healthz HTTP/1.1\r\nhost: duet\r\n\r\n";
        let mut guests = Vec::new();
        for _ in 0..3 {
            let mut guest = TcpStream::connect(address).await.unwrap();
            guest.write_all(ask).await.unwrap();
            guests.push(guest);
        }
        let mut answer = [0; 64];
        for (place, guest) in guests.iter_mut().enumerate() {
            let read = timeout(PATIENCE, guest.read(&mut answer)).await.unwrap();
            assert_eq!(read.is_ok_and(|read| 0 < read), place < 2, "guest {place}");
        }
        drop(guests.remove(0));
        let client = Client::new(&format!("http://{address}")).unwrap();
        let freed = async {
            while client.status().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, freed).await.unwrap();
    });
}
