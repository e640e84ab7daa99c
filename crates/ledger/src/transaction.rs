//! The signed request: canonical bytes, what is signed, and its hash.

use crate::action::Action;
use crate::codec::{Decode, DecodeError, Encode, decode_all};
use crate::hash::{Digest, hash};
use crate::ids::{ChannelId, PublicKey};
use ed25519_zebra::{Signature, SigningKey, VerificationKey};

/// The longest transaction in bytes; a full day of quarter-hour readings fits several times.
pub const MAX_TRANSACTION_BYTES: usize = 8_192;
/// The suite id of Ed25519 with the validation rules of ZIP 215. 2 (P-256) and 3 (SM2) are
/// reserved.
pub const SUITE_ED25519: u8 = 1;

const VERSION: u8 = 1;
const SIGNING_DOMAIN: &[u8] = b"duet/transaction/v1";
const HASH_DOMAIN: &[u8] = b"duet/transaction-hash/v1";
const SIGNATURE_BYTES: usize = 64;

/// A transaction before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// The channel that it is for.
    pub channel: ChannelId,
    /// Who signs.
    pub signer: PublicKey,
    /// Above every nonce that the signer used before on this channel.
    pub nonce: u64,
    /// What is asked for.
    pub action: Action,
}

impl Unsigned {
    /// The canonical bytes without the signature: version, suite, channel, signer, nonce, action.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, SUITE_ED25519];
        self.channel.encode(&mut out);
        self.signer.encode(&mut out);
        self.nonce.encode(&mut out);
        self.action.encode(&mut out);
        out
    }

    /// Signs with `key`, which must be the signer's; otherwise the signature will not verify.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> Transaction {
        let mut bytes = self.bytes();
        let signature: [u8; SIGNATURE_BYTES] = key.sign(&signing_message(&bytes)).into();
        bytes.extend_from_slice(&signature);
        Transaction { hash: hash(HASH_DOMAIN, &[&bytes]), bytes, unsigned: self }
    }
}

fn signing_message(unsigned: &[u8]) -> Vec<u8> {
    [SIGNING_DOMAIN, unsigned].concat()
}

/// A transaction as it was sent: its canonical bytes, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    unsigned: Unsigned,
    bytes: Vec<u8>,
    hash: Digest,
}

impl Transaction {
    /// Reads canonical bytes. The signature is not checked here.
    ///
    /// # Errors
    ///
    /// Returns [`DecodeError`] if the bytes are too long, not canonical, or of an unknown version
    /// or suite.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_TRANSACTION_BYTES {
            let (length, limit) = (bytes.len(), MAX_TRANSACTION_BYTES);
            return Err(DecodeError::TooLong { field: "transaction", length, limit });
        }
        let body = bytes.len().saturating_sub(SIGNATURE_BYTES);
        let (mut input, _) =
            bytes.split_at_checked(body).ok_or(DecodeError::Truncated("signature"))?;
        let version = u8::decode(&mut input)?;
        if version != VERSION {
            return Err(DecodeError::UnknownTag { field: "version", value: version.into() });
        }
        let suite = u8::decode(&mut input)?;
        if suite != SUITE_ED25519 {
            return Err(DecodeError::UnknownTag { field: "suite", value: suite.into() });
        }
        let unsigned = Unsigned {
            channel: Decode::decode(&mut input)?,
            signer: Decode::decode(&mut input)?,
            nonce: Decode::decode(&mut input)?,
            action: decode_all(input)?,
        };
        Ok(Self { unsigned, bytes: bytes.to_vec(), hash: hash(HASH_DOMAIN, &[bytes]) })
    }

    /// The canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash by which receipts name the transaction.
    #[must_use]
    pub const fn hash(&self) -> &Digest {
        &self.hash
    }

    /// The channel that it is for.
    #[must_use]
    pub const fn channel(&self) -> &ChannelId {
        &self.unsigned.channel
    }

    /// Who signed.
    #[must_use]
    pub const fn signer(&self) -> &PublicKey {
        &self.unsigned.signer
    }

    /// Its nonce.
    #[must_use]
    pub const fn nonce(&self) -> u64 {
        self.unsigned.nonce
    }

    /// What is asked for.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.unsigned.action
    }

    /// The bytes that the signature is over.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let body = self.bytes.len().saturating_sub(SIGNATURE_BYTES);
        signing_message(self.bytes.get(..body).unwrap_or_default())
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> [u8; SIGNATURE_BYTES] {
        let body = self.bytes.len().saturating_sub(SIGNATURE_BYTES);
        let tail = self.bytes.get(body..).unwrap_or_default();
        tail.try_into().unwrap_or([0; SIGNATURE_BYTES])
    }

    /// Whether the signature is the signer's, by the rules of ZIP 215, under which checking one by
    /// one and in batches always agree.
    #[must_use]
    pub fn signature_is_valid(&self) -> bool {
        VerificationKey::try_from(*self.signer().bytes())
            .and_then(|key| key.verify(&Signature::from(self.signature()), &self.message()))
            .is_ok()
    }
}
