//! State proofs: what the store proves, the reader's check accepts, and it agrees with the
//! engine's own verifier on honest and on tampered proofs.

use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{Context, Runner},
};
use commonware_storage::{
    merkle::{Location, Proof, mmr::Family},
    qmdb::{
        any::unordered::{Update, variable::Operation},
        current::proof::{RangeProof, constant::OperationProof},
    },
};
use duet_node::store::{Change, Store};
use duet_sdk::proof::state::{CHUNK, Malformed, StateProof};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Root = [u8; 32];

fn key(number: u64) -> Vec<u8> {
    [b"o".as_slice(), &number.to_be_bytes()].concat()
}

async fn open(context: &Context) -> Store<Context> {
    Store::open(context.child("store"), "state").await.unwrap()
}

/// The engine's verdict on the same proof.
fn engine_accepts(proof: &StateProof, root: &Root, key: &[u8], value: &[u8]) -> bool {
    let proof = OperationProof::<Family, Digest, CHUNK> {
        loc: Location::new(proof.location),
        chunk: proof.chunk,
        range_proof: RangeProof {
            proof: Proof {
                leaves: Location::new(proof.leaves),
                inactive_peaks: proof.inactive_peaks as usize,
                digests: proof.digests.iter().copied().map(Digest).collect(),
            },
            pending_chunk_digest: Default::default(),
            partial_chunk_digest: proof.partial_chunk.map(Digest),
            ops_root: Digest(proof.log_root),
        },
    };
    let update = Update(key.to_vec(), value.to_vec());
    let operation = Operation::<Family, Vec<u8>, Vec<u8>>::Update(update);
    proof.verify::<Sha256, _>(operation, &Digest(*root))
}

/// One change to a proof, `root`, key or value: `pick` chooses which.
fn tampered(proof: &StateProof, pick: usize) -> StateProof {
    let mut proof = proof.clone();
    let at = pick / 11;
    let digests = proof.digests.len();
    match pick % 11 {
        0 => proof.location ^= 1 << (at % 12),
        1 => proof.leaves ^= 1 << (at % 16),
        2 => proof.inactive_peaks ^= 1 << (at % 4),
        3 => proof.chunk[at % CHUNK] ^= 1 << (at % 8),
        4 => proof.log_root[at % 32] ^= 1,
        5 => proof.partial_chunk = proof.partial_chunk.map_or(Some([0; 32]), |_| None),
        6 => proof.partial_chunk = proof.partial_chunk.map(|_| [at as u8; 32]),
        7 if digests > 0 => proof.digests[at % digests][at % 32] ^= 1,
        8 if digests > 1 => proof.digests.swap(0, digests - 1),
        9 => {
            proof.digests.pop();
        }
        _ => proof.digests.push([0; 32]),
    }
    proof
}

/// Both verifiers accept each live key with its value and nothing else.
async fn check_all(store: &Store<Context>, state: &BTreeMap<u64, Vec<u8>>, keys: u64, salt: usize) {
    let root = store.root().unwrap();
    for number in 0..keys {
        let proof = store.prove(&key(number)).await.unwrap();
        let Some(value) = state.get(&number) else {
            assert_eq!(proof, None);
            continue;
        };
        let proof = proof.expect("a live key has a proof");
        let key = key(number);
        assert!(proof.verify(&root, &key, value) && engine_accepts(&proof, &root, &key, value));
        assert_eq!(StateProof::decode(&proof.encode()), Ok(proof.clone()));

        let other = [value.as_slice(), &[0]].concat();
        assert!(!proof.verify(&root, &key, &other) && !proof.verify(&root, &other, value));
        assert!(!proof.verify(&[0; 32], &key, value));
        for pick in (salt..salt + 300).step_by(7) {
            let bad = tampered(&proof, pick);
            let verdict = bad.verify(&root, &key, value);
            assert_eq!(verdict, engine_accepts(&bad, &root, &key, value), "{bad:?}");
            assert_eq!(verdict, bad == proof, "{pick}: {bad:?}");
        }
    }
}

#[test]
fn a_proof_of_an_old_value_fails_under_the_new_root() {
    Runner::default().start(|context| async move {
        let mut store = open(&context).await;
        let old_root = store.commit(1, b"", vec![(key(1), Some(vec![1]))]).await.unwrap();
        let old = store.prove(&key(1)).await.unwrap().unwrap();
        let root = store.commit(2, b"", vec![(key(1), Some(vec![2]))]).await.unwrap();
        let new = store.prove(&key(1)).await.unwrap().unwrap();

        assert!(old.verify(&old_root, &key(1), &[1]));
        assert!(new.verify(&root, &key(1), &[2]));
        assert!(!old.verify(&root, &key(1), &[1]));
        assert!(!new.verify(&root, &key(1), &[1]));
        assert!(!new.verify(&old_root, &key(1), &[2]));
    });
}

#[test]
fn proofs_hold_at_every_size_of_the_log_across_full_chunks() {
    Runner::default().start(|context| async move {
        let mut store = open(&context).await;
        let mut state = BTreeMap::new();
        for height in 1..=240_u64 {
            // A few keys stay from the first block, others come and go.
            let changes = (0..1 + height % 5).map(|n| (height * 7 + n * 11) % 40);
            let changes = changes.filter(|n| height == 1 || *n > 5);
            let mut delta: Vec<Change> = Vec::new();
            for n in changes {
                let value =
                    (height % 9 > 0).then(|| vec![height as u8; 1 + (height as usize * 5) % 300]);
                match value.clone() {
                    Some(value) => state.insert(n, value),
                    None => state.remove(&n),
                };
                delta.push((key(n), value));
            }
            store.commit(height, b"m", delta).await.unwrap();
            if height % 50 == 0 {
                store.prune().await.unwrap();
            }
            let root = store.root().unwrap();
            for (n, value) in &state {
                let proof = store.prove(&key(*n)).await.unwrap().unwrap();
                assert!(proof.verify(&root, &key(*n), value), "block {height}, key {n}: {proof:?}");
            }
        }
        check_all(&store, &state, 40, 0).await;
    });
}

#[test]
fn other_bytes_are_no_proof() {
    let proof = StateProof {
        location: 1,
        leaves: 2,
        inactive_peaks: 0,
        chunk: [1; CHUNK],
        partial_chunk: Some([2; 32]),
        log_root: [3; 32],
        digests: vec![[4; 32]; 3],
    };
    let bytes = proof.encode();
    assert_eq!(bytes.len(), 1 + 3 * 8 + 32 + 32 + 1 + 32 + 3 * 32);
    assert_eq!(StateProof::decode(&bytes), Ok(proof));
    for length in [0, 1, 24, 89, bytes.len() - 1] {
        assert_eq!(StateProof::decode(&bytes[..length]), Err(Malformed), "{length} bytes");
    }
    assert_eq!(StateProof::decode(&[bytes.as_slice(), &[0]].concat()), Err(Malformed));
    assert_eq!(StateProof::decode(&[&[2], &bytes[1..]].concat()), Err(Malformed));
    assert_eq!(StateProof::decode(&[bytes.as_slice(), &[0; 32 * 120]].concat()), Err(Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn both_verifiers_agree_on_random_stores(
        blocks in prop::collection::vec(
            prop::collection::vec((0_u64..30, prop::option::weighted(0.8, 0_usize..200)), 0..80),
            1..24,
        ),
        salt in 0_usize..10_000,
    ) {
        Runner::default().start(|context| async move {
            let mut store = open(&context).await;
            let mut state = BTreeMap::new();
            for (height, changes) in (1..).zip(blocks) {
                let mut delta: Vec<Change> = Vec::new();
                for (n, length) in changes {
                    let value = length.map(|length| vec![height as u8; length]);
                    match value.clone() {
                        Some(value) => state.insert(n, value),
                        None => state.remove(&n),
                    };
                    delta.push((key(n), value));
                }
                store.commit(height, b"m", delta).await.unwrap();
            }
            check_all(&store, &state, 30, salt).await;
        });
    }
}
