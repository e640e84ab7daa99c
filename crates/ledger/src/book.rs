//! The book of one period of a session that matches orders on arrival: an index of its pending
//! orders, made again from them when a state is restored.
//!
//! An order's number is its time. Finding the best order, taking from it, and adding or removing
//! one take time logarithmic in the book.

use crate::ids::{OrderId, OrganisationId};
use duet_market::order::Side;
use duet_units::{Energy, Price};
use std::collections::BTreeMap;

/// How many levels of each side are shown (market-rules.md 4.6).
const LEVELS_SHOWN: usize = 5;

/// What one price of a book shows: energy, but not whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthLevel {
    /// The price.
    pub price: Price,
    /// The energy of all orders at it, on each delivery day.
    pub quantity: Energy,
    /// How many orders that is.
    pub orders: u32,
}

/// What a book shows of both sides: the best five levels, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Of buyers.
    pub bids: Vec<DepthLevel>,
    /// Of sellers.
    pub asks: Vec<DepthLevel>,
}

/// An order as its book sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) id: OrderId,
    pub(crate) owner: OrganisationId,
    pub(crate) side: Side,
    pub(crate) limit: Price,
    /// What of it is not filled; positive.
    pub(crate) left: Energy,
}

/// The orders at one price, by time.
#[derive(Clone, Debug, Default)]
struct Queue {
    orders: BTreeMap<OrderId, Energy>,
    energy: i64,
}

/// One side; a level's rank is the lower, the better its price.
#[derive(Clone, Debug, Default)]
struct Half {
    levels: BTreeMap<i64, Queue>,
    /// How many orders an organisation has at a rank.
    owners: BTreeMap<(OrganisationId, i64), u32>,
}

/// The pending orders of one period, best first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    bids: Half,
    asks: Half,
}

/// The rank of a price among those of `side`. Prices of sessions are far from the ends of `i64`.
const fn rank(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => price.milli_yuan_per_mwh().saturating_neg(),
        Side::Sell => price.milli_yuan_per_mwh(),
    }
}

/// The price of a rank.
const fn price_of(side: Side, rank: i64) -> Price {
    Price::from_milli_yuan_per_mwh(match side {
        Side::Buy => rank.saturating_neg(),
        Side::Sell => rank,
    })
}

impl Book {
    const fn half(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    const fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Lets an order stand.
    pub(crate) fn insert(&mut self, order: Standing) {
        let rank = rank(order.side, order.limit);
        let half = self.half_mut(order.side);
        let queue = half.levels.entry(rank).or_default();
        queue.orders.insert(order.id, order.left);
        queue.energy = queue.energy.saturating_add(order.left.kwh());
        let count = half.owners.entry((order.owner, rank)).or_default();
        *count = count.saturating_add(1);
    }

    /// Takes energy off an order that stands here with `left`; with nothing left it leaves.
    pub(crate) fn take(&mut self, order: Standing, energy: Energy) {
        let rank = rank(order.side, order.limit);
        let half = self.half_mut(order.side);
        let Some(queue) = half.levels.get_mut(&rank) else { return };
        queue.energy = queue.energy.saturating_sub(energy.kwh());
        let left = order.left.kwh().saturating_sub(energy.kwh());
        if left > 0 {
            queue.orders.insert(order.id, Energy::from_kwh(left));
            return;
        }
        queue.orders.remove(&order.id);
        if queue.orders.is_empty() {
            half.levels.remove(&rank);
        }
        let key = (order.owner, rank);
        let count = half.owners.get(&key).copied().unwrap_or(0).saturating_sub(1);
        if count == 0 {
            half.owners.remove(&key);
        } else {
            half.owners.insert(key, count);
        }
    }

    /// Which orders an incoming one would take, and how much of each: the best price first, at one
    /// price the earlier order first.
    pub(crate) fn meets(
        &self,
        side: Side,
        limit: Price,
        quantity: Energy,
    ) -> Vec<(OrderId, Energy)> {
        let opposite = side.opposite();
        let worst = rank(opposite, limit);
        let levels = self.half(opposite).levels.range(..=worst);
        let standing = levels.flat_map(|(_, queue)| &queue.orders);
        let (mut met, mut left) = (Vec::new(), quantity);
        for (id, energy) in standing {
            let taken = left.min(*energy);
            if taken <= Energy::ZERO {
                break;
            }
            met.push((*id, taken));
            left = Energy::from_kwh(left.kwh().saturating_sub(taken.kwh()));
        }
        met
    }

    /// Whether an order of `owner` stands on the other side at `limit` or better.
    pub(crate) fn has_own(&self, owner: OrganisationId, side: Side, limit: Price) -> bool {
        let opposite = side.opposite();
        let worst = rank(opposite, limit);
        self.half(opposite).owners.range((owner, i64::MIN)..=(owner, worst)).next().is_some()
    }

    /// The best levels of both sides.
    pub(crate) fn depth(&self) -> Depth {
        Depth { bids: self.shown(Side::Buy), asks: self.shown(Side::Sell) }
    }

    fn shown(&self, side: Side) -> Vec<DepthLevel> {
        let level = |(rank, queue): (&i64, &Queue)| DepthLevel {
            price: price_of(side, *rank),
            quantity: Energy::from_kwh(queue.energy),
            orders: u32::try_from(queue.orders.len()).unwrap_or(u32::MAX),
        };
        self.half(side).levels.iter().take(LEVELS_SHOWN).map(level).collect()
    }
}
