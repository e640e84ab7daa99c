//! Every value has one encoding: decoding never panics, and what it accepts encodes to the same
//! bytes again.

mod common;

use common::chain::Chain;
use common::traffic::Traffic;
use duet_ledger::*;
use proptest::prelude::*;

/// Calls a macro with the type of each table's rows and keys, by the tag of the table.
macro_rules! by_table {
    ($tag:expr, $call:ident, $key:expr, $row:expr) => {
        match $tag {
            1 => $call::<(), Progress>($key, $row),
            2 => $call::<OrganisationId, Organisation>($key, $row),
            3 => $call::<PublicKey, Identity>($key, $row),
            4 => $call::<PublicKey, u64>($key, $row),
            5 => $call::<UnitId, Unit>($key, $row),
            6 => $call::<AccountKey, Balance>($key, $row),
            7 => $call::<SessionId, Session>($key, $row),
            8 => $call::<OrderId, Order>($key, $row),
            9 => $call::<TradeId, Trade>($key, $row),
            10 => $call::<(SessionId, u8), PeriodClearing>($key, $row),
            11 => $call::<PaymentId, Payment>($key, $row),
            12 => $call::<DispatchId, Dispatch>($key, $row),
            13 => $call::<(UnitId, duet_units::DeliveryDay, u8), MeterRecord>($key, $row),
            14 => $call::<(SessionId, u32), StatementLine>($key, $row),
            15 => $call::<OrganisationId, CarbonAccount>($key, $row),
            16 => $call::<UnitId, CertifiedUnit>($key, $row),
            17 => $call::<CertificateLotId, CertificateLot>($key, $row),
            18 => $call::<(OrganisationId, u64), ()>($key, $row),
            19 => $call::<Counter, u64>($key, $row),
            24 => $call::<RuleId, MarketRule>($key, $row),
            25 => $call::<(SessionId, u8), PassThrough>($key, $row),
            26 => $call::<(SessionId, OrganisationId), CarbonShare>($key, $row),
            27 => $call::<ProposalId, Proposal>($key, $row),
            28 => $call::<OrderId, OrderId>($key, $row),
            29 => $call::<(SessionId, OrganisationId), ListingRole>($key, $row),
            31 => $call::<(), CarbonMarket>($key, $row),
            32 => $call::<CarbonOrderId, CarbonOrder>($key, $row),
            33 => $call::<CarbonBiddingId, CarbonBidding>($key, $row),
            34 => $call::<CarbonDealId, CarbonDeal>($key, $row),
            43 => $call::<u64, InterventionRecord>($key, $row),
            44 => $call::<SessionId, Seal>($key, $row),
            35 => $call::<CreditLotId, CreditLot>($key, $row),
            36 => $call::<Digest, ()>($key, $row),
            37 => $call::<(u16, OrganisationId), Obligation>($key, $row),
            56 => $call::<u16, CompliancePeriod>($key, $row),
            45 => $call::<(SessionId, UnitId), (CertificateKind, duet_units::Energy)>($key, $row),
            38 => $call::<(UnitId, duet_units::Month), UnitMonth>($key, $row),
            39 => $call::<(OrganisationId, i32), ClaimedUse>($key, $row),
            40 => $call::<CcerProjectId, CcerProject>($key, $row),
            41 => $call::<CertificateOfferId, CertificateOffer>($key, $row),
            46 => $call::<(duet_units::Month, OrganisationId), MonthStatement>($key, $row),
            47 => $call::<u64, Objection>($key, $row),
            55 => $call::<u64, LaterLine>($key, $row),
            57 => $call::<(duet_units::Month, UnitId), MeterMonth>($key, $row),
            53 => $call::<duet_units::DeliveryDay, PublishedPrices>($key, $row),
            54 => $call::<(duet_units::DeliveryDay, TradeId, u8), Cut>($key, $row),
            58 => $call::<u64, CurtailmentRecord>($key, $row),
            60 => $call::<(SessionId, u8), duet_units::Price>($key, $row),
            48 => $call::<(OrganisationId, duet_units::Month), MemberLimits>($key, $row),
            49 => $call::<(OrganisationId, duet_units::Month), MonthTraded>($key, $row),
            50 => $call::<SessionId, SessionLimits>($key, $row),
            42 => $call::<GreenContractId, GreenContract>($key, $row),
            70 => $call::<OrganisationId, Dunning>($key, $row),
            71 => $call::<duet_units::Month, DeviationMonth>($key, $row),
            72 => $call::<(duet_units::Month, UnitId), UnitDeviation>($key, $row),
            tag => panic!("no table {tag}"),
        }
    };
}
const TABLES: &[u8] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 24, 25, 26, 37, 43, 44, 45,
    46, 49, 57, 70,
];
const ACTIONS: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 20, 22];
/// The tables of groups of actions, which have traffic of their own.
const GROUP_TABLES: &[u8] = &[
    27, 28, 29, 31, 32, 33, 34, 35, 36, 38, 39, 40, 41, 42, 47, 48, 50, 53, 54, 55, 56, 58, 71, 72,
];

/// Whether the bytes are a `T`; if so, they are its only encoding.
fn is_canonical<T: Encode + Decode>(bytes: &[u8]) -> bool {
    match decode_all::<T>(bytes) {
        Ok(value) => {
            assert_eq!(value.to_bytes(), bytes, "another encoding was accepted");
            true
        }
        Err(_) => false,
    }
}

fn key_and_row<K: Encode + Decode, V: Encode + Decode>(key: &[u8], row: &[u8]) -> (bool, bool) {
    (is_canonical::<K>(key), is_canonical::<V>(row))
}

/// A key and its row.
type Row = (Vec<u8>, Vec<u8>);

/// The rows and transactions of a few days of traffic.
fn sample() -> (Vec<Row>, Vec<Vec<u8>>) {
    let (mut chain, mut traffic) = (Chain::new(), Traffic::new(7));
    let (mut rows, mut transactions) = (std::collections::BTreeMap::new(), Vec::new());
    for block in 0..700 {
        chain.time = traffic.time_after(chain.time);
        let sent: Vec<_> = (0..6).map(|_| traffic.transaction(&chain.state)).collect();
        transactions.extend(sent.iter().map(|transaction| transaction.bytes().to_vec()));
        chain.block(sent);
        if block % 20 == 19 {
            rows.extend(chain.rows.clone());
        }
    }
    (rows.into_iter().collect(), transactions)
}

/// A change to some bytes: a bit turned, bytes cut, doubled or put in.
fn mutate(bytes: &[u8], place: usize, how: u8, value: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let place = if bytes.is_empty() { 0 } else { place % bytes.len() };
    match how % 4 {
        0 if !bytes.is_empty() => bytes[place] ^= 1 << (value % 8),
        1 => bytes.truncate(place),
        2 => bytes.insert(place, value),
        _ if !bytes.is_empty() => bytes[place] = value,
        _ => {}
    }
    bytes
}

fn check_transaction(bytes: &[u8]) {
    if let Ok(transaction) = Transaction::from_bytes(bytes) {
        assert_eq!(transaction.bytes(), bytes);
        let unsigned = Unsigned {
            channel: *transaction.channel(),
            signer: *transaction.signer(),
            nonce: transaction.nonce(),
            action: transaction.action().clone(),
        };
        assert_eq!([unsigned.bytes(), transaction.signature().to_vec()].concat(), bytes);
    }
    // Keys and signatures of random bytes are judged, too.
    let _ = admission::stateless(bytes, &[0; 32], true).map(|t| t.signature_is_valid());
}

#[test]
fn every_row_and_transaction_is_canonical() {
    let (rows, transactions) = sample();
    let mut seen = std::collections::BTreeSet::new();
    for (key, row) in &rows {
        assert_eq!(by_table!(key[0], key_and_row, &key[1..], row), (true, true), "{key:?}");
        seen.insert(key[0]);
    }
    seen.retain(|table| !GROUP_TABLES.contains(table));
    assert_eq!(seen, TABLES.iter().copied().collect(), "traffic fills every table");
    let mut kinds = std::collections::BTreeSet::new();
    for bytes in &transactions {
        check_transaction(bytes);
        kinds.insert(bytes[74]);
    }
    assert_eq!(kinds, ACTIONS.iter().copied().collect(), "traffic holds every action");
    let body = transactions[..200].iter().map(|bytes| Transaction::from_bytes(bytes).unwrap());
    assert!(is_canonical::<Body>(&Body { transactions: body.collect() }.to_bytes()));
    assert!(is_canonical::<Genesis>(&common::market::genesis().to_bytes()));
}

#[test]
fn changed_bytes_are_refused_or_another_value() {
    let (rows, transactions) = sample();
    let mut random = common::random::Random(1);
    let mut draw =
        || (usize::try_from(random.below(1 << 20)).unwrap(), random.next().to_be_bytes());
    for _ in 0..20_000 {
        let (place, [how, value, ..]) = draw();
        let (pick, _) = draw();
        let (key, row) = &rows[pick % rows.len()];
        let (bad_key, bad_row) =
            (mutate(&key[1..], place, how, value), mutate(row, place, how, value));
        by_table!(key[0], key_and_row, &bad_key, &bad_row);
        check_transaction(&mutate(&transactions[pick % transactions.len()], place, how, value));
    }
    let body = transactions[..3].iter().map(|bytes| Transaction::from_bytes(bytes).unwrap());
    let body = Body { transactions: body.collect() }.to_bytes();
    for _ in 0..2_000 {
        let (place, [how, value, ..]) = draw();
        is_canonical::<Body>(&mutate(&body, place, how, value));
    }
}

#[test]
fn a_store_with_a_changed_row_is_refused_or_restored_without_panic() {
    let (rows, _) = sample();
    let genesis = common::market::genesis();
    let mut random = common::random::Random(2);
    for _ in 0..40 {
        let place = usize::try_from(random.below(1 << 20)).unwrap();
        let [how, value, ..] = random.next().to_be_bytes();
        let mut rows = rows.clone();
        let at = place % rows.len();
        rows[at].1 = mutate(&rows[at].1, place, how, value);
        let _ = State::restore(&genesis, rows.iter().map(|(key, row)| (&key[..], &row[..])));
    }
    for key in [&[][..], &[0], &[19], &[255, 1]] {
        assert!(State::restore(&genesis, [(key, &[][..])]).is_err(), "{key:?}");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_refused_or_canonical(
        key in prop::collection::vec(any::<u8>(), 0..40),
        row in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        for table in TABLES.iter().chain(GROUP_TABLES) {
            by_table!(*table, key_and_row, &key, &row);
        }
        is_canonical::<Action>(&row);
        is_canonical::<Body>(&row);
        is_canonical::<Genesis>(&row);
        is_canonical::<Receipt>(&row);
        is_canonical::<SessionTerms>(&row);
        is_canonical::<Option<u64>>(&key);
        is_canonical::<Vec<String>>(&row);
        check_transaction(&row);
    }

    /// Behind a known tag there is more to get wrong.
    #[test]
    fn random_actions_are_refused_or_canonical(
        tag in 0..24_u8,
        rest in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..120),
    ) {
        is_canonical::<Action>(&[vec![tag], rest].concat());
    }
}
