//! Curtailment between clearing and dispatch.

use super::common::chain::{Chain, change_row};
use super::common::market::*;
use duet_ledger::sealed::SealedBook;
use duet_ledger::*;
use duet_units::{BasisPoints, Energy, Money, Power, Resolution};

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
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[]), "ok"),
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

/// Coal sells to the retailer 5, 6 and 7 MWh of hour 0 one after another in a rolling session, at
/// 300, and 10 MWh in the joint session at (400 + 500) / 2.
fn paid_rolling() -> Chain {
    let mut chain = Chain::new();
    let rolling = SessionNotice { mode: Mode::Rolling, ..notice(DAY) };
    let of = |session, action| {
        let Action::SubmitOrder(request) = action else { panic!("not an order") };
        let conductivity = if session == 1 { BasisPoints::ZERO } else { request.conductivity };
        let session = SessionId(session);
        Action::SubmitOrder(OrderRequest { session, conductivity, ..request })
    };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(rolling), "ok"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Coal, of(1, sell(COAL, 0, 300, 18)), "ok"),
        (Who::Retail, of(1, buy(RETAIL, 0, 300, 5)), "ok"),
        (Who::Retail, of(1, buy(RETAIL, 0, 300, 6)), "ok"),
        (Who::Retail, of(1, buy(RETAIL, 0, 300, 7)), "ok"),
        (Who::Coal, of(2, sell(COAL, 0, 300, 10)), "ok"),
        (Who::Retail, of(2, buy(RETAIL, 0, 500, 10)), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![(Who::Bank, confirm(1, true), "ok"), (Who::Bank, confirm(2, true), "ok")]);
    chain
}

/// What is cut of each trade, in MWh.
fn cuts(chain: &Chain) -> Vec<(u64, i64)> {
    let cuts = chain.state.cuts().iter();
    cuts.map(|((_, trade, _), cut)| (trade.0, cut.energy.kwh() / 1_000)).collect()
}

#[test]
fn rolling_trades_are_cut_latest_first_before_any_other() {
    let mut chain = paid_rolling();
    let before = chain.available(Who::Retail);
    // 28 MWh down to 20: trade 3 loses its 7, trade 2 one; the joint trade keeps all.
    chain.done(Who::Dispatcher, curtail(&[COAL], mwh(20)));
    assert_eq!(cuts(&chain), [(2, 1), (3, 7)]);
    let freed = chain.available(Who::Retail).minus(before).unwrap();
    assert_eq!(freed, yuan(8 * 300), "at unchanged prices");
    // Down to 4: all that is left of the rolling match, and 6 of the joint trade.
    chain.done(Who::Dispatcher, curtail(&[COAL], mwh(4)));
    assert_eq!(cuts(&chain), [(1, 5), (2, 6), (3, 7), (4, 6)]);
    let freed = chain.available(Who::Retail).minus(before).unwrap();
    assert_eq!(freed, yuan(18 * 300 + 6 * 450));
}

#[test]
fn a_day_of_cut_rolling_trades_settles_and_runs_again() {
    let mut chain = paid_rolling();
    chain.done(Who::Dispatcher, curtail(&[COAL], mwh(20)));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session: SessionId(2) });
    let row = chain.state.dispatches().values().next().unwrap();
    assert_eq!(row.setpoints[0], Power::from_kw(20_000));
    chain.pass_to(DAY.next().start().plus_ms(1));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, DAY, &[20]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[20]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[]), "ok"),
        (Who::Exchange, Action::SettleSession { session: SessionId(2) }, "ok"),
    ]);
    // 5 and 5 MWh at 300, 10 at 450; nothing of trade 3, and no deviation.
    assert_eq!(chain.available(Who::Coal), yuan(10 * 300 + 10 * 450));
    assert!(chain.state.lines().values().all(|line| line.item == LineItem::Contract));
    assert_eq!(chain.trust(), Money::ZERO);
    let book = SealedBook::of(&chain.state, SessionId(2)).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}

/// Coal sells 5 kWh of hour 0 to the retailer and 5 to the factory, all at 320, before a joint
/// session of quarters; each trade has 2 kWh in the first quarter and 1 in each of the others.
fn paid_by_the_hour(change: impl Fn(&mut MarketRule)) -> Chain {
    // The second rule has lots of 1 kWh.
    let mut chain = Chain::new().with_rows(|rows| {
        let key = rows.keys().filter(|key| key[0] == 24).nth(1).unwrap().clone();
        change_row::<MarketRule>(rows, &key, &change);
    });
    let trading = chain.state.rules()[&RuleId(2)].trading.clone();
    let of = |resolution, mode| {
        let terms = SessionTerms {
            resolution,
            tick: trading.tick,
            lot: trading.lot,
            rationing: trading.rationing,
            fund_share: trading.fund_share,
            ..terms()
        };
        Action::OpenSession(SessionNotice { rule: RuleId(2), mode, terms, ..notice(DAY) })
    };
    let kwh = |unit, side, kwh| {
        let (quantity, conductivity) = (Energy::from_kwh(kwh), BasisPoints::ZERO);
        let request = request((unit, side), 0, 320, 0);
        Action::SubmitOrder(OrderRequest { quantity, conductivity, ..request })
    };
    chain.table(vec![
        (Who::Exchange, of(Resolution::Hour, Mode::Call), "ok"),
        (Who::Exchange, of(Resolution::Quarter, Mode::Joint), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(100), 2), "ok"),
        (Who::Coal, kwh(COAL, Side::Sell, 10), "ok"),
        (Who::Retail, kwh(RETAIL, Side::Buy, 5), "ok"),
        (Who::Factory, kwh(FACTORY, Side::Buy, 5), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![(Who::Bank, confirm(1, true), "ok"), (Who::Bank, confirm(2, true), "ok")]);
    chain
}

#[test]
fn a_quarter_that_is_cut_to_nothing_has_nothing_left() {
    let mut chain = paid_by_the_hour(|_| ());
    chain.done(Who::Dispatcher, curtail(&[COAL], Energy::ZERO));
    chain.done(Who::Dispatcher, Action::IssueDispatch { session: SessionId(2) });
    let row = chain.state.dispatches().values().next().unwrap();
    assert_eq!(row.setpoints[..5], [0, 8, 8, 8, 0].map(Power::from_kw));
}

#[test]
fn a_cut_quarter_is_no_contract_at_spot_prices() {
    let mut chain = paid_by_the_hour(|rule| rule.settlement = SettlementMethod::One);
    chain.done(Who::Dispatcher, curtail(&[COAL], Energy::ZERO));
    let (session, day) = (SessionId(2), DAY);
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(DAY.next().start().plus_ms(1));
    let prices = vec![yuan_per_mwh(1_000); 96];
    let publication = PricePublication { day, prices };
    chain.done(Who::Dispatcher, Action::Schedule(ScheduleAction::PublishPrices(publication)));
    for (unit, meter) in METERS {
        let mut readings = vec![Reading { energy: Energy::ZERO, quality: Quality::Good }; 96];
        for reading in &mut readings[1..4] {
            reading.energy = Energy::from_kwh(if unit == COAL { 2 } else { 1 });
        }
        let report = MeterReport { unit, day, first_period: 0, version: 1, readings };
        chain.done(meter, Action::ReportMeter(report));
    }
    chain.done(Who::Exchange, Action::SettleSession { session });
    let energies = |item| {
        let lines = chain.state.lines().values();
        let lines = lines.filter(|line| line.item == item && line.unit == COAL);
        lines.map(|line| (line.period, line.energy.kwh())).collect::<Vec<_>>()
    };
    // Nothing is left of the first quarter; 2 kWh at 320 less the reference price of 300.
    assert_eq!(energies(LineItem::RealTime), [(1, 2), (2, 2), (3, 2)]);
    assert_eq!(energies(LineItem::Difference), [(1, 2), (2, 2), (3, 2)]);
    let book = SealedBook::of(&chain.state, session).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}

#[test]
fn the_curve_of_a_dispatch_has_96_points_between_its_hours() {
    let mut chain = paid();
    chain.done(Who::Dispatcher, Action::IssueDispatch { session: JOINT });
    let mut dispatch = chain.state.dispatches().values().next().unwrap().clone();
    let kw = |dispatch: &Dispatch| -> Vec<i64> {
        dispatch.curve().unwrap().iter().map(|point| point.power.kw()).collect()
    };
    let curve = kw(&dispatch);
    assert_eq!(curve.len(), 96);
    assert_eq!(curve[..6], [30_000, 22_500, 15_000, 7_500, 0, 0]);
    // V10: 200, then 260.
    dispatch.setpoints[22] = Power::from_kw(200);
    dispatch.setpoints[23] = Power::from_kw(260);
    assert_eq!(kw(&dispatch)[88..92], [200, 215, 230, 245]);
    assert_eq!(kw(&dispatch)[92..], [260; 4], "the last hour is constant");
    // From an idle hour on the points belong to the next.
    let hours: Vec<usize> = dispatch.curve().unwrap().iter().map(|point| point.hour).collect();
    assert_eq!((hours[84], hours[85], hours[88]), (21, 22, 22));
    // Of quarters of an hour they are the setpoints.
    dispatch.setpoints = (0..96).map(Power::from_kw).collect();
    assert_eq!(kw(&dispatch), (0..96).collect::<Vec<_>>());
}
