//! Dispatches are followed only with a proof: a node that a script answers for, which has one.

use std::net::SocketAddr;
use std::sync::Arc;

use duet_gateway::clock::Clock;
use duet_gateway::device::Device;
use duet_gateway::dispatch::{DispatchProofError, verify_dispatch};
use duet_gateway::uplink::{HttpUplink, NodeAccess, Uplink};
use duet_ledger::{
    ChannelId, Dispatch, DispatchId, DispatchState, Encode as _, Genesis, PublicKey, SessionId,
    UnitId,
};
use duet_sdk::proof::state::StateProof;
use duet_sdk::proof::{Certificate, Checkpoint, Header, RowProof, RowProofError};
use duet_sdk::wire::{Bytes, Hex32};
use duet_units::{ClockTime, DeliveryDay, Power};
use ed25519_zebra::{SigningKey, VerificationKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const GENESIS: [u8; 32] = [9; 32];
const NOW: ClockTime = ClockTime::from_unix_ms(1_783_303_200_000);
const ID: DispatchId = DispatchId(7);

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> ClockTime {
        NOW
    }
}

fn validator() -> SigningKey {
    SigningKey::from([1; 32])
}

fn public() -> PublicKey {
    PublicKey::from_bytes(VerificationKey::from(&validator()).into())
}

fn channel() -> ChannelId {
    Genesis::channel_of(&[public()], &GENESIS)
}

fn dispatch() -> Dispatch {
    Dispatch {
        session: SessionId(1),
        unit: UnitId(2),
        day: NOW.day(),
        setpoints: vec![Power::from_kw(5); 24],
        issued_at: NOW,
        state: DispatchState::Issued,
        cause: 0,
    }
}

fn sha(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// The proof of a row in a state that holds nothing else, by docs/spec/state-proof.md: one record,
/// which is the whole tree. A committee of one finalized it at `time`.
fn proof(key: &[u8], row: &[u8], time: ClockTime) -> RowProof {
    let mut chunk = [0; 32];
    chunk[0] = 1;
    let (log_root, partial) = ([3; 32], sha(&[&chunk]));
    let lengths = [key, row].map(|part| u8::try_from(part.len()).unwrap_or(0));
    let row_length = if row.len() < 128 {
        vec![lengths[1]]
    } else {
        vec![0x80 | (row.len() % 128) as u8, (row.len() / 128) as u8]
    };
    let record = [&[0xD2, lengths[0]], key, &row_length, row].concat();
    let one = 1_u64.to_be_bytes();
    let leaf = sha(&[&0_u64.to_be_bytes(), &record]);
    let tree = sha(&[&[0, 1], &one, &leaf]);
    let state_root = sha(&[&log_root, &tree, &one, &partial]);
    let state = StateProof {
        location: 0,
        leaves: 1,
        inactive_peaks: 0,
        chunk,
        partial_chunk: Some(partial),
        log_root,
        digests: Vec::new(),
    };
    let header = Header {
        parent: [6; 32],
        height: 10,
        time_ms: time.unix_ms(),
        body_hash: [7; 32],
        checkpoint: Checkpoint { height: 9, state_root, receipts_root: [8; 32] },
        context: [2; 32],
    };
    RowProof {
        version: RowProof::VERSION,
        committee: vec![public().into()],
        genesis_hash: Hex32(GENESIS),
        key: Bytes(key.to_vec()),
        row: Bytes(row.to_vec()),
        state: Bytes(state.encode()),
        headers: vec![Bytes(header.encode())],
        certificate: Bytes(certificate(&header)),
    }
}

fn certificate(header: &Header) -> Vec<u8> {
    let (epoch, view, parent_view) = (0, 300, 299);
    let empty =
        Certificate { epoch, view, parent_view, digest: header.digest(), signatures: vec![] };
    let signature: [u8; 64] = validator().sign(&empty.message(&channel())).into();
    let mut bytes = vec![1];
    [epoch, view, parent_view].iter().for_each(|number| bytes.extend(number.to_be_bytes()));
    bytes.extend(header.digest());
    bytes.extend(1_u16.to_be_bytes());
    bytes.extend(0_u32.to_be_bytes());
    bytes.extend(signature);
    bytes
}

fn good() -> RowProof {
    proof(&Dispatch::store_key(ID), &dispatch().to_bytes(), NOW)
}

#[test]
fn a_dispatch_is_proved_from_the_channel_id_alone() {
    assert_eq!(verify_dispatch(&good(), ID, &channel(), (NOW, 0)), Ok(dispatch()));
}

#[test]
fn what_is_not_proved_is_not_a_dispatch() {
    let check = |proof: &RowProof| verify_dispatch(proof, ID, &channel(), (NOW, 60_000));
    let more = Dispatch { setpoints: vec![Power::from_kw(6); 24], ..dispatch() };
    let forged = RowProof { row: Bytes(more.to_bytes()), ..good() };
    assert_eq!(check(&forged), Err(RowProofError::NotInTheState.into()));
    let other = proof(&Dispatch::store_key(DispatchId(8)), &dispatch().to_bytes(), NOW);
    assert_eq!(check(&other), Err(DispatchProofError::OtherRow));
    let bad = proof(&Dispatch::store_key(ID), &[1], NOW);
    assert!(matches!(check(&bad), Err(DispatchProofError::Bytes(_))));
    for (ms, fresh) in [(-60_000, true), (60_000, true), (-60_001, false), (60_001, false)] {
        let aged = proof(&Dispatch::store_key(ID), &dispatch().to_bytes(), NOW.plus_ms(ms));
        assert_eq!(check(&aged).is_ok(), fresh, "{ms}");
    }
    let stranger = [5; 32];
    let elsewhere = verify_dispatch(&good(), ID, &stranger, (NOW, 0));
    assert_eq!(elsewhere, Err(RowProofError::NotTheCommittee.into()));
    let mut unsigned = good();
    unsigned.certificate.0[40] ^= 1;
    assert!(check(&unsigned).is_err());
    let none = RowProof { headers: vec![], ..good() };
    assert_eq!(check(&none), Err(RowProofError::Headers.into()));
    assert_eq!(check(&RowProof { version: 2, ..good() }), Err(RowProofError::Version(2).into()));
}

/// A node that lists dispatches and has this proof for each.
async fn node(rows: Vec<Value>, proof: RowProof) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4_096];
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let body = if request.contains("/proof") {
                serde_json::to_string(&proof).expect("JSON")
            } else {
                json!({ "items": rows, "next": null }).to_string()
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    address
}

fn row(id: u64, unit: u32, day: DeliveryDay) -> Value {
    json!({
        "id": id, "session": 1, "unit": unit, "day": day.to_string(), "setpoints_kw": vec![9; 24],
        "issued_at_ms": NOW.unix_ms(), "state": "issued", "cause": 0,
    })
}

async fn followed(rows: Vec<Value>, proof: RowProof) -> Option<Vec<(DispatchId, Dispatch)>> {
    let node = format!("http://{}", node(rows, proof).await);
    let access = NodeAccess { node, units: [2].into(), fresh_ms: 60_000, ..NodeAccess::default() };
    let device = Device::from_seed([7; 32], channel());
    HttpUplink::new(access, device, Arc::new(Fixed)).expect("a network").dispatches().await
}

#[tokio::test]
async fn the_proof_decides_and_not_what_the_node_lists() {
    let today = NOW.day();
    let yesterday = DeliveryDay::from_days(today.days() - 1);
    // Of another gateway's unit, of a day that is over, and one that the proof is not of.
    let rows = vec![row(7, 2, today), row(5, 3, today), row(6, 2, yesterday), row(8, 2, today)];
    let proved = followed(rows, good()).await;
    assert_eq!(proved, Some(vec![(ID, dispatch())]), "5 kW are proved, 9 kW were listed");
    let stale = proof(&Dispatch::store_key(ID), &dispatch().to_bytes(), NOW.plus_ms(-60_001));
    assert_eq!(followed(vec![row(7, 2, today)], stale).await, Some(vec![]));
}
