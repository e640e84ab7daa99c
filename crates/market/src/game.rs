//! The joint session: the paper's cooperative game with its compensated second stage.
//!
//! The first stage is a call auction in which carbon is already part of every ask. What it leaves
//! on both sides cannot trade any more without help: every remaining ask exceeds every remaining
//! bid. The second stage trades a part of it, and pays the difference out of a fund that comes
//! from the over-conduction rent of the first stage's sellers.

mod second;

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
    /// Whether there is a second stage.
    pub second_stage: bool,
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
    /// The price of every buyer: the lowest accepted bid.
    pub buyer_price: Price,
    /// The highest accepted ask: no seller is paid more.
    pub seller_price: Price,
    /// The energy traded.
    pub volume: Energy,
    /// The filled energy of each order in this stage, by its position.
    pub fills: Vec<Energy>,
    /// The compensation paid out, which is the sum of the levies.
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
/// # Errors
///
/// Returns [`OverflowError`] if a quantity or a rent is negative, or if a sum or product does not
/// fit.
///
/// # Source
///
/// trading-game.md 1.3 to 1.5, with safeguard A; paper equations (1) to (3).
pub fn clear_joint(orders: &[GameOrder], rule: &GameRule) -> Result<JointClearing, OverflowError> {
    let plain: Vec<Order> = orders.iter().map(|game_order| game_order.order).collect();
    let first = clear(&plain, &rule.call)?;
    let mut trades = first_trades(&plain, &first)?;
    let rents = rents(orders, &first.fills)?;
    let fund = fund(&rents, rule.fund_share)?;
    let outcome =
        if rule.second_stage { second::run(orders, &first.fills, rule, fund)? } else { None };
    let Some(outcome) = outcome else {
        return Ok(JointClearing { first, second: None, trades, levies: Vec::new() });
    };
    let second_trades = second_trades(orders, &plain, &outcome)?;
    let compensation = Money::sum(
        second_trades
            .iter()
            .map(|trade| trade.received.minus(trade.paid))
            .collect::<Result<Vec<_>, _>>()?,
    )?;
    let levies = levies(compensation, &rents)?;
    let costs = Costs::of(orders, &outcome)?;
    let allocations = costs.allocations(compensation)?;
    let m_literal = costs.literal(compensation, outcome.volume)?;
    trades.extend(second_trades);
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

fn first_trades(plain: &[Order], first: &Clearing) -> Result<Vec<Trade>, OverflowError> {
    let Some(price) = first.price else { return Ok(Vec::new()) };
    let trade = |Pair { buy, sell, quantity }| {
        let paid = price.cost_of(quantity)?;
        Ok(Trade {
            stage: Stage::First,
            buy,
            sell,
            quantity,
            buyer_price: price,
            seller_price: price,
            paid,
            received: paid,
        })
    };
    pair(plain, &first.fills)?.into_iter().map(trade).collect()
}

/// The rent that each seller collected in the first stage, in micro-yuan, by position.
fn rents(orders: &[GameOrder], fills: &[Energy]) -> Result<Vec<i128>, OverflowError> {
    let mut rents = Vec::with_capacity(orders.len());
    for (game_order, fill) in orders.iter().zip(fills) {
        let rent = match game_order.order.side {
            Side::Buy => 0,
            Side::Sell if game_order.rent < Price::ZERO => {
                return Err(OverflowError { operation: "rent", unit: "milli-yuan/MWh" });
            }
            Side::Sell => game_order.rent.value_of(*fill)?.micro_yuan(),
        };
        rents.push(rent);
    }
    Ok(rents)
}

/// The fund: the share of all rents, rounded down.
fn fund(rents: &[i128], share: BasisPoints) -> Result<MicroYuan, OverflowError> {
    let overflow = OverflowError { operation: "compensation fund", unit: "micro-yuan" };
    if share < BasisPoints::ZERO || BasisPoints::ONE < share {
        return Err(overflow);
    }
    let total = MicroYuan::sum(rents.iter().copied().map(MicroYuan::from_micro_yuan))?;
    let product = total.micro_yuan().checked_mul(share.bp().into()).ok_or(overflow)?;
    Ok(MicroYuan::from_micro_yuan(product.div_euclid(BasisPoints::ONE.bp().into())))
}

fn second_trades(
    orders: &[GameOrder],
    plain: &[Order],
    outcome: &second::Outcome,
) -> Result<Vec<Trade>, OverflowError> {
    let overflow = OverflowError { operation: "compensation", unit: "fen" };
    let buyer_price = outcome.buyer_price;
    let mut trades = Vec::new();
    for pair in pair(plain, &outcome.fills)? {
        let registered = orders.get(pair.sell).ok_or(overflow)?.registered_ask;
        let seller_price = registered.max(buyer_price).min(outcome.seller_price);
        let paid = buyer_price.cost_of(pair.quantity)?;
        let exact = seller_price.minus(buyer_price)?.value_of(pair.quantity)?;
        let compensation = Money::from_fen(exact.micro_yuan().div_euclid(MICRO_YUAN_PER_FEN));
        trades.push(Trade {
            stage: Stage::Second,
            buy: pair.buy,
            sell: pair.sell,
            quantity: pair.quantity,
            buyer_price,
            seller_price,
            paid,
            received: paid.plus(compensation)?,
        });
    }
    Ok(trades)
}

const MICRO_YUAN_PER_FEN: i128 = 10_000;

/// Collects what was paid out from those whose rent made the fund, in proportion to it.
fn levies(compensation: Money, rents: &[i128]) -> Result<Vec<Levy>, OverflowError> {
    let payers = || rents.iter().copied().enumerate().filter(|(_, rent)| *rent > 0);
    let weights: Vec<i128> = payers().map(|(_, rent)| rent).collect();
    let parts = largest_remainder(compensation.fen(), &weights)?;
    let levies = payers().zip(parts).filter(|(_, part)| *part > 0);
    Ok(levies.map(|((sell, _), part)| Levy { sell, amount: Money::from_fen(part) }).collect())
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
            if game_order.order.side == Side::Sell && !fill.is_zero() {
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
