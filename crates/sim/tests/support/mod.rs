//! The market of the tests.

use duet_sim::Market;
use std::path::Path;

/// What the first day of the small market comes to. A change of the market's rules changes it;
/// nothing that goes wrong with validators or networks may.
pub(crate) const RESULT: &str = "ae46c0b336ffadf66de4128e84a9377df9710df8299f0c40f6c548acb952a102";

pub(crate) fn market() -> Market {
    Market::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small")).unwrap()
}
