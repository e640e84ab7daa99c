//! The one rounding rule, and the exact division of a total into shares.

use crate::OverflowError;

/// Divides and rounds to the nearest integer, halves away from zero.
///
/// Away from zero, so that the payer's and the payee's amounts are mirror images: rounding `-x`
/// gives the negative of rounding `x`. `divisor` must be positive; anything else returns `None`,
/// as does a result that does not fit.
///
/// # Source
///
/// NDRC/NEA 2025-976 art. 12: amounts are rounded half up to the fen, once per statement line.
#[must_use]
pub fn div_half_away(dividend: i128, divisor: i128) -> Option<i128> {
    let (quotient, remainder) = divide(dividend, divisor)?;
    let remainder = remainder.unsigned_abs();
    // remainder < divisor <= i128::MAX, so doubling fits u128.
    if remainder.checked_mul(2)? < divisor.unsigned_abs() {
        Some(quotient)
    } else {
        quotient.checked_add(dividend.signum())
    }
}

/// Quotient, rounded towards zero, and remainder; `None` if `divisor` is not positive. Most amounts
/// fit 64 bits, in which dividing takes a fraction of the time it takes in 128.
fn divide(dividend: i128, divisor: i128) -> Option<(i128, i128)> {
    if divisor <= 0 {
        return None;
    }
    if let (Ok(dividend), Ok(divisor)) = (i64::try_from(dividend), i64::try_from(divisor)) {
        let (quotient, remainder) =
            (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
        return Some((quotient.into(), remainder.into()));
    }
    Some((dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?))
}

/// Splits `total` in proportion to `weights` so that the parts sum to `total` exactly.
///
/// Each part is `floor(total * weight / sum)`; the units left over go one each to the largest
/// remainders, ties to the lower index, so each part is within one unit of its exact share.
/// `total` and the weights must not be negative. If all weights are zero there is nobody to share
/// with: the parts are all zero, and so must `total` be.
///
/// # Errors
///
/// Returns [`OverflowError`] if a weight or the total is negative, if a positive total meets no
/// positive weight, or if a product does not fit 128 bits.
pub fn largest_remainder(total: i128, weights: &[i128]) -> Result<Vec<i128>, OverflowError> {
    let overflow = OverflowError { operation: "share by largest remainder", unit: "the total" };
    let sum =
        weights.iter().try_fold(0_i128, |sum, w| if *w < 0 { None } else { sum.checked_add(*w) });
    let sum = sum.ok_or(overflow)?;
    if total < 0 || (sum == 0 && total != 0) {
        return Err(overflow);
    }
    if sum == 0 {
        return Ok(vec![0; weights.len()]);
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = total;
    for (index, weight) in weights.iter().enumerate() {
        let product = total.checked_mul(*weight).ok_or(overflow)?;
        let (part, remainder) = divide(product, sum).ok_or(overflow)?;
        left = left.checked_sub(part).ok_or(overflow)?;
        parts.push(part);
        remainders.push((std::cmp::Reverse(remainder), index));
    }
    let Ok(left) = usize::try_from(left) else { return Err(overflow) };
    if left > 0 {
        // Only who is among the first matters, not their order: each gets one unit.
        if left < remainders.len() {
            remainders.select_nth_unstable(left);
        }
        for (_, index) in remainders.iter().take(left) {
            if let Some(part) = parts.get_mut(*index) {
                *part = part.checked_add(1).ok_or(overflow)?;
            }
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_round_away_from_zero() {
        let cases = [(5, 10, 1), (-5, 10, -1), (4, 10, 0), (-4, 10, 0), (15, 10, 2), (-15, 10, -2)];
        for (dividend, divisor, expected) in cases {
            assert_eq!(div_half_away(dividend, divisor), Some(expected), "{dividend}/{divisor}");
        }
        assert_eq!(div_half_away(1, 0), None);
        assert_eq!(div_half_away(i128::MIN, 1), Some(i128::MIN));
        assert_eq!(div_half_away(i128::MAX, i128::MAX), Some(1));
    }

    #[test]
    fn equal_remainders_go_to_the_earlier_index() {
        assert_eq!(largest_remainder(10, &[1, 1, 1]).unwrap(), [4, 3, 3]);
        assert_eq!(largest_remainder(0, &[0, 0]).unwrap(), [0, 0]);
        assert!(largest_remainder(1, &[0, 0]).is_err());
        assert!(largest_remainder(-1, &[1]).is_err());
        assert!(largest_remainder(1, &[-1, 2]).is_err());
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_total_and_are_within_one_unit(
            total in 0..1_000_000_000_000_i128,
            weights in proptest::collection::vec(0..1_000_000_i128, 1..40),
        ) {
            let sum: i128 = weights.iter().sum();
            prop_assume!(sum > 0);
            let parts = largest_remainder(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<i128>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                let floor = total * weight / sum;
                prop_assert!(floor <= *part && *part <= floor + 1);
            }
        }

        #[test]
        fn division_is_the_same_in_64_and_in_128_bits(
            dividend in prop_oneof![any::<i64>().prop_map(i128::from), any::<i128>(), Just(i64::MIN.into())],
            divisor in prop_oneof![1..100_i128, any::<i64>().prop_map(i128::from), any::<i128>()],
        ) {
            let expected = (divisor > 0).then(|| (dividend / divisor, dividend % divisor));
            prop_assert_eq!(divide(dividend, divisor), expected);
        }

        #[test]
        fn rounding_is_odd(dividend in any::<i64>(), divisor in 1..i64::MAX) {
            let (n, d) = (i128::from(dividend), i128::from(divisor));
            prop_assert_eq!(div_half_away(n, d), div_half_away(-n, d).map(|x| -x));
        }
    }
}
