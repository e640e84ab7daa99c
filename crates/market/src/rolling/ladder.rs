//! One side of a book: a queue of orders at each level of the grid.

use std::num::NonZeroU32;

use super::bitmap::{Bitmap, Way};
use crate::order::Side;

/// The name of an order: one more than its slot, so that no name is as short as a name.
pub(super) type Name = NonZeroU32;

/// An order that stands in the book, or stood there if it has nothing left. Withdrawals reach for
/// orders anywhere in memory, so every byte here is time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting {
    pub(super) left: i64,
    level: u32,
    previous: Option<Name>,
    next: Option<Name>,
    pub(super) side: Side,
}

/// The orders at one price, by time.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    head: Option<Name>,
    tail: Option<Name>,
    energy: i64,
}

/// The queues of one side. The orders themselves are kept by the book, for both sides together.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    queues: Vec<Queue>,
    occupied: Bitmap,
    /// The way from the best price to the worst.
    way: Way,
}

impl Ladder {
    pub(super) fn new(side: Side, levels: usize) -> Self {
        let way = match side {
            Side::Buy => Way::Down,
            Side::Sell => Way::Up,
        };
        Self { queues: vec![Queue::default(); levels], occupied: Bitmap::new(levels), way }
    }

    /// The best level that has orders.
    pub(super) fn best(&self) -> Option<usize> {
        self.occupied.first(self.way)
    }

    /// The best level that has orders and is worse than `level`.
    pub(super) fn worse_than(&self, level: usize) -> Option<usize> {
        self.occupied.next(self.way, level)
    }

    /// The energy of all orders at a level.
    pub(super) fn energy_at(&self, level: usize) -> i64 {
        self.queues.get(level).map_or(0, |queue| queue.energy)
    }

    /// The earliest order at a level.
    pub(super) fn earliest(&self, level: usize) -> Option<Name> {
        self.queues.get(level)?.head
    }

    /// Puts a new order behind all others of its level and returns its name.
    pub(super) fn push(
        &mut self,
        orders: &mut Vec<Resting>,
        order: (Side, usize, i64),
    ) -> Option<Name> {
        let (side, place, left) = order;
        let level = u32::try_from(place).ok()?;
        let name = Name::new(u32::try_from(orders.len()).ok()?.checked_add(1)?)?;
        let queue = self.queues.get_mut(place)?;
        orders.push(Resting { left, level, side, previous: queue.tail, next: None });
        if let Some(last) = queue.tail.and_then(|last| orders.get_mut(slot_of(last))) {
            last.next = Some(name);
        } else {
            queue.head = Some(name);
            self.occupied.insert(place);
        }
        queue.tail = Some(name);
        // The book has checked that the energy of the level fits.
        queue.energy = queue.energy.saturating_add(left);
        Some(name)
    }

    /// Takes `kwh` off an order, and the order out of its queue if nothing is left.
    pub(super) fn take(&mut self, orders: &mut [Resting], name: Name, kwh: i64) {
        let Some(order) = orders.get_mut(slot_of(name)) else { return };
        let Ok(level) = usize::try_from(order.level) else { return };
        let Some(queue) = self.queues.get_mut(level) else { return };
        order.left = order.left.saturating_sub(kwh);
        queue.energy = queue.energy.saturating_sub(kwh);
        if order.left > 0 {
            return;
        }
        let Resting { previous, next, .. } = *order;
        match previous.and_then(|name| orders.get_mut(slot_of(name))) {
            Some(before) => before.next = next,
            None => queue.head = next,
        }
        match next.and_then(|name| orders.get_mut(slot_of(name))) {
            Some(after) => after.previous = previous,
            None => queue.tail = previous,
        }
        if queue.head.is_none() {
            self.occupied.remove(level);
        }
    }
}

/// Where the order stands in the list of all orders.
pub(super) fn slot_of(name: Name) -> usize {
    usize::try_from(name.get().saturating_sub(1)).unwrap_or(usize::MAX)
}
