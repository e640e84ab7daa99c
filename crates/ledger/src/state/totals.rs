//! What is conserved.

use super::{BrokenInvariant, State};
use crate::records::Counter;
use duet_units::{Allowances, Money};

/// Sums over the whole state, for the conservation of money, allowances and certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sum of all balances: always zero.
    pub money: Money,
    /// Allowances ever allocated.
    pub allocated: Allowances,
    /// Allowances free, locked, surrendered and expired, over all accounts: always the same as
    /// allocated.
    pub held: Allowances,
    /// Certificates ever issued.
    pub certificates_issued: u64,
    /// Certificates in all runs, retired ones included: always the same as issued.
    pub certificates_held: u64,
    /// Carbon credits ever issued.
    pub credits_issued: u64,
    /// Carbon credits in all runs, retired ones included: always the same as issued.
    pub credits_held: u64,
}

impl State {
    /// Sums over the whole state; takes time in proportion to its accounts and runs.
    ///
    /// # Errors
    ///
    /// Returns [`BrokenInvariant`] if a sum does not fit.
    pub fn totals(&self) -> Result<Totals, BrokenInvariant> {
        let progress = self.progress();
        let held = self
            .carbon
            .rows()
            .values()
            .try_fold(Allowances::ZERO, |sum, account| sum.plus(account.held()?))?;
        let certificates_held = self
            .lots
            .rows()
            .values()
            .try_fold(0_u64, |sum, lot| sum.checked_add(lot.count))
            .ok_or(BrokenInvariant("sum of certificates"))?;
        let credits_held = self
            .credits
            .rows()
            .values()
            .try_fold(0_u64, |sum, lot| sum.checked_add(lot.count))
            .ok_or(BrokenInvariant("sum of credits"))?;
        Ok(Totals {
            money: Money::sum(self.balances.rows().values().map(|balance| balance.amount))?,
            allocated: progress.allocated,
            held,
            certificates_issued: progress.next_certificate.saturating_sub(1),
            certificates_held,
            credits_issued: self.counters.get(Counter::Credit).copied().unwrap_or(0),
            credits_held,
        })
    }
}
