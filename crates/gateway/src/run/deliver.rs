//! The delivery task: one thing after another to the ledger, each until its receipt is final.

use std::sync::Arc;
use std::time::Duration;

use duet_ledger::{
    Acknowledgement, Action, DeviceAction, Dispatch, DispatchId, Health, PeriodReading, Rejection,
};
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

/// What the ledger did not take of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Runs of periods that were refused for good.
    pub(super) refused: usize,
    /// Readings of units that are not enrolled yet.
    pub(super) early: Vec<PeriodReading>,
}

/// What the delivery task tells the loop.
pub(super) enum News {
    Batch {
        sequence: u64,
        outcome: Outcome,
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
                let outcome = deliver_batch(&*uplink, &patience, &batch).await;
                last = batch.header().sequence;
                News::Batch { sequence: last, outcome }
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
/// runs of periods, so that one bad reading does not take the others with it. Readings of periods
/// that the day does not have stay whole: a report says nothing of the length of its periods, and
/// the ledger would take hours for quarter-hours.
async fn deliver_batch(uplink: &dyn Uplink, patience: &Patience, batch: &SignedBatch) -> Outcome {
    let whole = Action::Device(DeviceAction::ReportBatch(batch.report()));
    let mut outcome = Outcome::default();
    match insist(uplink, patience, whole).await {
        Delivery::Final => return outcome,
        Delivery::Refused(Rejection::UnknownPeriod) => {
            outcome.refused = reports(batch.readings()).len();
            return outcome;
        }
        Delivery::Repeated | Delivery::Refused(_) | Delivery::NotEnrolled | Delivery::Later => {}
    }
    for report in reports(batch.readings()) {
        let of = |r: &&PeriodReading| {
            let key = (r.unit, r.period.day(), r.version);
            let first = usize::from(report.first_period);
            let run = first..first + report.readings.len();
            key == (report.unit, report.day, report.version)
                && run.contains(&usize::from(r.period.index()))
        };
        let readings: Vec<PeriodReading> = batch.readings().iter().filter(of).copied().collect();
        match insist(uplink, patience, Action::ReportMeter(report)).await {
            Delivery::Refused(_) => outcome.refused += 1,
            Delivery::NotEnrolled => outcome.early.extend(readings),
            Delivery::Final | Delivery::Repeated | Delivery::Later => {}
        }
    }
    outcome
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
            done @ (Delivery::Final | Delivery::Repeated | Delivery::NotEnrolled) => return done,
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
                Action::ReportMeter(report) if report.unit.0 == 2 => match self.batch {
                    Some(Delivery::NotEnrolled) => Delivery::NotEnrolled,
                    _ => Delivery::Refused(Rejection::PeriodSettled),
                },
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

    async fn delivered(batch: Option<Delivery>) -> (Outcome, Vec<(u32, u8, usize)>) {
        let readings = [3, 4, 7, 97].map(reading).to_vec();
        let sealed = SignedBatch::seal(&device(), 1, ClockTime::from_unix_ms(1), readings).unwrap();
        let ledger = Picky { batch, taken: Mutex::default() };
        let (news, _) = mpsc::channel(1);
        let outcome = deliver_batch(&ledger, &(news, Duration::ZERO), &sealed).await;
        (outcome, ledger.taken.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_batch_that_is_refused_whole_goes_in_runs_and_what_is_refused_then_is_counted() {
        let refused = |refused| Outcome { refused, early: Vec::new() };
        assert_eq!(delivered(None).await, (refused(0), vec![]));
        let runs = vec![(1, 3, 2), (1, 7, 1)];
        let settled = Delivery::Refused(Rejection::PeriodSettled);
        assert_eq!(delivered(Some(settled)).await, (refused(1), runs.clone()));
        // An earlier try may have got through in part.
        assert_eq!(delivered(Some(Delivery::Repeated)).await, (refused(1), runs.clone()));
        // A unit that its owner has not enrolled yet: its readings are kept, the others get through.
        let early = Outcome { refused: 0, early: vec![reading(97)] };
        assert_eq!(delivered(Some(Delivery::NotEnrolled)).await, (early, runs));
        // Periods of another length are not told as if they were the day's.
        let other = Delivery::Refused(Rejection::UnknownPeriod);
        assert_eq!(delivered(Some(other)).await, (refused(3), vec![]));
    }
}
