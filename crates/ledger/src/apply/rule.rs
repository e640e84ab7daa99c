//! Publishing rules of the market, and which one is in effect.

use super::{Caller, Failure};
use crate::action::{RuleAction, SessionNotice};
use crate::codec::Encode;
use crate::event::Event;
use crate::ids::RuleId;
use crate::records::{Counter, MarketRule, Mode, Role, Session, SessionTerms, TradingRule};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use duet_units::DeliveryDay;

/// The most versions of rules on a channel: they stay in the state, for a past result names its
/// rule.
const RULES_MAX: usize = 1_024;
const HOUR_MS: i64 = 3_600_000;
/// The notice of a province's first version, in hours.
const FIRST_NOTICE_HOURS: u16 = 24;

impl State {
    pub(super) fn check_rule(&self, caller: &Caller, action: &RuleAction) -> Result<(), Refusal> {
        caller.needs(&[Role::Exchange])?;
        let RuleAction::Publish(rule) = action;
        if let Some((field, value)) = rule.fault() {
            return Err(Rejection::BadRule.of(field, value, 0));
        }
        let last = self.last_version(&rule.province);
        let next = last.map_or(1, |last| last.version.saturating_add(1));
        if rule.version != next {
            return Err(Rejection::VersionNotNext.of("version", rule.version, next));
        }
        let hours = last.map_or(FIRST_NOTICE_HOURS, |last| last.notice_hours);
        let earliest = caller.time.plus_ms(i64::from(hours).saturating_mul(HOUR_MS));
        let start = rule.effective_from.start();
        if start < earliest {
            return Err(Rejection::NoticeTooShort.of(
                "effective_from",
                start.unix_ms(),
                earliest.unix_ms(),
            ));
        }
        if self.rules.rows().len() >= RULES_MAX {
            let limit = i64::try_from(RULES_MAX).unwrap_or(i64::MAX);
            return Err(Rejection::TooManyRules.of("rules", limit, limit));
        }
        Ok(())
    }

    pub(super) fn apply_rule(
        &mut self,
        caller: Caller,
        action: &RuleAction,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        self.check_rule(&caller, action)?;
        let RuleAction::Publish(rule) = action;
        let id = self.add_rule(rule);
        let (province, version) = (rule.province.clone(), rule.version);
        let effective_from = rule.effective_from;
        events.push(Event::RulePublished { rule: id, province, version, effective_from });
        Ok(u64::from(id.0))
    }

    pub(crate) fn add_rule(&mut self, rule: &MarketRule) -> RuleId {
        let id = RuleId(u32::try_from(self.next_number(Counter::Rule)).unwrap_or(u32::MAX));
        self.rules.insert(id, rule.clone());
        id
    }

    pub(crate) fn last_version(&self, province: &str) -> Option<&MarketRule> {
        let mut versions = self.rules.rows().values();
        // Versions of a province rise with the numbers of rules.
        versions.rfind(|rule| rule.province == province)
    }

    /// Holds a notice to the rule that it names.
    pub(super) fn check_rule_of(&self, notice: &SessionNotice) -> Result<(), Refusal> {
        let id = notice.rule;
        let rule = self.rules.get(id).ok_or(Rejection::UnknownRule.of("rule", id.0, 0))?;
        let in_effect = self.rule_in_effect(&rule.province, notice.day).map(|(id, _)| id);
        let last = notice.day.days().saturating_add(i32::from(notice.days).saturating_sub(1));
        if in_effect != Some(id) || !rule.covers(DeliveryDay::from_days(last)) {
            let bound = in_effect.unwrap_or_default().0;
            return Err(Rejection::RuleNotInEffect.of("rule", id.0, bound));
        }
        match differing_term(notice.mode, &notice.terms, &rule.trading) {
            Some((field, value, bound)) => Err(Rejection::TermsDiffer.of(field, value, bound)),
            None => Ok(()),
        }
    }

    /// The rule of a session.
    pub(super) fn rule_of(&self, session: &Session) -> Result<&MarketRule, BrokenInvariant> {
        self.rules.get(session.rule).ok_or(BrokenInvariant("a rule is kept for ever"))
    }

    /// The rule of a province that is in effect on a delivery day: of the versions that cover the
    /// day, the last one published.
    #[must_use]
    pub fn rule_in_effect(
        &self,
        province: &str,
        day: DeliveryDay,
    ) -> Option<(RuleId, &MarketRule)> {
        let mut rules = self.rules.rows().iter();
        rules
            .rfind(|(_, rule)| rule.province == province && rule.covers(day))
            .map(|(id, rule)| (*id, rule))
    }
}

/// The first term of a session that is not what the rule lays down: its name, its value, and the
/// rule's. The price band may be narrower than the rule's.
fn differing_term(
    mode: Mode,
    terms: &SessionTerms,
    rule: &TradingRule,
) -> Option<(&'static str, i64, i64)> {
    let price = |p: duet_units::Price| p.milli_yuan_per_mwh();
    let same = |field, value: i64, bound: i64| (field, value, bound, value == bound);
    let (floor, ceiling) = (price(terms.floor), price(terms.ceiling));
    let share = match mode {
        Mode::Uniform(k1) => same("k1", k1.bp(), rule.k1.bp()),
        Mode::Pairwise(k2) => same("k2", k2.bp(), rule.k2.bp()),
        Mode::Listing(listing) => {
            let (sharing, bound) = (listing.sharing, rule.sharing);
            ("sharing", number(&sharing), number(&bound), sharing == bound)
        }
        Mode::Continuous(phase) => same("n1", phase.n1.into(), rule.n1.into()),
        Mode::Joint | Mode::Call | Mode::Bilateral | Mode::Rolling => same("mode", 0, 0),
    };
    let terms = [
        share,
        ("floor", floor, price(rule.floor), price(rule.floor) <= floor),
        ("ceiling", ceiling, price(rule.ceiling), ceiling <= price(rule.ceiling)),
        same("tick", price(terms.tick), price(rule.tick)),
        same("lot", terms.lot.kwh(), rule.lot.kwh()),
        same("price_numerator", terms.price_numerator.into(), rule.price_numerator.into()),
        same("price_denominator", terms.price_denominator.into(), rule.price_denominator.into()),
        (
            "rationing",
            number(&terms.rationing),
            number(&rule.rationing),
            terms.rationing == rule.rationing,
        ),
        same("second_stage", number(&terms.second_stage), number(&rule.second_stage)),
        same("compensation_cap", price(terms.compensation_cap), price(rule.compensation_cap)),
        same("fund_share", terms.fund_share.bp(), rule.fund_share.bp()),
        same("second_stage_chance", terms.second_stage_chance.bp(), rule.second_stage_chance.bp()),
    ];
    let broken = terms.into_iter().find(|(.., holds)| !holds);
    broken.map(|(field, value, bound, _)| (field, value, bound))
}

/// The number of a case in canonical bytes, for the report of a refusal.
fn number(case: &impl Encode) -> i64 {
    case.to_bytes().first().copied().unwrap_or_default().into()
}
