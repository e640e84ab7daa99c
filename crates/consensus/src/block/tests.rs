use super::*;
use commonware_codec::{Copying, Decode as _};
use proptest::prelude::*;

const LIMIT: BlockLimit = BlockLimit(100);

fn block(body: Vec<u8>) -> Block {
    let genesis = Genesis { hash: [7; 32], time_ms: 1_000 };
    let parent = Block::genesis(genesis);
    let context = Context {
        round: Round::new(Epoch::zero(), View::new(300)),
        leader: parent.context.leader.clone(),
        parent: (View::zero(), sha256::Digest(parent.digest())),
    };
    let checkpoint = Checkpoint { height: 0, state_root: [1; 32], receipts_root: [2; 32] };
    let header = Header {
        parent: parent.digest(),
        height: 1,
        time_ms: 2_000,
        body_hash: [0; 32],
        checkpoint,
        context: [0; 32],
    };
    Block::new(header, body.into(), context)
}

fn decode(bytes: &[u8]) -> Result<Block, Error> {
    Block::decode_cfg(Copying(bytes), &LIMIT)
}

#[test]
fn the_genesis_header_is_what_the_specification_shows() {
    let header = Genesis { hash: [7; 32], time_ms: 1_000 }.header();

    let specification = include_str!("../../../../docs/spec/finality.md");
    let packed: String = specification.split_whitespace().collect();
    assert!(packed.contains(&hex::encode(header.encode())), "{}", hex::encode(header.encode()));
    assert!(packed.contains(&hex::encode(header.digest())), "{}", hex::encode(header.digest()));
}

#[test]
fn the_digest_commits_to_every_field() {
    let header = block(vec![9]).header;
    let encoded = header.encode();

    assert_eq!(encoded.len(), HEADER_BYTES);
    for index in 0..HEADER_BYTES {
        let mut changed = encoded.clone();
        changed[index] ^= 1;
        let changed = Header::decode(&changed).unwrap();
        assert_ne!(changed.digest(), header.digest(), "byte {index}");
    }
    assert_eq!(Header::decode(&encoded), Some(header));
    assert_eq!(Header::decode(&encoded[1..]), None);
}

#[test]
fn a_changed_block_is_refused_or_has_another_digest() {
    let genuine = block(b"two orders".to_vec());
    let encoded = genuine.encode();

    for index in 0..encoded.len() {
        let mut changed = encoded.to_vec();
        changed[index] ^= 1;
        if let Ok(changed) = decode(&changed) {
            assert_ne!(changed.digest(), genuine.digest(), "byte {index}");
        }
    }
    let mut other_body = encoded.to_vec();
    *other_body.last_mut().unwrap() ^= 1;
    assert!(decode(&other_body).is_err());
}

#[test]
fn a_body_above_the_limit_is_refused() {
    assert!(decode(&block(vec![0; LIMIT.0]).encode()).is_ok());
    assert!(decode(&block(vec![0; LIMIT.0 + 1]).encode()).is_err());
}

proptest! {
    #[test]
    fn a_block_survives_its_encoding_within_the_bound(
        body in prop::collection::vec(any::<u8>(), 0..=LIMIT.0),
    ) {
        let block = block(body);
        let encoded = block.encode();

        prop_assert_eq!(encoded.len(), block.encode_size());
        prop_assert!(encoded.len() <= Block::max_encode_size(&LIMIT));
        prop_assert_eq!(decode(&encoded).unwrap(), block);
    }

    #[test]
    fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(block) = decode(&bytes) {
            prop_assert_eq!(block.encode().to_vec(), bytes);
        }
    }
}
