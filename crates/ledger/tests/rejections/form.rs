//! 101 to 202: bytes, channel, signature, identity, nonce.

use crate::common::chain::{Chain, ELSEWHERE};
use crate::common::market::{DAY, WIND, Who, open, sell};
use duet_ledger::{
    Action, Body, DecodeError, MAX_BLOCK_TRANSACTIONS, MAX_TRANSACTION_BYTES, SessionId, Side,
    Transaction, Unsigned, admission, decode_all,
};
use std::collections::BTreeSet;

/// Bytes of a block body that holds these transactions, whatever they are.
fn body_of(transactions: &[&[u8]]) -> Vec<u8> {
    let length = |n: usize| u32::try_from(n).unwrap().to_be_bytes().to_vec();
    let each = transactions.iter().flat_map(|bytes| [length(bytes.len()), bytes.to_vec()].concat());
    length(transactions.len()).into_iter().chain(each).collect()
}

/// Refused at the door by this name, and no block can hold the bytes.
fn refused_bytes(bytes: &[u8], expected: &'static str) -> &'static str {
    let channel = *Chain::new().state.channel();
    let refusal = admission::stateless(bytes, &channel, true).unwrap_err();
    assert_eq!(refusal.rejection.name(), expected, "{refusal}");
    assert!(Transaction::from_bytes(bytes).is_err());
    assert!(decode_all::<Body>(&body_of(&[bytes])).is_err());
    expected
}

fn settle() -> Action {
    Action::SettleSession { session: SessionId(1) }
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let good = chain.sign(Who::Exchange, open(DAY));
    let bytes = good.bytes();
    let changed = |place: usize, to: u8| {
        let mut bytes = bytes.to_vec();
        bytes[place] = to;
        bytes
    };
    let mut provoked: BTreeSet<&'static str> = [
        refused_bytes(&[], "malformed"),
        refused_bytes(&[0; 63], "malformed"),
        refused_bytes(&[1; 64], "malformed"),
        refused_bytes(&bytes[..bytes.len() - 1], "malformed"),
        refused_bytes(&[bytes, &[0]].concat(), "malformed"),
        refused_bytes(&changed(0, 2), "malformed"),
        refused_bytes(&changed(1, 0), "unknown-suite"),
        refused_bytes(&changed(1, 3), "unknown-suite"),
        // The tag of the action follows version, suite, channel, signer and nonce.
        refused_bytes(&changed(74, 0), "malformed"),
        refused_bytes(&changed(74, 16), "malformed"),
        refused_bytes(&vec![1; MAX_TRANSACTION_BYTES + 1], "too-large"),
        refused_bytes(&vec![1; MAX_TRANSACTION_BYTES], "malformed"),
    ]
    .into();

    let channel = *chain.state.channel();
    for place in [2, 34, 66, bytes.len() - 1] {
        let altered = changed(place, bytes[place] ^ 1);
        let refusal = admission::stateless(&altered, &channel, true).unwrap_err();
        // Another channel is found before a signature that does not fit.
        let expected = if place == 2 { "wrong-channel" } else { "bad-signature" };
        assert_eq!(refusal.rejection.name(), expected, "byte {place}");
        provoked.insert(refusal.rejection.name());
    }
    assert!(admission::stateless(bytes, &channel, true).is_ok());
    assert!(admission::stateless(&changed(bytes.len() - 1, 7), &channel, false).is_ok());

    provoke_signers(&mut chain);
    provoked.extend(&chain.provoked);
    provoked
}

/// A ladder of who signs, where and with which nonce.
fn provoke_signers(chain: &mut Chain) {
    let channel = *chain.state.channel();
    let mut signed = |who: Who, channel, nonce, expected: &str| {
        let unsigned = Unsigned { channel, signer: who.public(), nonce, action: settle() };
        let answer = chain.send_signed(&unsigned.sign(&who.key()));
        assert_eq!(answer.unwrap_err(), expected, "{who:?} with nonce {nonce}");
    };
    signed(Who::Stranger, ELSEWHERE, 0, "wrong-channel");
    signed(Who::Stranger, channel, 0, "unknown-identity");
    signed(Who::Bank, channel, 0, "stale-nonce");
    signed(Who::Bank, channel, 5, "wrong-role");
    // The refusal has used the nonce, and the one before it is gone, too.
    signed(Who::Bank, channel, 5, "stale-nonce");
    signed(Who::Bank, channel, 4, "stale-nonce");
    signed(Who::Bank, channel, u64::MAX, "wrong-role");
    signed(Who::Bank, channel, u64::MAX, "stale-nonce");
    // Neither a stale nonce nor another channel uses one up.
    signed(Who::Coal, ELSEWHERE, 7, "wrong-channel");
    signed(Who::Coal, channel, 1, "wrong-role");
}

#[test]
fn bytes_channel_signature_identity_and_nonce_come_first() {
    provoke();
}

#[test]
fn a_transaction_counts_once_in_one_block_and_over_blocks() {
    let mut chain = Chain::new();
    let notice = chain.sign(Who::Exchange, open(DAY));
    let outcome = chain.block(vec![notice.clone(), notice.clone()]);
    let codes: Vec<u16> = outcome.receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [0, 202]);
    assert_eq!(chain.send_signed(&notice), Err("stale-nonce"));
    assert_eq!(chain.state.sessions().len(), 1);
}

#[test]
fn one_bad_transaction_spoils_no_other_of_its_block() {
    let mut chain = Chain::new();
    chain.done(Who::Exchange, open(DAY));
    let transactions = vec![
        chain.sign(Who::Wind, sell(WIND, 0, 100, 0)),
        chain.sign(Who::Wind, sell(WIND, 0, 100, 1)),
        chain.sign(Who::Stranger, settle()),
        chain.sign(Who::Wind, sell(WIND, 99, 100, 1)),
        chain.sign(Who::Wind, sell(WIND, 1, 100, 1)),
    ];
    let outcome = chain.block(transactions);
    let codes: Vec<u16> = outcome.receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [404, 0, 201, 302, 0]);
    let orders: Vec<_> = chain.state.orders().values().map(|o| (o.side, o.period)).collect();
    assert_eq!(orders, [(Side::Sell, 0), (Side::Sell, 1)]);
}

#[test]
fn a_body_holds_only_whole_transactions_up_to_its_limit() {
    let mut chain = Chain::new();
    let good = chain.sign(Who::Exchange, open(DAY));
    let good = good.bytes();
    let read = |bytes: &[u8]| decode_all::<Body>(bytes);
    assert_eq!(read(&body_of(&[good, good])).unwrap().transactions.len(), 2);
    assert_eq!(read(&[body_of(&[good]), vec![0]].concat()), Err(DecodeError::LeftOver(1)));
    assert!(matches!(read(&body_of(&[good])[..20]), Err(DecodeError::Truncated(_))));
    // A count that the bytes do not hold is refused before anything is set aside for it.
    let limit = u32::try_from(MAX_BLOCK_TRANSACTIONS).unwrap();
    assert!(matches!(read(&u32::MAX.to_be_bytes()), Err(DecodeError::TooLong { .. })));
    assert!(matches!(read(&(limit + 1).to_be_bytes()), Err(DecodeError::TooLong { .. })));
    assert!(matches!(read(&limit.to_be_bytes()), Err(DecodeError::Truncated(_))));
}
