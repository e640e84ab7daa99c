//! 501 to 507 and 520: deposits and payments.

use crate::common::chain::Chain;
use crate::common::market::{
    DAY, FACTORY, WIND, Who, buy, confirm, deposit, gate_close, gate_open, open, request, sell,
    yuan,
};
use duet_ledger::{Action, LimitAction, OrderRequest, SessionId, Side};
use duet_units::Money;
use std::collections::BTreeSet;

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    let most = Money::from_fen(1_000_000_000_000_000);
    let too_much = Money::from_fen(1_000_000_000_000_001);
    let known = Who::Factory;
    chain.table(vec![
        (Who::Factory, deposit(Who::Stranger, Money::ZERO, 1), "wrong-role"),
        (Who::Bank, deposit(Who::Stranger, Money::ZERO, 1), "amount-not-positive"),
        (Who::Bank, deposit(known, Money::from_fen(-1), 1), "amount-not-positive"),
        (Who::Bank, deposit(known, Money::from_fen(i128::MIN), 1), "amount-not-positive"),
        (Who::Bank, deposit(Who::Stranger, too_much, 1), "unknown-organisation"),
        (Who::Bank, deposit(known, most, 1), "ok"),
        (Who::Bank, deposit(known, too_much, 1), "amount-too-large"),
        (Who::Bank, deposit(known, Money::from_fen(i128::MAX), 2), "amount-too-large"),
        (Who::Bank, deposit(known, most, 1), "reference-used"),
        // Another amount for another account does not make it another reference.
        (Who::Bank, deposit(Who::Retail, yuan(1), 1), "reference-used"),
        (Who::Bank, deposit(Who::Retail, yuan(1), 0), "ok"),
        (Who::Bank, deposit(Who::Retail, yuan(1), u64::MAX), "ok"),
    ]);
    chain.table(vec![
        (Who::Exchange, open(DAY), "ok"),
        (Who::Wind, sell(WIND, 0, 100, 1), "ok"),
        (Who::Factory, buy(FACTORY, 0, 100, 1), "ok"),
    ]);
    chain.pass_to(gate_close(DAY));
    chain.table(vec![
        (Who::Factory, confirm(99, true), "wrong-role"),
        (Who::Bank, confirm(99, true), "unknown-payment"),
        (Who::Bank, confirm(0, false), "unknown-payment"),
        (
            Who::Dispatcher,
            Action::IssueDispatch { session: duet_ledger::SessionId(1) },
            "payments-open",
        ),
        (Who::Bank, confirm(1, true), "ok"),
        (Who::Bank, confirm(1, true), "payment-not-proposed"),
        (Who::Bank, confirm(1, false), "payment-not-proposed"),
    ]);
    assert_eq!(chain.trust(), yuan(100));
    provoke_dunning(&mut chain);
    chain.provoked
}

/// 520: what was not paid is asked for as a guarantee.
fn provoke_dunning(chain: &mut Chain) {
    chain.time = gate_open(DAY.next());
    let second = |unit, side| {
        let request = request((unit, side), 0, 100, 1);
        Action::SubmitOrder(OrderRequest { session: SessionId(2), ..request })
    };
    chain.table(vec![
        (Who::Exchange, open(DAY.next()), "ok"),
        (Who::Wind, second(WIND, Side::Sell), "ok"),
        (Who::Factory, second(FACTORY, Side::Buy), "ok"),
    ]);
    chain.pass_to(gate_close(DAY.next()));
    let day = DAY.next().next();
    let third = OrderRequest { session: SessionId(3), ..request((FACTORY, Side::Buy), 0, 100, 1) };
    chain.table(vec![(Who::Exchange, open(day), "ok"), (Who::Bank, confirm(2, false), "ok")]);
    chain.time = gate_open(day);
    chain.table(vec![
        (Who::Factory, Action::SubmitOrder(third.clone()), "top-up-due"),
        (Who::Factory, Action::Limit(LimitAction::Pledge(yuan(100))), "ok"),
        (Who::Factory, Action::SubmitOrder(third), "ok"),
    ]);
}

#[test]
fn deposits_and_payments_count_once() {
    provoke();
}
