//! The market of the tests.

use duet_sim::Market;
use std::path::Path;

/// What the first day of the small market comes to. A change of the market's rules changes it;
/// nothing that goes wrong with validators or networks may.
pub(crate) const RESULT: &str = "847adbccc3387007f6b2112e321bca8a7a30a72690f4a7112956ae5df0412370";

pub(crate) fn market() -> Market {
    Market::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small")).unwrap()
}
