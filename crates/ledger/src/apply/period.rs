//! One period of a session, cleared by the session's mode.

use crate::records::{Mode, PeriodClearing, Session, SessionTerms};
use crate::state::BrokenInvariant;
use duet_market::auction::pairwise::match_pairs;
use duet_market::auction::uniform::{MarginalPrice, UniformRule, clear_uniform};
use duet_market::auction::{CallRule, Clearing, clear};
use duet_market::game::{self, Design, GameOrder, GameRule, JointClearing, Stage, clear_joint};
use duet_market::order::Order;
use duet_market::pairing::pair;
use duet_units::{BasisPoints, Energy, MicroYuan, Money, OverflowError, Price};

/// What a period comes to.
#[derive(Debug)]
pub(super) struct Cleared {
    pub(super) clearing: PeriodClearing,
    /// Its trades, which name orders by their place.
    pub(super) trades: Vec<game::Trade>,
    /// Its competitive prices, where they say something about its one price.
    pub(super) interval: Option<(Price, Price)>,
}

impl Cleared {
    /// Of a period without competitive prices.
    pub(super) const fn plain(clearing: PeriodClearing, trades: Vec<game::Trade>) -> Self {
        Self { clearing, trades, interval: None }
    }
}

/// Clears the orders of one period, which a joint session does in this design of the second stage.
/// An overflow is a fault of the orders, not of the ledger.
pub(super) fn clear_period(
    orders: &[GameOrder],
    session: &Session,
    second_stage: Design,
) -> Result<Result<Cleared, OverflowError>, BrokenInvariant> {
    if session.mode.is_joint() {
        let rule = GameRule { second_stage, ..game_rule(&session.terms) };
        return match clear_joint(orders, &rule) {
            Ok(clearing) => {
                Ok(Ok(Cleared::plain(summary(&clearing, second_stage)?, clearing.trades)))
            }
            Err(overflow) => Ok(Err(overflow)),
        };
    }
    let plain: Vec<Order> = orders.iter().map(|order| order.order).collect();
    Ok(match session.mode {
        Mode::Joint | Mode::Call | Mode::Continuous(_) => clear(&plain, &call_rule(&session.terms))
            .and_then(|clearing| uniform(&plain, &clearing)),
        Mode::Uniform(k1) => uniform_marginal(&plain, session, k1),
        Mode::Pairwise(k2) => pairwise(&plain, k2),
        // What was agreed on is traded already; listings are shared out by their takers.
        Mode::Bilateral | Mode::Listing(_) | Mode::Rolling => {
            Ok(Cleared::plain(period_clearing(None, Energy::ZERO), Vec::new()))
        }
    })
}

fn uniform_marginal(
    orders: &[Order],
    session: &Session,
    k1: BasisPoints,
) -> Result<Cleared, OverflowError> {
    let rationing = session.terms.rationing;
    let rule = UniformRule { marginal: MarginalPrice::LastPair, k1, rationing };
    uniform(orders, &clear_uniform(orders, &rule)?)
}

/// Pairs who delivers to whom at one price.
pub(super) fn uniform(orders: &[Order], clearing: &Clearing) -> Result<Cleared, OverflowError> {
    let mut trades = Vec::new();
    if let Some(price) = clearing.price {
        for pair in pair(orders, &clearing.fills)? {
            trades.push(trade((pair.buy, pair.sell), pair.quantity, price)?);
        }
    }
    let summary = period_clearing(clearing.price, clearing.volume);
    Ok(Cleared { clearing: summary, trades, interval: clearing.interval })
}

/// Every pair at its own price.
fn pairwise(orders: &[Order], k2: BasisPoints) -> Result<Cleared, OverflowError> {
    let mut trades = Vec::new();
    for pair in match_pairs(orders, k2)? {
        trades.push(trade((pair.buy, pair.sell), pair.quantity, pair.price)?);
    }
    let clearing = sum_up(trades.iter().map(|trade| (trade.quantity, trade.buyer_price)))?;
    Ok(Cleared::plain(clearing, trades))
}

/// The summary of trades at several prices; its price is their mean, weighted by energy.
pub(super) fn sum_up(
    trades: impl Iterator<Item = (Energy, Price)>,
) -> Result<PeriodClearing, OverflowError> {
    let (mut volume, mut value) = (Energy::ZERO, MicroYuan::ZERO);
    for (quantity, price) in trades {
        volume = volume.plus(quantity)?;
        value = value.plus(price.value_of(quantity)?)?;
    }
    Ok(period_clearing(value.mean_price(volume), volume))
}

/// A trade at one price for both sides, its amount rounded once.
pub(super) fn trade(
    (buy, sell): (usize, usize),
    quantity: Energy,
    price: Price,
) -> Result<game::Trade, OverflowError> {
    let paid = price.cost_of(quantity)?;
    let (buyer_price, seller_price, received) = (price, price, paid);
    Ok(game::Trade {
        stage: Stage::First,
        buy,
        sell,
        quantity,
        buyer_price,
        seller_price,
        paid,
        received,
    })
}

/// The summary of a period with one stage.
pub(super) const fn period_clearing(price: Option<Price>, volume: Energy) -> PeriodClearing {
    PeriodClearing {
        price,
        volume,
        buyer_price: None,
        seller_price: None,
        second_volume: Energy::ZERO,
        compensation: Money::ZERO,
        fund: Money::ZERO,
        drawn: None,
    }
}

pub(super) fn call_rule(terms: &SessionTerms) -> CallRule {
    CallRule {
        numerator: terms.price_numerator.into(),
        denominator: terms.price_denominator.into(),
        rationing: terms.rationing,
    }
}

fn game_rule(terms: &SessionTerms) -> GameRule {
    GameRule {
        call: call_rule(terms),
        second_stage: terms.second_stage,
        compensation_cap: terms.compensation_cap,
        fund_share: terms.fund_share,
    }
}

fn summary(clearing: &JointClearing, design: Design) -> Result<PeriodClearing, BrokenInvariant> {
    let second = clearing.second.as_ref();
    let fund = second.map_or(0, |stage| stage.fund.micro_yuan().div_euclid(10_000));
    let compensation = second.map_or(Money::ZERO, |stage| stage.compensation);
    let levied = Money::sum(clearing.levies.iter().map(|levy| levy.amount))?;
    let given = clearing
        .trades
        .iter()
        .try_fold(Money::ZERO, |sum, trade| sum.plus(trade.received.minus(trade.paid)?))?;
    if levied != compensation || given != compensation {
        return Err(BrokenInvariant("compensation paid is compensation levied"));
    }
    Ok(PeriodClearing {
        price: match design {
            Design::Uplift => second.map(|stage| stage.buyer_price).or(clearing.first.price),
            Design::None | Design::Compensation => clearing.first.price,
        },
        volume: clearing.first.volume,
        buyer_price: second.map(|stage| stage.buyer_price),
        seller_price: second.map(|stage| stage.seller_price),
        second_volume: second.map_or(Energy::ZERO, |stage| stage.volume),
        compensation,
        fund: Money::from_fen(fund),
        drawn: None,
    })
}
