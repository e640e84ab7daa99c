//! Hands final blocks to the application, one by one, and acknowledges them.

use crate::{application::Application, block::Block, mailbox::Mailbox};
use commonware_actor::Feedback;
use commonware_consensus::{Reporter, marshal::Update};
use commonware_cryptography::Digested;
use commonware_utils::{Acknowledgement as _, acknowledgement::Exact};
use futures::{StreamExt as _, channel::mpsc};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tracing::error;

/// Takes final blocks from the engine without waiting. The queue is bounded by what the engine
/// leaves unacknowledged.
#[derive(Clone)]
pub(crate) struct Delivery(mpsc::UnboundedSender<(Digested<Block>, Exact)>);

/// The other end of a [`Delivery`].
pub(crate) struct Queue(mpsc::UnboundedReceiver<(Digested<Block>, Exact)>);

pub(crate) fn delivery() -> (Delivery, Queue) {
    let (sender, receiver) = mpsc::unbounded();
    (Delivery(sender), Queue(receiver))
}

impl Reporter for Delivery {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        match update {
            // Announced before it is stored here: nothing to act on.
            Update::Tip(..) => Feedback::Ok,
            Update::Block(block, acknowledgement) => {
                match self.0.unbounded_send((block, acknowledgement)) {
                    Ok(()) => Feedback::Ok,
                    Err(_) => Feedback::Closed,
                }
            }
        }
    }
}

impl Queue {
    /// Delivers until the engine stops: first what the application lost up to the height that the
    /// engine counts as processed, from the archive, then what becomes final.
    pub(crate) async fn deliver(
        mut self,
        mut application: impl Application,
        delivered: Arc<AtomicU64>,
        (archive, processed): (Mailbox, u64),
    ) {
        for height in delivered.load(Ordering::Acquire) + 1..=processed {
            let Some(block) = archive.block(height).await else {
                error!(height, "a processed block is not in the archive");
                return;
            };
            application.finalized(block).await;
            delivered.store(height, Ordering::Release);
        }
        while let Some((block, acknowledgement)) = self.0.next().await {
            let height = block.inner().header.height;
            // The genesis block is where everybody starts, not news.
            if 0 < height {
                application.finalized(block.inner().clone()).await;
                delivered.fetch_max(height, Ordering::Release);
            }
            acknowledgement.acknowledge();
        }
    }
}
