//! 801 to 901: allowances and certificates, and the end of the integers.

use crate::common::chain::{Chain, change_row};
use crate::common::market::{DAY, WIND, Who, gate_close, open, whole_day};
use duet_ledger::{
    Action, CarbonAccount, CertificateLotId, Encode, OrganisationId, Progress, RetirementPurpose,
    SessionId,
};
use duet_units::Allowances;
use std::collections::BTreeSet;

fn t(t: i64) -> Allowances {
    Allowances::from_t(t)
}

fn allocate(who: Who, allowances: Allowances, reference: u64) -> Action {
    Action::AllocateAllowances { organisation: who.organisation(), allowances, reference }
}

fn transfer(who: Who, allowances: Allowances) -> Action {
    Action::TransferAllowances { to: who.organisation(), allowances }
}

fn surrender(allowances: Allowances) -> Action {
    Action::SurrenderAllowances { allowances }
}

fn move_lot(lot: u64, count: u64, who: Who) -> Action {
    let (lot, to) = (CertificateLotId(lot), who.organisation());
    Action::TransferCertificates { lot, count, to }
}

fn retire(lot: u64, count: u64) -> Action {
    let (lot, purpose) = (CertificateLotId(lot), RetirementPurpose::Claim);
    Action::RetireCertificates { lot, count, purpose, beneficiary: String::new() }
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Coal, allocate(Who::Stranger, t(0), 1), "wrong-role"),
        (Who::Registry, allocate(Who::Stranger, t(0), 1), "amount-not-positive"),
        (Who::Registry, allocate(Who::Coal, t(i64::MIN), 1), "amount-not-positive"),
        (Who::Registry, allocate(Who::Stranger, t(i64::MAX), 1), "unknown-organisation"),
        (Who::Registry, allocate(Who::Coal, t(10_000_000_000), 1), "ok"),
        (Who::Registry, allocate(Who::Coal, t(10_000_000_001), 1), "amount-too-large"),
        (Who::Registry, allocate(Who::Coal, t(1), 1), "reference-used"),
        (Who::Bank, transfer(Who::Stranger, t(0)), "wrong-role"),
        (Who::Coal, transfer(Who::Stranger, t(0)), "amount-not-positive"),
        (Who::Coal, transfer(Who::Stranger, t(i64::MAX)), "unknown-organisation"),
        (Who::Coal, transfer(Who::Coal, t(i64::MAX)), "insufficient-allowances"),
        (Who::Coal, transfer(Who::Coal, t(1)), "same-account"),
        (Who::Coal, transfer(Who::Wind, t(1)), "ok"),
        (Who::Factory, surrender(t(0)), "wrong-role"),
        (Who::Wind, surrender(t(0)), "amount-not-positive"),
        (Who::Wind, surrender(t(2)), "insufficient-allowances"),
        (Who::Wind, surrender(t(1)), "exceeds-obligation"),
    ]);
    provoke_certificates(&mut chain);
    chain.provoked
}

/// Ladders over a run of ten certificates of the wind farm.
fn provoke_certificates(chain: &mut Chain) {
    chain.done(Who::Exchange, open(DAY));
    chain.pass_to(gate_close(DAY));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session: SessionId(1) });
    chain.pass_to(DAY.next().start());
    chain.done(Who::WindMeter, whole_day(WIND, DAY, &[10]));
    chain.others_used_nothing(DAY);
    chain.done(Who::Exchange, Action::SettleSession { session: SessionId(1) });
    chain.table(vec![
        (Who::Factory, move_lot(1, 0, Who::Stranger), "wrong-role"),
        (Who::Coal, move_lot(1, 0, Who::Stranger), "not-yours"),
        (Who::Wind, move_lot(9, 0, Who::Stranger), "amount-not-positive"),
        (Who::Wind, move_lot(9, 11, Who::Stranger), "unknown-organisation"),
        (Who::Wind, move_lot(9, 11, Who::Wind), "same-account"),
        (Who::Wind, move_lot(9, 11, Who::Coal), "unknown-certificate"),
        (Who::Wind, move_lot(1, u64::MAX, Who::Coal), "too-many-certificates"),
        (Who::Wind, move_lot(1, 4, Who::Coal), "ok"),
        (Who::Coal, move_lot(2, u64::MAX, Who::Coal), "same-account"),
        (Who::Coal, move_lot(2, u64::MAX, Who::Retail), "already-transferred"),
        (Who::Bank, retire(9, 0), "wrong-role"),
        (Who::Wind, retire(2, 0), "not-yours"),
        (Who::Coal, retire(9, 0), "amount-not-positive"),
        (Who::Coal, retire(9, 1), "unknown-certificate"),
        (Who::Coal, retire(2, 5), "too-many-certificates"),
        (Who::Coal, retire(2, 4), "ok"),
        (Who::Coal, retire(2, 5), "certificate-ended"),
        (Who::Coal, move_lot(2, 5, Who::Wind), "certificate-ended"),
    ]);
}

/// All allowances that an integer can count are allocated: no transaction gets there.
pub(crate) fn provoke_overflow() -> BTreeSet<&'static str> {
    let mut chain = Chain::new().with_rows(|rows| {
        change_row(rows, &[1], |progress: &mut Progress| progress.allocated = Allowances::MAX);
        let account = CarbonAccount { free: Allowances::MAX, ..CarbonAccount::EMPTY };
        let key = [vec![15], OrganisationId(5).to_bytes()].concat();
        rows.insert(key, account.to_bytes());
    });
    chain.table(vec![
        (Who::Registry, allocate(Who::Wind, t(1), 1), "out-of-range"),
        (Who::Coal, transfer(Who::Wind, Allowances::MAX), "ok"),
    ]);
    chain.provoked
}

#[test]
fn allowances_and_certificates_are_refused_for_their_first_fault() {
    provoke();
    provoke_overflow();
}
