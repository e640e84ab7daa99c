//! Shares by largest remainder as one would do them by hand.

/// Splits `total` in proportion to `weights`: whole parts first, then one unit at a time to the
/// largest fraction that has not had one, the earlier at a tie.
pub(crate) fn shares(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let product = |weight: &i64| i128::from(total) * i128::from(*weight);
    let mut parts: Vec<i128> = weights.iter().map(|weight| product(weight) / sum).collect();
    let mut fractions: Vec<Option<i128>> =
        weights.iter().map(|weight| Some(product(weight) % sum)).collect();
    while parts.iter().sum::<i128>() < i128::from(total) {
        let mut best: Option<(i128, usize)> = None;
        for (index, fraction) in fractions.iter().enumerate() {
            if let Some(fraction) = fraction
                && best.is_none_or(|(largest, _)| largest < *fraction)
            {
                best = Some((*fraction, index));
            }
        }
        let (_, index) = best.expect("fewer units are left than there are fractions");
        parts[index] += 1;
        fractions[index] = None;
    }
    parts.into_iter().map(|part| i64::try_from(part).unwrap()).collect()
}
