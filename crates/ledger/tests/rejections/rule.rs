//! 320 to 326: publishing rules, and naming them.

use crate::common::chain::Chain;
use crate::common::market::{DAY, HOUR_MS, Who, notice, terms};
use duet_ledger::{
    Action, DeviationPeriod, DeviationScheme, FeeRule, FreeBandTerms, MarketRule, Mode, Rationing,
    RuleAction, RuleId, SecondStageDesign, SessionNotice, SessionTerms,
};
use duet_units::{BasisPoints, CarbonPrice, DeliveryDay, Energy, Money, Price};
use std::collections::BTreeSet;

fn on(days: i32) -> DeliveryDay {
    DeliveryDay::from_days(DAY.days() + days)
}

/// The second version of the first test rule, in effect two days after the chain's first day.
pub(crate) fn second() -> MarketRule {
    MarketRule { version: 2, effective_from: on(2), ..MarketRule::plain("T0", &terms()) }
}

pub(crate) fn publish(rule: MarketRule) -> Action {
    Action::Rule(RuleAction::Publish(Box::new(rule)))
}

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut chain = Chain::new();
    // A ladder; the chain stands at noon of the day before DAY.
    let worst =
        MarketRule { province: "t".to_owned(), version: 3, effective_from: DAY, ..second() };
    let named = MarketRule { province: "T0".to_owned(), ..worst.clone() };
    let next = MarketRule { version: 2, ..named.clone() };
    let first = MarketRule { version: 1, province: "NEW".to_owned(), ..named.clone() };
    chain.table(vec![
        (Who::Regulator, publish(worst.clone()), "wrong-role"),
        (Who::Coal, publish(worst.clone()), "wrong-role"),
        (Who::Exchange, publish(worst), "bad-rule"),
        (Who::Exchange, publish(named), "version-not-next"),
        (Who::Exchange, publish(next.clone()), "notice-too-short"),
        (Who::Exchange, publish(MarketRule { effective_from: on(1), ..next }), "ok"),
        (Who::Exchange, publish(first.clone()), "notice-too-short"),
        (Who::Exchange, publish(MarketRule { effective_from: on(1), ..first }), "ok"),
        (Who::Exchange, publish(second()), "version-not-next"),
    ]);
    // The second version of T0 asks for a day's notice of the third as it had.
    let third = MarketRule { version: 3, effective_from: on(2), ..second() };
    chain.time = on(2).start().plus_ms(-24 * HOUR_MS + 1);
    assert_eq!(chain.send(Who::Exchange, publish(third.clone())), Err("notice-too-short"));
    chain.done(Who::Exchange, publish(MarketRule { effective_from: on(3), ..third }));
    name_rules(&mut chain);
    fill(&mut chain);
    chain.provoked
}

/// Notices for a day on which version 3 is in effect, rule 9 of the channel.
fn name_rules(chain: &mut Chain) {
    let named = |rule| SessionNotice { rule: RuleId(rule), ..notice(on(4)) };
    let open = Action::OpenSession;
    let last = chain.state.rule_in_effect("T0", on(4)).unwrap().0.0;
    let other_tick = SessionTerms { tick: Price::from_milli_yuan_per_mwh(10), ..terms() };
    let other = SessionNotice { terms: other_tick, ..named(1) };
    chain.table(vec![
        (Who::Exchange, open(SessionNotice { rule: RuleId(99), ..other.clone() }), "unknown-rule"),
        (Who::Exchange, open(other.clone()), "rule-not-in-effect"),
        (Who::Exchange, open(SessionNotice { rule: RuleId(last), ..other }), "terms-differ"),
        (Who::Exchange, open(named(last)), "ok"),
    ]);
}

/// Publishes until the channel's limit of 1,024 rules.
fn fill(chain: &mut Chain) {
    let known = chain.state.rules().len();
    let rule = |version| MarketRule { version, effective_from: on(9), ..second() };
    let body = (4_u32..).take(1_024 - known);
    let filling: Vec<_> =
        body.map(|version| chain.draft(Who::Exchange, publish(rule(version)))).collect();
    let last = 4 + u32::try_from(filling.len()).unwrap();
    let outcome = chain.block(filling);
    assert!(outcome.receipts.iter().all(duet_ledger::Receipt::is_accepted));
    assert_eq!(chain.send(Who::Exchange, publish(rule(last))), Err("too-many-rules"));
}

#[test]
fn a_rule_is_refused_for_its_first_fault() {
    provoke();
}

#[test]
fn parameters_have_limits() {
    let free = FeeRule::FREE;
    let milli = Price::from_milli_yuan_per_mwh;
    let wrong: [&dyn Fn(&mut MarketRule); 19] = [
        &|r| r.province = String::new(),
        &|r| r.province = "HEBEI SOUTH".to_owned(),
        &|r| r.province = "X".repeat(33),
        &|r| r.version = 0,
        &|r| r.effective_until = Some(on(1)),
        &|r| r.notice_hours = 23,
        &|r| r.notice_hours = 8_761,
        &|r| r.trading.tick = Price::ZERO,
        &|r| r.trading.lot = Energy::MAX,
        &|r| r.trading.ceiling = milli(r.trading.floor.milli_yuan_per_mwh() - 1),
        &|r| r.trading.price_numerator = 3,
        &|r| r.trading.k2 = BasisPoints::from_bp(10_001),
        &|r| r.buyer_fee = FeeRule { of_value_ppm: -1, ..free },
        &|r| r.seller_fee = FeeRule { fixed: Money::MAX, ..free },
        &|r| {
            let (min, cap) = (Money::from_fen(2), Some(Money::from_fen(1)));
            r.seller_fee = FeeRule { min, cap, ..free };
        },
        &|r| {
            let share = BasisPoints::from_bp(-1);
            r.deviation = DeviationScheme::FreeBand(FreeBandTerms { free: share, share });
        },
        &|r| r.deviation_period = DeviationPeriod::Month,
        &|r| r.calendar.final_day = 5,
        &|r| r.calendar.bill_day = 32,
    ];
    let mut chain = Chain::new();
    for (place, change) in wrong.into_iter().enumerate() {
        let mut rule = second();
        change(&mut rule);
        assert_eq!(chain.send(Who::Exchange, publish(rule)), Err("bad-rule"), "change {place}");
    }
    chain.done(Who::Exchange, publish(second()));
}

#[test]
fn terms_agree_with_their_rule_field_by_field() {
    let milli = Price::from_milli_yuan_per_mwh;
    let narrower: [&dyn Fn(&mut SessionNotice); 3] =
        [&|n| n.terms.floor = milli(0), &|n| n.terms.ceiling = milli(900_000), &|n| {
            n.terms.carbon_price = CarbonPrice::from_fen_per_t(1)
        }];
    let wrong: [&dyn Fn(&mut SessionNotice); 12] = [
        &|n| n.mode = Mode::Uniform(BasisPoints::ZERO),
        &|n| n.mode = Mode::Pairwise(BasisPoints::ZERO),
        &|n| n.terms.floor = milli(-100_001),
        &|n| n.terms.ceiling = milli(1_000_001),
        &|n| n.terms.tick = milli(1),
        &|n| n.terms.lot = Energy::from_kwh(2_000),
        &|n| n.terms.price_numerator = 0,
        &|n| n.terms.rationing = Rationing::GreenFirst,
        &|n| n.terms.second_stage = SecondStageDesign::None,
        &|n| n.terms.compensation_cap = Price::ZERO,
        &|n| n.terms.fund_share = BasisPoints::ZERO,
        &|n| n.terms.second_stage_chance = BasisPoints::ZERO,
    ];
    let mut chain = Chain::new();
    for (place, change) in wrong.into_iter().enumerate() {
        let mut notice = notice(DAY);
        change(&mut notice);
        let answer = chain.send(Who::Exchange, Action::OpenSession(notice));
        assert_eq!(answer, Err("terms-differ"), "change {place}");
    }
    for (days, change) in (0..).zip(narrower) {
        let mut notice = notice(on(days));
        change(&mut notice);
        chain.done(Who::Exchange, Action::OpenSession(notice));
    }
}

#[test]
fn a_product_ends_with_its_rule() {
    let mut chain = Chain::new();
    let ends = MarketRule { effective_until: Some(on(4)), ..second() };
    let rule = RuleId(u32::try_from(chain.done(Who::Exchange, publish(ends))).unwrap());
    let product = |days| {
        let mode = Mode::Call;
        Action::OpenSession(SessionNotice { rule, mode, days, ..notice(on(2)) })
    };
    assert_eq!(chain.send(Who::Exchange, product(4)), Err("rule-not-in-effect"));
    chain.done(Who::Exchange, product(3));
}

#[test]
fn the_last_version_that_covers_a_day_is_in_effect() {
    let mut chain = Chain::new();
    let in_effect = |chain: &Chain, days| {
        chain.state.rule_in_effect("T0", on(days)).map(|(_, rule)| rule.version)
    };
    chain.done(Who::Exchange, publish(second()));
    let summer =
        MarketRule { version: 3, effective_from: on(4), effective_until: Some(on(5)), ..second() };
    chain.done(Who::Exchange, publish(summer));
    let found: Vec<_> = (1..=6).map(|days| in_effect(&chain, days)).collect();
    assert_eq!(found, [1, 2, 2, 3, 3, 2].map(Some), "a rule for some days gives way again");
    assert_eq!(chain.state.rule_in_effect("NOWHERE", DAY), None);
}
