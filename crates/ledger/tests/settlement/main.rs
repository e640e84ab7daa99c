//! What follows a settlement: the sealed book, statements, corrections.

#[path = "../common/mod.rs"]
mod common;

mod curtailment;
mod methods;
mod sealed;
mod statement;
