//! The delivery task: one thing after another to the ledger, each until its receipt is final.

use std::sync::Arc;
use std::time::Duration;

use duet_ledger::{Acknowledgement, Action, DeviceAction, Dispatch, DispatchId, Health};
use tokio::sync::mpsc;

use crate::batch::SignedBatch;
use crate::uplink::{Delivery, Uplink, reports};

/// Where news go, and the pause before a delivery is tried again.
type Patience = (mpsc::Sender<News>, Duration);

/// What the loop hands out.
pub(super) enum Work {
    Batch(SignedBatch),
    Answer(Acknowledgement),
    /// Sent once: the next report says more.
    Health(Health),
}

/// What the delivery task tells the loop.
pub(super) enum News {
    Batch {
        sequence: u64,
        refused: usize,
    },
    Answer {
        dispatch: DispatchId,
    },
    /// The ledger did not take what it was given; it is tried again.
    Held,
    Dispatches(Vec<(DispatchId, Dispatch)>),
}

/// Delivers what is handed out until nobody hands anything out any more.
pub(super) async fn deliver(
    uplink: Arc<dyn Uplink>,
    mut work: mpsc::Receiver<Work>,
    patience: Patience,
) {
    let mut last = 0;
    while let Some(item) = work.recv().await {
        let item = match item {
            // Handed out twice: once while it was being delivered.
            Work::Batch(batch) if batch.header().sequence <= last => continue,
            Work::Batch(batch) => {
                let refused = deliver_batch(&*uplink, &patience, &batch).await;
                last = batch.header().sequence;
                News::Batch { sequence: last, refused }
            }
            Work::Answer(answer) => {
                let dispatch = answer.dispatch;
                insist(&*uplink, &patience, Action::AckDispatch(answer)).await;
                News::Answer { dispatch }
            }
            Work::Health(health) => {
                let action = Action::Device(DeviceAction::ReportHealth(health));
                if uplink.submit(action).await == Delivery::Later {
                    News::Held
                } else {
                    continue;
                }
            }
        };
        if patience.0.send(item).await.is_err() {
            return;
        }
    }
}

/// Delivers a batch: whole under its one signature, or, if the ledger will not have it whole, in
/// runs of periods, so that one bad reading does not take the others with it. Returns how many runs
/// were refused for good.
async fn deliver_batch(uplink: &dyn Uplink, patience: &Patience, batch: &SignedBatch) -> usize {
    let whole = Action::Device(DeviceAction::ReportBatch(batch.report()));
    if insist(uplink, patience, whole).await == Delivery::Final {
        return 0;
    }
    let mut refused = 0;
    for report in reports(batch.readings()) {
        let delivery = insist(uplink, patience, Action::ReportMeter(report)).await;
        refused += usize::from(matches!(delivery, Delivery::Refused(_)));
    }
    refused
}

async fn insist(uplink: &dyn Uplink, (news, pause): &Patience, action: Action) -> Delivery {
    loop {
        match uplink.submit(action.clone()).await {
            Delivery::Later => {
                // The loop may have ended; then this task soon will.
                let _ = news.send(News::Held).await;
                tokio::time::sleep(*pause).await;
            }
            Delivery::Refused(rejection) => {
                tracing::warn!("refused for good: {rejection:?}");
                return Delivery::Refused(rejection);
            }
            done @ (Delivery::Final | Delivery::Repeated) => return done,
        }
    }
}

/// Asks for dispatches again and again.
pub(super) async fn ask(uplink: Arc<dyn Uplink>, news: mpsc::Sender<News>, pause: Duration) {
    loop {
        if let Some(dispatches) = uplink.dispatches().await
            && news.send(News::Dispatches(dispatches)).await.is_err()
        {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::{device, reading};
    use async_trait::async_trait;
    use duet_ledger::Rejection;
    use duet_units::ClockTime;
    use std::sync::Mutex;

    /// A ledger that will not have batches whole, nor any report of unit 2.
    #[derive(Default)]
    struct Picky {
        batch: Option<Delivery>,
        taken: Mutex<Vec<(u32, u8, usize)>>,
    }

    #[async_trait]
    impl Uplink for Picky {
        async fn submit(&self, action: Action) -> Delivery {
            match action {
                Action::Device(DeviceAction::ReportBatch(_)) => {
                    self.batch.unwrap_or(Delivery::Final)
                }
                Action::ReportMeter(report) if report.unit.0 == 2 => {
                    Delivery::Refused(Rejection::PeriodSettled)
                }
                Action::ReportMeter(report) => {
                    let row = (report.unit.0, report.first_period, report.readings.len());
                    self.taken.lock().unwrap().push(row);
                    Delivery::Final
                }
                _ => Delivery::Final,
            }
        }

        async fn dispatches(&self) -> Option<Vec<(DispatchId, Dispatch)>> {
            None
        }
    }

    async fn delivered(batch: Option<Delivery>) -> (usize, Vec<(u32, u8, usize)>) {
        let readings = [3, 4, 7, 97].map(reading).to_vec();
        let sealed = SignedBatch::seal(&device(), 1, ClockTime::from_unix_ms(1), readings).unwrap();
        let ledger = Picky { batch, taken: Mutex::default() };
        let (news, _) = mpsc::channel(1);
        let refused = deliver_batch(&ledger, &(news, Duration::ZERO), &sealed).await;
        (refused, ledger.taken.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_batch_that_is_refused_whole_goes_in_runs_and_what_is_refused_then_is_counted() {
        assert_eq!(delivered(None).await, (0, vec![]));
        let runs = vec![(1, 3, 2), (1, 7, 1)];
        let refused = Delivery::Refused(Rejection::NotYourDevice);
        assert_eq!(delivered(Some(refused)).await, (1, runs.clone()));
        // An earlier try may have got through in part.
        assert_eq!(delivered(Some(Delivery::Repeated)).await, (1, runs));
    }
}
