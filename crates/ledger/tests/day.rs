//! The life of orders, money, carbon and certificates over a delivery day, in round numbers.

mod common;

use common::chain::Chain;
use common::market::*;
use duet_ledger::*;
use duet_units::{Allowances, DeliveryDay, Emissions, Energy, Money, Power};

/// Opens the first session, brings in 100,000 yuan for the retailer and 50,000 for the factory,
/// and places these orders:
///
/// | order | period | who | MWh | yuan/MWh | becomes |
/// |---|---|---|---|---|---|
/// | 1 | 0 | coal sells | 10 | 300 + 100 carbon | trade 2 |
/// | 2 | 0 | wind sells | 5 | 200 | trade 1 |
/// | 3 | 0 | retail buys | 15 | 500 | trades 1, 2 at (400 + 500) / 2 |
/// | 4 | 1 | coal sells | 20 | 300 + 100 carbon | trades 3, 4 |
/// | 5 | 1 | retail buys | 10 | 500 | trade 3 at 400 |
/// | 6 | 1 | factory buys | 10 | 350 | trade 4, second stage: 350, of which the levy adds 50 |
/// | 7 | 2 | wind sells | 10 | -50 | trade 5 |
/// | 8 | 2 | retail buys | 10 | -30 | trade 5 at -40 |
/// | 9 | 3 | factory buys | 5 | 400 | cancelled |
/// | 10 | 4 | factory buys | 5 | 100 | expired |
fn day_with_orders() -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(50_000), 2), "ok"),
        (Who::Coal, sell(COAL, 0, 300, 10), "ok"),
        (Who::Wind, sell(WIND, 0, 200, 5), "ok"),
        (Who::Retail, buy(RETAIL, 0, 500, 15), "ok"),
        (Who::Coal, sell(COAL, 1, 300, 20), "ok"),
        (Who::Retail, buy(RETAIL, 1, 500, 10), "ok"),
        (Who::Factory, buy(FACTORY, 1, 350, 10), "ok"),
        (Who::Wind, sell(WIND, 2, -50, 10), "ok"),
        (Who::Retail, buy(RETAIL, 2, -30, 10), "ok"),
        (Who::Factory, buy(FACTORY, 3, 400, 5), "ok"),
        (Who::Factory, buy(FACTORY, 4, 100, 5), "ok"),
        (Who::Factory, Action::CancelOrder { order: OrderId(9) }, "ok"),
    ]);
    chain
}

fn statuses(chain: &Chain) -> Vec<OrderStatus> {
    chain.state.orders().values().map(|order| order.status).collect()
}

fn settle(session: u32) -> Action {
    Action::SettleSession { session: SessionId(session) }
}

fn dispatch(session: u32) -> Action {
    Action::IssueDispatch { session: SessionId(session) }
}

fn after(day: DeliveryDay) -> duet_units::ClockTime {
    day.next().start().plus_ms(1)
}

#[test]
fn orders_hold_what_they_can_cost_and_a_withdrawal_gives_it_back() {
    let chain = day_with_orders();
    assert_eq!(
        statuses(&chain)[..9],
        [&[OrderStatus::Pending; 8][..], &[OrderStatus::Cancelled]].concat()
    );
    // 15 * 500 + 10 * 500, and nothing for a bid below zero.
    assert_eq!(chain.escrow(Who::Retail), yuan(12_500));
    assert_eq!(chain.available(Who::Retail), yuan(87_500));
    // 10 * 350 + 5 * 100: order 9 is withdrawn.
    assert_eq!(chain.escrow(Who::Factory), yuan(4_000));
    let coal = &chain.state.orders()[&OrderId(1)];
    assert_eq!(coal.effective, yuan_per_mwh(400), "300 and the whole carbon cost of 1 t at 100");
    assert_eq!(coal.registered_ask, yuan_per_mwh(400));
    assert_eq!(coal.rent, yuan_per_mwh(80), "of 100 of carbon, 20 is not allocated for free");
    let wind = &chain.state.orders()[&OrderId(2)];
    assert_eq!((wind.effective, wind.rent), (yuan_per_mwh(200), yuan_per_mwh(0)));
}

#[test]
fn the_gate_closes_into_trades_of_two_stages() {
    let mut chain = day_with_orders();
    let outcome = chain.pass_to(gate_close(DAY));
    let cleared =
        Event::SessionCleared { session: SessionId(1), trades: 5, first: mwh(35), second: mwh(10) };
    assert!(outcome.events.contains(&cleared), "{:?}", outcome.events);
    let trades: Vec<_> = chain
        .state
        .trades()
        .values()
        .map(|t| {
            (
                t.period,
                t.stage,
                (t.buy.0, t.sell.0),
                t.quantity,
                t.buyer_price,
                t.seller_price,
                t.paid,
                t.received,
            )
        })
        .collect();
    let expected = [
        (0, Stage::First, (3, 2), 5, 450, 450, 2_250, 2_250),
        (0, Stage::First, (3, 1), 10, 450, 450, 4_500, 4_500),
        (1, Stage::First, (5, 4), 10, 400, 400, 4_000, 4_000),
        (1, Stage::Second, (6, 4), 10, 350, 400, 3_500, 4_000),
        (2, Stage::First, (8, 7), 10, -40, -40, -400, -400),
    ];
    let expected = expected.map(|(period, stage, pair, quantity, bought, sold, paid, received)| {
        (
            period,
            stage,
            pair,
            mwh(quantity),
            yuan_per_mwh(bought),
            yuan_per_mwh(sold),
            yuan(paid),
            yuan(received),
        )
    });
    assert_eq!(trades, expected);
    let second = &chain.state.clearings()[&(SessionId(1), 1)];
    assert_eq!((second.compensation, second.fund), (yuan(500), yuan(800)));
    let payments: Vec<_> =
        chain.state.payments().values().map(|p| (p.payer, p.amount, p.state)).collect();
    assert_eq!(
        payments,
        [
            (Who::Retail.organisation(), yuan(10_750), PaymentState::Proposed),
            (Who::Factory.organisation(), yuan(3_500), PaymentState::Proposed),
        ]
    );
    assert_eq!(chain.available(Who::Retail), yuan(89_250));
    assert_eq!(chain.available(Who::Factory), yuan(46_500));
    let matched =
        [&[OrderStatus::Matched; 8][..], &[OrderStatus::Cancelled, OrderStatus::Expired]].concat();
    assert_eq!(statuses(&chain), matched);
}

/// The day up to its dispatch, with every payment confirmed.
fn paid_day() -> Chain {
    let mut chain = day_with_orders();
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Dispatcher, dispatch(1), "payments-open"),
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Bank, confirm(2, true), "ok"),
    ]);
    chain
}

#[test]
fn payment_moves_the_escrow_into_trust_and_dispatch_follows() {
    let mut chain = paid_day();
    assert_eq!(chain.trust(), yuan(14_250));
    assert_eq!((chain.escrow(Who::Retail), chain.escrow(Who::Factory)), (Money::ZERO, Money::ZERO));
    assert_eq!(statuses(&chain)[..8], [OrderStatus::Paid; 8]);
    chain.done(Who::Dispatcher, dispatch(1));
    assert_eq!(statuses(&chain)[..8], [OrderStatus::Dispatched; 8]);
    let setpoints: Vec<_> =
        chain.state.dispatches().values().map(|d| (d.unit, d.setpoints[..3].to_vec())).collect();
    let megawatts = |mw: [i64; 3]| mw.map(|mw| Power::from_kw(mw * 1_000)).to_vec();
    assert_eq!(setpoints, [(COAL, megawatts([10, 20, 0])), (WIND, megawatts([5, 0, 10]))]);
    chain.table(vec![
        (Who::CoalMeter, acknowledge(1, true), "ok"),
        (Who::WindMeter, acknowledge(2, false), "ok"),
        (Who::WindMeter, acknowledge(2, true), "dispatch-not-issued"),
    ]);
    let answers: Vec<_> = chain.state.dispatches().values().map(|d| (d.state, d.cause)).collect();
    assert_eq!(answers, [(DispatchState::Accepted, 0), (DispatchState::Refused, 7)]);
}

/// The paid day, dispatched and metered: coal 1 MWh more than sold, wind 1 less and 2 more, the
/// retailer 1 less than bought, the factory 3 more.
fn metered_day() -> Chain {
    let mut chain = paid_day();
    chain.done(Who::Dispatcher, dispatch(1));
    chain.pass_to(DAY.start().plus_ms(HOUR_MS));
    chain.done(Who::CoalMeter, meter(COAL, DAY, (0, 1), &[11]));
    chain.pass_to(after(DAY));
    let rest = |first: &[i64]| [first, &[0; 24]].concat()[..23].to_vec();
    chain.table(vec![
        (Who::Exchange, settle(1), "missing-readings"),
        (Who::CoalMeter, meter(COAL, DAY, (1, 1), &rest(&[20])), "ok"),
        (Who::WindMeter, whole_day(WIND, DAY, &[4, 0, 12]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[14, 10, 10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[0, 13]), "ok"),
    ]);
    chain
}

#[test]
fn orders_are_delivered_period_by_period() {
    let mut chain = paid_day();
    chain.done(Who::Dispatcher, dispatch(1));
    chain.pass_to(DAY.start().plus_ms(HOUR_MS));
    chain.done(Who::CoalMeter, meter(COAL, DAY, (0, 1), &[11]));
    let delivered: Vec<_> = statuses(&chain).iter().map(|s| *s == OrderStatus::Delivered).collect();
    assert_eq!(delivered, [true, false, false, false, false, false, false, false, false, false]);
    chain.table(vec![
        (Who::CoalMeter, meter(COAL, DAY, (0, 1), &[12]), "stale-version"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 2), &[12]), "ok"),
        (Who::CoalMeter, meter(COAL, DAY, (1, 1), &[20]), "not-delivered"),
    ]);
    assert_eq!(chain.state.readings()[&(COAL, DAY, 0)].energy, mwh(12));
}

#[test]
fn settlement_posts_contracts_compensation_and_deviations() {
    let mut chain = metered_day();
    assert_eq!(statuses(&chain)[..8], [OrderStatus::Delivered; 8]);
    chain.done(Who::Exchange, settle(1));
    assert_eq!(statuses(&chain)[..8], [OrderStatus::Settled; 8]);

    use LineItem::{Compensation, Contract, Deviation, Levy};
    let (coal, wind, retail, factory) = (Who::Coal, Who::Wind, Who::Retail, Who::Factory);
    let (exchange, grid) = (Who::Exchange, Who::Dispatcher);
    let expected = [
        // period, item, payer, payee, MWh, price, amount in yuan
        (0, Contract, retail, wind, 5, Some(450), 2_250),
        (0, Contract, retail, coal, 10, Some(450), 4_500),
        (1, Contract, retail, coal, 10, Some(400), 4_000),
        (1, Contract, factory, coal, 10, Some(350), 3_500),
        (1, Levy, coal, exchange, 0, None, 500),
        (1, Compensation, exchange, coal, 10, None, 500),
        // At a price below zero the seller pays.
        (2, Contract, wind, retail, 10, Some(-40), 400),
        (0, Deviation, grid, coal, 1, Some(450), 450),
        (1, Deviation, factory, grid, 3, Some(400), 1_200),
        (0, Deviation, wind, grid, -1, Some(450), 450),
        (2, Deviation, wind, grid, 2, Some(-40), 80),
        (0, Deviation, grid, retail, -1, Some(450), 450),
    ];
    let mut expected = expected.map(|(period, item, payer, payee, energy, price, amount)| {
        let (payer, payee) = (payer.organisation(), payee.organisation());
        (item, period, payer, payee, mwh(energy), price.map(yuan_per_mwh), yuan(amount))
    });
    let mut lines: Vec<_> = chain
        .state
        .lines()
        .values()
        .map(|line| {
            (line.item, line.period, line.payer, line.payee, line.energy, line.price, line.amount)
        })
        .collect();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);

    let balances = [coal, wind, retail, factory, grid].map(|who| chain.available(who));
    assert_eq!(balances, [12_450, 1_320, 90_100, 45_300, 830].map(yuan));
    assert_eq!(chain.trust(), Money::ZERO);
    chain.table(vec![
        (Who::Exchange, settle(1), "wrong-phase"),
        (Who::CoalMeter, meter(COAL, DAY, (0, 2), &[12]), "period-settled"),
    ]);
}

#[test]
fn emissions_oblige_to_surrender_allowances_once() {
    let mut chain = metered_day();
    chain.done(Who::Exchange, settle(1));
    let account = |chain: &Chain, who: Who| chain.state.carbon()[&who.organisation()].clone();
    // 31 MWh at 1 t/MWh.
    assert_eq!(account(&chain, Who::Coal).emissions, Emissions::from_g(31_000_000));
    let allocate = |who: Who, t: i64, reference| Action::AllocateAllowances {
        organisation: who.organisation(),
        allowances: Allowances::from_t(t),
        reference,
    };
    let surrender = |t| Action::SurrenderAllowances { allowances: Allowances::from_t(t) };
    let transfer = |who: Who, t| Action::TransferAllowances {
        to: who.organisation(),
        allowances: Allowances::from_t(t),
    };
    chain.table(vec![
        (Who::Coal, surrender(1), "insufficient-allowances"),
        (Who::Registry, allocate(Who::Coal, 40, 1), "ok"),
        (Who::Registry, allocate(Who::Coal, 40, 1), "reference-used"),
        (Who::Coal, surrender(32), "exceeds-obligation"),
        (Who::Coal, surrender(30), "ok"),
        (Who::Coal, surrender(2), "exceeds-obligation"),
        (Who::Coal, surrender(1), "ok"),
        (Who::Coal, surrender(1), "exceeds-obligation"),
        (Who::Coal, transfer(Who::Factory, 10), "insufficient-allowances"),
        (Who::Coal, transfer(Who::Factory, 9), "ok"),
        (Who::Factory, transfer(Who::Wind, 4), "ok"),
        (Who::Wind, surrender(1), "exceeds-obligation"),
    ]);
    let coal = account(&chain, Who::Coal);
    assert_eq!((coal.free, coal.surrendered), (Allowances::ZERO, Allowances::from_t(31)));
    assert_eq!(account(&chain, Who::Factory).free, Allowances::from_t(5));
    assert_eq!(chain.state.totals().unwrap().allocated, Allowances::from_t(40));
}

#[test]
fn an_unpaid_buyer_puts_its_trades_and_what_they_funded_in_default() {
    let mut chain = day_with_orders();
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Bank, confirm(1, false), "ok"),
        (Who::Bank, confirm(1, true), "payment-not-proposed"),
        (Who::Bank, confirm(2, true), "ok"),
        (Who::Dispatcher, dispatch(1), "ok"),
    ]);
    assert_eq!(chain.available(Who::Retail), yuan(100_000));
    use OrderStatus::{Cancelled, Defaulted, Dispatched, Expired, Settled};
    let left = |kept| {
        [
            Defaulted, Defaulted, Defaulted, kept, Defaulted, kept, Defaulted, Defaulted,
            Cancelled, Expired,
        ]
    };
    assert_eq!(statuses(&chain), left(Dispatched));
    chain.pass_to(after(DAY));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, DAY, &[0, 10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[0, 10]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[]), "ok"),
        (Who::Exchange, settle(1), "ok"),
    ]);
    assert_eq!(statuses(&chain), left(Settled));
    // The levy of 500 would have come from the rent of the retailer's trade: there is none.
    assert_eq!(chain.state.lines().len(), 1);
    let balances =
        [Who::Coal, Who::Wind, Who::Retail, Who::Factory].map(|who| chain.available(who));
    assert_eq!(balances, [3_500, 0, 100_000, 46_500].map(yuan));
}

#[test]
fn who_owes_nothing_needs_no_payment() {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Wind, sell(WIND, 0, -50, 10), "ok"),
        (Who::Factory, buy(FACTORY, 0, -30, 10), "ok"),
        (Who::Wind, sell(WIND, 1, -10, 10), "ok"),
        (Who::Factory, buy(FACTORY, 1, 10, 10), "insufficient-funds"),
        (Who::Bank, deposit(Who::Factory, yuan(100), 1), "ok"),
        (Who::Factory, buy(FACTORY, 1, 10, 10), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    // Prices of -40 and (-10 + 10) / 2 = 0.
    assert!(chain.state.payments().is_empty());
    assert_eq!(statuses(&chain), [OrderStatus::Paid; 4]);
    assert_eq!(chain.available(Who::Factory), yuan(100));
    chain.done(Who::Dispatcher, dispatch(1));
    chain.pass_to(after(DAY));
    chain.table(vec![
        (Who::WindMeter, whole_day(WIND, DAY, &[10, 10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[10, 10]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[]), "ok"),
        (Who::Exchange, settle(1), "ok"),
    ]);
    assert_eq!(statuses(&chain), [OrderStatus::Settled; 4]);
    assert_eq!(chain.available(Who::Factory), yuan(500));
    assert_eq!(chain.available(Who::Wind), yuan(-400), "only settlement overdraws an account");
    // An overdrawn account buys nothing, not even for nothing.
    assert_eq!(chain.state.totals().unwrap().money, Money::ZERO);
}

#[test]
fn readings_that_come_before_the_dispatch_deliver_at_the_dispatch() {
    let mut chain = paid_day();
    chain.pass_to(after(DAY));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, DAY, &[10, 20]), "ok"),
        (Who::WindMeter, whole_day(WIND, DAY, &[5, 0, 10]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[15, 10, 10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[0, 10]), "ok"),
        (Who::Dispatcher, dispatch(1), "ok"),
        (Who::CoalMeter, acknowledge(1, true), "dispatch-expired"),
    ]);
    assert_eq!(statuses(&chain)[..8], [OrderStatus::Delivered; 8]);
    chain.done(Who::Exchange, settle(1));
    assert_eq!(statuses(&chain)[..8], [OrderStatus::Settled; 8]);
}

#[test]
fn a_day_is_settled_only_when_its_meters_have_told_all_of_it() {
    let mut chain = paid_day();
    chain.done(Who::Dispatcher, dispatch(1));
    chain.pass_to(after(DAY));
    chain.table(vec![
        (Who::CoalMeter, meter(COAL, DAY, (0, 1), &[10, 20]), "ok"),
        (Who::WindMeter, whole_day(WIND, DAY, &[5, 0, 10]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[15, 10, 10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[0, 10]), "ok"),
        // What coal made of its own in the afternoon is paid and emits, too.
        (Who::Exchange, settle(1), "missing-readings"),
        (Who::CoalMeter, meter(COAL, DAY, (2, 1), &[0; 22]), "ok"),
        (Who::Exchange, settle(1), "ok"),
    ]);
}

#[test]
fn a_session_that_is_called_off_gives_everything_back() {
    let mut chain = day_with_orders();
    let intervene = |intervention| Action::Intervene {
        session: SessionId(1),
        intervention,
        reason: "a drill".to_owned(),
    };
    chain.table(vec![
        (Who::Regulator, intervene(Intervention::Halt), "ok"),
        (Who::Regulator, intervene(Intervention::Halt), "wrong-phase"),
        (Who::Wind, sell(WIND, 5, 1, 1), "session-halted"),
        (Who::Wind, Action::CancelOrder { order: OrderId(2) }, "ok"),
        (Who::Exchange, intervene(Intervention::Resume), "ok"),
        (Who::Wind, sell(WIND, 5, 1, 1), "ok"),
        (Who::Regulator, intervene(Intervention::Void), "ok"),
        (Who::Wind, sell(WIND, 5, 1, 1), "gate-closed"),
    ]);
    for (id, order) in chain.state.orders() {
        let withdrawn = [2, 9].contains(&id.0);
        let end = if withdrawn { OrderStatus::Cancelled } else { OrderStatus::Expired };
        assert_eq!(order.status, end, "order {id}");
    }
    assert_eq!(chain.available(Who::Retail), yuan(100_000));
    assert_eq!(chain.available(Who::Factory), yuan(50_000));
    chain.done(
        Who::Exchange,
        Action::OpenSession(SessionNotice { gate_open: chain.time, ..notice(DAY) }),
    );
}

#[test]
fn a_halted_session_keeps_its_orders_past_its_gate_and_clears_when_resumed() {
    let mut chain = day_with_orders();
    let intervene = |intervention| Action::Intervene {
        session: SessionId(1),
        intervention,
        reason: String::new(),
    };
    chain.done(Who::Regulator, intervene(Intervention::Halt));
    chain.pass_to(gate_close(DAY).plus_ms(1));
    chain.table(vec![
        (Who::Wind, sell(WIND, 5, 1, 1), "gate-closed"),
        (Who::Exchange, intervene(Intervention::Resume), "ok"),
    ]);
    chain.pass_to(gate_close(DAY).plus_ms(2));
    assert_eq!(chain.state.trades().len(), 5);
}

#[test]
fn a_forgotten_session_leaves_the_readings_of_another_of_the_same_day() {
    let mut chain = Chain::new();
    let void = |session| Action::Intervene {
        session: SessionId(session),
        intervention: Intervention::Void,
        reason: String::new(),
    };
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Exchange, void(1), "ok"),
        (Who::Exchange, open(DAY), "ok"),
    ]);
    chain.pass_to(after(DAY));
    chain.done(Who::CoalMeter, whole_day(COAL, DAY, &[10]));
    for session in 3..7 {
        let day = DeliveryDay::from_days(DAY.days() + 10);
        chain.done(Who::Exchange, open(day));
        chain.done(Who::Exchange, void(session));
    }
    chain.done(Who::Exchange, open(DeliveryDay::from_days(DAY.days() + 11)));
    assert!(!chain.state.sessions().contains_key(&SessionId(1)), "voided and forgotten");
    assert_eq!(chain.state.readings().len(), 24);
    chain.others_used_nothing(DAY);
    chain.table(vec![(Who::Dispatcher, dispatch(2), "ok"), (Who::Exchange, settle(2), "ok")]);
    assert_eq!(chain.available(Who::Coal), yuan(3_000), "10 MWh at the reference price");
}

#[test]
fn certificates_carry_over_days_split_move_once_and_are_retired() {
    let mut chain = Chain::new();
    let kwh = |unit, day, kwh: i64| {
        let reading = |energy| Reading { energy: Energy::from_kwh(energy), quality: Quality::Good };
        let mut readings = vec![reading(0); 24];
        readings[0] = reading(kwh);
        Action::ReportMeter(MeterReport { unit, day, first_period: 0, version: 1, readings })
    };
    chain.table(vec![(Who::Exchange, open(DAY), "ok"), (Who::Exchange, open(DAY.next()), "ok")]);
    for (session, day, metered) in [(1, DAY, 2_600), (2, DAY.next(), 1_400)] {
        chain.pass_to(gate_close(day).max(chain.time));
        chain.done(Who::Dispatcher, dispatch(session));
        chain.pass_to(after(day));
        chain.done(Who::WindMeter, kwh(WIND, day, metered));
        chain.others_used_nothing(day);
        chain.done(Who::Exchange, settle(session));
    }
    // 2,600 kWh: 2 certificates and 600 kWh left; with 1,400 kWh more: 2 and nothing left.
    let lots = |chain: &Chain| -> Vec<_> {
        let lots = chain.state.lots().values();
        lots.map(|lot| (lot.first, lot.count, lot.owner, lot.state, lot.carry.kwh())).collect()
    };
    let (wind, retail) = (Who::Wind.organisation(), Who::Retail.organisation());
    use CertificateState::{Issued, Retired, Transferred};
    assert_eq!(lots(&chain), [(1, 2, wind, Issued, 600), (3, 2, wind, Issued, 0)]);
    let transfer = |lot, count, who: Who| Action::TransferCertificates {
        lot: CertificateLotId(lot),
        count,
        to: who.organisation(),
    };
    let retire = |lot, count| Action::RetireCertificates {
        lot: CertificateLotId(lot),
        count,
        purpose: RetirementPurpose::Claim,
        beneficiary: "a bakery".to_owned(),
    };
    chain.table(vec![
        (Who::Wind, transfer(1, 3, Who::Retail), "too-many-certificates"),
        (Who::Wind, transfer(1, 1, Who::Retail), "ok"),
        (Who::Retail, retire(3, 2), "too-many-certificates"),
        (Who::Retail, retire(3, 1), "ok"),
        (Who::Retail, retire(3, 1), "certificate-ended"),
        (Who::Wind, transfer(2, 2, Who::Coal), "ok"),
        (Who::Coal, transfer(2, 1, Who::Wind), "already-transferred"),
        (Who::Wind, retire(1, 1), "ok"),
    ]);
    let coal = Who::Coal.organisation();
    assert_eq!(
        lots(&chain),
        [(2, 1, wind, Retired, 600), (3, 2, coal, Transferred, 0), (1, 1, retail, Retired, 600),]
    );
    let retirement = chain.state.lots()[&CertificateLotId(3)].retirement.clone().unwrap();
    assert_eq!((retirement.beneficiary.as_str(), retirement.organisation), ("a bakery", None));
}

#[test]
fn what_carbon_did_to_a_price_is_measured_when_it_clears() {
    let mut chain = day_with_orders();
    chain.pass_to(gate_close(DAY));
    let measured = &chain.state.pass_through()[&(SessionId(1), 0)];
    // With carbon between 400 and 500, without between 300 and 500; coal's carbon costs 100.
    let half = duet_units::BasisPoints::from_bp(5_000);
    let expected = PassThrough {
        with: Some(yuan_per_mwh(450)),
        without: Some(yuan_per_mwh(400)),
        measured: Some(half),
        cap_hits: 0,
    };
    assert_eq!(measured, &expected);
    let wind = &chain.state.pass_through()[&(SessionId(1), 2)];
    assert_eq!((wind.with, wind.without), (Some(yuan_per_mwh(-40)), Some(yuan_per_mwh(-40))));
    assert_eq!(wind.measured, None, "wind at the margin bears no carbon cost");
    assert_eq!(chain.restored().pass_through(), chain.state.pass_through());
}

#[test]
fn an_offer_reckons_with_carbon_on_the_basis_of_the_rule() {
    // 1,000 g/kWh against a benchmark of 800, at 100 yuan/t and full conductivity.
    for (basis, effective) in
        [(CostBasis::None, 300), (CostBasis::Full, 400), (CostBasis::NetOfBenchmark, 320)]
    {
        let mut chain = Chain::new().with_rows(|rows| {
            let row = rows.iter_mut().find(|(key, _)| key[0] == 24).unwrap().1;
            let mut rule: MarketRule = decode_all(row).unwrap();
            rule.cost_basis = basis;
            *row = rule.to_bytes();
        });
        chain.done(Who::Exchange, open(DAY));
        chain.done(Who::Coal, sell(COAL, 0, 300, 10));
        assert_eq!(
            chain.state.orders()[&OrderId(1)].effective,
            yuan_per_mwh(effective),
            "{basis:?}"
        );
    }
}

#[test]
fn who_pays_for_carbon_answers_for_it() {
    let mut chain = paid_day();
    chain.done(Who::Dispatcher, dispatch(1));
    chain.pass_to(after(DAY));
    chain.table(vec![
        (Who::CoalMeter, whole_day(COAL, DAY, &[10, 20, 0]), "ok"),
        (Who::WindMeter, whole_day(WIND, DAY, &[5, 0, 10]), "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[15, 10, 10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[0, 10, 0]), "ok"),
        (Who::Exchange, settle(1), "ok"),
    ]);
    let share = |who: Who| chain.state.carbon_shares()[&(SessionId(1), who.organisation())].clone();
    let grams = |g: i128| Emissions::from_g(g);
    // Coal sold 30 MWh at 1 t/MWh and passed all of it on; of 45 MWh the retailer bought 35.
    assert_eq!((share(Who::Coal).kept, share(Who::Wind).kept), (grams(0), grams(0)));
    assert_eq!(share(Who::Retail).received, grams(23_333_333));
    assert_eq!(share(Who::Factory).received, grams(6_666_667));
}
