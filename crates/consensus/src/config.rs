//! What the validators of a channel agree on beforehand, and the limits of the engine.

use crate::block::{Block, Header};
use commonware_consensus::{marshal, marshal::standard::Standard, simplex};
use commonware_cryptography::sha256;
use commonware_utils::NZUsize;
use std::{num::NonZeroUsize, time::Duration};

/// Signatures of votes and certificates.
pub(crate) type Scheme = simplex::scheme::ed25519::Scheme;

/// The largest body that is decoded, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct BlockLimit(pub(crate) usize);

/// The largest [`Config::block_bytes_max`]. At 2 MB per block the slowest hundredth of blocks took
/// 118 ms instead of 75 ms at 1 MB on loopback, for no more throughput.
pub(crate) const BLOCK_BYTES_CEILING: usize = 2_000_000;

/// Votes, certificates, vote requests, block requests, blocks, messages of the application.
pub(crate) const CHANNELS: usize = 6;

/// Messages per second, peer and channel. An honest validator sends a few per view, so at 100
/// views a second this is ten times what is needed; what exceeds it is dropped.
pub(crate) const MESSAGES_PER_SECOND: u32 = 4096;

/// Messages that wait for one actor of the engine, or in the network. Full means slow peers or a
/// flood, and the newest message is dropped.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(1024);

/// Blocks kept in memory per peer that sends them: more than the views between two deliveries.
pub(crate) const BLOCKS_BUFFERED_PER_PEER: usize = 16;

/// Final blocks handed to the application before it has taken the first of them.
pub(crate) const BLOCKS_UNACKNOWLEDGED_MAX: NonZeroUsize = NZUsize!(16);

/// Missing final blocks asked for at once by a validator that catches up.
pub(crate) const BLOCKS_REPAIRED_AT_ONCE: NonZeroUsize = NZUsize!(16);

/// Views behind the last final one whose votes and candidate blocks are kept for slower peers.
pub(crate) const VIEWS_RETAINED: u64 = 256;

/// A proposer whose application lags this many blocks behind the chain waits before it proposes:
/// execution that is too slow slows the chain instead of growing a queue.
pub(crate) const PENDING_BLOCKS_MAX: u64 = 64;

/// Where a chain starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// What the founders agreed on, for example the channel id: the parent of the genesis block.
    pub hash: [u8; 32],
    /// Time of the genesis block, in milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
}

impl Genesis {
    /// Returns the header of the block at height 0, the parent of the first block.
    #[must_use]
    pub fn header(self) -> Header {
        Block::genesis(self).header
    }
}

/// How long the engine waits; the same on every validator of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the leader's block. [`Application::propose`](crate::Application::propose) must answer
    /// well below this, at half of it at most.
    pub leader: Duration,
    /// For a view to gather its quorum; about twice `leader`, because it is also what the first
    /// view after a crash of everybody waits.
    pub certification: Duration,
    /// Between two broadcasts of the votes of a view that does not move.
    pub retry: Duration,
    /// Without a vote of a leader, until its views are skipped at once.
    pub skip: Duration,
    /// For a peer to answer a request for a block or a certificate.
    pub fetch: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            leader: Duration::from_secs(1),
            certification: Duration::from_secs(2),
            retry: Duration::from_millis(500),
            skip: Duration::from_secs(5),
            fetch: Duration::from_secs(2),
        }
    }
}

/// One validator of one channel.
///
/// All but `storage_prefix` must be the same on every validator: a peer whose messages exceed the
/// limits of this one is blocked for an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Separates the signatures and connections of this channel from those of any other.
    pub namespace: Vec<u8>,
    /// Where the chain starts.
    pub genesis: Genesis,
    /// Public keys of the validators, in any order; the engine sorts them by their bytes.
    pub committee: Vec<[u8; 32]>,
    /// Largest body of a block, in bytes; at most 2,000,000, and 1,000,000 is advised.
    pub block_bytes_max: usize,
    /// How long the engine waits.
    pub timeouts: Timeouts,
    /// Starts the names of this validator's storage partitions: letters, digits, `-` and `_`.
    pub storage_prefix: String,
}

/// Returns the largest message that a committee of `validators` sends, in bytes.
///
/// # Panics
///
/// Panics if that is 4 GiB or more.
#[must_use]
pub fn message_bytes_max(validators: u32, block_bytes_max: usize) -> u32 {
    commonware_p2p::max_message_size(&[
        simplex::max_payload_size::<Scheme, sha256::Digest>(validators),
        marshal::max_payload_size::<Standard<Block>, Scheme>(
            validators,
            &BlockLimit(block_bytes_max),
        ),
    ])
}
