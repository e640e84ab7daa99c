//! Deviation schemes: what a deviation costs beyond its price, and who gets it.

use super::Metered;
use crate::ids::{SessionId, UnitId};
use crate::records::{
    DeviationMonth, DeviationPeriod, DeviationScheme, LineItem, Session, StatementLine, Technology,
    Unit, UnitDeviation,
};
use crate::state::{BrokenInvariant, State};
use duet_market::deviation::{
    Charge, Charged, Clawback, Delivery, FreeBand, MeanPrices, clawback, free_band, redistribute,
    spread,
};
use duet_market::quota::Account;
use duet_units::{Energy, MicroYuan, Money, Month, OverflowError, Price};
use std::collections::BTreeMap;

impl State {
    /// The charges of the rule's scheme on a delivery day, and the lines by which the other side
    /// gets the money, in proportion to metered energy.
    pub(super) fn scheme_lines(
        &self,
        (id, row): (SessionId, &Session),
        metered: &Metered,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let rule = self.rule_of(row)?;
        let scheme = &rule.deviation;
        let by_day = rule.deviation_period == DeviationPeriod::Day;
        if *scheme == DeviationScheme::Price || !by_day {
            return Ok(());
        }
        let days = self.unit_days((id, row), metered)?;
        let charges = if *scheme == DeviationScheme::Spread {
            self.spread_charges((id, row), metered)?
        } else {
            let (value, volume) = self.cleared_value(id)?;
            let cleared = mean(value, volume).unwrap_or(row.terms.reference_price);
            self.band_charges(scheme, cleared, &days)?
        };
        self.charge_lines(id, charges, &days, lines)
    }

    /// Adds a settled day to the month, if its rule compares contracts and meters over months.
    pub(super) fn keep_deviation(
        &mut self,
        (id, row): (SessionId, &Session),
        metered: &Metered,
    ) -> Result<(), BrokenInvariant> {
        if self.rule_of(row)?.deviation_period == DeviationPeriod::Day {
            return Ok(());
        }
        let month = row.day.month();
        for (unit, day) in self.unit_days((id, row), metered)? {
            let mut sum = self.unit_deviations.get((month, unit)).copied().unwrap_or_default();
            sum.contracted = sum.contracted.plus(day.contracted)?;
            sum.metered = sum.metered.plus(day.metered)?;
            sum.contract_value = plus(sum.contract_value, day.contract_value)?;
            sum.spot_value = plus(sum.spot_value, day.spot_value)?;
            self.unit_deviations.insert((month, unit), sum);
        }
        let (value, volume) = self.cleared_value(id)?;
        let (session, rule, reference) = (id, row.rule, row.terms.reference_price);
        let mut kept = DeviationMonth { session, rule, reference, volume, value };
        if let Some(before) = self.deviation_months.get(month) {
            kept.value = plus(before.value, value)?;
            kept.volume = before.volume.plus(volume)?;
            // Days may be settled out of their order.
            let seal = self.seals.get(before.session);
            if seal.is_some_and(|seal| seal.day > row.day) {
                (kept.session, kept.rule) = (before.session, before.rule);
                kept.reference = before.reference;
            }
        }
        self.deviation_months.insert(month, kept);
        Ok(())
    }

    /// The charges of a month's scheme, by the rule of the last of its days, and the lines by which
    /// the other side gets the money. A meter's month counts where it was reported.
    pub(in crate::apply) fn month_scheme_lines(
        &self,
        month: Month,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let Some(kept) = self.deviation_months.get(month) else { return Ok(()) };
        let rule = self.rules.get(kept.rule).ok_or(BrokenInvariant("rules are kept for ever"))?;
        let mut units = BTreeMap::new();
        let keys = (month, UnitId(0))..=(month, UnitId(u32::MAX));
        for ((_, unit), row) in self.unit_deviations.rows().range(keys) {
            let mut row = *row;
            let meter = self.meter_months.get((month, *unit));
            if let Some((meter, reported)) = meter.and_then(|row| Some((row, row.reported?))) {
                let price = mean(row.spot_value, row.metered).unwrap_or_default();
                let metered = row.metered.plus(reported.minus(meter.metered)?)?;
                row.metered = metered.max(Energy::ZERO);
                row.spot_value = price.value_of(row.metered)?.micro_yuan();
            }
            units.insert(*unit, row);
        }
        let cleared = mean(kept.value, kept.volume).unwrap_or(kept.reference);
        let charges = self.band_charges(&rule.deviation, cleared, &units)?;
        self.charge_lines(kept.session, charges, &units, lines)
    }

    /// A line a charge, and those by which the other side gets the money.
    fn charge_lines(
        &self,
        session: SessionId,
        charges: Vec<(UnitId, u8, Charge)>,
        units: &BTreeMap<UnitId, UnitDeviation>,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let mut recovered = [Money::ZERO; 2];
        for (unit, period, charge) in charges {
            let Some(unit_row) = self.units.get(unit) else { continue };
            if charge.amount <= Money::ZERO {
                continue;
            }
            let [of_generators, of_users] = &mut recovered;
            let sum = if unit_row.technology.consumes() { of_users } else { of_generators };
            *sum = sum.plus(charge.amount)?;
            lines.push(StatementLine {
                session,
                period,
                item: LineItem::DeviationCharge,
                unit,
                trade: None,
                payer: unit_row.owner,
                payee: self.exchange,
                energy: charge.quantity,
                price: Some(charge.price),
                amount: charge.amount,
            });
        }
        let [of_generators, of_users] = recovered;
        self.recovery_lines(session, (of_generators, true), units, lines)?;
        self.recovery_lines(session, (of_users, false), units, lines)
    }

    /// Gives recovered money to the units of one side. Without metered energy on that side it
    /// stays with the exchange, where it is recorded.
    fn recovery_lines(
        &self,
        session: SessionId,
        (recovered, to_users): (Money, bool),
        days: &BTreeMap<UnitId, UnitDeviation>,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let side: Vec<(UnitId, &Unit, Energy)> = days
            .iter()
            .filter_map(|(id, day)| self.units.get(*id).map(|unit| (*id, unit, day.metered)))
            .filter(|(_, unit, _)| unit.technology.consumes() == to_users)
            .collect();
        let metered: Vec<Energy> = side.iter().map(|(_, _, energy)| *energy).collect();
        for ((unit, row, energy), amount) in side.iter().zip(redistribute(recovered, &metered)?) {
            if amount.is_zero() {
                continue;
            }
            lines.push(StatementLine {
                session,
                period: 0,
                item: LineItem::Recovery,
                unit: *unit,
                trade: None,
                payer: self.exchange,
                payee: row.owner,
                energy: *energy,
                price: None,
                amount,
            });
        }
        Ok(())
    }

    /// The spread of a period is its clearing price less the reference price.
    fn spread_charges(
        &self,
        (id, row): (SessionId, &Session),
        metered: &Metered,
    ) -> Result<Vec<(UnitId, u8, Charge)>, BrokenInvariant> {
        let contracts = self.contracts(row.day, row.terms.resolution)?;
        let mut charges = Vec::new();
        for ((unit, period), energy) in metered {
            let contracted = contracts.get(&(*unit, *period)).copied().unwrap_or_default();
            let delivery = Delivery { contracted, metered: *energy };
            let price = self.deviation_price((id, row), *period);
            let charge = spread(&delivery, price.minus(row.terms.reference_price)?)?;
            charges.push((*unit, *period, charge));
        }
        Ok(charges)
    }

    fn band_charges(
        &self,
        scheme: &DeviationScheme,
        cleared: Price,
        days: &BTreeMap<UnitId, UnitDeviation>,
    ) -> Result<Vec<(UnitId, u8, Charge)>, BrokenInvariant> {
        let mut charges = Vec::new();
        for (id, day) in days {
            let Some(unit) = self.units.get(*id) else { continue };
            let delivery = Delivery { contracted: day.contracted, metered: day.metered };
            let charge = match scheme {
                DeviationScheme::Price | DeviationScheme::Spread => continue,
                DeviationScheme::FreeBand(terms) => {
                    let charged = charged(unit.technology);
                    let band = FreeBand { free: terms.free, share: terms.share, charged };
                    free_band(&delivery, cleared, &band)?
                }
                DeviationScheme::Contracting(terms) => {
                    let terms = match unit.technology {
                        Technology::Load => &terms.user,
                        Technology::Coal | Technology::Gas => &terms.thermal,
                        Technology::Wind | Technology::Solar => &terms.renewable,
                    };
                    clawed_back(unit, day, &delivery, terms)?
                }
                DeviationScheme::Band(terms) => clawed_back(unit, day, &delivery, terms)?,
            };
            charges.push((*id, 0, charge));
        }
        Ok(charges)
    }

    /// What a joint session cleared: its value, in micro-yuan, and its energy.
    fn cleared_value(&self, id: SessionId) -> Result<(i128, Energy), BrokenInvariant> {
        let (mut value, mut volume) = (0_i128, Energy::ZERO);
        for (_, clearing) in self.clearings.rows().range((id, 0)..=(id, u8::MAX)) {
            let Some(price) = clearing.price else { continue };
            volume = volume.plus(clearing.volume)?;
            value = plus(value, price.value_of(clearing.volume)?.micro_yuan())?;
        }
        Ok((value, volume))
    }

    fn unit_days(
        &self,
        (id, row): (SessionId, &Session),
        metered: &Metered,
    ) -> Result<BTreeMap<UnitId, UnitDeviation>, BrokenInvariant> {
        let mut days: BTreeMap<UnitId, UnitDeviation> = BTreeMap::new();
        for ((unit, period), energy) in metered {
            let day = days.entry(*unit).or_default();
            day.metered = day.metered.plus(*energy)?;
            let value = self.deviation_price((id, row), *period).value_of(*energy)?.micro_yuan();
            day.spot_value = plus(day.spot_value, value)?;
        }
        for (other, _) in self.covering(row.day) {
            for (_, trade) in self.trades_of_day(other, row.day)?.into_values().flatten() {
                let (buyer, seller) = (trade.buyer_price, trade.seller_price);
                for (order, price) in [(trade.buy, buyer), (trade.sell, seller)] {
                    let Some(order) = self.orders.get(order) else { continue };
                    let adds = self.opens(order.unit, order.side);
                    let energy = if adds { trade.quantity } else { trade.quantity.negated()? };
                    let Some(day) = days.get_mut(&order.unit) else { continue };
                    day.contracted = day.contracted.plus(energy)?;
                    let value = price.value_of(energy)?.micro_yuan();
                    day.contract_value = plus(day.contract_value, value)?;
                }
            }
        }
        Ok(days)
    }
}

fn plus(value: i128, more: i128) -> Result<i128, BrokenInvariant> {
    value.checked_add(more).ok_or(BrokenInvariant("value of a day or month"))
}

/// Whom a free band charges: water, wind and sun not at all, other than coal only a shortage
/// (Fujian draft 2021).
const fn charged(technology: Technology) -> Charged {
    match technology {
        Technology::Coal | Technology::Load => Charged::Both,
        Technology::Gas => Charged::Shortage,
        Technology::Wind | Technology::Solar => Charged::Neither,
    }
}

fn clawed_back(
    unit: &Unit,
    day: &UnitDeviation,
    delivery: &Delivery,
    terms: &Clawback,
) -> Result<Charge, OverflowError> {
    let account = if unit.technology.consumes() { Account::User } else { Account::Generator };
    let spot = mean(day.spot_value, day.metered).unwrap_or_default();
    // Without a contract there is no contract price to gain against.
    let contract = mean(day.contract_value, day.contracted).unwrap_or(spot);
    clawback(account, delivery, &MeanPrices { contract, spot }, terms)
}

/// The mean price of what is not below nothing.
fn mean(value: i128, energy: Energy) -> Option<Price> {
    let value = MicroYuan::from_micro_yuan(value);
    value.mean_price(energy).filter(|_| energy > Energy::ZERO)
}
