//! Somebody who signs transactions and sends them to one validator.

use crate::founding::demo_seed;
use duet_ledger::{Action, Digest, PublicKey, Refusal, Rejection, Unsigned};
use duet_node::{FinalReceipt, Handle, SubmitError};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use std::time::Duration;

/// How often an actor tries with another nonce.
const ATTEMPTS: u32 = 5;
/// How long an actor waits for a transaction to become final before it takes the chain for dead.
const PATIENCE: Duration = Duration::from_secs(120);

/// What an actor asked for was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The validator did not take it.
    #[error(transparent)]
    AtTheDoor(#[from] SubmitError),
    /// It is in a block and broke a rule there.
    #[error("refused in block {height}: {}", .rejection.map_or("unknown rule", Rejection::rule))]
    InTheBlock {
        /// The height of the block.
        height: u64,
        /// The rule.
        rejection: Option<Rejection>,
    },
    /// It did not become final.
    #[error("not final after {} seconds", PATIENCE.as_secs())]
    NotFinal,
}

impl Refused {
    /// The rule that it broke, wherever that was found.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::AtTheDoor(SubmitError::Refused(Refusal { rejection, .. })) => Some(*rejection),
            Self::InTheBlock { rejection, .. } => *rejection,
            Self::AtTheDoor(SubmitError::Full(_)) | Self::NotFinal => None,
        }
    }
}

/// A simulated person, bank or device with its key.
#[derive(Debug)]
pub struct Actor {
    key: SigningKey,
    nonce: u64,
    node: Handle,
}

impl Actor {
    /// The actor with this label, who talks to `node`.
    #[must_use]
    pub fn new(label: &str, node: &Handle) -> Self {
        let key = SigningKey::from(demo_seed(label));
        let public = PublicKey::from_bytes(VerificationKeyBytes::from(&key).into());
        let nonce = node.read(|state| state.nonce(public));
        Self { key, nonce, node: node.clone() }
    }

    /// The actor's public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(VerificationKeyBytes::from(&self.key).into())
    }

    /// From now on, the actor talks to `node`.
    pub(crate) fn turn_to(&mut self, node: &Handle) {
        self.node = node.clone();
    }

    /// Signs `action` with the actor's next nonce; returns the bytes of the transaction.
    pub(crate) fn sign(&mut self, action: Action) -> Vec<u8> {
        self.nonce += 1;
        let unsigned = Unsigned {
            channel: self.node.genesis().channel(),
            signer: self.public(),
            nonce: self.nonce,
            action,
        };
        unsigned.sign(&self.key).bytes().to_vec()
    }

    pub(crate) fn submit(&self, transaction: &[u8]) -> Result<Digest, SubmitError> {
        self.node.submit(transaction)
    }

    /// Signs `action` and sends it; returns the hash once it is in the mempool.
    ///
    /// # Errors
    ///
    /// Returns the reason why the validator did not take it.
    pub fn send(&mut self, action: Action) -> Result<Digest, SubmitError> {
        let transaction = self.sign(action);
        self.submit(&transaction).inspect_err(|reason| self.take_back(reason))
    }

    /// The last nonce is signed again after a refusal at the door: a gap would make validators to
    /// whom later ones are passed on wait for it. One that somebody else was first to use is gone.
    pub(crate) fn take_back(&mut self, reason: &SubmitError) {
        if Refused::from(*reason).rejection() != Some(Rejection::StaleNonce) {
            self.nonce -= 1;
        }
    }

    /// Waits for the receipt of what was sent.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if it broke a rule in its block or does not become final.
    pub async fn receipt(&self, hash: &Digest) -> Result<FinalReceipt, Refused> {
        self.receipt_within(hash, PATIENCE).await
    }

    pub(crate) async fn receipt_within(
        &self,
        hash: &Digest,
        patience: Duration,
    ) -> Result<FinalReceipt, Refused> {
        let receipt = self.node.wait_final(hash, patience).await.ok_or(Refused::NotFinal)?;
        if receipt.receipt.is_accepted() {
            Ok(receipt)
        } else {
            let rejection = receipt.receipt.rejection();
            Err(Refused::InTheBlock { height: receipt.height, rejection })
        }
    }

    /// Sends and waits until it is final. Somebody who trades with the same key from the page can
    /// be first to use a nonce: then the actor tries again with the next.
    ///
    /// # Errors
    ///
    /// Returns [`Refused`] if it was not done.
    pub async fn act(&mut self, action: Action) -> Result<FinalReceipt, Refused> {
        for _ in 1..ATTEMPTS {
            match self.attempt(action.clone()).await {
                Err(reason) if reason.rejection() == Some(Rejection::StaleNonce) => {
                    self.nonce = self.node.read(|state| state.nonce(self.public()));
                }
                result => return result,
            }
        }
        self.attempt(action).await
    }

    async fn attempt(&mut self, action: Action) -> Result<FinalReceipt, Refused> {
        let hash = self.send(action)?;
        self.receipt(&hash).await
    }
}
