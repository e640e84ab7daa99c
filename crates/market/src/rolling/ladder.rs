//! One side of a book: a queue of orders at each level of the grid.

use super::bitmap::{Bitmap, Way};
use crate::order::Side;

/// No order: the end of a queue.
const NONE: u32 = u32::MAX;

/// An order that stands in the book, or stood there if it has nothing left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting {
    pub(super) left: i64,
    pub(super) level: usize,
    pub(super) side: Side,
    previous: u32,
    next: u32,
}

/// The orders at one price, by time.
#[derive(Clone, Copy, Debug)]
struct Queue {
    head: u32,
    tail: u32,
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
        let empty = Queue { head: NONE, tail: NONE, energy: 0 };
        Self { queues: vec![empty; levels], occupied: Bitmap::new(levels), way }
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

    /// The slot of the earliest order at a level.
    pub(super) fn earliest(&self, level: usize) -> Option<usize> {
        self.queues.get(level).and_then(|queue| slot_of(queue.head))
    }

    /// Puts a new order behind all others of its level and returns its slot.
    pub(super) fn push(
        &mut self,
        orders: &mut Vec<Resting>,
        order: (Side, usize, i64),
    ) -> Option<u32> {
        let (side, level, left) = order;
        let name = u32::try_from(orders.len()).ok().filter(|name| *name != NONE)?;
        let queue = self.queues.get_mut(level)?;
        orders.push(Resting { left, level, side, previous: queue.tail, next: NONE });
        if let Some(last) = slot_of(queue.tail).and_then(|slot| orders.get_mut(slot)) {
            last.next = name;
        } else {
            queue.head = name;
            self.occupied.insert(level);
        }
        queue.tail = name;
        // The book has checked that the energy of the level fits.
        queue.energy = queue.energy.saturating_add(left);
        Some(name)
    }

    /// Takes `kwh` off the order in `slot`, and the order out of its queue if nothing is left.
    pub(super) fn take(&mut self, orders: &mut [Resting], slot: usize, kwh: i64) {
        let Some(order) = orders.get_mut(slot) else { return };
        let Some(queue) = self.queues.get_mut(order.level) else { return };
        order.left = order.left.saturating_sub(kwh);
        queue.energy = queue.energy.saturating_sub(kwh);
        if order.left > 0 {
            return;
        }
        let Resting { level, previous, next, .. } = *order;
        match slot_of(previous).and_then(|slot| orders.get_mut(slot)) {
            Some(before) => before.next = next,
            None => queue.head = next,
        }
        match slot_of(next).and_then(|slot| orders.get_mut(slot)) {
            Some(after) => after.previous = previous,
            None => queue.tail = previous,
        }
        if queue.head == NONE {
            self.occupied.remove(level);
        }
    }
}

fn slot_of(name: u32) -> Option<usize> {
    if name == NONE { None } else { usize::try_from(name).ok() }
}
