//! What follows a settlement: the sealed book, statements, corrections.

#[path = "../common/mod.rs"]
mod common;

mod curtailment;
mod methods;
mod month;
mod sealed;
mod statement;
mod substitute;
