//! Deviation schemes: what a participant pays for trading another amount than it delivers.
//!
//! A rule object names one scheme. Amounts are what the participant pays; they come back to the
//! other side by [`redistribute`], as lines of their own.

use duet_units::{
    BasisPoints, Energy, Money, OverflowError, Price, div_half_away, largest_remainder,
};

use crate::quota::Account;

/// A scheme's result: the energy it charges and at which price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The energy that is charged; never negative.
    pub quantity: Energy,
    /// The price, rounded to three decimals.
    pub price: Price,
    /// What the participant pays.
    pub amount: Money,
}

/// What a participant contracted and what its meter says, of one settlement period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Contracted energy.
    pub contracted: Energy,
    /// Metered energy.
    pub metered: Energy,
}

/// Charges a surplus at the absolute spread of the auction and a shortage at three times it.
///
/// # Errors
///
/// Returns [`OverflowError`] if a difference or product does not fit.
///
/// # Source
///
/// market-rules.md 4.10, early Guangdong rules.
pub fn spread(delivery: &Delivery, auction_spread: Price) -> Result<Charge, OverflowError> {
    let deviation = delivery.metered.minus(delivery.contracted)?;
    let spread = auction_spread.max(auction_spread.negated()?);
    let price = if deviation < Energy::ZERO { spread.plus(spread)?.plus(spread)? } else { spread };
    let quantity = deviation.max(deviation.negated()?);
    Ok(Charge { quantity, price, amount: price.cost_of(quantity)? })
}

/// Which deviations of a participant a free band charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Charged {
    /// Surplus and shortage: coal and users.
    Both,
    /// Only a shortage: other than coal.
    Shortage,
    /// None: water, wind and sun.
    Neither,
}

/// The terms of a free band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeBand {
    /// The free share of the contract: 3 %.
    pub free: BasisPoints,
    /// The share of the price that is charged: 5 %.
    pub share: BasisPoints,
    /// Whom it charges.
    pub charged: Charged,
}

/// Charges what lies beyond the free band around the contract, at a share of the month's price.
///
/// The charged energy is rounded down to the kWh. The price shown is the month's; the amount is
/// rounded once, after the share is taken.
///
/// # Errors
///
/// Returns [`OverflowError`] if a difference or product does not fit.
///
/// # Source
///
/// Fujian draft 2021; vector V6.
pub fn free_band(
    delivery: &Delivery,
    month_price: Price,
    terms: &FreeBand,
) -> Result<Charge, OverflowError> {
    let overflow = OverflowError { operation: "deviation charge", unit: "fen" };
    let deviation = delivery.metered.minus(delivery.contracted)?;
    let is_charged = match terms.charged {
        Charged::Both => true,
        Charged::Shortage => deviation < Energy::ZERO,
        Charged::Neither => false,
    };
    // Free up to a whole kWh: rounding the free energy up rounds the charged energy down.
    let free = share_rounded_up(delivery.contracted, terms.free)?;
    let beyond = deviation.max(deviation.negated()?).minus(free)?.max(Energy::ZERO);
    let quantity = if is_charged { beyond } else { Energy::ZERO };
    let amount = month_price
        .value_of(quantity)?
        .micro_yuan()
        .checked_mul(terms.share.bp().into())
        .and_then(|product| div_half_away(product, 100_000_000))
        .map(Money::from_fen)
        .ok_or(overflow)?;
    Ok(Charge { quantity, price: month_price, amount })
}

/// The terms of a clawback: contracts must lie between two shares of the metered energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clawback {
    /// The least share: `1 - u` (Anhui), `R2` (Shandong).
    pub least: BasisPoints,
    /// The highest share: `1 + w` (Anhui), `R1` (Shandong).
    pub most: BasisPoints,
    /// The factor on the price where contracts lack: `h1`, `h2`.
    pub lacking: BasisPoints,
    /// The factor on the price where contracts are too many: `h5`.
    pub excess: BasisPoints,
}

/// The mean prices of a participant's month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanPrices {
    /// Of its contracts.
    pub contract: Price,
    /// Of the spot market (day ahead, or the reference price).
    pub spot: Price,
}

/// Takes back what a participant gained by contracting too little or too much.
///
/// A user that lacks contracts gains where the spot price is below them, a generator where it is
/// above; too many contracts gain the other way round. The price is that difference times its
/// factor, rounded half away from zero to three decimals, and zero where there was no gain. The
/// energy is what contracts lack of the least share, or have above the highest share, rounded.
///
/// # Errors
///
/// Returns [`OverflowError`] if a difference or product does not fit.
///
/// # Source
///
/// Anhui 6.1 art. 11.3.2-3 (vector V6b); Shandong 14.10.4 (4)-(5).
pub fn clawback(
    account: Account,
    delivery: &Delivery,
    prices: &MeanPrices,
    terms: &Clawback,
) -> Result<Charge, OverflowError> {
    let lacks = share(delivery.metered, terms.least)?.minus(delivery.contracted)?;
    let exceeds = delivery.contracted.minus(share(delivery.metered, terms.most)?)?;
    let above_spot = prices.contract.minus(prices.spot)?;
    let below_spot = above_spot.negated()?;
    let (quantity, gain, factor) = match account {
        Account::User if lacks > Energy::ZERO => (lacks, above_spot, terms.lacking),
        Account::Generator if lacks > Energy::ZERO => (lacks, below_spot, terms.lacking),
        Account::User => (exceeds, below_spot, terms.excess),
        Account::Generator => (exceeds, above_spot, terms.excess),
    };
    let quantity = quantity.max(Energy::ZERO);
    let price = scaled(gain.max(Price::ZERO), factor)?;
    Ok(Charge { quantity, price, amount: price.cost_of(quantity)? })
}

/// Gives recovered money to the other side, in proportion to metered energy; the parts are the
/// whole. Without metered energy nobody gets anything, and the money stays where it is recorded.
///
/// # Errors
///
/// Returns [`OverflowError`] if the money or an energy is negative, or a product does not fit.
///
/// # Source
///
/// market-rules.md 4.10; no pool of unexplained imbalance (NDRC/NEA 2025-976 art. 14).
pub fn redistribute(recovered: Money, metered: &[Energy]) -> Result<Vec<Money>, OverflowError> {
    if metered.iter().all(|energy| energy.is_zero()) {
        return Ok(vec![Money::ZERO; metered.len()]);
    }
    let weights: Vec<i128> = metered.iter().map(|energy| energy.kwh().into()).collect();
    let parts = largest_remainder(recovered.fen(), &weights)?;
    Ok(parts.into_iter().map(Money::from_fen).collect())
}

/// A share of an energy, rounded half away from zero to the kWh.
fn share(energy: Energy, share: BasisPoints) -> Result<Energy, OverflowError> {
    let product = i128::from(energy.kwh()).checked_mul(share.bp().into());
    product.and_then(|x| div_half_away(x, 10_000)).and_then(to_energy).ok_or(NO_SHARE)
}

fn share_rounded_up(energy: Energy, share: BasisPoints) -> Result<Energy, OverflowError> {
    let product = i128::from(energy.kwh()).checked_mul(share.bp().into());
    // Rounding up is rounding the opposite number down.
    let down = product.and_then(i128::checked_neg).map(|x| x.div_euclid(10_000));
    down.and_then(i128::checked_neg).and_then(to_energy).ok_or(NO_SHARE)
}

fn to_energy(kwh: i128) -> Option<Energy> {
    i64::try_from(kwh).map(Energy::from_kwh).ok()
}

const NO_SHARE: OverflowError = OverflowError { operation: "share of energy", unit: "kWh" };

/// A price times a factor, rounded half away from zero.
fn scaled(price: Price, factor: BasisPoints) -> Result<Price, OverflowError> {
    let product = i128::from(price.milli_yuan_per_mwh()).checked_mul(factor.bp().into());
    product
        .and_then(|x| div_half_away(x, 10_000))
        .and_then(|milli| i64::try_from(milli).ok())
        .map(Price::from_milli_yuan_per_mwh)
        .ok_or(OverflowError { operation: "clawback price", unit: "milli-yuan/MWh" })
}

#[cfg(test)]
mod tests;
