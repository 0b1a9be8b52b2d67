//! The table of formats and checks, `FORMATS.md`: written from here, and true, as each cell names a test that is there and
//! that names the checks of the cell.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::checks::CHECKS;

mod table;

use table::{COLUMNS, Cell, rows};

/// A file of tests: of this crate, or of the whole, `it/inside.rs`.
fn source(file: &str) -> String {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = match file.strip_prefix("it/") {
        Some(file) => crate_root.join("../../tests/it").join(file),
        None => crate_root.join("src").join(file),
    };
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn render() -> String {
    let mut text = "# What is checked of which format\n\n\
        Written by the test `coverage` from `src/tests/coverage/table.rs`, which holds it true: each test that a cell names is\n\
        there, and names the checks of the cell. Run it with `LASTMILE_BLESS=1` to write this page again.\n\n"
        .to_owned();
    let _ = writeln!(text, "| what | {} |", COLUMNS.join(" | "));
    let _ = writeln!(text, "|---{}|", "|---".repeat(COLUMNS.len()));
    for row in rows() {
        let cells: Vec<_> = row.cells.iter().map(shown).collect();
        let _ = writeln!(text, "| {} | {} |", row.what, cells.join(" | "));
    }
    text.push_str("\n## Every check\n\n| id | what it says |\n|---|---|\n");
    for (id, what) in CHECKS {
        let _ = writeln!(text, "| `{id}` | {what} |");
    }
    text
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Proved(ids, file, test) => {
            let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
            format!("{}; `{file}` {}", ids.join(", "), test.replace('_', " "))
        }
        Cell::Unproved(ids, reason) => {
            let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
            format!("{}: *{reason}*", ids.join(", "))
        }
        Cell::Because(reason) => format!("*{reason}*"),
    }
}

#[test]
fn every_cell_is_proved_or_has_a_reason() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        for cell in &row.cells {
            let (ids, file, test) = match cell {
                Cell::Proved(ids, file, test) => (ids, file, test),
                Cell::Unproved(ids, _) => {
                    seen.extend(*ids);
                    continue;
                }
                Cell::Because(_) => continue,
            };
            let text = source(file);
            let is_there = text.contains(&format!("fn {test}("));
            assert!(is_there, "{}: `{test}` is not in {file}", row.what);
            assert!(!ids.is_empty(), "{}: a cell without checks", row.what);
            for id in *ids {
                let named = text.contains(&format!("\"{id}\""));
                assert!(named, "{}: {file} does not name `{id}`", row.what);
                seen.insert(*id);
            }
        }
    }
    let known: BTreeSet<_> = CHECKS.iter().map(|(id, _)| *id).collect();
    let unknown: Vec<_> = seen.difference(&known).collect();
    assert!(unknown.is_empty(), "no such check: {unknown:?}");
    let unproved: Vec<_> = known.difference(&seen).collect();
    assert!(unproved.is_empty(), "in no cell: {unproved:?}");
}

#[test]
fn every_format_has_a_row() {
    use crate::format::Format;
    for format in Format::ALL {
        let is_there = rows().any(|row| row.formats.contains(format));
        assert!(is_there, "{format:?} has no row");
    }
}

#[test]
fn the_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMATS.md");
    if std::env::var_os("LASTMILE_BLESS").is_some() {
        std::fs::write(&path, render()).expect("a page that can be written");
    }
    let page = std::fs::read_to_string(&path).expect("FORMATS.md");
    assert!(
        page == render(),
        "FORMATS.md is not what the table says; run this with LASTMILE_BLESS=1"
    );
}
