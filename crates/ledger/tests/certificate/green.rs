//! Green power.

use crate::common::certificate::{
    confirm_green, green_terms, metered_day, move_lot, propose_green, settle_green, withdraw_green,
};
use crate::common::chain::Chain;
use crate::common::market::{DAY, FACTORY, METERS, RETAIL, WIND, Who, deposit, yuan};
use duet_ledger::{
    CertificateState, GreenContractId, GreenMonth, GreenState, GreenTerms, LaterLine, LineItem,
    ShortfallCause, UnitId,
};
use duet_units::{DeliveryDay, Energy, Money, Month, Price};

const PAIRS: [(UnitId, Who); 2] = [(FACTORY, Who::Factory), (RETAIL, Who::Retail)];

fn later(days: i32) -> DeliveryDay {
    DeliveryDay::from_days(DAY.days() + days)
}

/// Energy of a meter on each of `days` days that sums to `kwh`.
fn parts(kwh: i64, days: i64) -> Vec<i64> {
    (0..days).map(|day| kwh * (day + 1) / days - kwh * day / days).collect()
}

fn agree(chain: &mut Chain, terms: &GreenTerms, user: Who) -> GreenContractId {
    let id = chain.done(Who::Wind, propose_green(terms));
    chain.done(user, confirm_green(id, terms));
    GreenContractId(id)
}

fn held(chain: &Chain, who: Who) -> u64 {
    let lots = chain.state.lots().values();
    lots.filter(|lot| lot.owner == who.organisation()).map(|lot| lot.count).sum()
}

fn month_of(chain: &Chain, contract: GreenContractId) -> GreenMonth {
    chain.state.green_contracts()[&contract].months.last().unwrap().clone()
}

/// The lines of a contract in the statements of a month: item, payer, kWh, amount, for both sides.
fn assert_stated(
    chain: &Chain,
    contract: GreenContractId,
    month: &str,
    expected: &[(LineItem, Who, i64, Money)],
) {
    let month = Month::parse(month).unwrap();
    let rows = chain.state.later_lines().values().filter(|row| row.month == month);
    let rows: Vec<&LaterLine> = rows.collect();
    assert_eq!(rows.len(), expected.len());
    for (row, (item, payer, kwh, amount)) in rows.into_iter().zip(expected) {
        let line = &row.line;
        assert_eq!((row.green, line.item, line.unit), (Some(contract), *item, WIND));
        assert_eq!((line.payer, line.energy.kwh()), (payer.organisation(), *kwh));
        assert_eq!(
            (line.amount, line.price),
            (*amount, Some(Price::from_milli_yuan_per_mwh(40_000)))
        );
        for party in [line.payer, line.payee] {
            let statement = &chain.state.months()[&(month, party)];
            let sum = statement.items.iter().find(|sum| sum.item == *item).unwrap();
            let side = if party == line.payer { sum.paid } else { sum.received };
            assert_eq!((sum.lines, side), (1, *amount), "{party} {item:?}");
        }
    }
}

/// Vector V7: 8,450.7 MWh generated for contracts of 5,000 and 4,000 MWh, 4,990 and 4,300.5 MWh
/// used.
#[test]
#[expect(clippy::cognitive_complexity, reason = "one month, read from top to bottom")]
fn scarce_energy_is_shared_and_the_least_of_three_is_settled() {
    let mut chain = Chain::new();
    let contracted = [5_000_000, 4_000_000];
    let contracts: Vec<GreenContractId> = PAIRS
        .iter()
        .zip(contracted)
        .map(|((user, who), kwh)| {
            let terms = green_terms((WIND, *user), ("2026-07", "2026-07"), kwh, 30_000);
            agree(&mut chain, &terms, *who)
        })
        .collect();
    for (place, wind, factory, retail) in (0..8)
        .zip(parts(8_450_700, 8))
        .zip(parts(4_990_000, 8).into_iter().zip(parts(4_300_500, 8)))
        .map(|((place, wind), (factory, retail))| (place, wind, factory, retail))
    {
        let [_, wind_meter, retail_meter, factory_meter] = METERS;
        let meters = [
            (wind_meter.0, wind_meter.1, wind),
            (factory_meter.0, factory_meter.1, factory),
            (retail_meter.0, retail_meter.1, retail),
        ];
        metered_day(&mut chain, later(2 * place), &meters);
    }
    assert_eq!(held(&chain, Who::Wind), 8_450);
    chain.pass_to(Month::parse("2026-08").unwrap().start());
    chain.done(Who::Exchange, settle_green("2026-07"));

    let (first, second) = (month_of(&chain, contracts[0]), month_of(&chain, contracts[1]));
    let kwh = Energy::from_kwh;
    // The vector has 4,694,833.33 and 3,755,866.67 kWh; metered energy has no fractions.
    assert_eq!((first.generated, first.used), (kwh(4_694_833), kwh(4_990_000)));
    assert_eq!((second.generated, second.used), (kwh(3_755_867), kwh(4_000_000)));
    assert_eq!((first.certificates, second.certificates), (4_694, 3_755));
    let carry = |at: usize| chain.state.green_contracts()[&contracts[at]].carry;
    assert_eq!((carry(0), carry(1)), (kwh(833), kwh(867)));
    assert_eq!((held(&chain, Who::Factory), held(&chain, Who::Retail)), (4_694, 3_755));
    assert_eq!(held(&chain, Who::Wind), 1);
    // 30 yuan each; 305,167 and 244,133 kWh short, a quarter of 30 yuan per MWh.
    assert_eq!((first.amount, second.amount), (yuan(140_820), yuan(112_650)));
    assert_eq!((first.cause, first.shortfall), (ShortfallCause::Generator, kwh(305_167)));
    assert_eq!(first.compensation, Money::from_fen(228_875));
    assert_eq!(
        (second.cause, second.compensation),
        (ShortfallCause::Generator, Money::from_fen(183_100))
    );
    assert_eq!(chain.state.green_contracts()[&contracts[0]].state, GreenState::Ended);
    // What came with green power is not traded again.
    let (id, _) = chain
        .state
        .lots()
        .iter()
        .find(|(_, lot)| lot.state == CertificateState::Transferred)
        .unwrap();
    let again = chain.send(Who::Wind, move_lot(id.0, 1, Who::Coal));
    assert_eq!(again, Err("not-yours"));
    assert_eq!(chain.send(Who::Exchange, settle_green("2026-07")), Err("nothing-green"));
}

#[test]
fn the_tail_rolls_and_the_side_that_lacks_pays() {
    let mut chain = Chain::new();
    chain.done(Who::Bank, deposit(Who::Factory, yuan(1_000), 1));
    let terms = green_terms((WIND, FACTORY), ("2026-07", "2026-08"), 3_000, 40_000);
    let contract = agree(&mut chain, &terms, Who::Factory);
    let day = |chain: &mut Chain, days, wind, factory| {
        let meters = [(WIND, Who::WindMeter, wind), (FACTORY, Who::FactoryMeter, factory)];
        metered_day(chain, later(days), &meters);
    };
    day(&mut chain, 0, 2_700, 9_000);
    chain.pass_to(Month::parse("2026-08").unwrap().start());
    chain.done(Who::Exchange, settle_green("2026-07"));
    let first = month_of(&chain, contract);
    assert_eq!((first.certificates, first.amount), (2, yuan(80)));
    assert_eq!(chain.state.green_contracts()[&contract].carry, Energy::from_kwh(700));
    // 300 kWh at 40 yuan/MWh are 12 yuan, a quarter of which is 3.
    assert_eq!((first.cause, first.compensation), (ShortfallCause::Generator, yuan(3)));
    let july = [
        (LineItem::GreenValue, Who::Factory, 2_000, yuan(80)),
        (LineItem::GreenShortfall, Who::Wind, 300, yuan(3)),
    ];
    assert_stated(&chain, contract, "2026-07", &july);
    assert_eq!(chain.available(Who::Factory), yuan(1_000 - 80 + 3 - 2_700));
    day(&mut chain, 40, 5_000, 2_500);
    chain.pass_to(Month::parse("2026-09").unwrap().start());
    chain.done(Who::Exchange, settle_green("2026-08"));
    let second = month_of(&chain, contract);
    // 700 + 2,500 kWh are 3 certificates and 200 kWh; the user lacks 500 kWh.
    assert_eq!((second.certificates, second.amount), (3, yuan(120)));
    assert_eq!((second.cause, second.compensation), (ShortfallCause::User, yuan(5)));
    let august = [
        (LineItem::GreenValue, Who::Factory, 3_000, yuan(120)),
        (LineItem::GreenShortfall, Who::Factory, 500, yuan(5)),
    ];
    assert_stated(&chain, contract, "2026-08", &august);
    assert_eq!(held(&chain, Who::Factory), 5);
}

#[test]
fn certificates_beyond_a_green_contract_are_sold_before_its_month_ends() {
    let mut chain = Chain::new();
    let terms = green_terms((WIND, FACTORY), ("2026-07", "2026-07"), 6_000, 40_000);
    agree(&mut chain, &terms, Who::Factory);
    metered_day(&mut chain, DAY, &[(WIND, Who::WindMeter, 10_000)]);
    chain.table(vec![
        (Who::Wind, move_lot(1, 5, Who::Coal), "reserved-for-green"),
        (Who::Wind, move_lot(1, 4, Who::Coal), "ok"),
        (Who::Wind, move_lot(1, 1, Who::Coal), "reserved-for-green"),
    ]);
}

#[test]
fn a_member_has_its_share_of_open_proposals_and_the_other_side_may_decline() {
    let mut chain = Chain::new();
    let terms = green_terms((WIND, FACTORY), ("2026-07", "2026-07"), 6_000, 40_000);
    for _ in 0..32 {
        chain.done(Who::Factory, propose_green(&terms));
    }
    let other = green_terms((WIND, RETAIL), ("2026-07", "2026-07"), 6_000, 40_000);
    chain.table(vec![
        (Who::Factory, propose_green(&terms), "table-full"),
        (Who::Retail, propose_green(&other), "ok"),
        (Who::Retail, withdraw_green(1), "not-yours"),
        (Who::Wind, withdraw_green(1), "ok"),
        (Who::Factory, withdraw_green(2), "ok"),
        (Who::Factory, propose_green(&terms), "ok"),
        (Who::Wind, confirm_green(3, &terms), "ok"),
        (Who::Wind, withdraw_green(3), "green-not-proposed"),
        (Who::Factory, propose_green(&terms), "ok"),
        (Who::Factory, propose_green(&terms), "ok"),
        (Who::Factory, propose_green(&terms), "table-full"),
    ]);
}

#[test]
fn a_green_contract_begins_within_three_years() {
    let mut chain = Chain::new();
    let from = |month| propose_green(&green_terms((WIND, FACTORY), (month, month), 6_000, 40_000));
    chain.table(vec![
        (Who::Factory, from("2029-08"), "bad-period"),
        (Who::Factory, from("2029-07"), "ok"),
    ]);
}
