//! The design D.

use super::*;
use duet_ledger::sealed::SealedBook;
use duet_units::Money;

fn cleared() -> (Chain, SessionId) {
    let (mut chain, notice) = chain_with(SecondStageDesign::Uplift, 10_000);
    funded(&mut chain);
    let session = trade(&mut chain, notice, 1);
    chain.pass_to(gate_close(DAY));
    (chain, session)
}

#[test]
fn the_buyers_of_both_stages_pay_one_price_and_coal_is_lifted_in_both() {
    let (chain, session) = cleared();
    let row = clearing(&chain, session, 0);
    assert_eq!((row.price, row.buyer_price), (Some(yuan_per_mwh(350)), Some(yuan_per_mwh(350))));
    assert_eq!((row.volume, row.second_volume), (mwh(10), mwh(3)));
    assert_eq!(row.drawn, None);
    let trades: Vec<_> = chain.state.trades().values().collect();
    assert!(trades.iter().all(|trade| trade.buyer_price == yuan_per_mwh(350)));
    let gets: Vec<_> = trades.iter().map(|t| (t.stage, t.quantity, t.seller_price)).collect();
    assert_eq!(
        gets,
        [
            (Stage::First, mwh(5), yuan_per_mwh(350)),
            (Stage::First, mwh(5), yuan_per_mwh(400)),
            (Stage::Second, mwh(3), yuan_per_mwh(400)),
        ],
        "wind is in merit; coal is paid its ask"
    );
    // The rent of 5 MWh of coal at 80 yuan/MWh is 400 yuan; 5 MWh are lifted by 50 in each stage,
    // which would take 500: the fund has room for 3 MWh of the second stage.
    assert_eq!((row.fund, row.compensation), (yuan(400), yuan(400)));
}

#[test]
fn a_day_settles_and_every_posting_balances() {
    let (mut chain, session) = cleared();
    let payments: Vec<u64> = chain.state.payments().keys().map(|id| id.0).collect();
    for payment in payments {
        chain.done(Who::Bank, confirm(payment, true));
    }
    chain.done(Who::Dispatcher, Action::IssueDispatch { session });
    chain.pass_to(DAY.next().start().plus_ms(1));
    let (coal, wind) = (whole_day(COAL, DAY, &[8]), whole_day(WIND, DAY, &[5]));
    chain.table(vec![
        (Who::CoalMeter, coal, "ok"),
        (Who::WindMeter, wind, "ok"),
        (Who::RetailMeter, whole_day(RETAIL, DAY, &[10]), "ok"),
        (Who::FactoryMeter, whole_day(FACTORY, DAY, &[3]), "ok"),
        (Who::Exchange, Action::SettleSession { session }, "ok"),
    ]);
    let sum = |item| {
        let lines = chain.state.lines().values().filter(|line| line.item == item);
        Money::sum(lines.map(|line| line.amount)).unwrap()
    };
    let compensation = clearing(&chain, session, 0).compensation;
    assert!(compensation > Money::ZERO);
    assert_eq!(sum(LineItem::Compensation), compensation);
    assert_eq!(sum(LineItem::Levy), compensation);
    let first = chain.state.trades().values().find(|trade| trade.seller_price > trade.buyer_price);
    assert_eq!(first.unwrap().stage, Stage::First, "of the first stage too");
    let book = SealedBook::of(&chain.state, session).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
}

#[test]
fn an_offer_above_its_registered_cost_is_refused() {
    let (mut chain, notice) = chain_with(SecondStageDesign::Uplift, 10_000);
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(notice), "ok"),
        (Who::Coal, sell(COAL, 0, 301, 20), "above-registered-cost"),
        (Who::Coal, sell(COAL, 0, 300, 20), "ok"),
        (Who::Wind, sell(WIND, 0, 1, 5), "above-registered-cost"),
        (Who::Wind, sell(WIND, 0, -1, 5), "ok"),
    ]);
}

#[test]
fn the_design_of_a_notice_is_that_of_its_rule() {
    let (mut chain, notice) = chain_with(SecondStageDesign::Uplift, 10_000);
    let compensation = announced(DAY, SecondStageDesign::Compensation, 10_000);
    let lottery = announced(DAY, SecondStageDesign::Uplift, 9_999);
    let beyond = announced(DAY, SecondStageDesign::Uplift, 10_001);
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(compensation), "terms-differ"),
        (Who::Exchange, Action::OpenSession(lottery), "terms-differ"),
        (Who::Exchange, Action::OpenSession(beyond), "bad-terms"),
        (Who::Exchange, Action::OpenSession(notice), "ok"),
    ]);
}
