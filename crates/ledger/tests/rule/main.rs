//! Fees by the session's rule, and that no later rule changes what came of a session.

#[path = "../common/mod.rs"]
mod common;

use common::chain::Chain;
use common::market::*;
use duet_ledger::*;
use duet_units::{BasisPoints, DeliveryDay, Energy, Money, Price};
use proptest::prelude::*;

fn on(days: i32) -> DeliveryDay {
    DeliveryDay::from_days(DAY.days() + days)
}

fn publish(rule: MarketRule) -> Action {
    Action::Rule(RuleAction::Publish(Box::new(rule)))
}

/// A version of the test rule for sessions from the second day on.
fn version(version: u32, buyer_fee: FeeRule, seller_fee: FeeRule) -> MarketRule {
    let mut rule = MarketRule::plain("T0", &terms());
    (rule.version, rule.effective_from) = (version, on(2));
    (rule.buyer_fee, rule.seller_fee) = (buyer_fee, seller_fee);
    rule
}

fn per_mille(ppm: i64) -> FeeRule {
    FeeRule { of_value_ppm: ppm, ..FeeRule::FREE }
}

fn order(session: u32, unit_side: (UnitId, Side), limit: i64, quantity: i64) -> Action {
    let conductivity = BasisPoints::ZERO;
    let plain = request(unit_side, 0, limit, quantity);
    Action::SubmitOrder(OrderRequest { session: SessionId(session), conductivity, ..plain })
}

/// Publishes version 2 with these fees; under it, sells 90 MWh of hour 0 from coal to retailer at
/// 367.5 yuan/MWh on the five days from the second on (session 1), and announces the joint sessions
/// of these days (2 to 6). `between` is called at every step, to do what should not matter.
fn five_days(
    (buyer_fee, seller_fee): (FeeRule, FeeRule),
    mut between: impl FnMut(&mut Chain),
) -> Chain {
    let mut chain = Chain::new();
    let rule = chain.done(Who::Exchange, publish(version(2, buyer_fee, seller_fee)));
    let rule = RuleId(u32::try_from(rule).unwrap());
    let named = |days| SessionNotice { rule, gate_open: gate_open(on(2)), ..notice(on(days)) };
    let product = SessionNotice { mode: Mode::Call, days: 5, ..named(2) };
    chain.pass_to(gate_open(on(2)));
    chain.done(Who::Exchange, Action::OpenSession(product));
    for days in 2..7 {
        chain.done(Who::Exchange, Action::OpenSession(named(days)));
    }
    between(&mut chain);
    chain.done(Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1));
    chain.done(Who::Coal, order(1, (COAL, Side::Sell), 367, 90));
    chain.done(Who::Retail, order(1, (RETAIL, Side::Buy), 368, 90));
    between(&mut chain);
    chain.pass_to(gate_close(on(2)));
    chain.done(Who::Bank, confirm(1, true));
    between(&mut chain);
    for (session, days) in (2_u32..).zip(2..7) {
        let (day, session) = (on(days), SessionId(session));
        chain.pass_to(gate_close(day));
        chain.done(Who::Dispatcher, Action::IssueDispatch { session });
        chain.pass_to(day.next().start().plus_ms(1));
        chain.done(Who::CoalMeter, whole_day(COAL, day, &[90]));
        chain.done(Who::RetailMeter, whole_day(RETAIL, day, &[90]));
        chain.others_used_nothing(day);
        between(&mut chain);
        chain.done(Who::Exchange, Action::SettleSession { session });
    }
    chain
}

fn results(chain: &Chain) -> Vec<(SessionId, Digest)> {
    let sessions = chain.state.sessions().iter();
    sessions.map(|(id, session)| (*id, session.result_hash.unwrap())).collect()
}

/// V9: 450 MWh at 367.5 yuan/MWh are 165,375 yuan, of which 0.3 per mille are 49.61 yuan. Five
/// daily fees of 9.92 yuan would be a fen less: it is rounded once.
#[test]
fn a_fee_is_paid_once_a_trade_and_side_to_the_exchange() {
    let chain = five_days((per_mille(300), per_mille(300)), |_| {});
    assert_eq!(chain.available(Who::Exchange), Money::from_fen(2 * 4_961));
    let value = Money::from_fen(16_537_500);
    assert_eq!(chain.available(Who::Coal), value.minus(Money::from_fen(4_961)).unwrap());
    let rest = yuan(1_000_000).minus(value).unwrap();
    assert_eq!(chain.available(Who::Retail), rest.minus(Money::from_fen(4_961)).unwrap());
}

#[test]
fn fees_are_part_of_the_sealed_book() {
    let chain = five_days((per_mille(300), per_mille(300)), |_| {});
    let book = sealed::SealedBook::of(&chain.state, SessionId(6)).unwrap();
    assert_eq!(book.replay().unwrap().differences, []);
    let mut other = chain_until_first_settlement();
    assert_eq!(other.replay().unwrap().differences, []);
    other.input.rules[0].1.seller_fee = FeeRule::FREE;
    let differences = other.replay().unwrap().differences;
    assert!(!differences.is_empty(), "a book with another rule does not hold");
}

/// The book of the first of five days, taken right after its settlement.
fn chain_until_first_settlement() -> sealed::SealedBook {
    let mut first = None;
    five_days((per_mille(300), per_mille(300)), |chain| {
        if first.is_none() && chain.state.sessions()[&SessionId(2)].phase == Phase::Settled {
            first = sealed::SealedBook::of(&chain.state, SessionId(2));
        }
    });
    first.unwrap()
}

#[test]
fn each_side_pays_by_its_own_rule_on_the_first_day() {
    let per_energy = Price::from_milli_yuan_per_mwh(2_000);
    let least = FeeRule { per_energy, min: yuan(1_000), ..FeeRule::FREE };
    let mut fees = Vec::new();
    let chain = five_days((FeeRule::FREE, least), |chain| {
        let lines = chain.state.lines().iter().filter(|(_, line)| line.item == LineItem::Fee);
        fees.extend(lines.map(|((session, _), line)| (*session, line.clone())));
    });
    // 450 MWh at 2 yuan/MWh are 900 yuan; at least 1,000.
    assert_eq!(chain.available(Who::Exchange), yuan(1_000));
    let (session, line) = &fees[0];
    assert_eq!((*session, line.unit, line.trade), (SessionId(2), COAL, Some(TradeId(1))));
    assert_eq!((line.payer, line.payee), (Who::Coal.organisation(), Who::Exchange.organisation()));
    assert_eq!((line.energy, line.price), (Energy::from_kwh(450_000), None));
    assert!(fees.iter().all(|fee| fee == &fees[0]), "there is one such line, on the first day");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Whatever is published while a session runs, for whatever days still can be.
    #[test]
    fn a_later_rule_changes_no_result(
        fees in proptest::collection::vec((0..50_000_i64, 0..50_000_i64), 1..4),
    ) {
        let before = five_days((per_mille(300), FeeRule::FREE), |_| {});
        let mut next = 3;
        let after = five_days((per_mille(300), FeeRule::FREE), |chain| {
            for (buyer, seller) in &fees {
                let mut later = version(next, per_mille(*buyer), per_mille(*seller));
                later.trading.tick = Price::from_milli_yuan_per_mwh(10);
                later.effective_from = DeliveryDay::from_days(chain.time.day().days() + 2);
                chain.done(Who::Exchange, publish(later));
                next += 1;
            }
        });
        prop_assert_eq!(results(&after), results(&before));
        let money = |chain: &Chain| chain.state.balances().clone();
        prop_assert_eq!(money(&after), money(&before));
    }
}
