//! The view from outside: JSON shapes, signing, proofs of finality and inclusion, an HTTP client.
//!
//! - [`wire`]: the JSON shapes that the API speaks, and their conversion to and from the ledger's
//!   own types.
//! - [`sign`]: a member's key and the transactions that it signs. The key never leaves the member.
//! - [`proof`]: checks that need no node: of a receipt, and of a row of the state.
//! - `client` (feature `http`): the API's client.

#[cfg(feature = "http")]
pub mod client;
pub mod proof;
pub mod sign;
pub mod wire;
