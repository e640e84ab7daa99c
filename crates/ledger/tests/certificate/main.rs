//! Certificates and green power by the rules: sale, claims, freezing, expiry, the least of three.

#[path = "../common/mod.rs"]
mod common;

mod green;
mod life;
mod model;
