//! Curtailment between clearing and dispatch.

use super::common::chain::Chain;
use super::common::market::*;
use duet_ledger::sealed::SealedBook;
use duet_ledger::*;
use duet_units::{Energy, Money, Power};

const JOINT: SessionId = SessionId(1);

fn curtail(units: &[UnitId], limit: Energy) -> Action {
    let (units, reason) = (units.to_vec(), "line 220 kV out".to_owned());
    let request = Curtailment { day: DAY, period: 0, units, limit, reason };
    Action::Schedule(ScheduleAction::Curtail(request))
}

/// Coal sells 30 MWh and wind 10 MWh of hour 0 to the retailer, all at (400 + 500) / 2.
fn paid() -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Coal, sell(COAL, 0, 300, 30), "ok"),
        (Who::Wind, sell(WIND, 0, 200, 10), "ok"),
        (Who::Retail, buy(RETAIL, 0, 500, 40), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.done(Who::Bank, confirm(1, true));
    chain
}

fn settle(mut chain: Chain, coal: i64, wind: i64) -> Chain {
    chain.done(Who::Dispatcher, Action::IssueDispatch { session: JOINT });
    chain.pass_to(DAY.next().start().plus_ms(1));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, DAY, &[coal]), "ok"),
        (Who::WindMeter, whole_day(WIND, DAY, &[wind]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[coal + wind]), "ok"),
        (Who::Exchange, Action::SettleSession { session: JOINT }, "ok"),
    ]);
    chain
}

#[test]
fn a_line_limit_cuts_in_proportion_at_unchanged_prices_and_frees_the_money() {
    let mut chain = paid();
    assert_eq!(chain.trust(), yuan(18_000));
    let before = chain.available(Who::Retail);
    chain.done(Who::Dispatcher, curtail(&[COAL, WIND], mwh(20)));
    // 30 and 10 become 15 and 5; 20 MWh at 450 go back to the buyer.
    let cuts: Vec<_> = chain.state.cuts().values().map(|cut| (cut.energy, cut.released)).collect();
    assert_eq!(cuts.len(), 2);
    assert_eq!(cuts.iter().map(|(energy, _)| energy.kwh()).sum::<i64>(), 20_000);
    assert_eq!(chain.available(Who::Retail).fen(), before.fen() + yuan(9_000).fen());
    assert_eq!(chain.trust(), yuan(9_000));
    let log = &chain.state.curtailments()[&1];
    assert_eq!((log.cut, log.trades, log.by), (mwh(20), 2, Who::Dispatcher.public()));
    assert_eq!(log.curtailment.reason, "line 220 kV out");
    let chain = settle(chain, 15, 5);
    let setpoints: Vec<_> =
        chain.state.dispatches().values().map(|d| (d.unit, d.setpoints[0])).collect();
    assert_eq!(setpoints, [(COAL, Power::from_kw(15_000)), (WIND, Power::from_kw(5_000))]);
    let items: Vec<_> = chain.state.lines().values().map(|line| line.item).collect();
    assert_eq!(items, [LineItem::Contract; 2], "who delivers what is left does not deviate");
    assert_eq!(chain.available(Who::Coal), yuan(6_750));
    assert_eq!(chain.available(Who::Wind), yuan(2_250));
    assert_eq!(chain.trust(), Money::ZERO);
}

#[test]
fn a_second_curtailment_cuts_what_the_first_left() {
    let mut chain = paid();
    chain.done(Who::Dispatcher, curtail(&[COAL], mwh(20)));
    chain.done(Who::Dispatcher, curtail(&[COAL], mwh(5)));
    let cut: i64 = chain.state.cuts().values().map(|cut| cut.energy.kwh()).sum();
    assert_eq!(cut, 25_000);
    chain.done(Who::Dispatcher, curtail(&[COAL], Energy::ZERO));
    let chain = settle(chain, 0, 10);
    assert_eq!(chain.available(Who::Coal), Money::ZERO);
    assert_eq!(chain.available(Who::Wind), yuan(4_500));
}

#[test]
fn a_limit_of_a_user_cuts_what_it_bought() {
    let mut chain = paid();
    chain.done(Who::Dispatcher, curtail(&[RETAIL], mwh(10)));
    let cut: i64 = chain.state.cuts().values().map(|cut| cut.energy.kwh()).sum();
    assert_eq!(cut, 30_000);
}

#[test]
fn a_curtailed_day_runs_again_and_restarts() {
    let mut chain = paid();
    chain.done(Who::Dispatcher, curtail(&[COAL, WIND], mwh(20)));
    let restored = chain.restored();
    assert_eq!(restored.cuts(), chain.state.cuts());
    let chain = settle(chain, 14, 6);
    let book = SealedBook::of(&chain.state, JOINT).unwrap();
    assert_eq!(book.input.curtailments.len(), 1);
    assert_eq!(book.replay().unwrap().differences, []);
    let mut changed = book;
    changed.input.curtailments[0].limit = mwh(21);
    assert!(!changed.replay().unwrap().differences.is_empty());
}
