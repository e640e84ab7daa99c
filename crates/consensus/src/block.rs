//! Blocks, their headers, and the bytes that are hashed.
//!
//! The digest of a block is the hash of its header alone, so that an outsider who holds a finality
//! certificate needs 184 bytes, not the body. Layout: `docs/spec/finality.md`.

use crate::config::{BlockLimit, Genesis};
use bytes::{BufMut, Bytes};
use commonware_codec::{
    Buf, BufsMut, Encode as _, EncodeSize, Error, FixedSize as _, MaxEncodeSize as _, RangeCfg,
    Read, ReadExt, Write,
};
use commonware_consensus::{
    BoundedBlock, CertifiableBlock, Heightable,
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{Digested, Digestible, Hasher as _, Sha256, ed25519, sha256};

/// The engine's name for where a block was proposed: round, leader, parent.
pub(crate) type Context =
    commonware_consensus::simplex::types::Context<sha256::Digest, ed25519::PublicKey>;

/// Bytes of an encoded [`Header`].
pub const HEADER_BYTES: usize = 184;

/// Domain of the header's hash.
const HEADER_DOMAIN: &[u8] = b"duet/header/v1";

/// The leader that the genesis block names: the public key of the all-zero Ed25519 seed (RFC 8032
/// derivation). Nobody can lead view 0, so the value only has to be fixed.
pub const GENESIS_LEADER: [u8; 32] = [
    0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d, 0x62, 0xa3, 0xa8, 0xd0, 0x2a, 0x6f, 0x0d, 0x73,
    0x65, 0x32, 0x15, 0x77, 0x1d, 0xe2, 0x43, 0xa6, 0x3a, 0xc0, 0x48, 0xa1, 0x8b, 0x59, 0xda, 0x29,
];

/// What the proposer had executed: the state after the block at `height`.
///
/// Validators vote for a header only if their own execution of that height gave the same roots, so
/// a final header proves the state at its checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Height of the last executed block; below the height of the header that carries it.
    pub height: u64,
    /// Root of the state after that block.
    pub state_root: [u8; 32],
    /// Root of the receipts up to and including that block.
    pub receipts_root: [u8; 32],
}

/// What is hashed, voted on and proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Digest of the parent's header; for the genesis block, the caller's genesis hash.
    pub parent: [u8; 32],
    /// Position in the chain; the genesis block has 0.
    pub height: u64,
    /// The block's time, in milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
    /// What the proposer had executed.
    pub checkpoint: Checkpoint,
    /// SHA-256 of the engine's context (round, leader, parent), which only validators need.
    pub context: [u8; 32],
}

impl Header {
    /// Returns the fixed-width bytes, [`HEADER_BYTES`] of them, integers big-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.put_slice(&self.parent);
        bytes.put_u64(self.height);
        bytes.put_i64(self.time_ms);
        bytes.put_slice(&self.body_hash);
        bytes.put_u64(self.checkpoint.height);
        bytes.put_slice(&self.checkpoint.state_root);
        bytes.put_slice(&self.checkpoint.receipts_root);
        bytes.put_slice(&self.context);
        bytes
    }

    /// Reads the bytes of [`Header::encode`]; `None` if there are not exactly [`HEADER_BYTES`].
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != HEADER_BYTES {
            return None;
        }
        Self::read(&mut commonware_codec::Copying(bytes)).ok()
    }

    /// Returns the hash that votes sign: SHA-256 of a domain and the encoded header.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::hash(&[HEADER_DOMAIN, &self.encode()]).0
    }

    fn read(reader: &mut impl Buf) -> Result<Self, Error> {
        Ok(Self {
            parent: ReadExt::read(reader)?,
            height: ReadExt::read(reader)?,
            time_ms: ReadExt::read(reader)?,
            body_hash: ReadExt::read(reader)?,
            checkpoint: Checkpoint {
                height: ReadExt::read(reader)?,
                state_root: ReadExt::read(reader)?,
                receipts_root: ReadExt::read(reader)?,
            },
            context: ReadExt::read(reader)?,
        })
    }
}

/// A header, the ordered bytes under it, and where the engine proposed it.
///
/// A block that was decoded is consistent: body and context hash to what the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What is hashed and voted on.
    pub header: Header,
    /// Opaque to this crate; at most [`Config::block_bytes_max`](crate::Config::block_bytes_max).
    pub body: Bytes,
    context: Context,
}

impl Block {
    /// Builds the block of `header`'s fields on `context`, filling in the two hashes.
    pub(crate) fn new(mut header: Header, body: Bytes, context: Context) -> Self {
        header.body_hash = Sha256::hash(&[&body]).0;
        header.context = context_hash(&context);
        Self { header, body, context }
    }

    /// The block at height 0 on which the chain of `genesis` grows.
    pub(crate) fn genesis(genesis: Genesis) -> Self {
        let leader = ed25519::PublicKey::read(&mut commonware_codec::Copying(&GENESIS_LEADER[..]))
            .expect("the constant is a public key");
        let context = Context {
            round: Round::new(Epoch::zero(), View::zero()),
            leader,
            parent: (View::zero(), sha256::Digest(genesis.hash)),
        };
        let header = Header {
            parent: genesis.hash,
            height: 0,
            time_ms: genesis.time_ms,
            body_hash: [0; 32],
            checkpoint: Checkpoint::default(),
            context: [0; 32],
        };
        Self::new(header, Bytes::new(), context)
    }

    /// Returns the digest of the header.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.header.digest()
    }

    pub(crate) fn digested(self) -> Digested<Self> {
        let digest = sha256::Digest(self.digest());
        Digested::precomputed(self, digest)
    }

    fn is_consistent(&self) -> bool {
        self.header.parent == self.context.parent.1.0
            && self.header.context == context_hash(&self.context)
            && self.header.body_hash == Sha256::hash(&[&self.body]).0
    }
}

fn context_hash(context: &Context) -> [u8; 32] {
    Sha256::hash(&[&context.encode()]).0
}

impl Write for Block {
    fn write(&self, writer: &mut impl BufMut) {
        self.context.write(writer);
        writer.put_slice(&self.header.encode());
        self.body.write(writer);
    }

    fn write_bufs(&self, writer: &mut impl BufsMut) {
        self.context.write(writer);
        writer.put_slice(&self.header.encode());
        self.body.write_bufs(writer); // Shares the body instead of copying it.
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        self.context.encode_size() + HEADER_BYTES + self.body.encode_size()
    }

    fn encode_inline_size(&self) -> usize {
        self.context.encode_size() + HEADER_BYTES + self.body.encode_inline_size()
    }
}

impl Read for Block {
    type Cfg = BlockLimit;

    fn read_cfg(reader: &mut impl Buf, limit: &BlockLimit) -> Result<Self, Error> {
        let context = Context::read(reader)?;
        let header = Header::read(reader)?;
        let body = Bytes::read_cfg(reader, &RangeCfg::from(..=limit.0))?;
        let block = Self { header, body, context };
        if block.is_consistent() {
            Ok(block)
        } else {
            Err(Error::Invalid("Block", "body, parent or context differ from the header"))
        }
    }
}

impl Digestible for Block {
    type Digest = sha256::Digest;

    fn digest(&self) -> sha256::Digest {
        sha256::Digest(self.header.digest())
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.header.height)
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> sha256::Digest {
        sha256::Digest(self.header.parent)
    }
}

impl CertifiableBlock for Block {
    type Context = Context;

    fn context(&self) -> Context {
        self.context.clone()
    }
}

impl BoundedBlock for Block {
    fn max_encode_size(limit: &BlockLimit) -> usize {
        // The length of the body is a varint of at most five bytes.
        Context::MAX_ENCODE_SIZE + HEADER_BYTES + u32::SIZE + 1 + limit.0
    }
}

#[cfg(test)]
mod tests;
