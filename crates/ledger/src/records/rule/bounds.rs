//! The limits of a rule's parameters: within them no sum or product of a day overflows.

use super::{DeviationScheme, MarketRule};
use duet_market::deviation::Clawback;
use duet_market::fee::FeeRule;
use duet_units::{BasisPoints, Money, Price};
use std::ops::RangeInclusive;

/// The shortest notice of a new version, and that of a province's first one, in hours.
pub(super) const NOTICE_HOURS_MIN: u16 = 24;
/// The longest: a year.
const NOTICE_HOURS_MAX: u16 = 8_760;
const PROVINCE_MAX: usize = 32;
/// 1,000 yuan/kWh, as in the terms of a session.
const PRICE_MAX: i64 = 1_000_000_000;
const LOT_MAX_KWH: i64 = 1_000_000;
/// Ten billion yuan.
const FEE_MAX_FEN: i128 = 1_000_000_000_000;
/// Ten times the whole: the largest factor or share above it.
const FACTOR_MAX: i64 = 100_000;
const DAYS: RangeInclusive<i128> = 1..=31;

/// A parameter: its name, its value, its range.
type Bound = (&'static str, i128, RangeInclusive<i128>);

impl MarketRule {
    /// The first parameter that contradicts another or a limit, with its value.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, i128)> {
        let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let named = (1..=PROVINCE_MAX).contains(&self.province.len())
            && self.province.bytes().all(|byte| known(byte) || b"-_".contains(&byte));
        if !named {
            return Some(("province", 0));
        }
        let mut bounds = vec![
            ("version", self.version.into(), 1..=i128::from(u32::MAX)),
            (
                "notice_hours",
                self.notice_hours.into(),
                NOTICE_HOURS_MIN.into()..=NOTICE_HOURS_MAX.into(),
            ),
        ];
        if let Some(last) = self.effective_until {
            let from = i128::from(self.effective_from.days());
            bounds.push(("effective_until", last.days().into(), from..=i32::MAX.into()));
        }
        self.trading_bounds(&mut bounds);
        fee_bounds("buyer_fee", &self.buyer_fee, &mut bounds);
        fee_bounds("seller_fee", &self.seller_fee, &mut bounds);
        self.deviation_bounds(&mut bounds);
        self.calendar_bounds(&mut bounds);
        if let Some(guarantee) = &self.guarantee {
            bounds.push((
                "guarantee",
                guarantee.usable.bp().into(),
                1..=BasisPoints::ONE.bp().into(),
            ));
            bounds.push(("guarantee", guarantee.margin.bp().into(), 0..=FACTOR_MAX.into()));
            bounds.push(("guarantee", milli(guarantee.unit_charge), 0..=PRICE_MAX.into()));
        }
        let broken = bounds.into_iter().find(|(_, value, range)| !range.contains(value));
        broken.map(|(field, value, _)| (field, value))
    }

    fn trading_bounds(&self, bounds: &mut Vec<Bound>) {
        let rule = &self.trading;
        let (most, whole) = (i128::from(PRICE_MAX), i128::from(BasisPoints::ONE.bp()));
        bounds.extend([
            ("tick", milli(rule.tick), 1..=most),
            ("lot", rule.lot.kwh().into(), 1..=LOT_MAX_KWH.into()),
            ("floor", milli(rule.floor), most.saturating_neg()..=most),
            ("ceiling", milli(rule.ceiling), milli(rule.floor)..=most),
            ("price_denominator", rule.price_denominator.into(), 1..=u32::MAX.into()),
            ("price_numerator", rule.price_numerator.into(), 0..=rule.price_denominator.into()),
            ("k1", rule.k1.bp().into(), 0..=whole),
            ("k2", rule.k2.bp().into(), 0..=whole),
            ("compensation_cap", milli(rule.compensation_cap), 0..=most),
            ("fund_share", rule.fund_share.bp().into(), 0..=whole),
            ("second_stage_chance", rule.second_stage_chance.bp().into(), 0..=whole),
        ]);
    }

    fn deviation_bounds(&self, bounds: &mut Vec<Bound>) {
        match &self.deviation {
            // They are applied to each period of a day.
            DeviationScheme::Price | DeviationScheme::Spread => {
                bounds.push(("deviation_period", self.deviation_period.code().into(), 0..=0));
            }
            DeviationScheme::FreeBand(terms) => {
                for share in [terms.free, terms.share] {
                    bounds.push(("deviation", share.bp().into(), 0..=FACTOR_MAX.into()));
                }
            }
            DeviationScheme::Contracting(terms) => {
                for clawback in [&terms.user, &terms.thermal, &terms.renewable] {
                    clawback_bounds(clawback, bounds);
                }
            }
            DeviationScheme::Band(clawback) => clawback_bounds(clawback, bounds),
        }
    }

    fn calendar_bounds(&self, bounds: &mut Vec<Bound>) {
        let days = &self.calendar;
        let [statement, objection, last, bill] =
            [days.statement_day, days.objection_days, days.final_day, days.bill_day]
                .map(i128::from);
        bounds.extend([
            ("calendar", statement, DAYS),
            ("calendar", objection, DAYS),
            // Nothing is final before the last day to object has passed.
            ("calendar", last, statement.saturating_add(objection)..=*DAYS.end()),
            ("calendar", bill, last..=*DAYS.end()),
        ]);
    }
}

fn fee_bounds(field: &'static str, fee: &FeeRule, bounds: &mut Vec<Bound>) {
    let least = fee.min.fen();
    bounds.extend([
        (field, milli(fee.per_energy), 0..=PRICE_MAX.into()),
        (field, fee.of_value_ppm.into(), 0..=1_000_000),
        (field, fee.fixed.fen(), 0..=FEE_MAX_FEN),
        (field, least, 0..=FEE_MAX_FEN),
        (field, fee.cap.map_or(least, Money::fen), least..=FEE_MAX_FEN),
    ]);
}

fn clawback_bounds(terms: &Clawback, bounds: &mut Vec<Bound>) {
    let most = i128::from(FACTOR_MAX);
    bounds.extend([
        ("deviation", terms.least.bp().into(), 0..=most),
        ("deviation", terms.most.bp().into(), terms.least.bp().into()..=most),
        ("deviation", terms.lacking.bp().into(), 0..=most),
        ("deviation", terms.excess.bp().into(), 0..=most),
    ]);
}

fn milli(price: Price) -> i128 {
    price.milli_yuan_per_mwh().into()
}
