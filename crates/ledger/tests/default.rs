//! Payments that fail: the guarantee is drawn, the rest is unwound, the payer tops up.

mod common;

use common::chain::Chain;
use common::market::*;
use duet_ledger::sealed::SealedBook;
use duet_ledger::*;
use duet_units::{ClockTime, Money};

const DAY_MS: i64 = 24 * HOUR_MS;

fn pledge(fen: i64) -> Action {
    Action::Limit(LimitAction::Pledge(Money::from_fen(fen.into())))
}

fn release(fen: i64) -> Action {
    Action::Limit(LimitAction::Release(Money::from_fen(fen.into())))
}

fn guarantee(chain: &Chain, who: Who) -> Money {
    chain.state.balance(who.organisation(), AccountKind::Guarantee)
}

/// The factory buys 10, 20 and 5 MWh of wind at 100 yuan/MWh: 3,500 yuan; the retailer 10 of coal.
fn cleared(pledged: i64) -> Chain {
    let mut chain = Chain::new();
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Exchange, open(DAY.next()), "ok"),
        (Who::Bank, deposit(Who::Factory, yuan(100_000), 1), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(100_000), 2), "ok"),
        (Who::Factory, pledge(pledged), "ok"),
    ]);
    for (period, quantity) in [(0, 10), (1, 20), (2, 5)] {
        chain.done(Who::Wind, sell(WIND, period, 100, quantity));
        chain.done(Who::Factory, buy(FACTORY, period, 100, quantity));
    }
    chain.done(Who::Coal, sell(COAL, 3, 400, 10));
    chain.done(Who::Retail, buy(RETAIL, 3, 500, 10));
    chain.pass_to(gate_close(DAY));
    chain
}

fn settle(chain: &mut Chain) {
    let session = SessionId(1);
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(DAY.next().start().plus_ms(1));
    for (unit, meter) in METERS {
        chain.done(meter, whole_day(unit, DAY, &[]));
    }
    chain.done(Who::Exchange, Action::SettleSession { session });
}

/// What the factory's contracts pay the wind farm.
fn contracts(chain: &Chain) -> Money {
    let wind = Who::Wind.organisation();
    let lines = chain.state.lines().values();
    let lines = lines.filter(|line| line.item == LineItem::Contract && line.payee == wind);
    Money::sum(lines.map(|line| line.amount)).unwrap()
}

fn payment(chain: &Chain, id: u64) -> (PaymentState, Money) {
    let row = &chain.state.payments()[&PaymentId(id)];
    (row.state, row.drawn)
}

#[test]
fn a_guarantee_that_covers_the_payment_pays_it_in_full() {
    let mut chain = cleared(400_000);
    let id = chain
        .state
        .payments()
        .iter()
        .find(|(_, row)| row.payer == Who::Factory.organisation())
        .map(|(id, row)| (id.0, row.amount))
        .unwrap();
    assert_eq!(id.1, yuan(3_500));
    let outcome = {
        let action = confirm(id.0, false);
        let transaction = chain.sign(Who::Bank, action);
        chain.block(vec![transaction])
    };
    let (organisation, level) = (Who::Factory.organisation(), yuan(4_000));
    assert_eq!(
        outcome.events,
        [
            Event::PaymentResolved { payment: PaymentId(id.0), confirmed: false },
            Event::GuaranteeDrawn { organisation, payment: PaymentId(id.0), amount: yuan(3_500) },
            Event::GuaranteeDemanded { organisation, level },
        ]
    );
    assert_eq!(payment(&chain, id.0), (PaymentState::Drawn, yuan(3_500)));
    assert_eq!(guarantee(&chain, Who::Factory), yuan(500));
    assert_eq!(chain.escrow(Who::Factory), Money::ZERO);
    assert_eq!(chain.trust(), yuan(3_500));
    assert!(chain.state.trades().values().all(|trade| !trade.defaulted));
    chain.done(Who::Bank, confirm(3 - id.0, true));
    settle(&mut chain);
    assert_eq!(contracts(&chain), yuan(3_500), "the wind farm has what it sold");
    let book = SealedBook::of(&chain.state, SessionId(1)).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}

#[test]
fn a_guarantee_that_is_too_small_keeps_the_trades_that_it_covers_in_their_order() {
    // 1,000 of 1,600 yuan for the first trade; the second costs 2,000, the third 500.
    let mut chain = cleared(160_000);
    // What is found by member is built anew when a validator begins again.
    chain = chain.with_rows(|_| {});
    let retail = if chain.state.payments()[&PaymentId(1)].payer == Who::Retail.organisation() {
        1
    } else {
        2
    };
    let factory = 3 - retail;
    chain.table(vec![
        (Who::Exchange, confirm(factory, false), "wrong-role"),
        (Who::Bank, confirm(factory, false), "ok"),
        (Who::Bank, confirm(factory, false), "payment-not-proposed"),
        (Who::Bank, confirm(factory, true), "payment-not-proposed"),
        (Who::Bank, confirm(retail, false), "ok"),
    ]);
    assert_eq!(payment(&chain, factory), (PaymentState::Failed, yuan(1_500)));
    assert_eq!(payment(&chain, retail), (PaymentState::Failed, Money::ZERO));
    assert_eq!(guarantee(&chain, Who::Factory), yuan(100));
    assert_eq!(chain.trust(), yuan(1_500));
    let stands: Vec<bool> = chain.state.trades().values().map(|trade| !trade.defaulted).collect();
    assert_eq!(stands, [true, false, true, false]);
    let status = |order| chain.state.orders()[&OrderId(order)].status;
    use OrderStatus::{Defaulted, Paid};
    let statuses: Vec<OrderStatus> = (1..=8).map(status).collect();
    assert_eq!(statuses, [Paid, Paid, Defaulted, Defaulted, Paid, Paid, Defaulted, Defaulted]);
    let row = chain.state.dunning(Who::Factory.organisation()).unwrap();
    assert_eq!((row.level, row.drawn, row.unwound), (yuan(3_500), yuan(1_500), yuan(2_000)));
    let row = chain.state.dunning(Who::Retail.organisation()).unwrap();
    assert_eq!((row.drawn, row.unwound), (Money::ZERO, row.level), "it had pledged nothing");
    settle(&mut chain);
    assert_eq!(contracts(&chain), yuan(1_500));
    let book = SealedBook::of(&chain.state, SessionId(1)).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
    let mut changed = book;
    changed.input.sessions[0].payments.iter_mut().for_each(|row| row.drawn = Money::ZERO);
    assert_ne!(changed.replay().unwrap().differences, [], "what was drawn is part of the book");
}

fn next_day(chain: &mut Chain) -> Action {
    let plain = request((FACTORY, Side::Buy), 0, 100, 1);
    if chain.time < gate_open(DAY.next()) {
        chain.time = gate_open(DAY.next());
    }
    Action::SubmitOrder(OrderRequest { session: SessionId(2), ..plain })
}

#[test]
fn who_failed_to_pay_orders_again_when_its_guarantee_is_topped_up() {
    let mut chain = cleared(160_000);
    let id = if chain.state.payments()[&PaymentId(1)].payer == Who::Retail.organisation() {
        2
    } else {
        1
    };
    chain.done(Who::Bank, confirm(id, false));
    let order = next_day(&mut chain);
    chain.table(vec![
        (Who::Factory, order.clone(), "top-up-due"),
        (Who::Factory, release(1), "guarantee-needed"),
        // 100 yuan are left of 1,600; the payment was 3,500.
        (Who::Factory, pledge(339_999), "ok"),
        (Who::Factory, order.clone(), "top-up-due"),
        (Who::Factory, pledge(1), "ok"),
        (Who::Factory, order, "ok"),
        (Who::Factory, release(1), "guarantee-needed"),
    ]);
    let restored = chain.restored();
    let factory = Who::Factory.organisation();
    assert_eq!(restored.dunning(factory), chain.state.dunning(factory));
    let after: ClockTime = gate_close(DAY).plus_ms(30 * DAY_MS);
    chain.pass_to(after.plus_ms(-1));
    assert_eq!(chain.send(Who::Factory, release(350_000)), Err("guarantee-needed"));
    chain.pass_to(after);
    chain.done(Who::Factory, release(350_000));
    assert_eq!(chain.state.dunning(factory), None);
}

#[test]
fn a_second_failure_draws_what_the_first_left() {
    let mut chain = cleared(400_000);
    let factory = Who::Factory.organisation();
    let first = chain.state.payments().iter().find(|(_, row)| row.payer == factory).unwrap().0.0;
    // Ordered before the first payment fails.
    let order = next_day(&mut chain);
    let sold = OrderRequest { session: SessionId(2), ..request((WIND, Side::Sell), 0, 100, 10) };
    let OrderRequest { limit, .. } = sold;
    let Action::SubmitOrder(bought) = order else { unreachable!() };
    let bought = OrderRequest { limit, quantity: mwh(10), ..bought };
    chain.done(Who::Wind, Action::SubmitOrder(sold));
    chain.done(Who::Factory, Action::SubmitOrder(bought));
    chain.pass_to(gate_close(DAY.next()));
    chain.table(vec![
        (Who::Bank, confirm(first, false), "ok"),
        (Who::Bank, confirm(3, false), "ok"),
    ]);
    // 500 yuan do not cover the 1,000 of the second payment.
    assert_eq!(payment(&chain, 3), (PaymentState::Failed, Money::ZERO));
    let row = chain.state.dunning(factory).unwrap();
    assert_eq!((row.payments, row.level), (2, yuan(4_000)));
    assert_eq!((row.drawn, row.unwound), (yuan(3_500), yuan(1_000)));
    assert_eq!(guarantee(&chain, Who::Factory), yuan(500));
}
