//! libFuzzer on one parser, named by `LASTMILE_PARSER`.
#![no_main]

use std::sync::LazyLock;

use fuzz::{PARSERS, Parser};

static PARSER: LazyLock<Parser> = LazyLock::new(|| {
    let name = std::env::var("LASTMILE_PARSER").unwrap_or_default();
    let names: Vec<_> = PARSERS.iter().map(|parser| parser.reads).collect();
    PARSERS
        .iter()
        .find(|parser| parser.reads == name)
        .copied()
        .unwrap_or_else(|| panic!("LASTMILE_PARSER is `{name}`; expected one of {names:?}"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (PARSER.parse)(bytes));
