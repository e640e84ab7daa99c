//! A year from the issue ahead to its closure.

use crate::common::carbon::{allocate, fen, t, terms as carbon_terms};
use crate::common::chain::Chain;
use crate::common::compliance::{
    YEAR, close_period, cover, day, issue_credits, metered_year, metered_year_of_gas, output,
    period, pre_issue, publish, retire_credits, transfer_credits, verify,
};
use crate::common::market::{COAL, RETAIL, Who, deposit, mwh, notice, yuan, yuan_per_mwh};
use duet_ledger::{
    Action, AllowanceLeg, BenchmarkClass, CarbonAccount, CarbonAction, CarbonTerms, ContractAction,
    ContractConfirmation, ContractTerms, CreditLotId, CurvePoint, Mode, Obligation,
    ObligationState, ProposalId, SessionId, SessionNotice, Side, UnitOutput, Verification,
};
use duet_units::{Allowances, Emissions};

fn account(chain: &Chain) -> CarbonAccount {
    chain.state.carbon()[&Who::Coal.organisation()].clone()
}

fn row(chain: &Chain) -> Obligation {
    chain.state.obligations()[&(YEAR, Who::Coal.organisation())].clone()
}

#[test]
fn a_year_of_vector_v8_is_covered_with_credits_up_to_the_cap() {
    let mut chain = metered_year();
    // 70 % of 10 TWh at 0.8460 t/MWh.
    chain.done(Who::Registry, pre_issue(Who::Coal, vec![output(COAL, 10_000_000)], 1));
    assert_eq!(account(&chain).free, t(5_922_000));
    chain.pass_to(day("2027-01-01").start());
    // 11 TWh at 0.8460; 9,836,200 t verified, of which 50 t were metered here.
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 11_000_000)], 9_836_150, 2));
    let verified = row(&chain);
    assert_eq!((verified.allocated, verified.verified), (t(9_306_000), t(9_836_200)));
    assert_eq!((verified.due, account(&chain).free), (t(9_836_200), t(9_306_000)));
    // The gap of 530,200 t: credits for 491,810 t, bought allowances for the rest.
    chain.done(Who::Registry, issue_credits(Who::Wind, 600_000, "CCER-2025-7"));
    let mine = chain.done(Who::Wind, transfer_credits(1, 500_000, Who::Coal));
    assert_eq!(chain.send(Who::Coal, retire_credits(mine, 491_811)), Err("exceeds-offset-cap"));
    chain.done(Who::Coal, retire_credits(mine, 491_810));
    assert_eq!(chain.send(Who::Coal, retire_credits(mine, 1)), Err("exceeds-offset-cap"));
    chain.done(Who::Coal, cover(9_306_000));
    assert_eq!(row(&chain).outstanding(), t(530_200 - 491_810));
    chain.done(Who::Registry, allocate(Who::Wind, 40_000, 3));
    let give = Action::TransferAllowances { to: Who::Coal.organisation(), allowances: t(40_000) };
    chain.done(Who::Wind, give);
    assert_eq!(chain.send(Who::Coal, cover(38_391)), Err("exceeds-due"));
    chain.done(Who::Coal, cover(38_390));
    assert_eq!(row(&chain).outstanding(), Allowances::ZERO);
    // Serial numbers: wind keeps the rest of its run, the retired ones never move again.
    let firsts: Vec<(u64, u64, Option<u16>)> =
        chain.state.credits().values().map(|lot| (lot.first, lot.count, lot.retired_for)).collect();
    let expected = [(500_001, 100_000, None), (491_811, 8_190, None), (1, 491_810, Some(YEAR))];
    assert_eq!(firsts, expected);
    assert_eq!(chain.state.credits()[&CreditLotId(3)].owner, Who::Coal.organisation());
}

#[test]
fn the_forecast_carries_the_pace_of_the_settled_days_to_the_end_of_the_year() {
    let chain = metered_year();
    let forecast = chain.state.carbon_forecast(YEAR, Who::Coal.organisation()).unwrap().unwrap();
    // 365 days of 50 t emitted and 40 t allocated; the 20 % cap does not bind by a hair.
    assert_eq!((forecast.emissions, forecast.allocation), (t(18_250), t(14_600)));
    assert_eq!((forecast.gap, forecast.offset_cap), (t(3_650), t(912)));
    assert_eq!(chain.state.carbon_forecast(YEAR, Who::Wind.organisation()), Ok(None));
    assert_eq!(chain.state.carbon_forecast(2027, Who::Coal.organisation()), Ok(None));
}

#[test]
fn what_was_issued_too_much_ahead_is_withdrawn_or_due_on_top() {
    let mut chain = metered_year();
    // 70 % of 100,000 MWh at 0.8460: 59,220 t; the true-up gives only 8,460 t.
    chain.done(Who::Registry, pre_issue(Who::Coal, vec![output(COAL, 100_000)], 1));
    let give = Action::TransferAllowances { to: Who::Wind.organisation(), allowances: t(30_000) };
    chain.done(Who::Coal, give);
    chain.pass_to(day("2027-01-01").start());
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 10_000)], 7_950, 2));
    // Of 50,760 t too much, 29,220 t were left; 21,540 t are due on top of 8,000 t.
    let after = account(&chain);
    assert_eq!((after.free, after.expired), (t(0), t(29_220)));
    assert_eq!(row(&chain).due, t(29_540));
}

/// Credits cover 5 % of what emissions oblige to (market-rules 4.12), not of what is given back.
#[test]
fn what_was_issued_too_much_ahead_is_not_given_back_in_credits() {
    let mut chain = metered_year();
    // 592,200 t ahead, all of it given away; 423,000 t for 500,000 t emitted.
    chain.done(Who::Registry, pre_issue(Who::Coal, vec![output(COAL, 1_000_000)], 1));
    let give = Action::TransferAllowances { to: Who::Wind.organisation(), allowances: t(592_200) };
    chain.done(Who::Coal, give);
    chain.pass_to(day("2027-01-01").start());
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 500_000)], 499_950, 2));
    assert_eq!(row(&chain).due, t(500_000 + 169_200));
    chain.done(Who::Registry, issue_credits(Who::Coal, 100_000, "CCER-2025-8"));
    chain.table(vec![
        (Who::Coal, retire_credits(1, 25_001), "exceeds-offset-cap"),
        (Who::Coal, retire_credits(1, 25_000), "ok"),
        (Who::Coal, retire_credits(2, 1), "exceeds-offset-cap"),
    ]);
}

#[test]
fn a_shortage_of_coal_is_due_up_to_a_fifth_of_emissions() {
    let mut chain = metered_year();
    chain.pass_to(day("2027-01-01").start());
    // 8,460 t allocated, 20,000 t emitted: due are 8,460 + 4,000 t.
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 10_000)], 19_950, 2));
    assert_eq!(row(&chain).due, t(12_460));
}

#[test]
fn a_shortage_of_gas_need_not_be_covered() {
    let mut chain = metered_year_of_gas();
    let organisation = Who::Coal.organisation();
    let forecast = chain.state.carbon_forecast(YEAR, organisation).unwrap().unwrap();
    assert_eq!((forecast.emissions, forecast.gap), (t(18_250), t(0)));
    chain.pass_to(day("2027-01-01").start());
    let gas = UnitOutput { class: BenchmarkClass::Gas, ..output(COAL, 10_000) };
    let verification = Verification {
        year: YEAR,
        organisation,
        outputs: vec![gas],
        coal_correction: Emissions::ZERO,
        gas_correction: Emissions::from_g(4_950_000_000),
        reference: 2,
    };
    let verify = Action::Carbon(CarbonAction::Verify(verification));
    chain.done(Who::Registry, verify);
    // 0.3901 t/MWh: 3,901 t allocated and due for 5,000 t emitted.
    let verified = row(&chain);
    assert_eq!(
        (verified.verified, verified.allocated, verified.due),
        (t(5_000), t(3_901), t(3_901))
    );
}

#[test]
fn what_was_surrendered_before_the_verification_counts_for_it_once() {
    let mut chain = metered_year();
    chain.done(Who::Registry, allocate(Who::Coal, 50, 1));
    chain.done(Who::Coal, Action::SurrenderAllowances { allowances: t(30) });
    chain.pass_to(day("2027-01-01").start());
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 50)], 0, 2));
    let verified = row(&chain);
    assert_eq!((verified.due, verified.surrendered), (t(50), t(30)));
    chain.done(Who::Coal, cover(20));
    assert_eq!(account(&chain).surrendered, t(50));
}

#[test]
fn a_surplus_is_banked_up_to_the_base_and_the_net_sales() {
    let mut chain = metered_year();
    chain.pass_to(day("2027-01-01").start());
    // 84,600 t allocated for 1,000 t emitted.
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 100_000)], 950, 2));
    chain.done(Who::Coal, cover(1_000));
    chain.pass_to(day("2028-01-01").start());
    chain.done(Who::Registry, close_period(Who::Coal.organisation()));
    let after = account(&chain);
    assert_eq!((after.free, after.expired), (t(10_000), t(73_600)));
    assert_eq!((row(&chain).banked, row(&chain).state), (t(10_000), ObligationState::Closed));
}

/// What a contract carries along: so many tonnes of the coal plant at a price in fen.
fn contract_with(tonnes: i64, price: i64) -> ContractTerms {
    ContractTerms {
        session: SessionId(2),
        unit: COAL,
        counterparty: RETAIL,
        side: Side::Sell,
        price: yuan_per_mwh(350),
        curve: vec![CurvePoint { period: 0, energy: mwh(1) }],
        allowances: Some(AllowanceLeg { allowances: t(tonnes), price: fen(price) }),
        certificates: None,
        reference: 0,
    }
}

/// The surplus of 83,600 t that expires or is kept after 20,000 t went to the retailer with a
/// contract at a price, and, if so asked, came back for nothing on the next day.
fn expired_after(price: i64, comes_back: bool) -> i64 {
    let mut chain = metered_year();
    let sale = contract_with(20_000, price);
    let hash = sale.hash();
    let bilateral = SessionNotice { mode: Mode::Bilateral, ..notice(day("2026-08-01")) };
    chain.pass_to(bilateral.gate_open);
    chain.table(vec![
        (Who::Exchange, carbon_terms(CarbonTerms::USUAL, Some(9_749)), "ok"),
        (Who::Registry, allocate(Who::Coal, 20_000, 8), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(3_000_000), 8), "ok"),
        (Who::Exchange, Action::OpenSession(bilateral), "ok"),
        (Who::Coal, Action::Contract(ContractAction::Propose(sale)), "ok"),
        (
            Who::Retail,
            Action::Contract(ContractAction::Confirm(ContractConfirmation {
                proposal: ProposalId(1),
                hash,
            })),
            "ok",
        ),
    ]);
    if comes_back {
        chain.pass_to(day("2026-08-02").start());
        let to = Who::Coal.organisation();
        chain.done(Who::Retail, Action::TransferAllowances { to, allowances: t(20_000) });
    }
    chain.pass_to(day("2027-01-01").start());
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 100_000)], 950, 2));
    chain.done(Who::Coal, cover(1_000));
    chain.pass_to(day("2028-01-01").start());
    chain.done(Who::Registry, close_period(Who::Coal.organisation()));
    account(&chain).expired.t()
}

/// The rule counts net sales (market-rules 4.12): what comes back, or costs less than a block
/// agreement may, is none.
#[test]
fn a_round_trip_banks_nothing() {
    // Of 83,600 t, 10,000 t are kept, and of what was sold for good one and a half times as much.
    assert_eq!(expired_after(9_749, false), 83_600 - 10_000 - 30_000);
    assert_eq!(expired_after(9_749, true), 103_600 - 10_000);
    assert_eq!(expired_after(0, false), 83_600 - 10_000);
    assert_eq!(expired_after(0, true), 103_600 - 10_000);
}

#[test]
fn a_gift_banks_nothing_and_what_comes_back_of_it_costs_nothing() {
    let net = |chain: &Chain, who: Who| {
        chain.state.carbon()[&who.organisation()].sold_for_banking().unwrap().t()
    };
    let give = |to: Who, tonnes| Action::TransferAllowances {
        to: to.organisation(),
        allowances: t(tonnes),
    };
    let mut chain = Chain::new();
    chain.done(Who::Registry, allocate(Who::Coal, 100, 1));
    chain.done(Who::Coal, give(Who::Wind, 60));
    assert_eq!((net(&chain, Who::Coal), net(&chain, Who::Wind)), (0, -60));
    chain.done(Who::Wind, give(Who::Coal, 50));
    assert_eq!((net(&chain, Who::Coal), net(&chain, Who::Wind)), (0, -10));
}

#[test]
fn what_was_issued_for_a_later_year_is_no_surplus() {
    let mut chain = metered_year();
    chain.done(
        Who::Registry,
        publish(2027, duet_ledger::CompliancePeriod { due_day: day("2028-12-31"), ..period() }),
    );
    chain.pass_to(day("2027-01-01").start());
    chain.done(Who::Registry, verify(Who::Coal, vec![output(COAL, 100_000)], 950, 2));
    let ahead = duet_ledger::PreIssue {
        year: 2027,
        organisation: Who::Coal.organisation(),
        outputs: vec![output(COAL, 100_000)],
        reference: 5,
    };
    chain.done(Who::Registry, Action::Carbon(duet_ledger::CarbonAction::PreIssue(ahead)));
    chain.pass_to(day("2028-01-01").start());
    chain.done(Who::Registry, close_period(Who::Coal.organisation()));
    // 59,220 t of 2027 and 10,000 t banked stay; the 1,000 t due are still due.
    assert_eq!(account(&chain).free, t(69_220));
    assert_eq!(row(&chain).outstanding(), t(1_000));
}
