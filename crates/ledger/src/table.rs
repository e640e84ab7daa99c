//! An ordered table of the state that remembers which rows a block changed.

use crate::codec::{Decode, DecodeError, Encode, decode_all};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(crate) struct Table<K, V> {
    tag: u8,
    rows: BTreeMap<K, V>,
    changed: BTreeSet<K>,
}

impl<K: Ord + Copy + Encode + Decode, V: Encode + Decode> Table<K, V> {
    pub(crate) const fn new(tag: u8) -> Self {
        Self { tag, rows: BTreeMap::new(), changed: BTreeSet::new() }
    }

    pub(crate) const fn rows(&self) -> &BTreeMap<K, V> {
        &self.rows
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.rows.get(&key)
    }

    /// The row, to be changed.
    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let row = self.rows.get_mut(&key)?;
        self.changed.insert(key);
        Some(row)
    }

    pub(crate) fn insert(&mut self, key: K, row: V) {
        self.changed.insert(key);
        self.rows.insert(key, row);
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let row = self.rows.remove(&key)?;
        self.changed.insert(key);
        Some(row)
    }

    /// Removes the first rows until at most `most` are left.
    pub(crate) fn keep_last(&mut self, most: usize) {
        while self.rows.len() > most {
            let Some((key, _)) = self.rows.pop_first() else { return };
            self.changed.insert(key);
        }
    }

    /// Removes every row for which `matches` holds.
    pub(crate) fn remove_where(&mut self, matches: impl Fn(&K, &V) -> bool) {
        let keys = self.rows.iter().filter(|(key, row)| matches(key, row)).map(|(key, _)| *key);
        for key in keys.collect::<Vec<K>>() {
            self.rows.remove(&key);
            self.changed.insert(key);
        }
    }

    /// Appends the changed rows, by key, and forgets that they changed. `None` is a removed row.
    pub(crate) fn drain_into(&mut self, delta: &mut Vec<(Vec<u8>, Option<Vec<u8>>)>) {
        for key in std::mem::take(&mut self.changed) {
            let mut bytes = vec![self.tag];
            key.encode(&mut bytes);
            delta.push((bytes, self.rows.get(&key).map(Encode::to_bytes)));
        }
    }

    /// Takes a row from the store; `key` is without the table's tag.
    pub(crate) fn restore(&mut self, key: &[u8], row: &[u8]) -> Result<(), DecodeError> {
        self.rows.insert(decode_all(key)?, decode_all(row)?);
        Ok(())
    }
}
