//! Guarantees: what a participant's deposit must cover.

use duet_units::{BasisPoints, Energy, MicroYuan, Money, OverflowError, Price, div_half_away};

/// A trade for the trading risk: energy at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deal {
    /// The energy.
    pub quantity: Energy,
    /// Its price.
    pub price: Price,
}

/// The parts of the trading risk of a participant that holds a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingRisk {
    /// What the position cost: purchases less sales.
    pub cost: Money,
    /// What it is worth at the reference price.
    pub value: Money,
    /// Cost less the value after the haircut.
    pub risk: Money,
}

/// Returns the trading risk `cost - value * (1 - Q)` of deals at a reference price.
///
/// Sums are exact; each of the three results is rounded once.
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum or product does not fit.
///
/// # Source
///
/// Shandong 17.3.5; vector V11.
pub fn trading_risk(
    bought: &[Deal],
    sold: &[Deal],
    reference: Price,
    haircut: BasisPoints,
) -> Result<TradingRisk, OverflowError> {
    let overflow = OverflowError { operation: "trading risk", unit: "micro-yuan" };
    let cost = value(bought)?.minus(value(sold)?)?;
    let position = energy(bought)?.minus(energy(sold)?)?;
    let worth = reference.value_of(position)?;
    let whole = BasisPoints::ONE.bp();
    let kept = BasisPoints::ONE.minus(haircut)?;
    let after_haircut = worth
        .micro_yuan()
        .checked_mul(kept.bp().into())
        .and_then(|product| div_half_away(product, whole.into()))
        .map(MicroYuan::from_micro_yuan)
        .ok_or(overflow)?;
    Ok(TradingRisk {
        cost: cost.rounded()?,
        value: worth.rounded()?,
        risk: cost.minus(after_haircut)?.rounded()?,
    })
}

fn value(deals: &[Deal]) -> Result<MicroYuan, OverflowError> {
    deals
        .iter()
        .try_fold(MicroYuan::ZERO, |sum, deal| sum.plus(deal.price.value_of(deal.quantity)?))
}

fn energy(deals: &[Deal]) -> Result<Energy, OverflowError> {
    Energy::sum(deals.iter().map(|deal| deal.quantity))
}

/// What a participant owes or will owe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Billed and past its date.
    pub overdue: Money,
    /// Billed and not yet due.
    pub billed: Money,
    /// Cleared and not yet billed.
    pub unbilled: Money,
    /// The average use of a day of the month with the highest use.
    pub daily_use: Energy,
    /// What a kWh is reckoned at.
    pub unit_charge: Price,
}

/// The least settlement risk of a participant: 10,000 yuan (Shandong 17.3.6).
pub const SETTLEMENT_RISK_MIN: Money = Money::from_fen(1_000_000);

/// The days of use that the settlement risk reckons with (Shandong 17.3.6).
pub const SETTLEMENT_RISK_DAYS: i64 = 3;

/// Returns the settlement risk: overdue, billed and unbilled amounts, and three days of use at the
/// unit charge; at least [`SETTLEMENT_RISK_MIN`].
///
/// # Errors
///
/// Returns [`OverflowError`] if a sum or product does not fit.
///
/// # Source
///
/// Shandong 17.3.6.
pub fn settlement_risk(exposure: &Exposure) -> Result<Money, OverflowError> {
    let overflow = OverflowError { operation: "days of use", unit: "kWh" };
    let days = exposure.daily_use.kwh().checked_mul(SETTLEMENT_RISK_DAYS).ok_or(overflow)?;
    let use_charge = exposure.unit_charge.cost_of(Energy::from_kwh(days))?;
    let owed = exposure.overdue.plus(exposure.billed)?.plus(exposure.unbilled)?;
    Ok(owed.plus(use_charge)?.max(SETTLEMENT_RISK_MIN))
}

/// How a guarantee is turned into energy that may be traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadroomRule {
    /// The share of the guarantee that counts (H).
    pub usable: BasisPoints,
    /// The price at which energy is reckoned; positive.
    pub reference: Price,
    /// The safety margin on the reference price (Q).
    pub margin: BasisPoints,
}

/// Returns the energy that `guarantee * H / (reference * (1 + Q))` covers, rounded down.
///
/// # Errors
///
/// Returns [`OverflowError`] if the reference price with its margin is not positive, the guarantee
/// is negative, or a product does not fit.
///
/// # Source
///
/// Shandong 4.4.17 (4).
pub fn headroom(guarantee: Money, rule: &HeadroomRule) -> Result<Energy, OverflowError> {
    let overflow = OverflowError { operation: "energy covered by a guarantee", unit: "kWh" };
    let price = BasisPoints::ONE
        .plus(rule.margin)
        .ok()
        .and_then(|share| {
            i128::from(share.bp()).checked_mul(rule.reference.milli_yuan_per_mwh().into())
        })
        .filter(|price| 0 < *price)
        .ok_or(overflow)?;
    // fen * bp * 10^4 is micro-yuan * bp; divided by milli-yuan/MWh * bp that is kWh.
    let kwh = guarantee
        .fen()
        .checked_mul(rule.usable.bp().into())
        .and_then(|product| product.checked_mul(10_000))
        .filter(|product| 0 <= *product)
        .and_then(|product| product.checked_div_euclid(price))
        .ok_or(overflow)?;
    i64::try_from(kwh).map(Energy::from_kwh).map_err(|_| overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn settlement_risk_is_never_below_its_floor() {
        let exposure = Exposure {
            overdue: Money::from_fen(100),
            billed: Money::from_fen(200),
            unbilled: Money::from_fen(300),
            daily_use: Energy::from_kwh(10_000),
            unit_charge: Price::from_milli_yuan_per_mwh(400_000),
        };
        // 30,000 kWh at 0.4 yuan are 12,000 yuan.
        assert_eq!(settlement_risk(&exposure), Ok(Money::from_fen(1_200_600)));
        let small = Exposure { daily_use: Energy::ZERO, ..exposure };
        assert_eq!(settlement_risk(&small), Ok(SETTLEMENT_RISK_MIN));
    }

    #[test]
    fn headroom_is_the_energy_a_guarantee_can_pay() {
        let rule = HeadroomRule {
            usable: BasisPoints::from_bp(8_000),
            reference: Price::from_milli_yuan_per_mwh(400_000),
            margin: BasisPoints::from_bp(2_500),
        };
        // 80 % of 1,000 yuan at 0.5 yuan/kWh.
        assert_eq!(headroom(Money::from_fen(100_000), &rule), Ok(Energy::from_kwh(1_600)));
        assert!(headroom(Money::from_fen(-1), &rule).is_err());
        let free = HeadroomRule { reference: Price::ZERO, ..rule };
        assert!(headroom(Money::from_fen(1), &free).is_err());
    }

    proptest! {
        #[test]
        fn a_higher_reference_price_lowers_a_buyers_risk(
            kwh in 0..1_000_000_i64,
            (low, rise) in (0..500_000_i64, 0..500_000_i64),
        ) {
            let price = Price::from_milli_yuan_per_mwh;
            let bought = [Deal { quantity: Energy::from_kwh(kwh), price: price(380_000) }];
            let at = |reference| {
                trading_risk(&bought, &[], price(reference), BasisPoints::from_bp(2_000)).unwrap()
            };
            prop_assert!(at(low + rise).risk <= at(low).risk);
        }
    }
}
