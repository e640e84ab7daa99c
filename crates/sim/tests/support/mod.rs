//! The market of the tests.

use duet_sim::Market;
use std::path::Path;

/// What the first day of the small market comes to. A change of the market's rules changes it;
/// nothing that goes wrong with validators or networks may.
pub(crate) const RESULT: &str = "c76e6f982658ddf45d6a5d866833304d0b175363958b7ec0cb03bde5305414b0";

pub(crate) fn market() -> Market {
    Market::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small")).unwrap()
}
