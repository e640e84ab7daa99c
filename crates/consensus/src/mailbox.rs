//! Queries to a running validator.

use crate::{
    block::Block,
    certificate::{FinalityCertificate, FinalityProof},
    config::Scheme,
    gossip::Outbox,
};
use bytes::Bytes;
use commonware_consensus::{
    marshal::{Identifier, core, standard::Standard},
    types::Height,
};

/// Headers that a [`FinalityProof`] spans at most. Almost every block has its own certificate; a
/// run this long without one means that the chain only just moves.
pub const PROOF_HEADERS_MAX: u64 = 64;

/// Asks one validator of one channel. Cheap to clone; answers are `None` after it stopped.
#[derive(Clone)]
pub struct Mailbox(pub(crate) core::Mailbox<Scheme, Standard<Block>>, pub(crate) Outbox);

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Mailbox")
    }
}

impl Mailbox {
    /// Passes a message to [`Application::heard`](crate::Application::heard) of the other
    /// validators that are reachable. `false` if too much waits to be sent, or it is too long.
    #[must_use]
    pub fn gossip(&self, message: Bytes) -> bool {
        self.1.push(message)
    }

    /// Returns the final block at `height`, if it is stored here.
    pub async fn block(&self, height: u64) -> Option<Block> {
        let block = self.0.get_block(Identifier::Height(Height::new(height))).await?;
        Some(block.inner().clone())
    }

    /// Returns the certificate over the block at `height` itself.
    ///
    /// There is none when the block became final with a descendant's certificate; ask for the
    /// [`proof`](Self::proof) then. Two validators may hold different quorums for one block, so a
    /// certificate must never be hashed into state.
    pub async fn certificate(&self, height: u64) -> Option<FinalityCertificate> {
        let finalization = self.0.get_finalization(Height::new(height)).await?;
        FinalityCertificate::from_engine(&finalization)
    }

    /// Returns what convinces an outsider that the block at `height` is final: its header, those
    /// up to the first with a certificate, and that certificate.
    pub async fn proof(&self, height: u64) -> Option<FinalityProof> {
        let mut headers = Vec::new();
        for height in height..height.saturating_add(PROOF_HEADERS_MAX) {
            headers.push(self.block(height).await?.header);
            if let Some(certificate) = self.certificate(height).await {
                return Some(FinalityProof { headers, certificate });
            }
        }
        None
    }

    /// Returns the height of the last block that the application has taken, durably counted.
    pub async fn processed_height(&self) -> u64 {
        self.0.get_processed().await.map_or(0, |processed| processed.height().get())
    }

    /// Returns the height of the highest block that is known to be final here, delivered or not;
    /// far above [`processed_height`](Self::processed_height) while a validator catches up.
    pub async fn final_height(&self) -> u64 {
        self.0.get_info(Identifier::Latest).await.map_or(0, |(height, _)| height.get())
    }
}
