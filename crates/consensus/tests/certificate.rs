//! Certificates can be made and checked from `docs/spec/finality.md` with any Ed25519 library.
//!
//! The keys here sign with ed25519-zebra what the specification says; the engine's own verifier
//! judges the result.

use duet_consensus::{CertificateError, FinalityCertificate, InvalidCommittee, ValidatorKey};
use ed25519_zebra::SigningKey;
use proptest::prelude::*;

const NAMESPACE: &[u8] = b"duet/golden";

/// Seeds of the committee, ordered by public key.
fn seeds() -> Vec<[u8; 32]> {
    let mut seeds: Vec<_> = (1..=4).map(|byte| [byte; 32]).collect();
    seeds.sort_by_key(|seed| ValidatorKey::from_seed(*seed).public());
    seeds
}

fn committee() -> Vec<[u8; 32]> {
    seeds().iter().map(|seed| ValidatorKey::from_seed(*seed).public()).collect()
}

fn signed_by(signers: &[u32]) -> FinalityCertificate {
    let mut certificate = FinalityCertificate {
        epoch: 0,
        view: 300,
        parent_view: 299,
        digest: [0xab; 32],
        signatures: Vec::new(),
    };
    let message = certificate.message(NAMESPACE);
    let sign = |signer: u32| SigningKey::from(seeds()[signer as usize]).sign(&message).to_bytes();
    certificate.signatures = signers.iter().map(|&signer| (signer, sign(signer))).collect();
    certificate
}

/// Returns whether the golden vectors of the specification, in hexadecimal, contain `bytes`.
fn specified(bytes: &[u8]) -> bool {
    let specification = include_str!("../../../docs/spec/finality.md");
    let packed: String = specification.split_whitespace().collect();
    packed.contains(&hex::encode(bytes))
}

#[test]
fn the_message_is_what_the_specification_shows() {
    let message = signed_by(&[]).message(NAMESPACE);

    assert!(specified(&message), "{}", hex::encode(message));
}

#[test]
fn the_certificate_is_what_the_specification_shows() {
    let bytes = signed_by(&[0, 1, 3]).encode();

    assert_eq!(bytes.len(), 59 + 3 * 68);
    assert!(specified(&bytes), "{}", hex::encode(bytes));
}

#[test]
fn three_of_four_are_a_quorum_in_any_order_of_the_committee() {
    let mut reversed = committee();
    reversed.reverse();

    assert_eq!(signed_by(&[0, 1, 2]).verify(NAMESPACE, &committee()), Ok(true));
    assert_eq!(signed_by(&[1, 2, 3]).verify(NAMESPACE, &reversed), Ok(true));
    assert_eq!(signed_by(&[0, 1, 2, 3]).verify(NAMESPACE, &committee()), Ok(true));
}

#[test]
fn two_of_four_are_none() {
    assert_eq!(signed_by(&[0, 1]).verify(NAMESPACE, &committee()), Ok(false));
    assert_eq!(signed_by(&[]).verify(NAMESPACE, &committee()), Ok(false));
}

#[test]
fn one_vote_counted_twice_is_no_quorum() {
    let mut certificate = signed_by(&[0, 1]);
    certificate.signatures.push(certificate.signatures[1]);

    assert_eq!(certificate.verify(NAMESPACE, &committee()), Ok(false));
    assert_eq!(
        FinalityCertificate::decode(&certificate.encode()),
        Err(CertificateError::SignerOrder)
    );
}

#[test]
fn another_block_view_channel_or_committee_is_refused() {
    let genuine = signed_by(&[0, 1, 2]);
    let refused = |change: fn(&mut FinalityCertificate)| {
        let mut tampered = genuine.clone();
        change(&mut tampered);
        assert_eq!(tampered.verify(NAMESPACE, &committee()), Ok(false), "{tampered:?}");
    };

    refused(|certificate| certificate.digest[0] ^= 1);
    refused(|certificate| certificate.view += 1);
    refused(|certificate| certificate.parent_view -= 1);
    refused(|certificate| certificate.epoch = 1);
    refused(|certificate| certificate.signatures[0].1[0] ^= 1);
    refused(|certificate| certificate.signatures[2].0 = 3);
    assert_eq!(genuine.verify(b"duet/other", &committee()), Ok(false));

    let strangers: Vec<_> =
        (11..=14).map(|byte| ValidatorKey::from_seed([byte; 32]).public()).collect();
    assert_eq!(genuine.verify(NAMESPACE, &strangers), Ok(false));
    assert_eq!(genuine.verify(NAMESPACE, &[]), Err(InvalidCommittee::Empty));
}

#[test]
fn a_key_never_shows_its_seed() {
    let key = ValidatorKey::from_seed([0x5a; 32]);

    assert!(!format!("{key:?}").contains("5a5a"), "{key:?}");
}

proptest! {
    #[test]
    fn decoding_never_panics_and_encodes_to_the_same_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Ok(certificate) = FinalityCertificate::decode(&bytes) {
            prop_assert_eq!(certificate.encode(), bytes);
        }
    }

    #[test]
    fn a_certificate_survives_its_encoding(
        view: u64,
        digest: [u8; 32],
        signers in prop::collection::btree_map(any::<u32>(), any::<[u8; 32]>(), 0..5),
    ) {
        let signatures =
            signers.into_iter().map(|(signer, half)| {
                (signer, [half, half].concat().try_into().unwrap())
            }).collect();
        let certificate = FinalityCertificate {
            epoch: 3, view, parent_view: view / 2, digest, signatures,
        };

        prop_assert_eq!(FinalityCertificate::decode(&certificate.encode()), Ok(certificate));
    }
}
