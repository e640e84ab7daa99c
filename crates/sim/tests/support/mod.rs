//! The market of the tests.

use duet_sim::Market;
use std::path::Path;

/// What the first day of the small market comes to. A change of the market's rules changes it;
/// nothing that goes wrong with validators or networks may.
pub(crate) const RESULT: &str = "35df68e9372a3d765cb87d090d0b6bc0c986fde78fbb35cc6fc467344e3ba5e1";

pub(crate) fn market() -> Market {
    Market::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small")).unwrap()
}
