//! What the rest of the program asks of a running node. Cheap to clone; knows no runtime.

use crate::{
    events::EventStream,
    executor::{ArchivedBlock, Executor},
    mempool::{MempoolFull, Source},
    shared::{FinalReceipt, Shared, lock},
};
use duet_consensus::{Block, Mailbox};
use duet_ledger::{
    Body, ChannelId, Digest, Encode as _, Genesis, PublicKey, Receipt, Refusal, State, Transaction,
    admission, block_receipts, decode_all, merkle_path,
};
use duet_sdk::proof::{HeadProof, ReceiptProof, RowProof, state::StateProof};
use duet_sdk::wire::{Bytes, Hex32};
use duet_units::ClockTime;
use std::{fmt, sync::Arc, time::Duration};

/// How many later headers are searched for a checkpoint that covers a receipt.
const CHECKPOINT_WITHIN: u64 = 256;
/// How often a proof of a row is begun anew, because the state moved on before it was done.
const ROW_PROOF_TRIES: u32 = 20;

/// How a node is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What people call the validator.
    pub name: String,
    /// The channel.
    pub channel: ChannelId,
    /// The height that has been executed.
    pub height: u64,
    /// The time of that block.
    pub time: ClockTime,
    /// The market's clock now.
    pub now: ClockTime,
    /// The state root at that height.
    pub state_root: Digest,
    /// The receipts root at that height.
    pub receipts_root: Digest,
    /// Transactions waiting for a block.
    pub mempool: usize,
    /// The validators' keys.
    pub committee: Vec<PublicKey>,
}

/// Why a transaction was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It breaks a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no room.
    #[error(transparent)]
    Full(#[from] MempoolFull),
}

/// A block with what came of it.
#[derive(Clone, Debug)]
pub struct BlockView {
    /// The block.
    pub block: Block,
    /// Its transactions.
    pub body: Body,
    /// Their receipts; empty while the block is not executed here.
    pub receipts: Vec<Receipt>,
}

/// A running node.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) mailbox: Mailbox,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl Handle {
    /// Looks at the last executed state. Execution waits while `f` runs: keep it short.
    pub fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        self.shared.read(f)
    }

    /// The genesis of the channel.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.shared.genesis
    }

    /// How the node is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let checkpoint = self.shared.checkpoint();
        let (height, time) = self.read(|state| (state.height(), state.time()));
        Status {
            name: self.shared.name.clone(),
            channel: self.shared.channel,
            height: height.min(checkpoint.height),
            time,
            now: self.shared.now(),
            state_root: checkpoint.state_root,
            receipts_root: checkpoint.receipts_root,
            mempool: lock(&self.shared.mempool).len(),
            committee: self.shared.genesis.committee(),
        }
    }

    /// Admits a transaction: form, channel, signature, then the rules against the executed state;
    /// and tells the other validators, so that whoever leads next can propose it. Returns its hash.
    ///
    /// # Errors
    ///
    /// Returns [`SubmitError`] if a rule refuses it or the mempool is full; nothing is kept then.
    pub fn submit(&self, bytes: &[u8]) -> Result<Digest, SubmitError> {
        let transaction = admission::stateless(bytes, &self.shared.channel, true)?;
        self.admit(Arc::new(transaction))
    }

    /// Admits many transactions, checking their signatures as one batch.
    #[must_use]
    pub fn submit_batch(&self, many: &[Vec<u8>]) -> Vec<Result<Digest, SubmitError>> {
        let read = self.shared.read_batch(many).into_iter();
        read.map(|transaction| self.admit(transaction?)).collect()
    }

    fn admit(&self, transaction: Arc<Transaction>) -> Result<Digest, SubmitError> {
        let (hash, bytes) = (*transaction.hash(), transaction.bytes().to_vec());
        if self.shared.admit(transaction, Source::Client)? {
            // If too much waits to be sent, the transaction waits for this validator's turn.
            let _told = self.mailbox.gossip(bytes.into());
        }
        Ok(hash)
    }

    /// The receipt of a transaction, once it is final.
    #[must_use]
    pub fn receipt(&self, hash: &Digest) -> Option<FinalReceipt> {
        lock(&self.shared.receipts).get(hash)
    }

    /// Whether a transaction waits for a block.
    #[must_use]
    pub fn is_pending(&self, hash: &Digest) -> bool {
        lock(&self.shared.mempool).contains(hash)
    }

    /// Waits until a transaction is final, at most for `timeout` on the runtime's clock.
    pub async fn wait_final(&self, hash: &Digest, timeout: Duration) -> Option<FinalReceipt> {
        let mut executed = self.shared.executed.subscribe();
        let arrives = async {
            loop {
                if let Some(receipt) = self.receipt(hash) {
                    return Some(receipt);
                }
                executed.changed().await.ok()?;
            }
        };
        let late = self.shared.clock.sleep(timeout);
        match futures::future::select(std::pin::pin!(arrives), std::pin::pin!(late)).await {
            futures::future::Either::Left((receipt, _)) => receipt,
            futures::future::Either::Right(_) => self.receipt(hash),
        }
    }

    /// Waits until the node has executed `height`.
    pub async fn wait_height(&self, height: u64) {
        let mut executed = self.shared.executed.subscribe();
        // An error says that the node has stopped; then there is nothing to wait for.
        executed.wait_for(|executed| height <= *executed).await.ok();
    }

    /// What convinces an outsider of a receipt. `None` until a later block's checkpoint covers it,
    /// which takes two or three blocks.
    pub async fn receipt_proof(&self, hash: &Digest) -> Option<ReceiptProof> {
        let found = self.receipt(hash)?;
        let block = self.executor.archived(found.height).await?;
        let leaves: Vec<Vec<u8>> = block.receipts.iter().map(|r| r.to_bytes()).collect();
        let path = merkle_path(&leaves, usize::try_from(found.index).ok()?)?;
        let (carrier, covered) = self.checkpoint_covering(found.height).await?;
        let mut later = Vec::new();
        for height in found.height + 1..=covered {
            let ArchivedBlock { receipts, .. } = self.executor.archived(height).await?;
            later.push(Hex32(block_receipts(&receipts)));
        }
        let finality = self.mailbox.proof(carrier).await?;
        let genesis = &self.shared.genesis;
        Some(ReceiptProof {
            version: ReceiptProof::VERSION,
            channel: Hex32(self.shared.channel),
            committee: genesis.committee().into_iter().map(Hex32::from).collect(),
            genesis_hash: Hex32(genesis.content_hash()),
            height: found.height,
            index: found.index,
            count: u32::try_from(leaves.len()).ok()?,
            receipt: Bytes(found.receipt.to_bytes()),
            path: path.into_iter().map(|sibling| sibling.map(Hex32)).collect(),
            previous_receipts_root: Hex32(block.previous_receipts_root),
            later_blocks: later,
            headers: finality.headers.iter().map(|header| Bytes(header.encode())).collect(),
            certificate: Bytes(finality.certificate.encode()),
        })
    }

    /// The first header after `height` whose checkpoint is at or above it, and that checkpoint.
    async fn checkpoint_covering(&self, height: u64) -> Option<(u64, u64)> {
        for carrier in height + 1..=height + CHECKPOINT_WITHIN {
            let checkpoint = self.mailbox.block(carrier).await?.header.checkpoint;
            if height <= checkpoint.height {
                return Some((carrier, checkpoint.height));
            }
        }
        None
    }

    /// What convinces an outsider that the last executed block is final, or one soon after it.
    pub async fn head_proof(&self) -> Option<HeadProof> {
        let finality = self.mailbox.proof(self.status().height).await?;
        let genesis = &self.shared.genesis;
        Some(HeadProof {
            version: HeadProof::VERSION,
            committee: genesis.committee().into_iter().map(Hex32::from).collect(),
            genesis_hash: Hex32(genesis.content_hash()),
            header: Bytes(finality.headers.last()?.encode()),
            certificate: Bytes(finality.certificate.encode()),
        })
    }

    /// What convinces an outsider that a row of the ledger is as `row` finds it, which gives the
    /// row's key in the store and its bytes. Waits for the block whose checkpoint covers the state;
    /// `None` if there is no such row, or if the state moves on faster than it can be proved.
    pub async fn row_proof(
        &self,
        row: impl Fn(&State) -> Option<(Vec<u8>, Vec<u8>)>,
    ) -> Option<RowProof> {
        for _ in 0..ROW_PROOF_TRIES {
            let (key, bytes) = self.read(&row)?;
            let (state, height, root) = self.state_proof(key.clone()).await?;
            // The next block may have come between the two.
            if !state.verify(&root, &key, &bytes) {
                continue;
            }
            let Some(carrier) = self.checkpoint_of(height, &root).await else { continue };
            let finality = self.mailbox.proof(carrier).await?;
            let genesis = &self.shared.genesis;
            return Some(RowProof {
                version: RowProof::VERSION,
                committee: genesis.committee().into_iter().map(Hex32::from).collect(),
                genesis_hash: Hex32(genesis.content_hash()),
                key: Bytes(key),
                row: Bytes(bytes),
                state: Bytes(state.encode()),
                headers: finality.headers.iter().map(|header| Bytes(header.encode())).collect(),
                certificate: Bytes(finality.certificate.encode()),
            });
        }
        None
    }

    /// The header that carries the state root of `height`, once it is final; `None` if no header
    /// does, because the one that comes next vouches for a later state.
    async fn checkpoint_of(&self, height: u64, root: &Digest) -> Option<u64> {
        for carrier in height + 1..=height + CHECKPOINT_WITHIN {
            self.wait_height(carrier).await;
            let checkpoint = self.mailbox.block(carrier).await?.header.checkpoint;
            if height <= checkpoint.height {
                let same = checkpoint.height == height && checkpoint.state_root == *root;
                return same.then_some(carrier);
            }
        }
        None
    }

    /// A row of the state with its proof, the height and the state root that it is under.
    pub async fn state_proof(&self, key: Vec<u8>) -> Option<(StateProof, u64, Digest)> {
        self.executor.state_proof(key).await
    }

    /// The state root after the block at `height`, if that is among the last few thousand.
    #[must_use]
    pub fn state_root_at(&self, height: u64) -> Option<Digest> {
        lock(&self.shared.roots).get(&height).map(|executed| executed.state_root)
    }

    /// The receipts root after the block at `height`, if that is among the last few thousand.
    #[must_use]
    pub fn receipts_root_at(&self, height: u64) -> Option<Digest> {
        lock(&self.shared.roots).get(&height).map(|executed| executed.receipts_root)
    }

    /// A final block with its receipts.
    pub async fn block(&self, height: u64) -> Option<BlockView> {
        let block = self.mailbox.block(height).await?;
        let body = decode_all::<Body>(&block.body).unwrap_or_default();
        let archived = self.executor.archived(height).await;
        let receipts = archived.map_or_else(Vec::new, |block| block.receipts);
        Some(BlockView { block, body, receipts })
    }

    /// Lets go of the node's disk, as the end of its process would, so that it can be started again
    /// within this process. The engine must have been stopped.
    pub async fn close(&self) {
        self.executor.close().await;
    }

    /// The engine's answers: blocks, certificates, proofs of finality.
    #[must_use]
    pub const fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The stream of final events after a place on the chain, or of new ones only.
    #[must_use]
    pub fn subscribe(&self, after: Option<(u64, u32)>) -> EventStream {
        self.shared.events.subscribe(after)
    }
}
