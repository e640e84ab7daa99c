//! The life of certificates.

use crate::common::certificate::{
    claim, freeze, month, move_lot, offer, project, reductions, settled_day, take, withdraw_project,
};
use crate::common::chain::Chain;
use crate::common::market::{DAY, WIND, Who, deposit, yuan};
use duet_ledger::{CertificateLotId, CertificateState, Event, RetirementPurpose};

fn lot(chain: &Chain, id: u64) -> duet_ledger::CertificateLot {
    chain.state.lots()[&CertificateLotId(id)].clone()
}

#[test]
fn a_sale_is_delivery_against_payment_and_happens_once() {
    let mut chain = Chain::new();
    settled_day(&mut chain, DAY, 10, 5);
    chain.done(Who::Bank, deposit(Who::Retail, yuan(100), 1));
    let before = chain.available(Who::Wind);
    chain.done(Who::Wind, offer(1, 6, 1_050, None));
    assert_eq!((lot(&chain, 1).count, lot(&chain, 2).count), (4, 6));
    chain.done(Who::Retail, take(1, 2));
    assert_eq!(chain.available(Who::Retail), yuan(79));
    assert_eq!(chain.available(Who::Wind), before.plus(yuan(21)).unwrap());
    let sold = lot(&chain, 3);
    assert_eq!((sold.owner, sold.first, sold.count), (Who::Retail.organisation(), 5 - 4, 2));
    assert_eq!((sold.state, sold.offer), (CertificateState::Transferred, None));
    chain.done(Who::Retail, take(1, 4));
    assert!(chain.state.offers().is_empty());
    assert_eq!(chain.send(Who::Retail, take(1, 1)), Err("unknown-offer"));
}

#[test]
fn a_certificate_is_found_by_its_number_through_every_split() {
    let mut chain = Chain::new();
    settled_day(&mut chain, DAY, 10, 5);
    chain.done(Who::Wind, move_lot(1, 3, Who::Coal));
    chain.done(Who::Wind, offer(1, 2, 100, None));
    let owners: Vec<u64> = (1..=10).map(|number| chain.state.lot_of(number).unwrap().0.0).collect();
    assert_eq!(owners, [2, 2, 2, 3, 3, 1, 1, 1, 1, 1]);
    assert_eq!(chain.restored().lot_of(4).unwrap().0, CertificateLotId(3));
    assert!(chain.state.lot_of(0).is_none() && chain.state.lot_of(11).is_none());
}

#[test]
fn certificates_expire_after_month_24_frozen_or_not() {
    let mut chain = Chain::new();
    settled_day(&mut chain, DAY, 10, 5);
    chain.done(Who::Wind, offer(1, 4, 100, None));
    chain.done(Who::Registry, freeze(1, true));
    let end = month("2028-08").start();
    chain.pass_to(end.plus_ms(-1));
    assert!(lot(&chain, 1).state.is_live() && lot(&chain, 2).state.is_live());
    let outcome = chain.pass_to(end);
    let expired = |event: &Event| matches!(event, Event::CertificatesExpired { .. });
    assert_eq!(outcome.events.iter().filter(|event| expired(event)).count(), 2);
    for id in [1, 2] {
        let row = lot(&chain, id);
        let purpose = row.retirement.map(|end| end.purpose);
        assert_eq!(
            (row.state, purpose),
            (CertificateState::Retired, Some(RetirementPurpose::Expiry))
        );
    }
    assert!(chain.state.offers().is_empty());
    assert_eq!(chain.send(Who::Wind, move_lot(1, 1, Who::Coal)), Err("certificate-ended"));
}

#[test]
fn energy_is_a_certificate_or_a_reduction() {
    let mut chain = Chain::new();
    settled_day(&mut chain, DAY, 10, 5);
    chain.done(Who::Wind, move_lot(1, 3, Who::Factory));
    chain.done(Who::Registry, project(WIND, "2026-07-01", "2026-12-31", 1));
    // Those of a later day of the period are frozen when they are issued.
    let later = duet_units::DeliveryDay::parse("2026-08-03").unwrap();
    settled_day(&mut chain, later, 7, 5);
    let factory = Who::Factory.organisation();
    chain.table(vec![
        (Who::Factory, claim(2, 1, factory, 2026), "certificate-frozen"),
        (Who::Wind, move_lot(3, 1, Who::Coal), "certificate-frozen"),
        (Who::Registry, reductions(1, "2026-07", 6, 2), "ok"),
    ]);
    assert_eq!(lot(&chain, 1).state, CertificateState::Cancelled);
    assert_eq!(lot(&chain, 2).state, CertificateState::Cancelled);
    chain.table(vec![
        (Who::Wind, move_lot(1, 1, Who::Coal), "certificate-ended"),
        (Who::Wind, move_lot(3, 1, Who::Coal), "certificate-frozen"),
        (Who::Registry, withdraw_project(1), "ok"),
        (Who::Wind, move_lot(3, 1, Who::Factory), "ok"),
        (Who::Factory, claim(4, 1, factory, 2026), "ok"),
        // Claimed energy does not become a reduction later.
        (Who::Registry, project(WIND, "2026-08-01", "2026-08-31", 3), "ok"),
        (Who::Registry, reductions(2, "2026-08", 6, 4), "energy-claimed"),
    ]);
}
