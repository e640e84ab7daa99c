//! How good a published solution is, judged from its numbers alone.

use serde::Serialize;

use super::solve::{Problem, Solution};

/// What a solution is worth, and what no solution can exceed. In JSON the numbers are text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Bids less costs less allowances bought, in 1e-8 yuan.
    #[serde(serialize_with = "exact")]
    pub welfare: i128,
    /// The bound that the published prices give by weak duality, in the same unit.
    #[serde(serialize_with = "exact")]
    pub bound: i128,
    /// Net emissions, in g.
    #[serde(serialize_with = "exact")]
    pub net_emissions: i128,
}

/// Writes an integer as text: readers of JSON would round it.
fn exact<S: serde::Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Why a solution is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It has not one number for each offer, bid, period or allowance.
    #[error("the solution has another shape than the problem")]
    Shape,
    /// More or less than nothing to what is offered.
    #[error("period {0}: a quantity lies outside what was offered or bid")]
    OutOfBounds(usize),
    /// Sold is not bought.
    #[error("period {0}: sold is not bought")]
    Unbalanced(usize),
    /// The cap is exceeded.
    #[error("net emissions exceed the cap by {0} g")]
    AboveCap(i128),
    /// A negative allowance price, or allowances that nobody offered.
    #[error("allowances: negative price, or more than was offered")]
    Allowances,
}

impl Certificate {
    /// Checks a solution and measures it.
    ///
    /// # Errors
    ///
    /// Returns a [`CertificateError`] if the solution is not feasible.
    pub fn of(problem: &Problem, solution: &Solution) -> Result<Self, CertificateError> {
        let periods = problem.periods.len();
        let lengths = [solution.prices.len(), solution.sold.len(), solution.bought.len()];
        if lengths != [periods; 3] || solution.allowances.len() != problem.allowances.len() {
            return Err(CertificateError::Shape);
        }
        let mut certificate = Self { welfare: 0, bound: 0, net_emissions: 0 };
        for period in 0..periods {
            certificate.add_period(problem, solution, period)?;
        }
        certificate.add_allowances(problem, solution)?;
        Ok(certificate)
    }

    /// The gap between bound and welfare; never negative.
    #[must_use]
    pub const fn gap(&self) -> i128 {
        self.bound - self.welfare
    }

    /// The gap as a share of the welfare.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for display; the gap itself is exact")]
    pub fn relative_gap(&self) -> f64 {
        self.gap() as f64 / (self.welfare.abs().max(1)) as f64
    }

    fn add_period(
        &mut self,
        problem: &Problem,
        solution: &Solution,
        index: usize,
    ) -> Result<(), CertificateError> {
        let period = &problem.periods[index];
        let (sold, bought) = (&solution.sold[index], &solution.bought[index]);
        if sold.len() != period.sells.len() || bought.len() != period.buys.len() {
            return Err(CertificateError::Shape);
        }
        let price = i128::from(solution.prices[index]);
        let (mut total_sold, mut total_bought) = (0_i128, 0_i128);
        for (sell, kwh) in period.sells.iter().zip(sold) {
            if *kwh < 0 || sell.kwh < *kwh {
                return Err(CertificateError::OutOfBounds(index));
            }
            total_sold += i128::from(*kwh);
            self.net_emissions += i128::from(sell.net_factor) * i128::from(*kwh);
            self.welfare -= i128::from(sell.ask(0)) * i128::from(*kwh);
            let surplus = price - i128::from(sell.ask(solution.mu));
            self.bound += surplus.max(0) * i128::from(sell.kwh);
        }
        for (buy, kwh) in period.buys.iter().zip(bought) {
            if *kwh < 0 || buy.kwh < *kwh {
                return Err(CertificateError::OutOfBounds(index));
            }
            total_bought += i128::from(*kwh);
            self.welfare += i128::from(buy.bid()) * i128::from(*kwh);
            self.bound += (i128::from(buy.bid()) - price).max(0) * i128::from(buy.kwh);
        }
        if total_sold == total_bought { Ok(()) } else { Err(CertificateError::Unbalanced(index)) }
    }

    fn add_allowances(
        &mut self,
        problem: &Problem,
        solution: &Solution,
    ) -> Result<(), CertificateError> {
        let mu = i128::from(solution.mu);
        let mut allowed = problem.cap;
        self.bound += mu * problem.cap;
        for (offer, grams) in problem.allowances.iter().zip(&solution.allowances) {
            if *grams < 0 || offer.grams < *grams {
                return Err(CertificateError::Allowances);
            }
            allowed += i128::from(*grams);
            self.welfare -= i128::from(offer.price) * i128::from(*grams);
            self.bound += (mu - i128::from(offer.price)).max(0) * i128::from(offer.grams);
        }
        if mu < 0 {
            return Err(CertificateError::Allowances);
        }
        if allowed < self.net_emissions {
            return Err(CertificateError::AboveCap(self.net_emissions - allowed));
        }
        Ok(())
    }
}
