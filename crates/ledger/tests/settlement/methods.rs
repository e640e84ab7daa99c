//! Settlement at spot prices by both official methods, and the deviation schemes.

use super::common::chain::{Chain, change_row};
use super::common::market::*;
use duet_ledger::sealed::SealedBook;
use duet_ledger::*;
use duet_market::deviation::Clawback;
use duet_units::{BasisPoints, DeliveryDay, Money, Price};

const FORWARD: SessionId = SessionId(1);
const JOINT: SessionId = SessionId(2);

/// Changes the rule of the channel, as if it had been published so.
fn under(chain: Chain, change: impl Fn(&mut MarketRule)) -> Chain {
    chain.with_rows(|rows| {
        let key = rows.keys().find(|key| key[0] == 24).unwrap().clone();
        change_row::<MarketRule>(rows, &key, &change);
    })
}

fn price(milli: i64) -> Price {
    Price::from_milli_yuan_per_mwh(milli)
}

fn publish(milli: i64) -> Action {
    let prices = vec![price(milli); 24];
    Action::Schedule(ScheduleAction::PublishPrices(PricePublication { day: DAY, prices }))
}

fn forward(action: Action) -> Action {
    let Action::SubmitOrder(request) = action else { panic!("not an order") };
    let (session, conductivity) = (FORWARD, BasisPoints::ZERO);
    Action::SubmitOrder(OrderRequest { session, conductivity, ..request })
}

fn joint(action: Action) -> Action {
    let Action::SubmitOrder(request) = action else { panic!("not an order") };
    Action::SubmitOrder(OrderRequest { session: JOINT, ..request })
}

/// Wind sells 20 MWh ahead at (340 + 360) / 2 = 350 and 10 MWh in the joint session at
/// (200 + 500) / 2 = 350 to the retailer; wind delivers 28 MWh, the retailer uses 33.
fn day(change: impl Fn(&mut MarketRule), real_time: Option<i64>) -> Chain {
    day_at(200, change, real_time)
}

/// The same with this limit of the wind farm's joint order.
fn day_at(limit: i64, change: impl Fn(&mut MarketRule), real_time: Option<i64>) -> Chain {
    let mut chain = under(Chain::new(), change);
    let ahead = SessionNotice { mode: Mode::Call, ..notice(DAY) };
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(ahead), "ok"),
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Wind, forward(sell(WIND, 0, 340, 20)), "ok"),
        (Who::Retail, forward(buy(RETAIL, 0, 360, 20)), "ok"),
        (Who::Wind, joint(sell(WIND, 0, limit, 10)), "ok"),
        (Who::Retail, joint(buy(RETAIL, 0, 500, 10)), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![(Who::Bank, confirm(1, true), "ok"), (Who::Bank, confirm(2, true), "ok")]);
    chain.done(Who::Dispatcher, Action::IssueDispatch { session: JOINT });
    chain.pass_to(DAY.next().start().plus_ms(1));
    chain.table(vec![
        (Who::WindMeter, whole_day(WIND, DAY, &[28]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[33]), "ok"),
    ]);
    if let Some(milli) = real_time {
        chain.done(Who::Dispatcher, publish(milli));
    }
    chain.others_used_nothing(DAY);
    chain.done(Who::Exchange, Action::SettleSession { session: JOINT });
    chain
}

fn lines(chain: &Chain, unit: UnitId) -> Vec<(LineItem, i64, i128)> {
    let lines = chain.state.lines().values().filter(|line| line.unit == unit);
    lines
        .filter(|line| line.item != LineItem::Prepayment)
        .map(|line| (line.item, line.energy.kwh(), line.amount.fen()))
        .collect()
}

#[test]
fn both_methods_pay_the_same() {
    // V5: Q(contract) x (Pc - Pref) + Qda x Pda + (Qrt - Qda) x Prt, here
    // 20 x (350 - 300) + 30 x 350 + (28 - 30) x 400 = 1,000 + 10,500 - 800 = 10,700 yuan.
    let by = |method| {
        let chain = day(|rule| rule.settlement = method, Some(400_000));
        assert_eq!(chain.trust(), Money::ZERO, "prepayments are given back");
        chain
    };
    let (one, two) = (by(SettlementMethod::One), by(SettlementMethod::Two));
    use LineItem::{DayAhead, Difference, RealTime, SpotContract};
    let expected =
        [(DayAhead, 30_000, 1_050_000), (Difference, 20_000, 100_000), (RealTime, -2_000, 80_000)];
    assert_eq!(lines(&one, WIND), expected);
    let expected =
        [(SpotContract, 20_000, 800_000), (DayAhead, 10_000, 350_000), (RealTime, -2_000, 80_000)];
    assert_eq!(lines(&two, WIND), expected);
    for chain in [&one, &two] {
        assert_eq!(chain.available(Who::Wind), yuan(10_700));
        // The retailer pays 1,000 + 10,500 + 3 x 400 = 12,700 of its 100,000.
        assert_eq!(chain.available(Who::Retail), yuan(87_300));
    }
}

#[test]
fn a_day_at_spot_prices_runs_again() {
    let chain = day(|rule| rule.settlement = SettlementMethod::Two, Some(-50_000));
    let book = SealedBook::of(&chain.state, JOINT).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
    let mut changed = book;
    changed.input.prices.as_mut().unwrap()[0] = price(-51_000);
    assert!(!changed.replay().unwrap().differences.is_empty());
}

#[test]
fn the_methods_differ_by_at_most_two_fen_a_period() {
    for odd in [333_333, 399_999, -123_457, 1] {
        let total = |method| {
            let chain = day(|rule| rule.settlement = method, Some(odd));
            let of = chain.available(Who::Wind).fen();
            (of, chain.available(Who::Retail).fen())
        };
        let (one, two) = (total(SettlementMethod::One), total(SettlementMethod::Two));
        assert!((one.0 - two.0).abs() <= 2 && (one.1 - two.1).abs() <= 2, "{one:?} {two:?}");
    }
}

#[test]
fn a_unit_that_bought_back_everything_pays_its_difference_without_a_meter() {
    for method in [SettlementMethod::One, SettlementMethod::Two] {
        let mut chain = under(Chain::new(), |rule| rule.settlement = method);
        let ahead = SessionNotice { mode: Mode::Call, ..notice(DAY) };
        let later = SessionNotice { gate_close: gate_close(DAY).plus_ms(HOUR_MS), ..ahead.clone() };
        let second = |action| {
            let Action::SubmitOrder(request) = forward(action) else { panic!("not an order") };
            Action::SubmitOrder(OrderRequest { session: SessionId(2), ..request })
        };
        chain.table(vec![
            (Who::Exchange, Action::OpenSession(ahead), "ok"),
            (Who::Exchange, Action::OpenSession(later), "ok"),
            (Who::Exchange, open(DAY), "ok"),
            (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
            (Who::Bank, deposit(Who::Coal, yuan(100_000), 2), "ok"),
            (Who::Coal, forward(sell(COAL, 0, 300, 20)), "ok"),
            (Who::Retail, forward(buy(RETAIL, 0, 300, 20)), "ok"),
        ]);
        chain.pass_to(gate_close(DAY));
        chain.table(vec![
            (Who::Coal, second(buy(COAL, 0, 400, 20)), "ok"),
            (Who::Wind, second(sell(WIND, 0, 400, 20)), "ok"),
        ]);
        chain.pass_to(gate_close(DAY).plus_ms(HOUR_MS));
        chain.table(vec![(Who::Bank, confirm(1, true), "ok"), (Who::Bank, confirm(2, true), "ok")]);
        let session = SessionId(3);
        chain.done(Who::Dispatcher, Action::IssueDispatch { session });
        chain.pass_to(DAY.next().start().plus_ms(1));
        chain.table(vec![
            (Who::WindMeter, whole_day(WIND, DAY, &[20]), "ok"),
            (Who::RetailMeter, whole_day(RETAIL, DAY, &[20]), "ok"),
            (Who::FactoryMeter, whole_day(FACTORY, DAY, &[]), "ok"),
            (Who::Dispatcher, publish(500_000), "ok"),
        ]);
        chain.done(Who::Exchange, Action::SettleSession { session });
        // 20 MWh sold at 300 and bought back at 400.
        assert_eq!(lines(&chain, COAL), [(LineItem::Difference, 0, 200_000)], "{method:?}");
        assert_eq!(chain.available(Who::Coal), yuan(98_000));
        assert_eq!(chain.trust(), Money::ZERO);
        let book = SealedBook::of(&chain.state, session).unwrap();
        assert_eq!(book.replay().unwrap().differences, []);
    }
}

#[test]
fn a_month_is_trued_up_at_real_time_prices_where_they_settle_its_days() {
    let trued_up = |method, real_time| {
        let mut chain = day(|rule| rule.settlement = method, real_time);
        let month = DAY.month();
        chain.pass_to(DeliveryDay::parse("2026-08-11").unwrap().start());
        let reading = MonthReading { unit: RETAIL, month, energy: mwh(34) };
        let report = Action::Statement(StatementAction::ReportMonth(reading));
        chain.done(Who::RetailMeter, report);
        chain.done(Who::Exchange, Action::Statement(StatementAction::CloseMonth(month)));
        let line = chain.state.later_lines().values().next().unwrap().line.clone();
        assert_eq!((line.item, line.energy), (LineItem::TrueUp, mwh(1)));
        (line.price.unwrap(), line.amount)
    };
    // The day cleared at 350.
    for method in [SettlementMethod::One, SettlementMethod::Two] {
        assert_eq!(trued_up(method, Some(500_000)), (price(500_000), yuan(500)));
    }
    assert_eq!(trued_up(SettlementMethod::Contract, Some(500_000)), (price(350_000), yuan(350)));
}

fn charges(chain: &Chain) -> Vec<(UnitId, i64, i128)> {
    let lines = chain.state.lines().values().filter(|l| l.item == LineItem::DeviationCharge);
    lines.map(|line| (line.unit, line.energy.kwh(), line.amount.fen())).collect()
}

fn recoveries(chain: &Chain) -> Vec<(UnitId, i128)> {
    let lines = chain.state.lines().values().filter(|line| line.item == LineItem::Recovery);
    lines.map(|line| (line.unit, line.amount.fen())).collect()
}

#[test]
fn the_spread_scheme_charges_a_shortage_three_times() {
    let chain = day(|rule| rule.deviation = DeviationScheme::Spread, None);
    // The spread is 350 - 300. Wind lacks 2 MWh: 150 each; the retailer uses 3 MWh more: 50 each.
    assert_eq!(charges(&chain), [(WIND, 2_000, 30_000), (RETAIL, 3_000, 15_000)]);
    // What wind paid goes to the users, what the retailer paid to the generators.
    assert_eq!(recoveries(&chain), [(RETAIL, 30_000), (WIND, 15_000)]);
}

#[test]
fn the_free_band_charges_what_lies_beyond_it() {
    // V6 in form: beyond 3 % of the contract, at 5 % of the price; wind is exempt.
    let terms = FreeBandTerms { free: BasisPoints::from_bp(300), share: BasisPoints::from_bp(500) };
    let chain = day(|rule| rule.deviation = DeviationScheme::FreeBand(terms.clone()), None);
    // The retailer: 3,000 - 900 kWh, at 5 % of 350 yuan/MWh: 36.75 yuan.
    assert_eq!(charges(&chain), [(RETAIL, 2_100, 3_675)]);
    assert_eq!(recoveries(&chain), [(WIND, 3_675)]);
}

#[test]
fn the_clawback_takes_what_was_gained_by_contracting_too_little() {
    // V6b in form: a user must contract at least 95 % of its use; what it lacks is charged at the
    // difference of contract and spot price, where contracts were dearer.
    let bp = BasisPoints::from_bp;
    let band =
        Clawback { least: bp(9_500), most: bp(20_000), lacking: bp(10_000), excess: bp(5_000) };
    let scheme = |rule: &mut MarketRule| rule.deviation = DeviationScheme::Band(band);
    // Everything at the price of the day: nothing was gained.
    assert_eq!(charges(&day(scheme, None)), []);
    // The joint session clears at (100 + 500) / 2 = 300. The retailer's 30 MWh cost
    // (20 x 350 + 10 x 300) / 30 = 333.333 in the mean, 33.333 above it; 0.95 x 33 MWh is 1.35
    // more than it has: 45.00 yuan. Wind has more than it must.
    let chain = day_at(100, scheme, None);
    assert_eq!(charges(&chain), [(RETAIL, 1_350, 4_500)]);
    assert_eq!(recoveries(&chain), [(WIND, 4_500)]);
    let book = SealedBook::of(&chain.state, JOINT).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}

#[test]
fn the_contracting_scheme_holds_each_kind_of_unit_to_its_own_shares() {
    let bp = BasisPoints::from_bp;
    let shares = |least, most| Clawback {
        least: bp(least),
        most: bp(most),
        lacking: bp(10_000),
        excess: bp(5_000),
    };
    // Users from 95 %, wind and sun up to 100 %; coal, which has no part in the day, nothing.
    let terms = ContractingTerms {
        user: shares(9_500, 20_000),
        thermal: shares(0, 0),
        renewable: shares(0, 10_000),
    };
    let scheme = |rule: &mut MarketRule| {
        rule.deviation = DeviationScheme::Contracting(terms.clone());
    };
    // As under one band, the retailer lacks 1.35 MWh at 33.333 yuan/MWh. Wind sold 30 and metered
    // 28: 2 MWh too many, whose contracts are 33.333 above the spot price; half of that, rounded
    // half up, is 16.667, and 2 MWh of it 33.33 yuan. The thermal shares would take 30 MWh of it.
    let chain = day_at(100, scheme, None);
    assert_eq!(charges(&chain), [(WIND, 2_000, 3_333), (RETAIL, 1_350, 4_500)]);
    assert_eq!(recoveries(&chain), [(RETAIL, 3_333), (WIND, 4_500)]);
    let book = SealedBook::of(&chain.state, JOINT).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
    // Where contracts are no dearer than the day, nobody gained.
    assert_eq!(charges(&day(scheme, None)), []);
}
