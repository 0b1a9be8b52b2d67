//! The rows. A cell is the checks and the test that proves them, or the reason why there is none.

mod apple;
mod everywhere;
mod linux;
mod windows;

use crate::format::Format;

/// A cell.
pub(super) enum Cell {
    /// The checks, the file of the test, and the test.
    Proved(&'static [&'static str], &'static str, &'static str),
    /// Checks that no file here fails, and why.
    Unproved(&'static [&'static str], &'static str),
    /// Why there is nothing to prove, or nothing yet.
    Because(&'static str),
}

pub(super) const COLUMNS: [&str; 6] = [
    "shape",
    "bytes",
    "signature",
    "chain or key",
    "time",
    "who, and what is inside",
];

/// A row.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) formats: &'static [Format],
    pub(super) cells: [Cell; 6],
}

/// Every row, by where it is at home.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    let all = [windows::ROWS, apple::ROWS, linux::ROWS, everywhere::ROWS];
    all.into_iter().flatten()
}
