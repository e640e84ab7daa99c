//! docs/rejections.md is written from the table in the code.

use duet_ledger::Rejection;
use std::fmt::Write as _;

const HEAD: &str = "# Rejections

Why a transaction is refused. The number is written into its receipt and never used again; the
name is the `code` of a problem in the HTTP API. Where several rules fail, the lowest number is
reported, on every validator. Bytes are read from the front: what is too long (102) is not read at
all, and nothing behind an unknown suite (103) is.

101 to 105 are settled before a transaction is in a block: a block with bytes that are no
transaction is refused as a whole, and so is one with a signature that does not fit. All others
are found again when the block is applied. From 203 on, a refused transaction has used up its
nonce.

This page is written from `crates/ledger/src/rejection.rs` by
`DUET_WRITE_DOCS=1 cargo test -p duet-ledger --test rejections page`.

| number | name | rule |
|---:|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for rejection in Rejection::ALL {
        let (code, name, rule) = (rejection.code(), rejection.name(), rejection.rule());
        writeln!(page, "| {code} | `{name}` | {rule} |").unwrap();
    }
    page
}

#[test]
fn the_page_of_rejections_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rejections.md");
    if std::env::var_os("DUET_WRITE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, page(), "see the head of the page for how to write it again");
}
