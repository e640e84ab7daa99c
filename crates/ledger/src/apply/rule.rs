//! Publishing rules of the market, and which one is in effect.

use super::{Caller, Failure};
use crate::action::RuleAction;
use crate::event::Event;
use crate::ids::RuleId;
use crate::records::{Counter, MarketRule, Role};
use crate::rejection::{Refusal, Rejection};
use crate::state::State;
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
