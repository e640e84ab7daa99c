//! 840 to 869: certificates for sale, claims, freezing, CCER projects.

use crate::common::certificate::{
    claim, freeze, move_lot, offer, project, reductions, retire, set_kind, settled_day, take,
    withdraw, withdraw_project,
};
use crate::common::certificate::{
    confirm_green, green_terms, propose_green, settle_green, withdraw_green,
};
use crate::common::chain::Chain;
use crate::common::market::{COAL, DAY, FACTORY, WIND, Who, deposit, yuan};
use duet_ledger::{CertificateKind, RetirementPurpose, UnitId};
use duet_units::{DeliveryDay, Month};
use std::collections::BTreeSet;

const MOST: i128 = 1_000_000_000;

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    // Run 1: ten certificates of the wind farm of July. The factory used 2 MWh.
    settled_day(&mut chain, DAY, 10, 2);
    provoke_sale(&mut chain);
    provoke_claims(&mut chain);
    provoke_projects(&mut chain);
    provoke_green(&mut chain);
    chain.provoked
}

fn provoke_sale(chain: &mut Chain) {
    chain.table(vec![
        (Who::Factory, offer(1, 0, 0, Some(Who::Stranger)), "wrong-role"),
        (Who::Coal, offer(1, 0, 0, Some(Who::Stranger)), "not-yours"),
        (Who::Wind, offer(9, 0, 0, Some(Who::Stranger)), "amount-not-positive"),
        (Who::Wind, offer(9, 11, 0, Some(Who::Stranger)), "amount-not-positive"),
        (Who::Wind, offer(9, 11, MOST + 1, Some(Who::Stranger)), "unknown-organisation"),
        (Who::Wind, offer(9, 11, MOST + 1, Some(Who::Wind)), "amount-too-large"),
        (Who::Wind, offer(9, 11, 5, Some(Who::Wind)), "same-account"),
        (Who::Wind, offer(9, 11, 5, None), "unknown-certificate"),
        (Who::Wind, offer(1, 11, 5, None), "too-many-certificates"),
        (Who::Wind, freeze(9, false), "wrong-role"),
        (Who::Registry, freeze(9, false), "unknown-certificate"),
        (Who::Registry, freeze(1, false), "freeze-unchanged"),
        (Who::Registry, freeze(1, true), "ok"),
        (Who::Wind, offer(1, 4, 500, None), "certificate-frozen"),
        (Who::Wind, move_lot(1, 4, Who::Coal), "certificate-frozen"),
        (Who::Regulator, freeze(1, false), "ok"),
        // Offer 1: run 2, of four.
        (Who::Wind, offer(1, 4, 500, Some(Who::Factory)), "ok"),
        (Who::Wind, offer(2, 4, 500, None), "certificate-offered"),
        (Who::Wind, move_lot(2, 1, Who::Coal), "certificate-offered"),
        (Who::Bank, take(9, 0), "wrong-role"),
        (Who::Retail, take(9, 0), "amount-not-positive"),
        (Who::Retail, take(9, 5), "unknown-offer"),
        (Who::Retail, take(1, u64::MAX), "insufficient-funds"),
        (Who::Bank, deposit(Who::Retail, yuan(1_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(1_000), 2), "ok"),
        (Who::Bank, deposit(Who::Wind, yuan(1_000), 3), "ok"),
        (Who::Wind, take(1, 5), "same-account"),
        (Who::Retail, take(1, 5), "too-many-certificates"),
        (Who::Registry, freeze(2, true), "ok"),
        (Who::Retail, take(1, 4), "certificate-frozen"),
        (Who::Registry, freeze(2, false), "ok"),
        (Who::Retail, take(1, 4), "offered-to-another"),
        // Run 3: three of the factory.
        (Who::Factory, take(1, 3), "ok"),
        (Who::Factory, withdraw(9), "wrong-role"),
        (Who::Coal, withdraw(9), "unknown-offer"),
        (Who::Coal, withdraw(1), "not-yours"),
        (Who::Wind, withdraw(1), "ok"),
        (Who::Wind, withdraw(1), "unknown-offer"),
        (Who::Factory, take(1, 1), "unknown-offer"),
    ]);
}

fn provoke_claims(chain: &mut Chain) {
    let [stranger, factory, wind] = [Who::Stranger, Who::Factory, Who::Wind].map(Who::organisation);
    chain.table(vec![
        (Who::Bank, claim(3, 0, stranger, 2027), "wrong-role"),
        (Who::Wind, claim(3, 0, stranger, 2027), "not-yours"),
        (Who::Factory, claim(9, 0, stranger, 2027), "amount-not-positive"),
        (Who::Factory, claim(9, 4, stranger, 2027), "unknown-organisation"),
        (Who::Factory, claim(9, 4, factory, 2027), "unknown-certificate"),
        (Who::Factory, claim(3, 4, factory, 2027), "too-many-certificates"),
        (Who::Registry, freeze(3, true), "ok"),
        (Who::Factory, claim(3, 3, factory, 2027), "certificate-frozen"),
        (Who::Registry, freeze(3, false), "ok"),
        (Who::Factory, claim(3, 3, factory, 2027), "wrong-use-year"),
        (Who::Factory, claim(3, 3, factory, 2025), "wrong-use-year"),
        (Who::Factory, claim(3, 3, factory, 2026), "claim-exceeds-use"),
        // A beneficiary with a member's name is that member.
        (Who::Factory, retire(3, 3, RetirementPurpose::Claim, "Factory"), "claim-exceeds-use"),
        (Who::Factory, claim(3, 2, factory, 2026), "ok"),
        (Who::Factory, claim(3, 1, factory, 2026), "claim-exceeds-use"),
        (Who::Factory, retire(3, 1, RetirementPurpose::Expiry, ""), "not-expired"),
        (Who::Wind, set_kind(UnitId(99), CertificateKind::SelfUse), "wrong-role"),
        (Who::Registry, set_kind(UnitId(99), CertificateKind::SelfUse), "unknown-unit"),
        (Who::Registry, set_kind(COAL, CertificateKind::SelfUse), "not-renewable"),
        (Who::Registry, set_kind(WIND, CertificateKind::SelfUse), "ok"),
    ]);
    // Ten MWh of another day, used by the owner itself; nothing of it was drawn.
    settled_day(chain, DAY.next().next(), 10, 0);
    let lot = chain.state.progress().next_lot.0 - 1;
    chain.table(vec![
        (Who::Wind, move_lot(lot, 1, Who::Coal), "not-tradable"),
        (Who::Wind, offer(lot, 1, 5, None), "not-tradable"),
        (Who::Wind, retire(lot, 1, RetirementPurpose::Claim, "a bakery"), "not-tradable"),
        (Who::Wind, claim(lot, 1, factory, 2026), "not-tradable"),
        (Who::Wind, claim(1, 1, wind, 2026), "claim-exceeds-draw"),
        (Who::Wind, claim(lot, 10, wind, 2026), "ok"),
    ]);
}

fn provoke_projects(chain: &mut Chain) {
    let none = UnitId(99);
    chain.table(vec![
        (Who::Registry, project(WIND, "2026-07-01", "2026-08-31", 1), "ok"),
        (Who::Wind, project(none, "2026-07-01", "2026-06-30", 1), "wrong-role"),
        (Who::Registry, project(none, "2026-07-01", "2026-06-30", 1), "unknown-unit"),
        (Who::Registry, project(COAL, "2026-07-01", "2026-06-30", 1), "reference-used"),
        (Who::Registry, project(COAL, "2026-07-01", "2026-06-30", 2), "not-renewable"),
        (Who::Registry, project(WIND, "2026-07-01", "2026-06-30", 2), "bad-period"),
        (Who::Registry, project(WIND, "2026-07-01", "2046-07-01", 2), "bad-period"),
        (Who::Registry, project(WIND, "2026-08-31", "2046-08-30", 2), "project-overlaps"),
        (Who::Wind, move_lot(1, 1, Who::Coal), "certificate-frozen"),
        (Who::Wind, reductions(9, "2026-09", 0, 1), "wrong-role"),
        (Who::Registry, reductions(9, "2026-09", 0, 1), "amount-not-positive"),
        (Who::Registry, reductions(9, "2026-09", 10_000_000_001, 1), "amount-too-large"),
        (Who::Registry, reductions(9, "2026-09", 5, 1), "reference-used"),
        (Who::Registry, reductions(9, "2026-09", 5, 2), "unknown-project"),
        (Who::Registry, reductions(1, "2026-09", 5, 2), "project-closed"),
        (Who::Registry, reductions(1, "2026-06", 5, 2), "project-closed"),
        (Who::Registry, reductions(1, "2026-07", 5, 2), "energy-claimed"),
        (Who::Wind, withdraw_project(9), "wrong-role"),
        (Who::Registry, withdraw_project(9), "unknown-project"),
        (Who::Registry, withdraw_project(1), "ok"),
        (Who::Registry, withdraw_project(1), "unknown-project"),
        (Who::Registry, project(WIND, "2026-08-01", "2026-09-30", 2), "ok"),
        (Who::Registry, reductions(2, "2026-08", 5, 3), "month-open"),
    ]);
    chain.pass_to(Month::parse("2026-09").unwrap().start());
    chain.table(vec![
        (Who::Registry, reductions(2, "2026-08", 5, 3), "ok"),
        (Who::Registry, reductions(2, "2026-08", 5, 4), "project-closed"),
        (Who::Registry, withdraw_project(2), "ok"),
        (Who::Registry, withdraw_project(2), "project-closed"),
    ]);
}

/// It is the first of September, and the wind farm's energy is its own use.
fn provoke_green(chain: &mut Chain) {
    let green =
        |pair, kwh, value| propose_green(&green_terms(pair, ("2026-09", "2026-09"), kwh, value));
    let past = green_terms((WIND, COAL), ("2026-08", "2026-09"), i64::MAX, 30_000);
    let long = green_terms((WIND, COAL), ("2026-09", "2029-09"), i64::MAX, 30_000);
    let (none, most) = (UnitId(99), 60_000 * 744);
    let terms = green_terms((WIND, FACTORY), ("2026-09", "2026-09"), most, 30_000);
    let other = green_terms((WIND, FACTORY), ("2026-09", "2026-09"), most, 30_001);
    chain.table(vec![
        (Who::Bank, green((WIND, none), 0, 0), "wrong-role"),
        (Who::Coal, green((WIND, none), 0, 0), "unknown-unit"),
        (Who::Coal, green((WIND, FACTORY), 0, 0), "not-yours"),
        (Who::Wind, green((WIND, COAL), 0, 0), "quantity-not-positive"),
        (Who::Wind, green((WIND, COAL), i64::MAX, 0), "amount-not-positive"),
        (Who::Wind, green((WIND, COAL), i64::MAX, 1_000_000_001), "amount-too-large"),
        (Who::Wind, propose_green(&past), "not-renewable"),
        (Who::Registry, set_kind(WIND, CertificateKind::Tradable), "ok"),
        (Who::Wind, propose_green(&past), "bad-period"),
        (Who::Wind, propose_green(&long), "bad-period"),
        (Who::Wind, green((WIND, COAL), i64::MAX, 30_000), "not-a-pair"),
        (Who::Wind, green((WIND, FACTORY), most + 1, 30_000), "over-connection"),
        (Who::Wind, propose_green(&terms), "ok"),
        (Who::Bank, confirm_green(9, &other), "wrong-role"),
        (Who::Factory, confirm_green(9, &other), "unknown-green-contract"),
        (Who::Wind, confirm_green(1, &other), "not-yours"),
        (Who::Retail, confirm_green(1, &other), "not-yours"),
        (Who::Factory, confirm_green(1, &other), "wrong-proposal"),
        (Who::Bank, withdraw_green(9), "wrong-role"),
        (Who::Factory, withdraw_green(9), "unknown-green-contract"),
        (Who::Retail, withdraw_green(1), "not-yours"),
        (Who::Exchange, settle_green("2026-08"), "nothing-green"),
        (Who::Factory, confirm_green(1, &terms), "ok"),
        (Who::Factory, confirm_green(1, &terms), "green-not-proposed"),
        (Who::Wind, withdraw_green(1), "green-not-proposed"),
        (Who::Wind, settle_green("2026-09"), "wrong-role"),
        (Who::Exchange, settle_green("2026-09"), "month-open"),
        (Who::Exchange, settle_green("2026-08"), "nothing-green"),
    ]);
    settled_day(chain, DeliveryDay::parse("2026-09-05").unwrap(), 10, 2);
    let lot = chain.state.progress().next_lot.0 - 1;
    chain.table(vec![
        (Who::Wind, move_lot(lot, 1, Who::Coal), "reserved-for-green"),
        (Who::Wind, offer(lot, 1, 5, None), "reserved-for-green"),
        (Who::Wind, retire(lot, 1, RetirementPurpose::Claim, ""), "reserved-for-green"),
    ]);
}

/// One seller has 256 offers.
pub(crate) fn provoke_limit() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    for place in 0..6 {
        let day = duet_units::DeliveryDay::from_days(DAY.days() + 2 * place);
        settled_day(&mut chain, day, 50, 0);
    }
    let lots: Vec<u64> = (1..=6).flat_map(|lot| [lot; 50]).collect();
    for lot in &lots[..256] {
        chain.done(Who::Wind, offer(*lot, 1, 1, None));
    }
    chain.table(vec![(Who::Wind, offer(6, 1, 1, None), "table-full")]);
    chain.provoked
}

#[test]
fn certificates_are_refused_for_their_first_fault() {
    provoke();
}

#[test]
fn offers_have_a_limit() {
    provoke_limit();
}
