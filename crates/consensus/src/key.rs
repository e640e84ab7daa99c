//! Keys of validators, and the order of a committee.

use commonware_codec::{Copying, DecodeExt as _, ReadExt as _};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::ordered::Set;
use std::fmt;

/// The Ed25519 key with which a validator votes and proves who it is to its peers.
#[derive(Clone)]
pub struct ValidatorKey(ed25519::PrivateKey);

impl ValidatorKey {
    /// Derives the key from its 32-byte seed (RFC 8032, section 5.1.5).
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "every 32 bytes are a seed")]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let key = ed25519::PrivateKey::read(&mut Copying(&seed[..]));
        Self(key.expect("every 32 bytes are a seed"))
    }

    /// Returns the public key, by which committees and peers name this validator.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "a public key has 32 bytes")]
    pub fn public(&self) -> [u8; 32] {
        let public = self.0.public_key();
        let bytes: &[u8] = public.as_ref();
        bytes.try_into().expect("a public key has 32 bytes")
    }

    pub(crate) fn private_key(&self) -> ed25519::PrivateKey {
        self.0.clone()
    }
}

impl fmt::Debug for ValidatorKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ValidatorKey").field(&self.0.public_key()).finish()
    }
}

/// Why a list of keys is not a committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommittee {
    /// There is nobody to agree.
    #[error("the committee is empty")]
    Empty,
    /// The key at this position is not a point of the curve.
    #[error("key {0} of the committee is not an Ed25519 public key")]
    NotAKey(usize),
    /// One key is named twice.
    #[error("the committee names a key twice")]
    Duplicate,
}

pub(crate) fn public_key(bytes: &[u8; 32]) -> Option<ed25519::PublicKey> {
    ed25519::PublicKey::decode(Copying(&bytes[..])).ok()
}

/// Orders a committee by the bytes of its keys; a certificate names a signer by that position.
pub(crate) fn committee(keys: &[[u8; 32]]) -> Result<Set<ed25519::PublicKey>, InvalidCommittee> {
    let mut committee = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        committee.push(public_key(key).ok_or(InvalidCommittee::NotAKey(index))?);
    }
    if committee.is_empty() {
        return Err(InvalidCommittee::Empty);
    }
    Set::try_from(committee).map_err(|_| InvalidCommittee::Duplicate)
}
