//! Headers and finality certificates, checked with Ed25519 and SHA-256 alone.
//!
//! Layout and golden vectors: docs/spec/finality.md. A test of the node holds this module to the
//! engine's own verifier.

use duet_ledger::{ChannelId, Digest, hash};
use ed25519_zebra::{Signature, VerificationKey};
use std::collections::BTreeSet;

/// Bytes of an encoded header.
pub const HEADER_BYTES: usize = 184;

const HEADER_DOMAIN: &[u8] = b"duet/header/v1";
const FINALIZE_SUFFIX: &[u8] = b"_FINALIZE";
const CERTIFICATE_VERSION: u8 = 1;

/// How many of `validators` must sign: all but the largest number of faulty ones that the
/// protocol bears, `f = (n - 1) / 3`.
#[must_use]
pub const fn quorum(validators: usize) -> usize {
    validators - validators.saturating_sub(1) / 3
}

/// Why a header or certificate does not make a block final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinalityError {
    /// The bytes are not a header.
    #[error("a header has {HEADER_BYTES} bytes, this one has {0}")]
    HeaderLength(usize),
    /// The bytes are not a certificate.
    #[error("the bytes are not a finality certificate of version {CERTIFICATE_VERSION}")]
    NotACertificate,
    /// The certificate is over another block.
    #[error("the certificate is over another block than the header")]
    OtherBlock,
    /// The signers are not in ascending order, or not of the committee.
    #[error("the signers are not members of the committee, each once, in order")]
    Signers,
    /// Too few signed.
    #[error("{signers} of {validators} validators signed, {needed} are needed")]
    NoQuorum {
        /// How many signed.
        signers: usize,
        /// How many there are.
        validators: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A signature does not verify.
    #[error("the signature of validator {0} does not verify")]
    BadSignature(u32),
    /// Two headers are not parent and child.
    #[error("header {0} is not the parent of the next")]
    BrokenChain(usize),
}

/// What the proposer of a block had executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The height of the last executed block.
    pub height: u64,
    /// The root of the state after it.
    pub state_root: Digest,
    /// The root of the receipts up to and including it.
    pub receipts_root: Digest,
}

/// What is hashed, voted on and proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The digest of the parent's header.
    pub parent: Digest,
    /// The height.
    pub height: u64,
    /// The block's time, in milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// SHA-256 of the body.
    pub body_hash: Digest,
    /// What the proposer had executed.
    pub checkpoint: Checkpoint,
    /// The hash of the engine's context.
    pub context: Digest,
}

impl Header {
    /// The fixed-width bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend(self.parent);
        out.extend(self.height.to_be_bytes());
        out.extend(self.time_ms.to_be_bytes());
        out.extend(self.body_hash);
        out.extend(self.checkpoint.height.to_be_bytes());
        out.extend(self.checkpoint.state_root);
        out.extend(self.checkpoint.receipts_root);
        out.extend(self.context);
        out
    }

    /// Reads the bytes of [`Header::encode`].
    ///
    /// # Errors
    ///
    /// Returns [`FinalityError::HeaderLength`] if there are more or fewer.
    pub fn decode(bytes: &[u8]) -> Result<Self, FinalityError> {
        let read = |mut rest: &[u8]| -> Option<Self> {
            let rest = &mut rest;
            let header = Self {
                parent: take(rest)?,
                height: take(rest).map(u64::from_be_bytes)?,
                time_ms: take(rest).map(i64::from_be_bytes)?,
                body_hash: take(rest)?,
                checkpoint: Checkpoint {
                    height: take(rest).map(u64::from_be_bytes)?,
                    state_root: take(rest)?,
                    receipts_root: take(rest)?,
                },
                context: take(rest)?,
            };
            rest.is_empty().then_some(header)
        };
        read(bytes).ok_or(FinalityError::HeaderLength(bytes.len()))
    }

    /// The digest that votes are over.
    #[must_use]
    pub fn digest(&self) -> Digest {
        hash(HEADER_DOMAIN, &[&self.encode()])
    }
}

/// The finalize votes of a quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The committee that voted.
    pub epoch: u64,
    /// The attempt in which the block was proposed.
    pub view: u64,
    /// The attempt in which its parent was proposed.
    pub parent_view: u64,
    /// The digest of the block's header.
    pub digest: Digest,
    /// Place in the committee ordered by public key, and signature; ascending.
    pub signatures: Vec<(u32, [u8; 64])>,
}

impl Certificate {
    /// Reads the documented bytes. Says nothing about the signatures.
    ///
    /// # Errors
    ///
    /// Returns [`FinalityError::NotACertificate`] if they are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, FinalityError> {
        let read = |mut rest: &[u8]| -> Option<Self> {
            let rest = &mut rest;
            if take(rest)? != [CERTIFICATE_VERSION] {
                return None;
            }
            let mut certificate = Self {
                epoch: take(rest).map(u64::from_be_bytes)?,
                view: take(rest).map(u64::from_be_bytes)?,
                parent_view: take(rest).map(u64::from_be_bytes)?,
                digest: take(rest)?,
                signatures: Vec::new(),
            };
            for _ in 0..take(rest).map(u16::from_be_bytes)? {
                certificate.signatures.push((take(rest).map(u32::from_be_bytes)?, take(rest)?));
            }
            rest.is_empty().then_some(certificate)
        };
        read(bytes).ok_or(FinalityError::NotACertificate)
    }

    /// The bytes that each signature is over: the namespace of votes is the channel id.
    #[must_use]
    pub fn message(&self, channel: &ChannelId) -> Vec<u8> {
        let namespace = [channel.as_slice(), FINALIZE_SUFFIX].concat();
        let mut message = Vec::new();
        put_varint(&mut message, namespace.len() as u64);
        message.extend(namespace);
        for number in [self.epoch, self.view, self.parent_view] {
            put_varint(&mut message, number);
        }
        message.extend(self.digest);
        message
    }

    /// Checks that a quorum of `committee` (keys in any order, one each) finalized the header.
    ///
    /// # Errors
    ///
    /// Returns the first [`FinalityError`] found.
    pub fn verify(
        &self,
        channel: &ChannelId,
        committee: &[[u8; 32]],
        header: &Header,
    ) -> Result<(), FinalityError> {
        if header.digest() != self.digest {
            return Err(FinalityError::OtherBlock);
        }
        let sorted: Vec<[u8; 32]> =
            committee.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let (signers, needed) = (self.signatures.len(), quorum(sorted.len()));
        if sorted.is_empty() || signers < needed {
            return Err(FinalityError::NoQuorum { signers, validators: sorted.len(), needed });
        }
        if !self.signatures.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(FinalityError::Signers);
        }
        let message = self.message(channel);
        for (signer, signature) in &self.signatures {
            let index = usize::try_from(*signer).unwrap_or(usize::MAX);
            let key = sorted.get(index).ok_or(FinalityError::Signers)?;
            VerificationKey::try_from(*key)
                .and_then(|key| key.verify(&Signature::from(*signature), &message))
                .map_err(|_| FinalityError::BadSignature(*signer))?;
        }
        Ok(())
    }
}

/// Appends an unsigned LEB128 integer.
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while 0x80 <= value {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}
