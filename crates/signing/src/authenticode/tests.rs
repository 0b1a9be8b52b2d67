//! Authenticode against the corpus, against mutated copies of it, and against a small PKI of our own.

mod corpus;
mod mutants;
mod pki;

use std::io::Cursor;
use std::path::PathBuf;

use release::Timestamp;

use super::*;
use crate::checks::Outcome;
use crate::report::Verdict;
use crate::tests::{day, failed, printable, sample, shared, time, trust};

fn look(bytes: &[u8], at: Timestamp, trust: &Trust) -> Inspection {
    printable(inspect(&mut Cursor::new(bytes), at, trust))
}
