//! The joint session: the paper's cooperative game with its compensated second stage.
//!
//! The first stage is a call auction in which carbon is already part of every ask. What it leaves
//! on both sides cannot trade any more without help: every remaining ask exceeds every remaining
//! bid. The second stage trades a part of it, and pays the difference out of a fund that comes
//! from the over-conduction rent of the first stage's sellers. The design A pays it to the sellers
//! of the second stage; in the design D all buyers pay one price, and every seller above it is
//! lifted to its ask.

mod budget;
mod design;
mod second;

pub use design::{Design, is_held};

use duet_units::{
    BasisPoints, Energy, MicroYuan, Money, OverflowError, Price, div_half_away, largest_remainder,
};

use crate::auction::{CallRule, Clearing, clear};
use crate::order::{Order, Side};
use crate::pairing::{Pair, pair};

/// An order of a joint session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GameOrder {
    /// The order; the limit of a sell order is its effective ask, with carbon in it.
    pub order: Order,
    /// For a sell order: the registered cost with carbon, which caps what compensation pays.
    pub registered_ask: Price,
    /// For a sell order: the registered cost, by which the compensation is allocated.
    pub registered_cost: Price,
    /// For a sell order: its over-conduction rent; never negative. Zero for a buy order.
    pub rent: Price,
}

/// The rule of a joint session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GameRule {
    /// The rule of the call auction; its rationing also holds in the second stage.
    pub call: CallRule,
    /// The second stage.
    pub second_stage: Design,
    /// The most that may be paid on top of a buyer's price.
    pub compensation_cap: Price,
    /// The share of the first stage's rent that the fund may draw on.
    pub fund_share: BasisPoints,
}

/// The stage in which a trade came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The call auction.
    First,
    /// The compensated auction of the rest.
    Second,
}

/// A trade between two orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The stage it comes from.
    pub stage: Stage,
    /// Position of the buy order.
    pub buy: usize,
    /// Position of the sell order.
    pub sell: usize,
    /// The energy.
    pub quantity: Energy,
    /// What the buyer pays per MWh.
    pub buyer_price: Price,
    /// What the seller receives per MWh; above the buyer's price by the compensation.
    pub seller_price: Price,
    /// What the buyer pays: quantity at the buyer's price, rounded half away from zero.
    pub paid: Money,
    /// What the seller receives: `paid` plus the compensation, which is quantity at the difference
    /// of the two prices rounded down, because a fund cannot pay what it does not hold.
    pub received: Money,
}

/// What a first-stage seller pays into the fund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levy {
    /// Position of the sell order.
    pub sell: usize,
    /// The amount; positive.
    pub amount: Money,
}

/// The share `M_j` of the compensation that is booked as a second-stage seller's cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Position of the sell order.
    pub sell: usize,
    /// The amount.
    pub cost: Money,
}

/// The result of a second stage in which something traded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondStage {
    /// The price of every buyer, of both stages if the design is uplift: the lowest accepted bid.
    pub buyer_price: Price,
    /// The highest accepted ask: no seller is paid more.
    pub seller_price: Price,
    /// The energy traded.
    pub volume: Energy,
    /// The filled energy of each order in this stage, by its position.
    pub fills: Vec<Energy>,
    /// The compensation paid out, which is the sum of the levies; uplift to sellers of the first
    /// stage is part of it.
    pub compensation: Money,
    /// What could have been paid out.
    pub fund: MicroYuan,
    /// The effective cap: the policy cap, or the highest rent of a seller that traded if that is
    /// less. The two prices differ by at most this.
    pub cap: Price,
    /// The compensation allocated as cost, by position of the sell order.
    pub allocations: Vec<Allocation>,
    /// The paper's equation (3) taken literally: energy times average compensation times unit cost,
    /// by position of the sell order. Its unit is micro-yuan times milli-yuan/MWh, which is no unit
    /// of money; it is here to be compared with the paper.
    pub m_literal: Vec<(usize, i128)>,
}

/// The result of a joint session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JointClearing {
    /// The first stage.
    pub first: Clearing,
    /// The second stage; `None` if the rule has none or nothing could trade in it.
    pub second: Option<SecondStage>,
    /// The trades: first stage, then second, each in the order of [`pair`].
    pub trades: Vec<Trade>,
    /// What first-stage sellers pay for the compensation, by position of the sell order.
    pub levies: Vec<Levy>,
}

/// Clears a joint session.
///
/// The first stage is [`clear`] on the effective asks. The second stage takes what is left of the
/// same orders: see `game/second.rs` for its rule, with the reason why each seller's
/// gap is bounded by its own rent. Postings balance: buyers' payments plus levies are sellers'
/// receipts, to the fen.
///
/// Under [`Design::Uplift`] an offer above its registered ask takes no part in either stage: it
/// could only be paid less than it asks, or more than it is registered for.
///
/// # Errors
///
/// Returns [`OverflowError`] if a quantity or a rent is negative, or if a sum or product does not
/// fit.
///
/// # Source
///
/// trading-game.md 1.3 to 1.5, with safeguard A or mode D; paper equations (1) to (3).
pub fn clear_joint(orders: &[GameOrder], rule: &GameRule) -> Result<JointClearing, OverflowError> {
    let plain: Vec<Order> = orders.iter().map(|order| admitted(order, rule.second_stage)).collect();
    let first = clear(&plain, &rule.call)?;
    let rents = Rents::of(orders, &first.fills)?;
    let fund = fund(&rents, rule.fund_share)?;
    let Some(outcome) = second::run(orders, &first.fills, rule, fund)? else {
        let trades = trades(orders, [pair(&plain, &first.fills)?, Vec::new()], &first, None)?;
        return Ok(JointClearing { first, second: None, trades, levies: Vec::new() });
    };
    let pairs = [pair(&plain, &first.fills)?, pair(&plain, &outcome.fills)?];
    drop(plain);
    let trades = trades(orders, pairs, &first, Some((&outcome, rule.second_stage)))?;
    let uplift = rule.second_stage == Design::Uplift;
    let compensated =
        trades.iter().rev().take_while(|trade| uplift || trade.stage == Stage::Second);
    let compensation = compensated.map(|trade| trade.received.minus(trade.paid));
    let compensation = Money::sum(compensation.collect::<Result<Vec<_>, _>>()?)?;
    let levies = rents.levies(compensation)?;
    let costs = Costs::of(orders, &outcome)?;
    let allocations = costs.allocations(compensation)?;
    let m_literal = costs.literal(compensation, outcome.volume)?;
    let second::Outcome { buyer_price, seller_price, volume, fills, cap } = outcome;
    let second = SecondStage {
        buyer_price,
        seller_price,
        volume,
        fills,
        compensation,
        fund,
        cap,
        allocations,
        m_literal,
    };
    Ok(JointClearing { first, second: Some(second), trades, levies })
}

/// The order as the auction sees it: an offer above its registered ask has nothing to offer where
/// sellers may be lifted to what they ask.
fn admitted(game_order: &GameOrder, design: Design) -> Order {
    let order = game_order.order;
    let is_above = order.side == Side::Sell && game_order.registered_ask < order.limit;
    let quantity = if design == Design::Uplift && is_above && order.quantity > Energy::ZERO {
        Energy::ZERO
    } else {
        order.quantity
    };
    Order { quantity, ..order }
}

/// The trades of the pairs of both stages, in one list of the right length: at a hundred thousand
/// orders, growing and joining lists costs more than filling them.
fn trades(
    orders: &[GameOrder],
    pairs: [Vec<Pair>; 2],
    first: &Clearing,
    second: Option<(&second::Outcome, Design)>,
) -> Result<Vec<Trade>, OverflowError> {
    let [first_pairs, second_pairs] = pairs;
    let mut trades = Vec::with_capacity(first_pairs.len().saturating_add(second_pairs.len()));
    match (second, first.price) {
        (Some((outcome, Design::Uplift)), _) => {
            for pair in first_pairs {
                trades.push(uplifted_trade(orders, (pair, Stage::First), outcome)?);
            }
            for pair in second_pairs {
                trades.push(uplifted_trade(orders, (pair, Stage::Second), outcome)?);
            }
            return Ok(trades);
        }
        (_, Some(price)) => {
            for pair in first_pairs {
                trades.push(first_trade(pair, price)?);
            }
        }
        (_, None) => {}
    }
    if let Some((outcome, _)) = second {
        for pair in second_pairs {
            trades.push(second_trade(orders, pair, outcome)?);
        }
    }
    Ok(trades)
}

fn first_trade(pair: Pair, price: Price) -> Result<Trade, OverflowError> {
    let Pair { buy, sell, quantity } = pair;
    let paid = price.cost_of(quantity)?;
    let (stage, buyer_price, seller_price, received) = (Stage::First, price, price, paid);
    Ok(Trade { stage, buy, sell, quantity, buyer_price, seller_price, paid, received })
}

/// Safeguard A: the registered ask, at most the highest accepted ask.
fn second_trade(
    orders: &[GameOrder],
    pair: Pair,
    outcome: &second::Outcome,
) -> Result<Trade, OverflowError> {
    let buyer_price = outcome.buyer_price;
    let registered = orders.get(pair.sell).ok_or(COMPENSATION)?.registered_ask;
    let seller_price = registered.max(buyer_price).min(outcome.seller_price);
    compensated_trade((pair, Stage::Second), buyer_price, seller_price)
}

/// Design D: the one price, or the ask above it, which is no higher than the registered one.
fn uplifted_trade(
    orders: &[GameOrder],
    (pair, stage): (Pair, Stage),
    outcome: &second::Outcome,
) -> Result<Trade, OverflowError> {
    let buyer_price = outcome.buyer_price;
    let ask = orders.get(pair.sell).ok_or(COMPENSATION)?.order.limit;
    compensated_trade((pair, stage), buyer_price, ask.max(buyer_price))
}

fn compensated_trade(
    (pair, stage): (Pair, Stage),
    buyer_price: Price,
    seller_price: Price,
) -> Result<Trade, OverflowError> {
    let Pair { buy, sell, quantity } = pair;
    let paid = buyer_price.cost_of(quantity)?;
    let exact = seller_price.minus(buyer_price)?.value_of(quantity)?;
    let compensation = Money::from_fen(exact.micro_yuan().div_euclid(MICRO_YUAN_PER_FEN));
    let received = paid.plus(compensation)?;
    Ok(Trade { stage, buy, sell, quantity, buyer_price, seller_price, paid, received })
}

const COMPENSATION: OverflowError = OverflowError { operation: "compensation", unit: "fen" };
const MICRO_YUAN_PER_FEN: i128 = 10_000;

/// The sellers that collected a rent in the first stage, by position, and how much it is.
struct Rents {
    sells: Vec<usize>,
    micro_yuan: Vec<i128>,
}

impl Rents {
    fn of(orders: &[GameOrder], fills: &[Energy]) -> Result<Self, OverflowError> {
        let mut all = Self { sells: Vec::new(), micro_yuan: Vec::new() };
        for (index, (game_order, fill)) in orders.iter().zip(fills).enumerate() {
            if game_order.order.side == Side::Buy {
                continue;
            }
            if game_order.rent < Price::ZERO {
                return Err(OverflowError { operation: "rent", unit: "milli-yuan/MWh" });
            }
            let rent = game_order.rent.value_of(*fill)?.micro_yuan();
            if rent > 0 {
                all.sells.push(index);
                all.micro_yuan.push(rent);
            }
        }
        Ok(all)
    }

    /// Collects what was paid out from those whose rent made the fund, in proportion to it.
    fn levies(&self, compensation: Money) -> Result<Vec<Levy>, OverflowError> {
        let parts = largest_remainder(compensation.fen(), &self.micro_yuan)?;
        let mut levies = Vec::with_capacity(parts.len());
        for (sell, part) in self.sells.iter().zip(parts).filter(|(_, part)| *part > 0) {
            levies.push(Levy { sell: *sell, amount: Money::from_fen(part) });
        }
        Ok(levies)
    }
}

/// The fund: the share of all rents, rounded down.
fn fund(rents: &Rents, share: BasisPoints) -> Result<MicroYuan, OverflowError> {
    let overflow = OverflowError { operation: "compensation fund", unit: "micro-yuan" };
    if share < BasisPoints::ZERO || BasisPoints::ONE < share {
        return Err(overflow);
    }
    let total = MicroYuan::sum(rents.micro_yuan.iter().copied().map(MicroYuan::from_micro_yuan))?;
    let product = total.micro_yuan().checked_mul(share.bp().into()).ok_or(overflow)?;
    Ok(MicroYuan::from_micro_yuan(product.div_euclid(BasisPoints::ONE.bp().into())))
}

/// The second-stage sellers with the energy and the registered cost by which compensation is
/// allocated to them.
struct Costs {
    sells: Vec<usize>,
    quantities: Vec<i128>,
    costs: Vec<i128>,
}

impl Costs {
    fn of(orders: &[GameOrder], outcome: &second::Outcome) -> Result<Self, OverflowError> {
        let mut all = Self { sells: Vec::new(), quantities: Vec::new(), costs: Vec::new() };
        for (index, (game_order, fill)) in orders.iter().zip(&outcome.fills).enumerate() {
            if !fill.is_zero() && game_order.order.side == Side::Sell {
                all.sells.push(index);
                all.quantities.push(fill.kwh().into());
                // A negative registered cost (subsidised output) bears no share.
                let cost = game_order.registered_cost.max(Price::ZERO);
                all.costs.push(cost.value_of(*fill)?.micro_yuan());
            }
        }
        Ok(all)
    }

    /// `M_j = q_j * P_t * c_j / cbar`, that is the payout shared in proportion to `q_j * c_j`.
    fn allocations(&self, compensation: Money) -> Result<Vec<Allocation>, OverflowError> {
        let cost_free = self.costs.iter().all(|cost| *cost == 0);
        let weights = if cost_free { &self.quantities } else { &self.costs };
        let parts = largest_remainder(compensation.fen(), weights)?;
        let allocations = self.sells.iter().zip(parts);
        Ok(allocations
            .map(|(sell, part)| Allocation { sell: *sell, cost: Money::from_fen(part) })
            .collect())
    }

    /// `q_j * P_t * c_j` with `P_t` the payout in micro-yuan over the volume in kWh.
    fn literal(
        &self,
        compensation: Money,
        volume: Energy,
    ) -> Result<Vec<(usize, i128)>, OverflowError> {
        let overflow = OverflowError { operation: "literal equation (3)", unit: "its odd unit" };
        let paid = compensation.fen().checked_mul(MICRO_YUAN_PER_FEN).ok_or(overflow)?;
        let literal = |cost: i128| div_half_away(cost.checked_mul(paid)?, volume.kwh().into());
        let pairs = self.sells.iter().zip(&self.costs);
        pairs.map(|(sell, cost)| Ok((*sell, literal(*cost).ok_or(overflow)?))).collect()
    }
}
