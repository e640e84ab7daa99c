//! The smallest application: it counts blocks, and remembers their digests in memory.

use bytes::Bytes;
use duet_consensus::{Application, Block, Checkpoint, Config, Genesis, Header, Proposal, Timeouts};
use std::sync::{Arc, Mutex};

/// Digests of the final blocks, by height from 1. Lost in a crash, so it asks for all blocks again.
#[derive(Clone, Default)]
pub(crate) struct Log {
    digests: Arc<Mutex<Vec<[u8; 32]>>>,
}

impl Log {
    pub(crate) fn digests(&self) -> Vec<[u8; 32]> {
        self.digests.lock().unwrap().clone()
    }

    pub(crate) fn height(&self) -> u64 {
        self.digests.lock().unwrap().len() as u64
    }
}

impl Application for Log {
    fn durable_height(&self) -> u64 {
        self.height()
    }

    async fn propose(&mut self, parent: &Header, pending: &[Block]) -> Option<Proposal> {
        let heights = pending.iter().map(|block| block.header.height);
        assert!(heights.eq((parent.height + 1 - pending.len() as u64..=parent.height).rev()));

        let number = self.height().max(parent.height - pending.len() as u64);
        let checkpoint = Checkpoint { height: self.height(), ..Checkpoint::default() };
        Some(Proposal {
            time_ms: parent.time_ms + 1,
            checkpoint,
            body: Bytes::copy_from_slice(&number.to_be_bytes()),
        })
    }

    async fn verify(&mut self, block: &Block, parent: &Header) -> bool {
        assert_eq!(block.header.parent, parent.digest());
        block.header.time_ms == parent.time_ms + 1 && block.body.len() == 8
    }

    async fn finalized(&mut self, block: Block) {
        let mut digests = self.digests.lock().unwrap();
        let next = digests.len() as u64 + 1;
        if block.header.height == next {
            let last = digests.last().copied().unwrap_or(block.header.parent);
            assert_eq!(block.header.parent, last, "the chain is broken at {next}");
            digests.push(block.digest());
        } else {
            assert!(
                block.header.height < next,
                "a block is missing before {}",
                block.header.height
            );
        }
    }
}

pub(crate) fn config() -> Config {
    Config {
        namespace: b"duet/test".to_vec(),
        genesis: Genesis { hash: [7; 32], time_ms: 1_000 },
        committee: Vec::new(),
        block_bytes_max: 64 * 1024,
        timeouts: Timeouts::default(),
        storage_prefix: "test".to_owned(),
    }
}
