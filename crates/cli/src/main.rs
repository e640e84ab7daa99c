//! The `duet` program.
fn main() {}
