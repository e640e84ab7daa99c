//! Finality certificates in our own documented form, checkable with Ed25519 alone.
//!
//! Format, signed bytes and golden vector: `docs/spec/finality.md`.

use crate::{
    block::Header,
    config::Scheme,
    key::{InvalidCommittee, committee},
};
use bytes::{Buf as _, BufMut as _};
use commonware_codec::{Copying, DecodeExt as _, types::lazy::Lazy};
use commonware_consensus::{
    simplex::types::{Finalization, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::{
    certificate::Signers,
    ed25519::{self, certificate::Certificate},
    sha256,
};
use commonware_parallel::Sequential;
use commonware_utils::{Participant, sys_rng};

/// First byte of an encoded certificate.
const VERSION: u8 = 1;

/// What the engine appends to the channel's namespace for finalize votes.
const FINALIZE_SUFFIX: &[u8] = b"_FINALIZE";

/// Bytes before the signatures, and of one signature with its signer.
const FIXED_BYTES: usize = 1 + 8 + 8 + 8 + 32 + 2;
const SIGNATURE_BYTES: usize = 4 + 64;

/// The finalize votes of a quorum: the block with this digest is agreed for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalityCertificate {
    /// Committee that voted; 0 for the first.
    pub epoch: u64,
    /// Attempt in which the block was proposed.
    pub view: u64,
    /// Attempt in which its parent was proposed.
    pub parent_view: u64,
    /// Digest of the block's header.
    pub digest: [u8; 32],
    /// Position in the committee ordered by public key, and signature, by ascending position.
    pub signatures: Vec<(u32, [u8; 64])>,
}

/// A certificate, and the headers that lead to it from the block to be proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalityProof {
    /// By ascending height, each the parent of the next; the certificate is over the last.
    pub headers: Vec<Header>,
    /// Makes the last header final, and with it all others.
    pub certificate: FinalityCertificate,
}

/// Why bytes are not a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The version is not one that this program knows.
    #[error("version {0} of a finality certificate is not known")]
    Version(u8),
    /// The bytes end early or go on.
    #[error("a finality certificate of {0} bytes has the wrong length")]
    Length(usize),
    /// The signers are not in ascending order without repetition.
    #[error("the signers of a finality certificate are not ascending")]
    SignerOrder,
}

impl FinalityCertificate {
    /// Returns the bytes that each signature signs, for a channel's namespace.
    #[must_use]
    pub fn message(&self, namespace: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        put_varint(&mut message, (namespace.len() + FINALIZE_SUFFIX.len()) as u64);
        message.put_slice(namespace);
        message.put_slice(FINALIZE_SUFFIX);
        put_varint(&mut message, self.epoch);
        put_varint(&mut message, self.view);
        put_varint(&mut message, self.parent_view);
        message.put_slice(&self.digest);
        message
    }

    /// Returns whether a quorum of `committee` (keys in any order) signed, by the engine's own
    /// verifier.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidCommittee`] if the keys are not a committee.
    pub fn verify(&self, namespace: &[u8], keys: &[[u8; 32]]) -> Result<bool, InvalidCommittee> {
        let committee = committee(keys)?;
        let verifier = Scheme::verifier(namespace, committee);
        let Some(finalization) = self.to_engine(keys.len()) else { return Ok(false) };
        Ok(finalization.verify(&mut sys_rng(), &verifier, &Sequential))
    }

    /// Returns the documented bytes.
    ///
    /// # Panics
    ///
    /// Panics if there are more than 65,535 signatures.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let count = u16::try_from(self.signatures.len()).expect("committees are small");
        let mut bytes = Vec::with_capacity(FIXED_BYTES + self.signatures.len() * SIGNATURE_BYTES);
        bytes.put_u8(VERSION);
        bytes.put_u64(self.epoch);
        bytes.put_u64(self.view);
        bytes.put_u64(self.parent_view);
        bytes.put_slice(&self.digest);
        bytes.put_u16(count);
        for (signer, signature) in &self.signatures {
            bytes.put_u32(*signer);
            bytes.put_slice(signature);
        }
        bytes
    }

    /// Reads the bytes of [`encode`](Self::encode). Says nothing about the signatures.
    ///
    /// # Errors
    ///
    /// Returns [`CertificateError`] if the bytes are not what `encode` writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
        let length = CertificateError::Length(bytes.len());
        match bytes.first() {
            None => return Err(length),
            Some(&VERSION) if FIXED_BYTES <= bytes.len() => {}
            Some(&VERSION) => return Err(length),
            Some(&version) => return Err(CertificateError::Version(version)),
        }
        let mut reader = &bytes[1..];
        let mut certificate = Self {
            epoch: reader.get_u64(),
            view: reader.get_u64(),
            parent_view: reader.get_u64(),
            digest: array(&mut reader),
            signatures: Vec::new(),
        };
        let count = usize::from(reader.get_u16());
        if reader.len() != count * SIGNATURE_BYTES {
            return Err(length);
        }
        certificate.signatures =
            (0..count).map(|_| (reader.get_u32(), array(&mut reader))).collect();
        if !certificate.signatures.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(CertificateError::SignerOrder);
        }
        Ok(certificate)
    }

    /// Returns `None` if a signature is not an encoded Ed25519 signature, which a verified
    /// finalization cannot have.
    pub(crate) fn from_engine(finalization: &Finalization<Scheme, sha256::Digest>) -> Option<Self> {
        let Finalization { proposal, certificate } = finalization;
        let signatures = certificate
            .signers
            .iter()
            .zip(&certificate.signatures)
            .map(|(signer, signature)| {
                let bytes: &[u8] = signature.get()?.as_ref();
                Some((signer.get(), bytes.try_into().ok()?))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            epoch: proposal.round.epoch().get(),
            view: proposal.round.view().get(),
            parent_view: proposal.parent.get(),
            digest: proposal.payload.0,
            signatures,
        })
    }

    fn to_engine(&self, validators: usize) -> Option<Finalization<Scheme, sha256::Digest>> {
        let round = Round::new(Epoch::new(self.epoch), View::new(self.view));
        let digest = sha256::Digest(self.digest);
        let proposal = Proposal::new(round, View::new(self.parent_view), digest);
        let signers = self.signatures.iter().map(|(signer, _)| Participant::new(*signer));
        let signers = Signers::new(u32::try_from(validators).ok()?, signers).ok()?;
        let signatures = self
            .signatures
            .iter()
            .map(|(_, bytes)| ed25519::Signature::decode(Copying(&bytes[..])).ok().map(Lazy::from))
            .collect::<Option<Vec<_>>>()?;
        Some(Finalization { proposal, certificate: Certificate { signers, signatures } })
    }
}

impl FinalityProof {
    /// Returns the proved header if the headers are a chain, the certificate is over the last, and
    /// a quorum of `committee` signed it.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidCommittee`] if the keys are not a committee.
    pub fn verify(
        &self,
        namespace: &[u8],
        keys: &[[u8; 32]],
    ) -> Result<Option<&Header>, InvalidCommittee> {
        let chained = self.headers.windows(2).all(|pair| pair[1].parent == pair[0].digest());
        let covered =
            self.headers.last().is_some_and(|last| last.digest() == self.certificate.digest);
        let proved = chained && covered && self.certificate.verify(namespace, keys)?;
        Ok(self.headers.first().filter(|_| proved))
    }
}

/// Appends an unsigned LEB128 integer: seven bits a byte, least significant first.
fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while 0x80 <= value {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn array<const N: usize>(reader: &mut &[u8]) -> [u8; N] {
    let mut array = [0; N];
    reader.copy_to_slice(&mut array);
    array
}
