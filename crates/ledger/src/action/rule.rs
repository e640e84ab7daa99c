//! Rules of the market.

use crate::codec::cases;
use crate::records::MarketRule;

cases! {
    /// What the exchange does with rules of the market.
    pub enum RuleAction ("rule action") {
        /// Publishes a version of a province's rules.
        Publish(Box<MarketRule>) = 1,
    }
}
