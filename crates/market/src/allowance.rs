//! Trading of allowances and carbon credits: price bands, the closing price, listed agreements,
//! one-way bidding, and the yearly duty to surrender.

pub mod bidding;
pub mod compliance;
pub mod forecast;
pub mod listed;

use duet_units::{Allowances, BasisPoints, CarbonPrice, OverflowError, div_half_away};

/// The prices at which a mode of trading may take place on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The lowest price.
    pub lowest: CarbonPrice,
    /// The highest price.
    pub highest: CarbonPrice,
}

impl Band {
    /// The width of the band of listed agreements: 10 % (SEEE notice of 22 June 2021).
    pub const LISTED: BasisPoints = BasisPoints::from_bp(1_000);
    /// The width of the band of block agreements: 30 % (SEEE notice of 22 June 2021).
    pub const BLOCK: BasisPoints = BasisPoints::from_bp(3_000);

    /// The prices within `width` of the previous close, both ends rounded inwards to the fen.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the close or the width is negative or an end does not fit.
    ///
    /// # Source
    ///
    /// market-rules.md 4.11; vector V8b.
    pub fn around(close: CarbonPrice, width: BasisPoints) -> Result<Self, OverflowError> {
        let overflow = OverflowError { operation: "price band", unit: "fen/t" };
        if close < CarbonPrice::ZERO || width < BasisPoints::ZERO {
            return Err(overflow);
        }
        let whole = i128::from(BasisPoints::ONE.bp());
        let at = |share: i128| share.checked_mul(close.fen_per_t().into());
        let upper = whole.checked_add(width.bp().into()).and_then(at).ok_or(overflow)?;
        let lower = whole.checked_sub(width.bp().into()).and_then(at).ok_or(overflow)?;
        // Rounding up is rounding the opposite number down.
        let lower = lower.checked_neg().and_then(|x| x.div_euclid(whole).checked_neg());
        let to_price = |fen: i128| i64::try_from(fen).map(CarbonPrice::from_fen_per_t);
        Ok(Self {
            lowest: to_price(lower.ok_or(overflow)?).map_err(|_| overflow)?,
            highest: to_price(upper.div_euclid(whole)).map_err(|_| overflow)?,
        })
    }

    /// Whether a price lies in the band.
    #[must_use]
    pub fn holds(&self, price: CarbonPrice) -> bool {
        self.lowest <= price && price <= self.highest
    }
}

/// A deal in allowances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deal {
    /// How many tonnes.
    pub quantity: Allowances,
    /// The price of one.
    pub price: CarbonPrice,
}

/// Returns the closing price: the mean of the day's deals weighted by quantity, rounded half away
/// from zero to the fen; the previous close if nothing was dealt.
///
/// # Errors
///
/// Returns [`OverflowError`] if a quantity is negative or a sum does not fit.
///
/// # Source
///
/// market-rules.md 4.11. Whether block deals count is up to the caller: it is not confirmed.
pub fn closing_price(deals: &[Deal], previous: CarbonPrice) -> Result<CarbonPrice, OverflowError> {
    let overflow = OverflowError { operation: "closing price", unit: "fen/t" };
    let (mut value, mut tonnes) = (0_i128, 0_i128);
    for deal in deals {
        let quantity = Some(i128::from(deal.quantity.t())).filter(|t| 0 <= *t).ok_or(overflow)?;
        let paid = quantity.checked_mul(deal.price.fen_per_t().into());
        value = paid.and_then(|paid| value.checked_add(paid)).ok_or(overflow)?;
        tonnes = tonnes.checked_add(quantity).ok_or(overflow)?;
    }
    if tonnes == 0 {
        return Ok(previous);
    }
    div_half_away(value, tonnes)
        .and_then(|price| i64::try_from(price).ok())
        .map(CarbonPrice::from_fen_per_t)
        .ok_or(overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn price(fen: i64) -> CarbonPrice {
        CarbonPrice::from_fen_per_t(fen)
    }

    #[test]
    fn the_close_is_the_weighted_mean_or_the_previous_one() {
        let deal = |t, fen| Deal { quantity: Allowances::from_t(t), price: price(fen) };
        assert_eq!(
            closing_price(&[deal(100, 9_000), deal(300, 9_800)], price(1)),
            Ok(price(9_600))
        );
        assert_eq!(closing_price(&[], price(9_749)), Ok(price(9_749)));
        assert!(closing_price(&[deal(-1, 1)], price(1)).is_err());
    }

    proptest! {
        #[test]
        fn a_band_is_as_wide_as_allowed_and_no_wider(close in 0..1_000_000_i64, width in 0..12_000_i64) {
            let band = Band::around(price(close), BasisPoints::from_bp(width)).unwrap();
            let is_inside = |fen: i64| (fen - close).abs() * 10_000 <= close * width;
            let (lowest, highest) = (band.lowest.fen_per_t(), band.highest.fen_per_t());
            prop_assert!(is_inside(lowest) && is_inside(highest));
            prop_assert!(!is_inside(lowest - 1) && !is_inside(highest + 1));
            prop_assert!(band.holds(price(close)));
        }
    }
}
