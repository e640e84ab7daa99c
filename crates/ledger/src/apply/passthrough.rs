//! Pass-through: how much of the price of carbon is in the price of a session's energy, and how
//! responsibility for the emissions follows it.

use crate::ids::{OrganisationId, SessionId};
use crate::records::{CarbonShare, Order, PassThrough, PeriodClearing, Session, Unit};
use crate::state::{BrokenInvariant, State};
use crate::{
    action::OrderRequest,
    rejection::{Refusal, Rejection},
};
use duet_market::auction::clear;
use duet_market::carbon::passthrough::{CostBasis, Observation, declared_adder, measured};
use duet_market::carbon::{CarbonTerms, Generation, Offer, offer_on, split_responsibility};
use duet_market::game::Design;
use duet_market::order::{self, Side};
use duet_units::{BasisPoints, Emissions, Energy, Price};
use std::collections::BTreeMap;

impl State {
    /// What the auction sees: in a joint session a sell order carries the carbon adder, on the
    /// basis that the session's rule names; every other order is seen at its limit.
    pub(super) fn effective(
        &self,
        request: &OrderRequest,
        unit: &Unit,
        session: &Session,
    ) -> Result<Offer, Refusal> {
        if request.side == Side::Buy || !session.mode.is_joint() {
            return Ok(Offer {
                ask: request.limit,
                registered_ask: Price::ZERO,
                net_carbon_cost: Price::ZERO,
                rent: Price::ZERO,
            });
        }
        let basis = self.rules.get(session.rule).map_or(CostBasis::Full, |rule| rule.cost_basis);
        let limits = (request.limit, unit.registered_cost);
        let uplift = session.terms.second_stage == Design::Uplift;
        if uplift && unit.registered_cost < request.limit {
            let (limit, cost) = (request.limit, unit.registered_cost);
            return Err(Rejection::AboveRegisteredCost.of(
                "limit",
                limit.milli_yuan_per_mwh(),
                cost.milli_yuan_per_mwh(),
            ));
        }
        let carbon = carbon_terms(request.conductivity, unit, session);
        Ok(offer_on(basis, limits, session.terms.ceiling, &carbon)?)
    }

    /// Measures the pass-through of a period that was cleared.
    pub(super) fn measure(
        &mut self,
        (id, period): (SessionId, u8),
        session: &Session,
        clearing: &PeriodClearing,
    ) -> Result<(), BrokenInvariant> {
        let basis = self.rule_of(session)?.cost_basis;
        let book = self.books.get(&(id, period)).into_iter().flatten();
        let rows: Vec<(&Order, &Unit)> = book.filter_map(|order| self.order_unit(*order)).collect();
        let rule = super::period::call_rule(&session.terms);
        let call = |limit: fn(&Order) -> Price| {
            let seen = rows.iter().map(|(order, unit)| order::Order {
                side: order.side,
                limit: limit(order),
                quantity: order.quantity,
                emission_factor: unit.emission_factor,
            });
            clear(&seen.collect::<Vec<_>>(), &rule).map(|clearing| clearing.price)
        };
        // Under uplift what buyers pay is below the price of the call, and no measure of it.
        let lowered =
            session.terms.second_stage == Design::Uplift && clearing.buyer_price.is_some();
        let with = if lowered { call(|order| order.effective)? } else { clearing.price };
        let without = call(|order| order.limit)?;
        let (mut cap_hits, mut marginal) = (0_u32, None);
        for (order, unit) in rows.iter().filter(|(order, _)| order.side == Side::Sell) {
            let adder = declared_adder(&carbon_terms(order.conductivity, unit, session), basis)?;
            if order.effective < order.limit.plus(adder)? {
                cap_hits = cap_hits.saturating_add(1);
            }
            let accepted = with.is_some_and(|price| order.effective <= price);
            let last = marginal.is_none_or(|(ask, _)| ask <= order.effective);
            if accepted && last && !order.filled.is_zero() {
                marginal = Some((order.effective, unit.emission_factor));
            }
        }
        let observation = with.zip(without).zip(marginal);
        let kappa = match observation {
            Some(((with, without), (_, marginal_factor))) => {
                let carbon_price = session.terms.carbon_price;
                measured(&Observation { without, with, marginal_factor, carbon_price })?
            }
            None => None,
        };
        let row = PassThrough { with, without, measured: kappa, cap_hits };
        self.pass_through.insert((id, period), row);
        Ok(())
    }

    fn order_unit(&self, id: crate::ids::OrderId) -> Option<(&Order, &Unit)> {
        let order = self.orders.get(id)?;
        Some((order, self.units.get(order.unit)?))
    }

    /// Splits the emissions of a joint session's contracts between its sellers and buyers: each
    /// filled sell order passes on the share that it declared.
    pub(super) fn share_carbon(&mut self, id: SessionId) -> Result<(), BrokenInvariant> {
        let mut sellers: BTreeMap<crate::ids::OrderId, Energy> = BTreeMap::new();
        let mut buyers: BTreeMap<OrganisationId, Energy> = BTreeMap::new();
        for (_, trade) in self.trades.rows().iter().filter(|(_, t)| t.session == id && !t.defaulted)
        {
            let sold = sellers.entry(trade.sell).or_default();
            *sold = sold.plus(trade.quantity)?;
            if let Some(order) = self.orders.get(trade.buy) {
                let bought = buyers.entry(order.owner).or_default();
                *bought = bought.plus(trade.quantity)?;
            }
        }
        let (mut owners, mut generation) = (Vec::new(), Vec::new());
        for (order, metered) in sellers {
            let Some((order, unit)) = self.order_unit(order) else { continue };
            owners.push(order.owner);
            generation.push(Generation {
                metered,
                emission_factor: unit.emission_factor,
                conductivity: order.conductivity,
            });
        }
        let bought: Vec<Energy> = buyers.values().copied().collect();
        let split = split_responsibility(&generation, &bought)?;
        let mut shares: BTreeMap<OrganisationId, CarbonShare> = BTreeMap::new();
        let none = || CarbonShare { kept: Emissions::ZERO, received: Emissions::ZERO };
        for (owner, kept) in owners.into_iter().zip(split.sellers) {
            let share = shares.entry(owner).or_insert_with(none);
            share.kept = share.kept.plus(kept)?;
        }
        for (owner, received) in buyers.into_keys().zip(split.buyers) {
            let share = shares.entry(owner).or_insert_with(none);
            share.received = share.received.plus(received)?;
        }
        for (owner, share) in shares {
            self.carbon_shares.insert((id, owner), share);
        }
        Ok(())
    }
}

const fn carbon_terms(conductivity: BasisPoints, unit: &Unit, session: &Session) -> CarbonTerms {
    CarbonTerms {
        emission_factor: unit.emission_factor,
        benchmark: unit.benchmark,
        conductivity,
        carbon_price: session.terms.carbon_price,
    }
}
