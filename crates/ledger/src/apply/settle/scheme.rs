//! Deviation schemes: what a deviation costs beyond its price, and who gets it.

use super::Metered;
use crate::ids::{SessionId, UnitId};
use crate::records::{DeviationScheme, LineItem, Session, StatementLine, Technology, Unit};
use crate::state::{BrokenInvariant, State};
use duet_market::deviation::{
    Charge, Charged, Clawback, Delivery, FreeBand, MeanPrices, clawback, free_band, redistribute,
    spread,
};
use duet_market::quota::Account;
use duet_units::{Energy, Money, OverflowError, Price, div_half_away};
use std::collections::BTreeMap;

/// A unit's day: what it contracted, what its meter says, and the values of both at the prices of
/// their trades and periods, in micro-yuan.
#[derive(Clone, Copy, Debug, Default)]
struct UnitDay {
    contracted: Energy,
    metered: Energy,
    contract_value: i128,
    spot_value: i128,
}

impl State {
    /// The charges of the rule's scheme, and the lines by which the other side gets the money, in
    /// proportion to metered energy. Schemes of a month are applied to the delivery day: clearing
    /// is daily.
    pub(super) fn scheme_lines(
        &self,
        (id, row): (SessionId, &Session),
        metered: &Metered,
        lines: &mut Vec<StatementLine>,
    ) -> Result<(), BrokenInvariant> {
        let scheme = &self.rule_of(row)?.deviation;
        if *scheme == DeviationScheme::Price {
            return Ok(());
        }
        let days = self.unit_days((id, row), metered)?;
        let charges = if *scheme == DeviationScheme::Spread {
            self.spread_charges((id, row), metered)?
        } else {
            self.day_charges((id, row), scheme, &days)?
        };
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
                session: id,
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
        self.recovery_lines(id, (of_generators, true), &days, lines)?;
        self.recovery_lines(id, (of_users, false), &days, lines)
    }

    /// Gives recovered money to the units of one side. Without metered energy on that side it
    /// stays with the exchange, where it is recorded.
    fn recovery_lines(
        &self,
        session: SessionId,
        (recovered, to_users): (Money, bool),
        days: &BTreeMap<UnitId, UnitDay>,
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

    fn day_charges(
        &self,
        (id, row): (SessionId, &Session),
        scheme: &DeviationScheme,
        days: &BTreeMap<UnitId, UnitDay>,
    ) -> Result<Vec<(UnitId, u8, Charge)>, BrokenInvariant> {
        let cleared = self.day_price((id, row))?;
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

    /// The day's clearing price, weighted by traded energy; the reference price if nothing traded.
    fn day_price(&self, (id, row): (SessionId, &Session)) -> Result<Price, BrokenInvariant> {
        let (mut value, mut volume) = (0_i128, Energy::ZERO);
        for (_, clearing) in self.clearings.rows().range((id, 0)..=(id, u8::MAX)) {
            let Some(price) = clearing.price else { continue };
            volume = volume.plus(clearing.volume)?;
            let more = price.value_of(clearing.volume)?.micro_yuan();
            value = value.checked_add(more).ok_or(BrokenInvariant("value of a day"))?;
        }
        Ok(mean(value, volume).unwrap_or(row.terms.reference_price))
    }

    fn unit_days(
        &self,
        (id, row): (SessionId, &Session),
        metered: &Metered,
    ) -> Result<BTreeMap<UnitId, UnitDay>, BrokenInvariant> {
        let mut days: BTreeMap<UnitId, UnitDay> = BTreeMap::new();
        let sum = BrokenInvariant("value of a day");
        for ((unit, period), energy) in metered {
            let day = days.entry(*unit).or_default();
            day.metered = day.metered.plus(*energy)?;
            let value = self.deviation_price((id, row), *period).value_of(*energy)?.micro_yuan();
            day.spot_value = day.spot_value.checked_add(value).ok_or(sum)?;
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
                    day.contract_value = day.contract_value.checked_add(value).ok_or(sum)?;
                }
            }
        }
        Ok(days)
    }
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
    day: &UnitDay,
    delivery: &Delivery,
    terms: &Clawback,
) -> Result<Charge, OverflowError> {
    let account = if unit.technology.consumes() { Account::User } else { Account::Generator };
    let spot = mean(day.spot_value, day.metered).unwrap_or_default();
    // Without a contract there is no contract price to gain against.
    let contract = mean(day.contract_value, day.contracted).unwrap_or(spot);
    clawback(account, delivery, &MeanPrices { contract, spot }, terms)
}

/// The price that a value is for an energy; none for no energy.
fn mean(value: i128, energy: Energy) -> Option<Price> {
    if energy.is_zero() {
        return None;
    }
    // The value of 1 kWh at 1 milli-yuan/MWh is 1 micro-yuan.
    div_half_away(value, energy.kwh().into())
        .and_then(|price| i64::try_from(price).ok())
        .map(Price::from_milli_yuan_per_mwh)
}
