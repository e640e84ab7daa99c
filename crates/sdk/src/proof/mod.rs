//! Proofs, checked from public keys and hashes alone: none of the engine's crates is needed.

pub mod state;
