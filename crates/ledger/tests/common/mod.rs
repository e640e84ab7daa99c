//! A small market to test with: two generators, two buyers, the institutions, and a chain that
//! checks of every block what must always hold.

#![allow(dead_code, reason = "each test binary uses its part of the kit")]

pub(crate) mod carbon;
pub(crate) mod certificate;
pub(crate) mod chain;
pub(crate) mod compliance;
pub(crate) mod device;
pub(crate) mod market;
pub(crate) mod random;
pub(crate) mod traffic;
