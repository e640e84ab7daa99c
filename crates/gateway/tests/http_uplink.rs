//! The uplink against a node's API that a script answers for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use duet_gateway::clock::{Clock, SystemClock};
use duet_gateway::device::Device;
use duet_gateway::uplink::{Delivery, HttpUplink, NodeAccess, Uplink};
use duet_ledger::{
    Acknowledgement, Action, DispatchId, DispatchState, Rejection, Transaction, UnitId,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const HASH: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// A node that answers each request by `answer` and remembers the transactions it was given.
async fn node(
    answer: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<Transaction>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (transactions, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
    let seen = transactions.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer.clone(), seen.clone()));
        }
    });
    (address, transactions)
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&str) -> (u16, Value)>,
    seen: Arc<Mutex<Vec<Transaction>>>,
) {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    let (head, body) = loop {
        let length = stream.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    if let Ok(body) = serde_json::from_str::<Value>(&body) {
        let bytes = hex::decode(body["transaction"].as_str().expect("bytes")).expect("hex");
        seen.lock().expect("no panic").push(Transaction::from_bytes(&bytes).expect("canonical"));
    }
    let (status, body) = answer(head.split(' ').nth(1).unwrap_or_default());
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes()).await;
}

fn receipt(number: u16) -> Value {
    json!({ "transaction": HASH, "receipt": {
        "transaction": HASH, "height": 7, "index": 0, "accepted": number == 0, "number": number,
        "code": null, "rule": null, "subject": 0,
    }})
}

fn uplink(address: SocketAddr, unproven: bool) -> HttpUplink {
    let device = Device::from_seed([7; 32], [9; 32]);
    access(address, unproven, device, Arc::new(SystemClock))
}

fn access(
    address: SocketAddr,
    unproven: bool,
    device: Device,
    clock: Arc<dyn Clock>,
) -> HttpUplink {
    let (node, units) = (format!("http://{address}"), [2].into());
    let access = NodeAccess { node, units, fresh_ms: 300_000, unproven, ..NodeAccess::default() };
    HttpUplink::new(access, device, clock).expect("a network")
}

fn answer(dispatch: u64) -> Action {
    Action::AckDispatch(Acknowledgement {
        dispatch: DispatchId(dispatch),
        accepted: true,
        cause: 0,
    })
}

#[tokio::test]
async fn a_transaction_is_signed_by_the_device_and_its_receipt_decides() {
    for (number, delivery) in [
        (0, Delivery::Final),
        (604, Delivery::Repeated),
        (704, Delivery::Repeated),
        (703, Delivery::Later),
        (201, Delivery::Later),
        (705, Delivery::Refused(Rejection::PeriodSettled)),
    ] {
        let (address, seen) = node(move |_| (200, receipt(number))).await;
        assert_eq!(uplink(address, false).submit(answer(3)).await, delivery, "{number}");
        let seen = seen.lock().expect("no panic");
        assert_eq!((seen.len(), seen[0].action()), (1, &answer(3)));
        assert!(seen[0].signature_is_valid());
        assert_eq!(*seen[0].channel(), [9; 32]);
    }
}

#[tokio::test]
async fn what_is_not_final_is_tried_later() {
    let not_yet = json!({ "transaction": HASH, "receipt": null });
    let (address, _) = node(move |_| (202, not_yet.clone())).await;
    assert_eq!(uplink(address, false).submit(answer(1)).await, Delivery::Later);
    let (address, _) = node(|_| (503, json!({ "not": "the API" }))).await;
    assert_eq!(uplink(address, false).submit(answer(1)).await, Delivery::Later);
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("one");
    assert_eq!(uplink(gone, true).submit(answer(1)).await, Delivery::Later);
    assert_eq!(uplink(gone, true).dispatches().await, None);
}

#[tokio::test]
async fn nonces_rise_and_start_behind_the_last_one_that_the_ledger_knows() {
    let problem = json!({
        "type": "/problems/stale-nonce", "title": "", "status": 409, "detail": "",
        "code": "stale-nonce", "number": 202,
    });
    let known = json!({
        "public_key": HASH, "organisation": 1, "roles": ["device"], "label": "", "last_nonce": 3_000_000_000_000_u64,
    });
    let (address, seen) = node(move |path| {
        if path.starts_with("/v1/identities/") {
            (200, known.clone())
        } else {
            (409, problem.clone())
        }
    })
    .await;
    let uplink = uplink(address, false);
    for _ in 0..3 {
        assert_eq!(uplink.submit(answer(1)).await, Delivery::Later);
    }
    let nonces: Vec<u64> = seen.lock().expect("no panic").iter().map(Transaction::nonce).collect();
    assert!(nonces.is_sorted_by(|a, b| a < b), "{nonces:?}");
    assert_eq!(nonces[1], 3_000_000_000_001, "{nonces:?}");
}

#[tokio::test]
async fn dispatches_are_read_page_by_page_but_only_where_the_map_trusts_the_node() {
    let row = |id: u64| {
        json!({
            "id": id, "session": 1, "unit": 2, "day": "2126-07-06", "setpoints_kw": vec![5; 24],
            "issued_at_ms": 77, "state": "issued", "cause": 0,
        })
    };
    let answer = move |path: &str| {
        let last = path.contains("after=1&");
        let (id, next) = if last { (2, Value::Null) } else { (1, json!(1)) };
        (200, json!({ "items": [row(id)], "next": next }))
    };
    let (address, _) = node(answer).await;
    let dispatches = uplink(address, true).dispatches().await.expect("an answer");
    assert_eq!(dispatches.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1, 2]);
    let (_, dispatch) = &dispatches[1];
    assert_eq!((dispatch.unit, dispatch.state), (UnitId(2), DispatchState::Issued));
    assert_eq!((dispatch.setpoints.len(), dispatch.setpoints[0].kw()), (24, 5));
    assert_eq!(uplink(address, false).dispatches().await, Some(Vec::new()), "without a proof");
}
