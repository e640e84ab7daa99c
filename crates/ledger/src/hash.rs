//! SHA-256 with domains, and the binary Merkle tree over receipts.

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

const LEAF: &[u8] = b"duet/merkle-leaf/v1";
const NODE: &[u8] = b"duet/merkle-node/v1";
const EMPTY: &[u8] = b"duet/merkle-empty/v1";

/// Hashes the concatenation of `parts` behind a domain, which no other use of the hash shares.
#[must_use]
pub fn hash(domain: &[u8], parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(domain);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn parent(left: &Digest, right: &Digest) -> Digest {
    hash(NODE, &[left, right])
}

/// The root of the tree over `leaves`, in order.
///
/// Leaves are hashed under their own domain; a level of odd length hands its last node up
/// unchanged. The root of nothing is the hash of its own domain.
#[must_use]
pub fn merkle_root<L: AsRef<[u8]>>(leaves: &[L]) -> Digest {
    let mut level: Vec<Digest> = leaves.iter().map(|leaf| hash(LEAF, &[leaf.as_ref()])).collect();
    while level.len() > 1 {
        level = next_level(&level);
    }
    level.first().copied().unwrap_or_else(|| hash(EMPTY, &[]))
}

fn next_level(level: &[Digest]) -> Vec<Digest> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => parent(left, right),
            [single] => *single,
            _ => hash(EMPTY, &[]),
        })
        .collect()
}

/// The siblings from leaf `index` to the root, lowest first; `None` where a node has no sibling
/// and is handed up. Returns `None` if there is no such leaf.
#[must_use]
pub fn merkle_path<L: AsRef<[u8]>>(leaves: &[L], index: usize) -> Option<Vec<Option<Digest>>> {
    if index >= leaves.len() {
        return None;
    }
    let mut level: Vec<Digest> = leaves.iter().map(|leaf| hash(LEAF, &[leaf.as_ref()])).collect();
    let mut position = index;
    let mut path = Vec::new();
    while level.len() > 1 {
        path.push(level.get(position ^ 1).copied());
        level = next_level(&level);
        position >>= 1;
    }
    Some(path)
}

/// The root that `leaf` at `index` of `count` leaves has with these siblings; `None` if the path
/// does not fit a tree of that size.
#[must_use]
pub fn merkle_root_from_path(
    leaf: &[u8],
    index: usize,
    count: usize,
    path: &[Option<Digest>],
) -> Option<Digest> {
    if index >= count {
        return None;
    }
    let mut node = hash(LEAF, &[leaf]);
    let (mut position, mut width) = (index, count);
    let mut siblings = path.iter();
    while width > 1 {
        let sibling = siblings.next()?;
        let has_sibling = (position ^ 1) < width;
        node = match sibling {
            Some(other) if has_sibling && position & 1 == 0 => parent(&node, other),
            Some(other) if has_sibling => parent(other, &node),
            None if !has_sibling => node,
            _ => return None,
        };
        position >>= 1;
        width = width.div_ceil(2);
    }
    siblings.next().is_none().then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_proves_the_root_and_no_other_does() {
        for count in 1..20_usize {
            let leaves: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; 3]).collect();
            let root = merkle_root(&leaves);
            for index in 0..count {
                let path = merkle_path(&leaves, index).unwrap();
                assert_eq!(merkle_root_from_path(&leaves[index], index, count, &path), Some(root));
                assert_ne!(merkle_root_from_path(b"other", index, count, &path), Some(root));
                for other in 0..count {
                    let moved = merkle_root_from_path(&leaves[index], other, count, &path);
                    assert!(other == index || moved != Some(root), "{index} as {other} of {count}");
                }
            }
        }
        assert_eq!(merkle_path::<Vec<u8>>(&[], 0), None);
        assert_ne!(merkle_root::<Vec<u8>>(&[]), merkle_root(&[Vec::new()]));
    }
}
