//! From a scenario's planned orders to a joint session of `duet-market`.

use duet_market::auction::CallRule;
use duet_market::carbon::{CarbonTerms, offer};
use duet_market::game::{Design, GameOrder, GameRule, JointClearing, clear_joint};
use duet_market::order::Order;
use duet_units::{EmissionFactor, OverflowError, Price};

use super::{DayPlan, MarketTerms, PlannedOrder, Scenario};

impl MarketTerms {
    /// The rule of the joint session under these terms: the core midpoint and a second stage.
    #[must_use]
    pub const fn rule(&self) -> GameRule {
        GameRule {
            call: CallRule { rationing: self.rationing, ..CallRule::MIDPOINT },
            second_stage: Design::Compensation,
            compensation_cap: self.compensation_cap,
            fund_share: self.fund_share,
        }
    }
}

impl Scenario {
    /// The order as it stands in the joint session, with carbon in a sell's price.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a price does not fit; with loaded scenarios it always does.
    pub fn game_order(&self, planned: &PlannedOrder) -> Result<GameOrder, OverflowError> {
        let unit = planned.unit.and_then(|unit| self.unit(planned.member, unit));
        let order = |limit, emission_factor| Order {
            side: planned.side,
            limit,
            quantity: planned.quantity,
            emission_factor,
        };
        let Some(unit) = unit else {
            return Ok(GameOrder {
                order: order(planned.limit, EmissionFactor::ZERO),
                registered_ask: Price::ZERO,
                registered_cost: Price::ZERO,
                rent: Price::ZERO,
            });
        };
        let terms = CarbonTerms {
            emission_factor: unit.emission_factor,
            benchmark: unit.benchmark,
            conductivity: unit.conductivity,
            carbon_price: self.market.carbon_price,
        };
        let offer = offer(planned.limit, unit.registered_cost, self.market.ceiling, &terms)?;
        Ok(GameOrder {
            order: order(offer.ask, unit.emission_factor),
            registered_ask: offer.registered_ask,
            registered_cost: unit.registered_cost,
            rent: offer.rent,
        })
    }

    /// Clears the joint session of one period: its orders, by their position in it, and the
    /// result.
    ///
    /// # Errors
    ///
    /// Returns [`OverflowError`] if a sum does not fit; with loaded scenarios it always does.
    pub fn clear(
        &self,
        plan: &DayPlan,
        period: u8,
    ) -> Result<(Vec<GameOrder>, JointClearing), OverflowError> {
        let in_period = plan.orders.iter().filter(|order| order.period == period);
        let orders =
            in_period.map(|order| self.game_order(order)).collect::<Result<Vec<_>, _>>()?;
        let clearing = clear_joint(&orders, &self.market.rule())?;
        Ok((orders, clearing))
    }
}
