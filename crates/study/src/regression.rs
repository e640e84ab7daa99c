//! Least squares with standard errors that allow for dependence inside clusters.

/// A linear regression.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// One coefficient per regressor.
    pub coefficients: Vec<f64>,
    /// Their cluster-robust standard errors.
    pub standard_errors: Vec<f64>,
    /// The observations.
    pub observations: usize,
    /// The clusters.
    pub clusters: usize,
}

/// One observation.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The regressors, the constant among them.
    pub x: Vec<f64>,
    /// What they explain.
    pub y: f64,
    /// What it may depend on: observations of one cluster stand next to each other.
    pub cluster: u32,
}

impl Regression {
    /// Fits by ordinary least squares; `None` if the regressors are collinear, or fewer clusters
    /// than two.
    ///
    /// # Source
    ///
    /// Liang and Zeger 1986, with the usual correction for few clusters,
    /// `G/(G-1) * (n-1)/(n-k)`.
    #[must_use]
    pub fn fit(observations: &[Observation]) -> Option<Self> {
        let k = observations.first()?.x.len();
        let mut xx = vec![vec![0.0; k]; k];
        let mut xy = vec![0.0; k];
        for observation in observations {
            add_square(&mut xx, &observation.x);
            for (sum, x) in xy.iter_mut().zip(&observation.x) {
                *sum += x * observation.y;
            }
        }
        let inverse = inverted(&xx)?;
        let coefficients = times(&inverse, &xy);
        let (meat, clusters) = cluster_sums(observations, &coefficients);
        if clusters < 2 || observations.len() <= k {
            return None;
        }
        let (n, g) = (float(observations.len()), float(clusters));
        let correction = g / (g - 1.0) * (n - 1.0) / (n - float(k));
        let standard_errors = (0..k)
            .map(|i| {
                let half = times(&meat, &inverse[i]);
                let variance: f64 = half.iter().zip(&inverse[i]).map(|(a, b)| a * b).sum();
                (variance * correction).max(0.0).sqrt()
            })
            .collect();
        Some(Self { coefficients, standard_errors, observations: observations.len(), clusters })
    }

    /// The 95 % confidence interval of a coefficient, by the normal approximation.
    #[must_use]
    pub fn interval(&self, coefficient: usize) -> Option<(f64, f64)> {
        let middle = self.coefficients.get(coefficient)?;
        let half = 1.96 * self.standard_errors.get(coefficient)?;
        Some((middle - half, middle + half))
    }
}

/// The sum over clusters of the outer product of their summed scores, and how many there are.
fn cluster_sums(observations: &[Observation], coefficients: &[f64]) -> (Vec<Vec<f64>>, usize) {
    let k = coefficients.len();
    let mut meat = vec![vec![0.0; k]; k];
    let mut clusters = 0;
    for cluster in observations.chunk_by(|a, b| a.cluster == b.cluster) {
        let mut score = vec![0.0; k];
        for observation in cluster {
            let fitted: f64 = observation.x.iter().zip(coefficients).map(|(x, b)| x * b).sum();
            for (sum, x) in score.iter_mut().zip(&observation.x) {
                *sum += x * (observation.y - fitted);
            }
        }
        add_square(&mut meat, &score);
        clusters += 1;
    }
    (meat, clusters)
}

/// Adds the outer product of a vector with itself.
fn add_square(matrix: &mut [Vec<f64>], vector: &[f64]) {
    for (row, a) in matrix.iter_mut().zip(vector) {
        for (sum, b) in row.iter_mut().zip(vector) {
            *sum += a * b;
        }
    }
}

/// The inverse, by Gauss and Jordan with partial pivoting; `None` if it has none.
fn inverted(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let k = matrix.len();
    let mut left = matrix.to_vec();
    let mut right: Vec<Vec<f64>> =
        (0..k).map(|i| (0..k).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    for column in 0..k {
        let pivot =
            (column..k).max_by(|a, b| left[*a][column].abs().total_cmp(&left[*b][column].abs()))?;
        let scale = matrix[column][column].abs();
        if left[pivot][column].abs() <= scale * 1e-12 {
            return None;
        }
        left.swap(column, pivot);
        right.swap(column, pivot);
        let divisor = left[column][column];
        for j in 0..k {
            left[column][j] /= divisor;
            right[column][j] /= divisor;
        }
        for row in (0..k).filter(|row| *row != column) {
            let factor = left[row][column];
            for j in 0..k {
                left[row][j] -= factor * left[column][j];
                right[row][j] -= factor * right[column][j];
            }
        }
    }
    Some(right)
}

fn times(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    let dot = |row: &Vec<f64>| row.iter().zip(vector).map(|(a, b)| a * b).sum();
    matrix.iter().map(dot).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a count of observations")]
const fn float(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(noise: &[f64]) -> Vec<Observation> {
        let point = |(i, noise): (u32, &f64)| Observation {
            x: vec![1.0, f64::from(i)],
            y: 2.0 + 3.0 * f64::from(i) + noise,
            cluster: i / 2,
        };
        (0..).zip(noise).map(point).collect()
    }

    #[test]
    fn a_line_is_found_exactly() {
        let fit = Regression::fit(&points(&[0.0; 6])).unwrap();
        assert!((fit.coefficients[0] - 2.0).abs() < 1e-9);
        assert!((fit.coefficients[1] - 3.0).abs() < 1e-9);
        assert!(fit.standard_errors[1] < 1e-9);
        assert_eq!(fit.clusters, 3);
    }

    #[test]
    fn errors_that_repeat_in_a_cluster_widen_the_interval() {
        let shared = Regression::fit(&points(&[1.0, 1.0, -1.0, -1.0, 0.5, 0.5])).unwrap();
        let own = Regression::fit(&points(&[1.0, -1.0, 1.0, -1.0, 0.5, -0.5])).unwrap();
        assert!(own.standard_errors[0] < shared.standard_errors[0]);
    }

    #[test]
    fn collinear_regressors_have_no_answer() {
        let observation = |i: u32| Observation { x: vec![1.0, 2.0], y: f64::from(i), cluster: i };
        assert_eq!(Regression::fit(&(0..5).map(observation).collect::<Vec<_>>()), None);
    }
}
