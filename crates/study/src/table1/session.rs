//! This platform: the joint session, cleared by `duet-market` itself.

use duet_market::auction::CallRule;
use duet_market::game::{Design, GameOrder, GameRule, JointClearing, Stage, clear_joint};
use duet_market::order::{Order, Side};
use duet_units::{BasisPoints, EmissionFactor, Energy, OverflowError, Price};

use super::cost::{PlantCost, book_unmatched, share};
use super::hour::{Fleet, Hour};
use super::parameters::Parameters;

const MICRO_YUAN_PER_FEN: i128 = 10_000;

/// The joint session of a month.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) rule: GameRule,
    /// Whether plants pay the fitted service fee. If not, fees are left to the ledger's cost.
    pub(super) service_fee: bool,
}

/// What the joint sessions of a month moved, in micro-yuan and orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTotals {
    /// What could have been spent on compensation.
    pub fund: i128,
    /// What was spent.
    pub compensation: i128,
    /// Energy traded in the first stage, in kWh.
    pub first_stage: i128,
    /// Energy traded in the second stage, in kWh.
    pub second_stage: i128,
    /// Orders placed, of plants and buyers.
    pub orders: i128,
}

impl Session {
    pub(super) fn new(parameters: &Parameters, second_stage: Design, service_fee: bool) -> Self {
        let cap = parameters.semi_fitted.compensation_cap_milli_yuan_per_mwh;
        let rule = GameRule {
            call: CallRule::MIDPOINT,
            second_stage,
            compensation_cap: Price::from_milli_yuan_per_mwh(cap),
            fund_share: BasisPoints::from_bp(parameters.design.fund_share_bp),
        };
        Self { rule, service_fee }
    }

    pub(super) fn play(
        &self,
        parameters: &Parameters,
        (fleet, hour): (&Fleet, &Hour<'_>),
        costs: &mut [PlantCost],
        totals: &mut SessionTotals,
    ) -> Result<(), OverflowError> {
        let orders = orders(fleet, hour);
        let clearing = clear_joint(&orders, &self.rule)?;
        let days = i128::from(hour.days);
        totals.add(&orders, &clearing, (&self.rule, days));
        for trade in &clearing.trades {
            let cost = &mut costs[fleet.offers[trade.sell].plant];
            let received = trade.received.fen() * MICRO_YUAN_PER_FEN * days;
            cost.sold += i128::from(trade.quantity.kwh()) * days;
            cost.revenue += received;
            if self.service_fee {
                cost.fees += share(received, parameters.semi_fitted.service_fee_bp);
            }
        }
        let segment_fee = i128::from(parameters.design.ledger_fee_fen_per_segment);
        for (offer, fill) in fleet.offers.iter().zip(&clearing.first.fills) {
            if self.service_fee && !fill.is_zero() {
                costs[offer.plant].fees += segment_fee * MICRO_YUAN_PER_FEN * days;
            }
        }
        if let Some(second) = &clearing.second {
            for allocation in &second.allocations {
                let fen = allocation.cost.fen();
                costs[fleet.offers[allocation.sell].plant].compensation +=
                    fen * MICRO_YUAN_PER_FEN * days;
            }
            for (sell, literal) in &second.m_literal {
                costs[fleet.offers[*sell].plant].literal += literal * days;
            }
        }
        let (unsold, unserved) = left(fleet, &orders, &clearing);
        let cap = parameters.semi_fitted.compensation_cap_milli_yuan_per_mwh;
        book_unmatched(costs, (fleet, hour), (&unsold, unserved), cap)
    }
}

/// The sell orders of the fleet, then one buy order per buyer.
pub(super) fn orders(fleet: &Fleet, hour: &Hour<'_>) -> Vec<GameOrder> {
    let mut orders: Vec<GameOrder> = fleet.offers.iter().map(|offer| offer.order).collect();
    for (bid, kwh) in hour.bids.iter().zip(&hour.demands) {
        orders.push(GameOrder {
            order: Order {
                side: Side::Buy,
                limit: Price::from_milli_yuan_per_mwh(*bid),
                quantity: Energy::from_kwh(*kwh),
                emission_factor: EmissionFactor::ZERO,
            },
            registered_ask: Price::ZERO,
            registered_cost: Price::ZERO,
            rent: Price::ZERO,
        });
    }
    orders
}

/// What each plant did not sell and what buyers did not get, after both stages.
fn left(fleet: &Fleet, orders: &[GameOrder], clearing: &JointClearing) -> (Vec<i64>, i64) {
    let mut unsold = vec![0; fleet.capacities.len()];
    let mut unserved = 0;
    for (index, game_order) in orders.iter().enumerate() {
        let second = clearing.second.as_ref().map_or(0, |second| second.fills[index].kwh());
        let left = game_order.order.quantity.kwh() - clearing.first.fills[index].kwh() - second;
        match game_order.order.side {
            Side::Sell => unsold[fleet.offers[index].plant] += left,
            Side::Buy => unserved += left,
        }
    }
    (unsold, unserved)
}

impl SessionTotals {
    fn add(
        &mut self,
        orders: &[GameOrder],
        clearing: &JointClearing,
        (rule, days): (&GameRule, i128),
    ) {
        let rent: i128 = orders
            .iter()
            .zip(&clearing.first.fills)
            .map(|(order, fill)| {
                i128::from(order.rent.milli_yuan_per_mwh()) * i128::from(fill.kwh())
            })
            .sum();
        self.fund += rent * i128::from(rule.fund_share.bp()) / 10_000 * days;
        self.orders += i128::try_from(orders.len()).unwrap_or(0) * days;
        for trade in &clearing.trades {
            let kwh = i128::from(trade.quantity.kwh()) * days;
            match trade.stage {
                Stage::First => self.first_stage += kwh,
                Stage::Second => self.second_stage += kwh,
            }
            self.compensation +=
                (trade.received.fen() - trade.paid.fen()) * MICRO_YUAN_PER_FEN * days;
        }
    }
}
