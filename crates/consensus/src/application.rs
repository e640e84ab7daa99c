//! What a validator does with blocks.

use crate::{
    block::{Block, Checkpoint, Context, Header},
    config::{PENDING_BLOCKS_MAX, Scheme},
};
use bytes::Bytes;
use commonware_consensus::{CertifiableBlock as _, marshal::ancestry::Ancestry};
use commonware_cryptography::Digested;
use commonware_runtime::{Clock, Metrics, Spawner};
use futures::StreamExt as _;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tracing::error;

/// Pause between two looks at how far the application has come.
const LAG_POLL: Duration = Duration::from_millis(10);

/// What a leader wants in the next block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The block's time, in milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// What the proposer has executed.
    pub checkpoint: Checkpoint,
    /// The ordered bytes.
    pub body: Bytes,
}

/// What a validator does with blocks. Clones share one application.
///
/// `propose` and `verify` may be dropped before they end, when their view is over.
pub trait Application: Clone + Send + Sync + 'static {
    /// Returns the height of the last block whose effects this validator has kept, asked once at
    /// the start.
    ///
    /// Blocks that the engine counts as processed above this height are handed to
    /// [`finalized`](Self::finalized) again first, from the archive. An application that keeps its
    /// state in memory answers 0. The default says that nothing was lost.
    fn durable_height(&self) -> u64 {
        u64::MAX
    }

    /// Builds the next block on `parent`, or gives up the turn with `None`.
    ///
    /// `pending` are the ancestors that this validator has not yet taken as final, parent first,
    /// empty when the parent is final: their transactions must not be proposed again. May wait,
    /// for example to pace an idle chain, but for less than half of
    /// [`Timeouts::leader`](crate::Timeouts::leader). A body above the limit loses the turn.
    fn propose(
        &mut self,
        parent: &Header,
        pending: &[Block],
    ) -> impl Future<Output = Option<Proposal>> + Send;

    /// Judges a block that another validator proposed on `parent`.
    ///
    /// The engine has checked parent, height, leader, the body's hash and size. Everything else is
    /// judged here, and the verdict must be the same on every honest validator: `false` only for
    /// what can never be right. For reasons that may pass (a clock, a height not yet executed) it
    /// stays pending.
    fn verify(&mut self, block: &Block, parent: &Header) -> impl Future<Output = bool> + Send;

    /// Takes the next final block, in height order from 1, at least once: after a restart the last
    /// blocks come again, so effects apply by height.
    ///
    /// Returning says that the block and its effects are durable here. Only then does the engine
    /// count it as processed; a crash before leads to redelivery.
    fn finalized(&mut self, block: Block) -> impl Future<Output = ()> + Send;

    /// Hears messages that another validator passed to [`Mailbox::gossip`](crate::Mailbox::gossip).
    /// They are as trustworthy as any message from outside, and nothing may depend on them.
    fn heard(&self, messages: Vec<Bytes>) {
        drop(messages);
    }
}

/// Gives the engine an [`Application`] in the shape that it expects.
#[derive(Clone)]
pub(crate) struct Adapter<A> {
    pub(crate) application: A,
    /// Height of the last block that the application has taken as final.
    pub(crate) delivered: Arc<AtomicU64>,
    pub(crate) block_bytes_max: usize,
}

impl<A> Adapter<A> {
    /// Returns the parent and those of its ancestors, itself included, that are not yet delivered.
    async fn pending(
        &self,
        clock: &impl Clock,
        mut ancestry: impl Ancestry<Block>,
    ) -> Option<(Header, Vec<Block>)> {
        let mut ancestor = ancestry.next().await?;
        let parent = ancestor.inner().header;
        while self.delivered.load(Ordering::Acquire) + PENDING_BLOCKS_MAX < parent.height {
            clock.sleep(LAG_POLL).await;
        }
        let mut pending = Vec::new();
        while self.delivered.load(Ordering::Acquire) < ancestor.inner().header.height {
            pending.push(ancestor.inner().clone());
            ancestor = ancestry.next().await?;
        }
        Some((parent, pending))
    }
}

impl<E, A> commonware_consensus::Application<E> for Adapter<A>
where
    E: Clock + Metrics + Spawner,
    A: Application,
{
    type SigningScheme = Scheme;
    type Context = Context;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (runtime, context): (E, Context),
        ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        let (parent, pending) = self.pending(&runtime, ancestry).await?;
        let proposal = self.application.propose(&parent, &pending).await?;
        if self.block_bytes_max < proposal.body.len() {
            // The network refuses it, loudly: lose the turn instead of the process.
            error!(bytes = proposal.body.len(), limit = self.block_bytes_max, "body too large");
            return None;
        }
        let header = Header {
            parent: context.parent.1.0,
            height: parent.height + 1,
            time_ms: proposal.time_ms,
            body_hash: [0; 32],
            checkpoint: proposal.checkpoint,
            context: [0; 32],
        };
        Some(Block::new(header, proposal.body, context).digested())
    }

    async fn verify(
        &mut self,
        (_, context): (E, Context),
        mut ancestry: impl Ancestry<Block>,
    ) -> bool {
        let (Some(block), Some(parent)) = (ancestry.next().await, ancestry.next().await) else {
            // The engine is shutting down: no verdict, rather than a wrong one.
            return std::future::pending().await;
        };
        // The engine has checked the parent; that the block names its true round and leader is
        // left to us.
        if block.inner().context() != context {
            return false;
        }
        self.application.verify(block.inner(), &parent.inner().header).await
    }
}
