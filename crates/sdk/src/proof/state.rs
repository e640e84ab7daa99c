//! Proofs that a key of the ledger has a value now, checked with SHA-256 alone.
//!
//! docs/spec/state-proof.md describes the hashing and the bytes. A test of the node holds this
//! module to the engine's own verifier.

use sha2::{Digest as _, Sha256};

/// Bytes of one chunk of the activity bitmap.
pub const CHUNK: usize = 32;

/// Operations that share a chunk, as a power of two: the height at which a chunk is hashed into
/// the tree.
const GRAFT_HEIGHT: u32 = (8 * CHUNK as u32).trailing_zeros();
/// Upper bound on the leaves of a tree, so that positions fit into 64 bits.
const MAX_LEAVES: u64 = 1 << 62;
/// Upper bound on the digests of a proof: path and peaks of the largest tree.
const MAX_DIGESTS: usize = 122;
/// First byte of an encoded proof.
const VERSION: u8 = 1;
/// First byte of the log's record of an update.
const UPDATE: u8 = 0xD2;
/// First bytes under every root of a tree: mountain range, peaks folded from the right.
const TREE: [u8; 2] = [0, 1];

type Digest = [u8; 32];

/// Why bytes are not a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a state proof")]
pub struct Malformed;

/// What a reader needs, beside root, key and value, to see that the value is the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateProof {
    /// Place of the update in the log of operations.
    pub location: u64,
    /// Operations in the log.
    pub leaves: u64,
    /// Leading peaks of the tree in which nothing is current.
    pub inactive_peaks: u64,
    /// The chunk of the activity bitmap with the update's bit.
    pub chunk: [u8; CHUNK],
    /// SHA-256 of the bitmap's last chunk, where it is not full.
    pub partial_chunk: Option<Digest>,
    /// Root of the log's own tree, without the bitmap.
    pub log_root: Digest,
    /// Digests of the tree, in the order of the specification.
    pub digests: Vec<Digest>,
}

impl StateProof {
    /// The proof as bytes: see the specification.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for number in [self.location, self.leaves, self.inactive_peaks] {
            out.extend(number.to_be_bytes());
        }
        out.extend(self.chunk);
        out.extend(self.log_root);
        let tail = self.partial_chunk.iter().chain(&self.digests);
        out.push(u8::from(self.partial_chunk.is_some()));
        out.extend(tail.flatten());
        out
    }

    /// Reads what [`StateProof::encode`] writes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        if take(&mut rest)? != [VERSION] {
            return Err(Malformed);
        }
        let mut number = || take(&mut rest).map(u64::from_be_bytes);
        let (location, leaves, inactive_peaks) = (number()?, number()?, number()?);
        let (chunk, log_root) = (take(&mut rest)?, take(&mut rest)?);
        let partial_chunk = match take(&mut rest)? {
            [0] => None,
            [1] => Some(take(&mut rest)?),
            _ => return Err(Malformed),
        };
        let (digests, []) = rest.as_chunks() else {
            return Err(Malformed);
        };
        if digests.len() > MAX_DIGESTS {
            return Err(Malformed);
        }
        Ok(Self {
            location,
            leaves,
            inactive_peaks,
            chunk,
            partial_chunk,
            log_root,
            digests: digests.to_vec(),
        })
    }

    /// Whether `key` has `value` in the state with this root.
    #[must_use]
    pub fn verify(&self, root: &Digest, key: &[u8], value: &[u8]) -> bool {
        self.root(&update(key, value)) == Some(*root)
    }

    /// The state root that follows from the proof if the record is current.
    fn root(&self, record: &[u8]) -> Option<Digest> {
        if self.location >= self.leaves || self.leaves > MAX_LEAVES || !self.is_active() {
            return None;
        }
        let chunk_bits = 1 << GRAFT_HEIGHT;
        let (full_chunks, next_bit) = (self.leaves / chunk_bits, self.leaves % chunk_bits);
        if self.partial_chunk.is_some() != (next_bit != 0) {
            return None;
        }
        // The last chunk is in no tree: it stands beside the two roots.
        if self.location / chunk_bits == full_chunks
            && self.partial_chunk != Some(sha256(&[&self.chunk]))
        {
            return None;
        }
        let tree = self.tree_root(record)?;
        let Some(partial) = self.partial_chunk else {
            return Some(sha256(&[&self.log_root, &tree]));
        };
        Some(sha256(&[&self.log_root, &tree, &next_bit.to_be_bytes(), &partial]))
    }

    fn is_active(&self) -> bool {
        let bit = self.location % (1 << GRAFT_HEIGHT);
        usize::try_from(bit / 8)
            .ok()
            .and_then(|byte| self.chunk.get(byte))
            .is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
    }

    /// The root of the tree of operations with the bitmap grafted on.
    fn tree_root(&self, record: &[u8]) -> Option<Digest> {
        let peaks = peaks(self.leaves);
        let own = peaks.iter().position(|peak| self.location < peak.end())?;
        let inactive = usize::try_from(self.inactive_peaks).ok().filter(|n| *n <= peaks.len())?;
        let after = peaks.len() - own - 1;

        // Inactive peaks before the own one come folded into one, active ones after it too.
        let folded = inactive.min(own);
        let single_after = inactive.saturating_sub(own + 1).min(after);
        let before = own - folded + usize::from(folded > 0);
        let behind = single_after + usize::from(single_after < after);
        let (before, rest) = self.digests.split_at_checked(before)?;
        let (behind, mut path) = rest.split_at_checked(behind)?;

        let peak = self.node(*peaks.get(own)?, record, &mut path)?;
        if !path.is_empty() {
            return None;
        }
        let list: Vec<Digest> = before.iter().chain([&peak]).chain(behind).copied().collect();
        let to_fold = if folded > 0 { inactive - folded + 1 } else { inactive };
        let bag = bag(&list, to_fold)?;
        let leaves = self.leaves.to_be_bytes();
        Some(match self.inactive_peaks {
            0 => sha256(&[&TREE, &leaves, &bag]),
            inactive => sha256(&[&TREE, &leaves, &inactive.to_be_bytes(), &bag]),
        })
    }

    /// The digest of a node on the path from the record to its peak. `path` holds the siblings in
    /// the order of a walk that goes left before right.
    fn node(&self, node: Node, record: &[u8], path: &mut &[Digest]) -> Option<Digest> {
        let position = node.position().to_be_bytes();
        let Some((left, right)) = node.children() else {
            return Some(sha256(&[&position, record]));
        };
        let (left, right) = if self.location < left.end() {
            let left = self.node(left, record, path)?;
            (left, pop(path)?)
        } else {
            (pop(path)?, self.node(right, record, path)?)
        };
        let digest = sha256(&[&position, &left, &right]);
        if node.height == GRAFT_HEIGHT {
            // The chunk has the record's bit set, so it is never the all-zero one that is left out.
            return Some(sha256(&[&self.chunk, &digest]));
        }
        Some(digest)
    }
}

/// A perfect subtree: the leaves from `start`, two to the `height` of them.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u64,
    height: u32,
}

impl Node {
    const fn end(self) -> u64 {
        self.start + (1 << self.height)
    }

    /// Number of the node in the order of creation, from 0: leaves as they come, a parent right
    /// after its second child.
    fn position(self) -> u64 {
        let first_leaf = 2 * self.start - u64::from(self.start.count_ones());
        first_leaf + (2 << self.height) - 2
    }

    fn children(self) -> Option<(Self, Self)> {
        let height = self.height.checked_sub(1)?;
        let left = Self { height, ..self };
        let right = Self { start: left.end(), height };
        Some((left, right))
    }
}

/// The peaks of a tree with so many leaves: one for each bit set, the largest first.
fn peaks(leaves: u64) -> Vec<Node> {
    let mut start = 0;
    let mut peaks = Vec::new();
    for height in (0..u64::BITS).rev().filter(|height| leaves >> height & 1 == 1) {
        let peak = Node { start, height };
        start = peak.end();
        peaks.push(peak);
    }
    peaks
}

/// Folds the first `inactive` peaks from the left, the others from the right, then the two.
fn bag(peaks: &[Digest], inactive: usize) -> Option<Digest> {
    // Without inactive peaks the fold from the left holds the first peak alone.
    let (left, right) = peaks.split_at_checked(inactive.max(1))?;
    let left = left.iter().copied().reduce(|all, peak| sha256(&[&all, &peak]))?;
    let right = right.iter().copied().rev().reduce(|all, peak| sha256(&[&peak, &all]));
    Some(right.map_or(left, |right| sha256(&[&left, &right])))
}

/// The log's record of an update: both lengths as LEB128 of 32 bits.
fn update(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut record = vec![UPDATE];
    for part in [key, value] {
        let mut length = part.len();
        while length >= 0x80 {
            record.push(0x80 | (length & 0x7f) as u8);
            length >>= 7;
        }
        record.push(length as u8);
        record.extend_from_slice(part);
    }
    record
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn pop(path: &mut &[Digest]) -> Option<Digest> {
    let (first, rest) = path.split_first()?;
    *path = rest;
    Some(*first)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (head, tail) = rest.split_first_chunk().ok_or(Malformed)?;
    *rest = tail;
    Ok(*head)
}
