//! Receipt proofs over a chain made by hand: four keys sign what a quorum would.

use duet_ledger::{
    ChannelId, Digest, Encode as _, Genesis, PublicKey, Receipt, block_receipts, chain_receipts,
    merkle_path,
};
use duet_sdk::proof::{
    Certificate, Checkpoint, FinalityError, Header, ProofError, ReceiptProof, quorum,
};
use duet_sdk::wire::{Bytes, Hex32};
use ed25519_zebra::{SigningKey, VerificationKey};

const GENESIS: Digest = [9; 32];
const HEIGHT: u64 = 7;

fn committee() -> Vec<(PublicKey, SigningKey)> {
    let mut keys: Vec<(PublicKey, SigningKey)> = (1..=4_u8)
        .map(|seed| {
            let key = SigningKey::from([seed; 32]);
            (PublicKey::from_bytes(VerificationKey::from(&key).into()), key)
        })
        .collect();
    keys.sort_unstable_by_key(|(public, _)| *public);
    keys
}

fn channel() -> ChannelId {
    let keys: Vec<PublicKey> = committee().iter().map(|(public, _)| *public).collect();
    Genesis::channel_of(&keys, &GENESIS)
}

fn certificate(header: &Header, signers: &[u32]) -> Bytes {
    let mut certificate = Certificate {
        epoch: 0,
        view: 300,
        parent_view: 299,
        digest: header.digest(),
        signatures: Vec::new(),
    };
    let message = certificate.message(&channel());
    let keys = committee();
    certificate.signatures = signers
        .iter()
        .map(|signer| (*signer, keys[*signer as usize % 4].1.sign(&message).into()))
        .collect();
    let mut bytes = vec![1];
    bytes.extend(certificate.epoch.to_be_bytes());
    bytes.extend(certificate.view.to_be_bytes());
    bytes.extend(certificate.parent_view.to_be_bytes());
    bytes.extend(certificate.digest);
    bytes.extend((signers.len() as u16).to_be_bytes());
    for (signer, signature) in &certificate.signatures {
        bytes.extend(signer.to_be_bytes());
        bytes.extend(signature);
    }
    Bytes(bytes)
}

/// A proof of receipt 2 of 5.
fn proof() -> ReceiptProof {
    proof_of(2, 5)
}

/// A proof of receipt `index` of `count` at height 7; the checkpoint is of height 9, in header 10;
/// header 11 is certified.
fn proof_of(index: u32, count: u8) -> ReceiptProof {
    let receipts: Vec<Receipt> = (0..count)
        .map(|i| Receipt { transaction: [i; 32], code: 0, subject: u64::from(i) })
        .collect();
    let leaves: Vec<Vec<u8>> = receipts.iter().map(Receipt::to_bytes).collect();
    let place = usize::try_from(index).unwrap();
    let (previous, later) = ([3; 32], [[4; 32], [5; 32]]);
    let mut root = chain_receipts(&previous, HEIGHT, &block_receipts(&receipts));
    for (height, block) in (HEIGHT + 1..).zip(&later) {
        root = chain_receipts(&root, height, block);
    }
    let first = Header {
        parent: [6; 32],
        height: 10,
        time_ms: 1_783_296_000_000,
        body_hash: [7; 32],
        checkpoint: Checkpoint { height: 9, state_root: [8; 32], receipts_root: root },
        context: [2; 32],
    };
    let last = Header { parent: first.digest(), height: 11, ..first };
    ReceiptProof {
        version: ReceiptProof::VERSION,
        channel: Hex32(channel()),
        committee: committee().iter().map(|(public, _)| (*public).into()).collect(),
        genesis_hash: Hex32(GENESIS),
        height: HEIGHT,
        index,
        count: count.into(),
        receipt: Bytes(leaves[place].clone()),
        path: merkle_path(&leaves, place).unwrap().into_iter().map(|s| s.map(Hex32)).collect(),
        previous_receipts_root: Hex32(previous),
        later_blocks: later.map(Hex32).to_vec(),
        headers: vec![Bytes(first.encode()), Bytes(last.encode())],
        certificate: certificate(&last, &[0, 2, 3]),
    }
}

#[test]
fn a_receipt_is_proved_by_three_of_four_validators() {
    let verified = proof().verify(&channel()).unwrap();
    assert_eq!((verified.height, verified.index, verified.count), (HEIGHT, 2, 5));
    assert_eq!(verified.receipt.transaction, [2; 32]);
    assert_eq!((verified.signers, verified.validators), (3, 4));
    assert_eq!(verified.certified_height, 11);
}

#[test]
fn a_proof_survives_json() {
    let json = serde_json::to_string_pretty(&proof()).unwrap();
    let read: ReceiptProof = serde_json::from_str(&json).unwrap();
    assert!(read.verify(&channel()).is_ok());
    let extended = json.replacen('{', "{\"note\": 1,", 1);
    assert!(serde_json::from_str::<ReceiptProof>(&extended).is_err());
}

#[test]
fn the_trust_anchor_decides() {
    assert_eq!(proof().verify(&[0; 32]), Err(ProofError::OtherChannel));
    // A proof that claims the trusted channel with another committee does not make its id.
    let mut forged = proof();
    forged.committee[0] = Hex32([1; 32]);
    assert_eq!(forged.verify(&channel()), Err(ProofError::NotTheCommittee));
    let mut doubled = proof();
    doubled.committee.push(doubled.committee[0]);
    assert_eq!(doubled.verify(&channel()), Err(ProofError::NotTheCommittee));
}

#[test]
fn a_quorum_is_needed_and_signers_count_once() {
    let last = Header::decode(&proof().headers[1].0).unwrap();
    let with = |signers: &[u32]| {
        let mut proof = proof();
        proof.certificate = certificate(&last, signers);
        proof.verify(&channel())
    };
    let too_few = FinalityError::NoQuorum { signers: 2, validators: 4, needed: 3 };
    assert_eq!(with(&[0, 1]), Err(too_few.into()));
    assert_eq!(with(&[0, 1, 1]), Err(FinalityError::Signers.into()));
    assert_eq!(with(&[1, 0, 2]), Err(FinalityError::Signers.into()));
    // Signer 4 is the key of signer 0 under a number that no member has.
    assert_eq!(with(&[1, 2, 4]), Err(FinalityError::Signers.into()));
    assert!(with(&[0, 1, 2, 3]).is_ok());
}

#[test]
fn any_changed_byte_breaks_the_proof() {
    let honest = proof();
    let changes: [fn(&mut ReceiptProof); 11] = [
        |p| p.receipt.0[32] ^= 1,
        |p| p.index = 3,
        |p| p.height += 1,
        |p| p.path[0] = Some(Hex32([0; 32])),
        |p| p.path.truncate(1),
        |p| p.previous_receipts_root.0[0] ^= 1,
        |p| p.later_blocks[1].0[31] ^= 1,
        |p| p.later_blocks.truncate(1),
        |p| p.headers[0].0[80] ^= 1,
        |p| p.headers.truncate(1),
        |p| p.certificate.0[100] ^= 1,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut proof = honest.clone();
        change(&mut proof);
        assert!(proof.verify(&channel()).is_err(), "change {number} went unseen");
    }
}

/// In a block of 5 receipts and in one of 8 the third has the path of the same shape, and without
/// its empty steps the last of 5 has the path of the last of 2 or 3: only the count tells.
#[test]
fn a_proof_of_another_place_or_count_is_refused() {
    for count in 1..=9_u8 {
        for index in 0..u32::from(count) {
            let honest = proof_of(index, count);
            assert!(honest.verify(&channel()).is_ok(), "{index} of {count}");
            for (other_index, other_count) in (1..=10).flat_map(|n| (0..n).map(move |i| (i, n))) {
                if (other_index, other_count) == (index, u32::from(count)) {
                    continue;
                }
                let mut moved = honest.clone();
                (moved.index, moved.count) = (other_index, other_count);
                assert!(moved.verify(&channel()).is_err(), "{index}/{count} as {moved:?}");
                moved.path.retain(Option::is_some);
                assert!(moved.verify(&channel()).is_err(), "{index}/{count} as {moved:?}");
            }
        }
    }
    let mut third = proof();
    third.count = 8;
    assert_eq!(third.verify(&channel()), Err(ProofError::ReceiptsRoot));
    let mut last = proof_of(4, 5);
    (last.index, last.count) = (1, 2);
    assert_eq!(last.path.iter().filter(|sibling| sibling.is_some()).count(), 1);
    last.path.retain(Option::is_some);
    assert_eq!(last.verify(&channel()), Err(ProofError::ReceiptsRoot));
}

#[test]
fn quorums_bear_a_third() {
    for (validators, needed) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (7, 5), (10, 7)] {
        assert_eq!(quorum(validators), needed, "{validators} validators");
    }
}
