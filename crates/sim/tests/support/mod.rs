//! The market of the tests.

use duet_sim::Market;
use std::path::Path;

/// What the first day of the small market comes to. A change of the market's rules changes it;
/// nothing that goes wrong with validators or networks may.
pub(crate) const RESULT: &str = "1d30f1fb4183c9ac6ee6c3efd23bb3a716e2ad749cd6871ab916f10f0cea52cd";

pub(crate) fn market() -> Market {
    Market::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small")).unwrap()
}
