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

impl LoggedEvent {
    const fn place(&self) -> Place {
        (self.height, self.index)
    }
}

/// A place on the chain: a height, and the number of an event of that block.
type Place = (u64, u32);

#[derive(Debug)]
pub(crate) struct EventLog {
    kept: Mutex<Kept>,
    live: broadcast::Sender<Arc<LoggedEvent>>,
}

#[derive(Debug)]
struct Kept {
    /// Of events before this place nothing is known.
    from: Place,
    events: VecDeque<Arc<LoggedEvent>>,
}

impl EventLog {
    /// A log that begins behind the block at `height`.
    pub(crate) fn new(height: u64) -> Self {
        let kept = Kept { from: (height.saturating_add(1), 0), events: VecDeque::new() };
        Self { kept: Mutex::new(kept), live: broadcast::channel(LAG_MAX).0 }
    }

    pub(crate) fn publish(&self, height: u64, time: ClockTime, events: Vec<Event>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = events.is_empty().then_some(None);
        let items = events.into_iter().map(Some).chain(mark);
        for (index, event) in (0_u32..).zip(items) {
            let logged = Arc::new(LoggedEvent { height, index, time, event });
            if logged.event.is_some() {
                if kept.events.len() == KEPT
                    && let Some(oldest) = kept.events.pop_front()
                {
                    kept.from = (oldest.height, oldest.index + 1);
                }
                kept.events.push_back(logged.clone());
            }
            // Nobody may be listening.
            self.live.send(logged).ok();
        }
    }

    /// Events after the place `after`, or only new ones. A place that is not reached yet, because
    /// the reader was at a validator that is further, is waited for.
    pub(crate) fn subscribe(&self, after: Option<Place>) -> EventStream {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.subscribe();
        let Some(after) = after else {
            return EventStream { past: VecDeque::new(), live, after: (0, 0), gap: false };
        };
        let past = kept.events.iter().filter(|event| after < event.place()).cloned().collect();
        let gap = (after.0, after.1.saturating_add(1)) < kept.from;
        EventStream { past, live, after, gap }
    }
}

/// A reader's end of the stream.
#[derive(Debug)]
pub struct EventStream {
    past: VecDeque<Arc<LoggedEvent>>,
    live: broadcast::Receiver<Arc<LoggedEvent>>,
    /// The reader knows everything up to here.
    after: Place,
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
        loop {
            match self.live.recv().await {
                Ok(event) if event.place() <= self.after => {}
                Ok(event) => return Some(StreamItem::Event(event)),
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(StreamItem::Gap),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duet_ledger::SessionId;
    use futures::FutureExt as _;

    fn log(heights: std::ops::RangeInclusive<u64>, of: &EventLog) {
        for height in heights {
            let event = Event::GateOpened { session: SessionId(1) };
            of.publish(height, ClockTime::default(), vec![event.clone(), event]);
        }
    }

    /// What a reader gets without waiting; nothing in the place of a gap.
    fn read(stream: &mut EventStream) -> Vec<Option<Place>> {
        let next = || stream.next().now_or_never().flatten();
        std::iter::from_fn(next)
            .map(|item| match item {
                StreamItem::Event(event) => Some(event.place()),
                StreamItem::Gap => None,
            })
            .collect()
    }

    #[test]
    fn a_reader_goes_on_behind_its_place() {
        let events = EventLog::new(0);
        log(1..=2, &events);
        let mut reader = events.subscribe(Some((1, 0)));
        log(3..=3, &events);
        let expected = [(1, 1), (2, 0), (2, 1), (3, 0), (3, 1)].map(Some);
        assert_eq!(read(&mut reader), expected);
    }

    #[test]
    fn what_was_before_the_start_is_a_gap() {
        let events = EventLog::new(48);
        log(49..=49, &events);
        assert_eq!(
            read(&mut events.subscribe(Some((10, 3)))),
            [None, Some((49, 0)), Some((49, 1))]
        );
        assert_eq!(read(&mut events.subscribe(Some((49, 0)))), [Some((49, 1))]);
    }

    #[test]
    fn what_is_no_longer_kept_is_a_gap() {
        let events = EventLog::new(0);
        log(1..=u64::try_from(KEPT / 2).unwrap() + 1, &events);
        assert_eq!(read(&mut events.subscribe(Some((1, 0))))[0], None);
        assert_eq!(read(&mut events.subscribe(Some((1, 1))))[0], Some((2, 0)), "just kept");
    }

    #[test]
    fn a_reader_that_is_ahead_hears_nothing_twice() {
        let events = EventLog::new(48);
        let mut reader = events.subscribe(Some((50, 0)));
        log(49..=51, &events);
        assert_eq!(read(&mut reader), [Some((50, 1)), Some((51, 0)), Some((51, 1))]);
    }
}
