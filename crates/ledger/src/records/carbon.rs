//! Allowances and emissions.

use crate::codec::record;
use duet_units::{Allowances, DeliveryDay, Emissions, OverflowError};

record! {
    /// The carbon side of an organisation.
    pub struct CarbonAccount {
        /// Allowances that it may use.
        pub free: Allowances,
        /// Allowances that it has surrendered; they can never move again.
        pub surrendered: Allowances,
        /// Emissions of its settled deliveries to date.
        pub emissions: Emissions,
        /// Allowances held for its open sell orders.
        pub locked: Allowances,
        /// Allowances that may not be kept for a later period, or that the registry withdrew when
        /// it trued an allocation up: they can never move again.
        pub expired: Allowances,
        /// Allowances bought on `bought_on`, which cannot be sold on that day.
        pub bought: Allowances,
        /// The last day on which it bought.
        pub bought_on: DeliveryDay,
        /// Allowances sold minus those bought since a compliance period of it was last closed.
        pub net_sales: Allowances,
        /// Allowances given for nothing minus those received so since then.
        pub given: Allowances,
    }
}

impl CarbonAccount {
    /// An account on which nothing was booked yet.
    pub const EMPTY: Self = Self {
        free: Allowances::ZERO,
        surrendered: Allowances::ZERO,
        emissions: Emissions::ZERO,
        locked: Allowances::ZERO,
        expired: Allowances::ZERO,
        bought: Allowances::ZERO,
        bought_on: DeliveryDay::from_days(0),
        net_sales: Allowances::ZERO,
        given: Allowances::ZERO,
    };

    /// The net sales that count for banking: what came for nothing beyond what went so, is bought.
    /// What went for nothing is not sold.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the sum does not fit.
    pub fn sold_for_banking(&self) -> Result<Allowances, OverflowError> {
        self.net_sales.plus(self.given.min(Allowances::ZERO))
    }

    /// All allowances on it: free, locked, surrendered and expired.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the sum does not fit.
    pub fn held(&self) -> Result<Allowances, OverflowError> {
        self.free.plus(self.locked)?.plus(self.surrendered)?.plus(self.expired)
    }

    /// What may be sold on `day`: free allowances but those bought on it. What was used since then
    /// counts as taken from the others.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if the difference does not fit.
    pub fn sellable(&self, day: DeliveryDay) -> Result<Allowances, OverflowError> {
        if self.bought_on == day {
            return Ok(self.free.minus(self.bought)?.max(Allowances::ZERO));
        }
        Ok(self.free)
    }
}
