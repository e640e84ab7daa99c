//! The view from outside: JSON shapes, signing, proofs of finality and inclusion, an HTTP client.

pub mod proof;
