//! The stream of final events: the last ones in memory, the next ones as they come.

use duet_ledger::Event;
use duet_units::ClockTime;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::broadcast;

/// How many past events a reader can ask for.
const KEPT: usize = 20_000;
/// How many events a reader may lag behind before it is cut off.
const LAG_MAX: usize = 8_192;

/// An event with its place on the chain.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    /// The height of its block.
    pub height: u64,
    /// Its place among the events of the block.
    pub index: u32,
    /// The time of the block.
    pub time: ClockTime,
    /// What happened; `None` says that a block without events became final.
    pub event: Option<Event>,
}

/// What a reader of the stream gets.
#[derive(Clone, Debug)]
pub enum StreamItem {
    /// The next event.
    Event(Arc<LoggedEvent>),
    /// Events between the last one and the next are not kept any more, or the reader was too slow:
    /// read the state again.
    Gap,
}

#[derive(Debug)]
pub(crate) struct EventLog {
    kept: Mutex<VecDeque<Arc<LoggedEvent>>>,
    live: broadcast::Sender<Arc<LoggedEvent>>,
}

impl EventLog {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::default(), live: broadcast::channel(LAG_MAX).0 }
    }

    pub(crate) fn publish(&self, height: u64, time: ClockTime, events: Vec<Event>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = events.is_empty().then_some(None);
        let items = events.into_iter().map(Some).chain(mark);
        for (index, event) in (0_u32..).zip(items) {
            let logged = Arc::new(LoggedEvent { height, index, time, event });
            if logged.event.is_some() {
                if kept.len() == KEPT {
                    kept.pop_front();
                }
                kept.push_back(logged.clone());
            }
            // Nobody may be listening.
            self.live.send(logged).ok();
        }
    }

    /// Events after the place `after`, or only new ones.
    pub(crate) fn subscribe(&self, after: Option<(u64, u32)>) -> EventStream {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.subscribe();
        let mut past = VecDeque::new();
        let mut gap = false;
        if let Some(after) = after {
            let dropped_some = kept.len() == KEPT;
            gap = dropped_some && kept.front().is_some_and(|e| after < (e.height, e.index));
            past = kept.iter().filter(|e| after < (e.height, e.index)).cloned().collect();
        }
        EventStream { past, live, gap }
    }
}

/// A reader's end of the stream.
#[derive(Debug)]
pub struct EventStream {
    past: VecDeque<Arc<LoggedEvent>>,
    live: broadcast::Receiver<Arc<LoggedEvent>>,
    gap: bool,
}

impl EventStream {
    /// Waits for the next item; `None` when the node stops.
    pub async fn next(&mut self) -> Option<StreamItem> {
        if std::mem::take(&mut self.gap) {
            return Some(StreamItem::Gap);
        }
        if let Some(event) = self.past.pop_front() {
            return Some(StreamItem::Event(event));
        }
        match self.live.recv().await {
            Ok(event) => Some(StreamItem::Event(event)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(StreamItem::Gap),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
