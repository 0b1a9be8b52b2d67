//! libFuzzer on one parser, named by `LASTMILE_PARSER`.
#![no_main]

use std::sync::LazyLock;

use fuzz::{PARSERS, Parser};

static PARSER: LazyLock<Parser> = LazyLock::new(|| {
    let name = std::env::var("LASTMILE_PARSER").unwrap_or_default();
    let names = PARSERS.map(|parser| parser.reads);
    PARSERS
        .into_iter()
        .find(|parser| parser.reads == name)
        .unwrap_or_else(|| panic!("LASTMILE_PARSER is `{name}`; expected one of {names:?}"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (PARSER.parse)(bytes));
