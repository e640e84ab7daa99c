//! 823 to 835: compliance periods and carbon credits.

use crate::common::carbon::t;
use crate::common::chain::Chain;
use crate::common::compliance::{
    YEAR, close_period, cover, day, issue_credits, metered_year, output, period, pre_issue,
    publish, retire_credits, transfer_credits, verify,
};
use crate::common::market::{COAL, WIND, Who};
use duet_ledger::{Action, BenchmarkClass, CompliancePeriod, UnitOutput};
use duet_units::{BasisPoints, Energy};
use std::collections::BTreeSet;

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    provoke_periods(&mut chain);
    let mut provoked = chain.provoked;
    let mut chain = metered_year();
    provoke_issue(&mut chain);
    provoke_credits(&mut chain);
    provoke_verified(&mut chain);
    provoke_closure(&mut chain);
    provoked.extend(chain.provoked);
    provoked
}

fn with(change: impl FnOnce(&mut CompliancePeriod)) -> Action {
    let mut period = period();
    change(&mut period);
    publish(YEAR, period)
}

fn provoke_periods(chain: &mut Chain) {
    let share = BasisPoints::from_bp;
    let bad = "bad-compliance-period";
    let mut lines = vec![
        (Who::Exchange, publish(YEAR, period()), "wrong-role"),
        (Who::Registry, publish(1_999, period()), bad),
    ];
    for fault in [
        with(|p| p.pre_issued = share(10_001)),
        with(|p| p.coal_shortage_cap = Some(share(-1))),
        with(|p| p.offset_cap = share(i64::MAX)),
        with(|p| p.bank_base = t(i64::MIN)),
        with(|p| p.bank_per_net_sale = share(-1)),
        with(|p| p.benchmarks.swap(0, 1)),
        with(|p| p.benchmarks[0].heat = -1),
        with(|p| p.benchmarks[0].electricity = i64::MAX),
        with(|p| p.due_day = day("2026-12-31")),
        with(|p| p.due_day = day("2030-01-01")),
    ] {
        lines.push((Who::Registry, fault, bad));
    }
    let unknown = "unknown-compliance-period";
    lines.extend([
        (Who::Registry, pre_issue(Who::Coal, vec![], 1), unknown),
        (Who::Registry, verify(Who::Coal, vec![], 0, 1), unknown),
        (Who::Registry, close_period(Who::Coal.organisation()), unknown),
        (Who::Registry, publish(YEAR, period()), "ok"),
        (Who::Registry, publish(YEAR, period()), bad),
    ]);
    chain.table(lines);
}

fn provoke_issue(chain: &mut Chain) {
    let good = || output(COAL, 1_000);
    let with = |change: &dyn Fn(&mut UnitOutput)| {
        let mut output = good();
        change(&mut output);
        pre_issue(Who::Coal, vec![output], 1)
    };
    let bad = "bad-output";
    chain.table(vec![
        (Who::Coal, pre_issue(Who::Stranger, vec![], 1), "wrong-role"),
        (Who::Registry, pre_issue(Who::Stranger, vec![], 1), "unknown-organisation"),
        (Who::Registry, pre_issue(Who::Coal, vec![output(WIND, 1)], 1), bad),
        (Who::Registry, pre_issue(Who::Wind, vec![output(WIND, 1)], 1), bad),
        (Who::Registry, pre_issue(Who::Coal, vec![good(), good()], 1), bad),
        (Who::Registry, with(&|o| o.class = BenchmarkClass::Gas), bad),
        (Who::Registry, with(&|o| o.class = BenchmarkClass::OtherCoal), bad),
        (Who::Registry, with(&|o| o.electricity = Energy::from_kwh(-1)), bad),
        (Who::Registry, with(&|o| o.electricity = Energy::MAX), bad),
        (Who::Registry, with(&|o| o.heat = i64::MIN), bad),
        (Who::Registry, with(&|o| o.correction = BasisPoints::from_bp(20_001)), bad),
        (Who::Registry, pre_issue(Who::Coal, vec![good()], 1), "ok"),
        (Who::Registry, pre_issue(Who::Coal, vec![good()], 1), "reference-used"),
        (Who::Registry, pre_issue(Who::Coal, vec![good()], 2), "already-allocated"),
        (Who::Registry, verify(Who::Coal, vec![good()], -51, 2), bad),
        (Who::Registry, verify(Who::Coal, vec![good()], 0, 2), "period-not-over"),
    ]);
}

fn provoke_credits(chain: &mut Chain) {
    chain.table(vec![
        (Who::Coal, issue_credits(Who::Stranger, 0, "a"), "wrong-role"),
        (Who::Registry, issue_credits(Who::Stranger, 0, "a"), "amount-not-positive"),
        (Who::Registry, issue_credits(Who::Stranger, u64::MAX, "a"), "unknown-organisation"),
        (Who::Registry, issue_credits(Who::Coal, u64::MAX, "a"), "amount-too-large"),
        (Who::Registry, issue_credits(Who::Coal, 100, "a"), "ok"),
        (Who::Registry, issue_credits(Who::Wind, 1, "a"), "outside-id-used"),
        (Who::Bank, transfer_credits(9, 0, Who::Stranger), "wrong-role"),
        (Who::Wind, transfer_credits(1, 0, Who::Stranger), "not-yours"),
        (Who::Coal, transfer_credits(9, 0, Who::Stranger), "amount-not-positive"),
        (Who::Coal, transfer_credits(9, 1, Who::Stranger), "unknown-organisation"),
        (Who::Coal, transfer_credits(9, 1, Who::Coal), "same-account"),
        (Who::Coal, transfer_credits(9, 1, Who::Wind), "unknown-credit"),
        (Who::Coal, transfer_credits(1, 101, Who::Wind), "too-many-credits"),
        (Who::Coal, transfer_credits(1, 1, Who::Wind), "ok"),
        (Who::Bank, retire_credits(9, 0), "wrong-role"),
        (Who::Wind, retire_credits(1, 0), "not-yours"),
        (Who::Coal, retire_credits(9, 0), "amount-not-positive"),
        (Who::Coal, retire_credits(9, 1), "not-verified"),
        (Who::Bank, cover(0), "wrong-role"),
        (Who::Coal, cover(0), "amount-not-positive"),
        (Who::Coal, cover(i64::MAX), "insufficient-allowances"),
        (Who::Coal, cover(1), "not-verified"),
    ]);
}

fn provoke_verified(chain: &mut Chain) {
    chain.pass_to(day("2027-01-01").start());
    let outputs = || vec![output(COAL, 1_000)];
    chain.table(vec![
        (Who::Coal, verify(Who::Stranger, vec![], 0, 1), "wrong-role"),
        (Who::Registry, verify(Who::Stranger, vec![], 0, 1), "unknown-organisation"),
        (Who::Registry, verify(Who::Coal, vec![], 0, 1), "reference-used"),
        (Who::Registry, verify(Who::Coal, outputs(), i64::MAX, 2), "out-of-range"),
        // 846 t allocated, 800 t due, of which credits cover 40 t.
        (Who::Registry, verify(Who::Coal, outputs(), 750, 2), "ok"),
        (Who::Registry, verify(Who::Coal, outputs(), 750, 3), "already-allocated"),
        (Who::Registry, pre_issue(Who::Coal, outputs(), 3), "already-allocated"),
        (Who::Coal, retire_credits(9, u64::MAX), "exceeds-due"),
        (Who::Coal, retire_credits(9, 41), "exceeds-offset-cap"),
        (Who::Coal, retire_credits(9, 40), "unknown-credit"),
        (Who::Coal, retire_credits(1, 39), "ok"),
        (Who::Coal, retire_credits(3, 1), "credit-ended"),
        (Who::Coal, transfer_credits(3, 1, Who::Wind), "credit-ended"),
        (Who::Coal, cover(762), "exceeds-due"),
        (Who::Coal, cover(760), "ok"),
    ]);
}

fn provoke_closure(chain: &mut Chain) {
    let mine = Who::Coal.organisation();
    chain.table(vec![
        (Who::Coal, close_period(Who::Stranger.organisation()), "wrong-role"),
        (Who::Registry, close_period(Who::Stranger.organisation()), "unknown-organisation"),
        (Who::Registry, close_period(mine), "period-not-over"),
    ]);
    chain.pass_to(day("2028-01-01").start());
    chain.table(vec![
        (Who::Registry, close_period(Who::Wind.organisation()), "not-verified"),
        (Who::Registry, close_period(mine), "ok"),
        (Who::Registry, close_period(mine), "period-closed"),
        (Who::Coal, cover(1), "period-closed"),
        (Who::Coal, retire_credits(1, 1), "period-closed"),
    ]);
}

#[test]
fn compliance_is_refused_for_its_first_fault() {
    provoke();
}
