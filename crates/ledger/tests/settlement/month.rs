//! Deviation schemes that compare contracts and meters over a month.

use super::common::chain::{Chain, change_row};
use super::common::market::*;
use duet_ledger::sealed::SealedBook;
use duet_ledger::*;
use duet_market::deviation::Clawback;
use duet_units::{BasisPoints, DeliveryDay, Energy, Price};

/// Two days in a row of a month, by their joint sessions.
const DAYS: [(u32, DeliveryDay); 2] = [(1, DAY), (2, DeliveryDay::from_days(DAY.days() + 1))];

/// A channel whose first rule has this scheme, by the month, and ticks of 0.01 yuan.
fn chain(scheme: &DeviationScheme, period: DeviationPeriod) -> Chain {
    Chain::new().with_rows(|rows| {
        let key = rows.keys().find(|key| key[0] == 24).unwrap().clone();
        change_row::<MarketRule>(rows, &key, |rule| {
            rule.deviation = scheme.clone();
            rule.deviation_period = period;
            rule.trading.tick = Price::from_milli_yuan_per_mwh(10);
        });
    })
}

fn with_ticks(mut notice: SessionNotice) -> Action {
    notice.terms.tick = Price::from_milli_yuan_per_mwh(10);
    Action::OpenSession(notice)
}

/// Coal sells this much in each of the first ten hours to the retailer, at one price.
fn trade(chain: &mut Chain, session: u32, milli: i64, hourly: i64) {
    for (who, unit, side) in [(Who::Coal, COAL, Side::Sell), (Who::Retail, RETAIL, Side::Buy)] {
        for period in 0..10 {
            let order = OrderRequest {
                session: SessionId(session),
                limit: Price::from_milli_yuan_per_mwh(milli),
                conductivity: BasisPoints::ZERO,
                ..request((unit, side), period, 0, hourly)
            };
            chain.done(who, Action::SubmitOrder(order));
        }
    }
}

/// The trades of a day of the band: 400 MWh on the first, 600 on the second.
fn trade_when_open(chain: &mut Chain, (session, day): (u32, DeliveryDay)) {
    chain.time = gate_open(day);
    trade(chain, session, 372_340, if session == 1 { 40 } else { 60 });
}

/// The whole day's energy in its first ten hours.
fn metered(chain: &mut Chain, (unit, meter): (UnitId, Who), day: DeliveryDay, kwh: i64) {
    let reading = |kwh| Reading { energy: Energy::from_kwh(kwh), quality: Quality::Good };
    let mut readings = vec![reading(kwh / 10); 10];
    readings.resize(24, reading(0));
    let report = MeterReport { unit, day, first_period: 0, version: 1, readings };
    chain.done(meter, Action::ReportMeter(report));
}

fn confirm_all(chain: &mut Chain) {
    let open =
        |(id, row): (&PaymentId, &Payment)| (row.state == PaymentState::Proposed).then_some(id.0);
    let ids: Vec<u64> = chain.state.payments().iter().filter_map(open).collect();
    for id in ids {
        chain.done(Who::Bank, confirm(id, true));
    }
}

/// Settles both days with the energy of coal, wind and the retailer on each.
fn deliver(chain: &mut Chain, energies: [[i64; 3]; 2]) {
    for ((session, day), [coal, wind, retail]) in DAYS.into_iter().zip(energies) {
        let session = SessionId(session);
        chain.pass_to(gate_close(day).max(chain.time));
        confirm_all(chain);
        chain.done(Who::Dispatcher, Action::IssueDispatch { session });
        chain.pass_to(day.next().start().plus_ms(1));
        metered(chain, (COAL, Who::CoalMeter), day, coal);
        metered(chain, (WIND, Who::WindMeter), day, wind);
        metered(chain, (RETAIL, Who::RetailMeter), day, retail);
        chain.others_used_nothing(day);
        chain.done(Who::Exchange, Action::SettleSession { session });
        let book = SealedBook::of(&chain.state, session).unwrap();
        assert_eq!(book.replay().unwrap().differences, []);
    }
}

fn close(chain: &mut Chain) {
    chain.pass_to(DeliveryDay::parse("2026-08-11").unwrap().start());
    let month = Action::Statement(StatementAction::CloseMonth(DAY.month()));
    chain.done(Who::Exchange, month.clone());
    assert_eq!(chain.send(Who::Exchange, month), Err("month-closed"), "charges count once");
}

/// Item, unit, energy and amount of the charges and refunds at the end of the month.
fn month_end(chain: &Chain) -> Vec<(LineItem, UnitId, i64, i128)> {
    let lines = chain.state.later_lines().values().map(|row| &row.line);
    lines
        .filter(|line| matches!(line.item, LineItem::DeviationCharge | LineItem::Recovery))
        .map(|line| (line.item, line.unit, line.energy.kwh(), line.amount.fen()))
        .collect()
}

fn daily(chain: &Chain) -> Vec<i64> {
    let lines = chain.state.lines().values();
    let lines = lines.filter(|line| line.item == LineItem::DeviationCharge);
    lines.map(|line| line.energy.kwh()).collect()
}

fn free_band() -> DeviationScheme {
    let (free, share) = (BasisPoints::from_bp(300), BasisPoints::from_bp(500));
    DeviationScheme::FreeBand(FreeBandTerms { free, share })
}

/// 1,000 MWh contracted, 1,062.5 MWh metered, the last half MWh only by the month's reading.
fn band_month(period: DeviationPeriod) -> Chain {
    let mut chain = chain(&free_band(), period);
    chain.done(Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1));
    for (session, day) in DAYS {
        chain.done(Who::Exchange, with_ticks(notice(day)));
        trade_when_open(&mut chain, (session, day));
    }
    deliver(&mut chain, [[400_000, 0, 380_000], [600_000, 0, 682_000]]);
    chain
}

#[test]
fn a_months_free_band_is_v6() {
    let mut chain = band_month(DeviationPeriod::Month);
    assert_eq!(daily(&chain), [], "a day alone is not compared");
    chain.pass_to(DeliveryDay::parse("2026-08-03").unwrap().start());
    let (unit, month, energy) = (RETAIL, DAY.month(), Energy::from_kwh(1_062_500));
    let report = StatementAction::ReportMonth(MonthReading { unit, month, energy });
    chain.done(Who::RetailMeter, Action::Statement(report));
    close(&mut chain);
    // V6: 62,500 - 30,000 kWh at 5 % of 372.34 yuan/MWh; it goes to the generators.
    let expected = [
        (LineItem::DeviationCharge, RETAIL, 32_500, 60_505),
        (LineItem::Recovery, COAL, 1_000_000, 60_505),
    ];
    assert_eq!(month_end(&chain), expected);
    let retail = &chain.state.months()[&(month, Who::Retail.organisation())];
    let sum = retail.items.iter().find(|sum| sum.item == LineItem::DeviationCharge).unwrap();
    assert_eq!((sum.lines, sum.paid.fen()), (1, 60_505), "it is in the month's statement");
    let restored = chain.restored();
    assert_eq!(restored.later_lines(), chain.state.later_lines());
}

#[test]
fn a_month_goes_by_the_rule_of_its_last_day_however_its_days_were_settled() {
    let mut chain = chain(&free_band(), DeviationPeriod::Month);
    let first = chain.state.rules()[&RuleId(1)].clone();
    // The rule of the second day takes 10 % instead of 5.
    chain = chain.with_rows(|rows| {
        let key = rows.keys().filter(|key| key[0] == 24).nth(1).unwrap().clone();
        change_row::<MarketRule>(rows, &key, |rule| {
            let (free, share) = (BasisPoints::from_bp(300), BasisPoints::from_bp(1_000));
            let deviation = DeviationScheme::FreeBand(FreeBandTerms { free, share });
            let province = rule.province.clone();
            *rule = MarketRule { province, deviation, ..first.clone() };
        });
    });
    chain.done(Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1));
    for ((session, day), rule) in DAYS.into_iter().zip([1, 2]) {
        let rule = RuleId(rule);
        chain.done(Who::Exchange, with_ticks(SessionNotice { rule, ..notice(day) }));
        trade_when_open(&mut chain, (session, day));
    }
    for ((session, day), kwh) in DAYS.into_iter().zip([380_000, 682_500]) {
        let session = SessionId(session);
        chain.pass_to(gate_close(day).max(chain.time));
        confirm_all(&mut chain);
        chain.done(Who::Dispatcher, Action::IssueDispatch { session });
        chain.pass_to(day.next().start().plus_ms(1));
        metered(
            &mut chain,
            (COAL, Who::CoalMeter),
            day,
            if kwh < 400_000 { 400_000 } else { 600_000 },
        );
        metered(&mut chain, (RETAIL, Who::RetailMeter), day, kwh);
        metered(&mut chain, (FACTORY, Who::FactoryMeter), day, 0);
    }
    for session in [2, 1] {
        chain.done(Who::Exchange, Action::SettleSession { session: SessionId(session) });
    }
    close(&mut chain);
    // As V6, at twice the share: 32,500 kWh at 37.234 yuan/MWh.
    let expected = [
        (LineItem::DeviationCharge, RETAIL, 32_500, 121_011),
        (LineItem::Recovery, COAL, 1_000_000, 121_011),
    ];
    assert_eq!(month_end(&chain), expected);
}

#[test]
fn the_same_band_by_the_day_charges_each_day() {
    let mut chain = band_month(DeviationPeriod::Day);
    // Day one lacks 20 of 400 MWh, 12 are free; day two has 82 above 600, 18 are free.
    assert_eq!(daily(&chain), [8_000, 64_000]);
    close(&mut chain);
    assert_eq!(month_end(&chain), []);
}

#[test]
fn a_months_clawback_is_v6b_and_is_shared_by_metered_energy() {
    let bp = BasisPoints::from_bp;
    let none = Clawback { least: bp(0), most: bp(20_000), lacking: bp(0), excess: bp(0) };
    let user =
        Clawback { least: bp(6_000), most: bp(20_000), lacking: BasisPoints::ONE, excess: bp(0) };
    let terms = ContractingTerms { user, thermal: none, renewable: none };
    let mut chain = chain(&DeviationScheme::Contracting(terms), DeviationPeriod::Month);
    chain.done(Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1));
    for (_, day) in DAYS {
        chain.done(Who::Exchange, with_ticks(notice(day)));
    }
    let ahead = SessionNotice { mode: Mode::Call, days: 2, ..notice(DAY) };
    chain.done(Who::Exchange, with_ticks(ahead));
    // 520 MWh at 332.64; nothing clears in the joint sessions, so spot is the reference of 300.
    trade(&mut chain, 3, 332_640, 26);
    deliver(&mut chain, [[260_000, 130_000, 400_000], [260_000, 130_000, 600_000]]);
    assert_eq!(daily(&chain), []);
    close(&mut chain);
    // V6b: 0.6 x 1,000 - 520 MWh at 32.64 yuan/MWh; two thirds to coal, one to wind.
    let expected = [
        (LineItem::DeviationCharge, RETAIL, 80_000, 261_120),
        (LineItem::Recovery, COAL, 520_000, 174_080),
        (LineItem::Recovery, WIND, 260_000, 87_040),
    ];
    assert_eq!(month_end(&chain), expected);
}
