//! The labels of the shared corpus, and of packages from registries where somebody put them.

use super::*;

#[test]
fn every_program_of_the_app_is_valid_and_its_ticket_lists_it() {
    let Some(files) = app() else { return };
    let mut count = 0;
    for (path, bytes) in &files {
        if !path.contains("/MacOS/") {
            continue;
        }
        let found = look(bytes);
        assert_eq!(found.verdict, Verdict::Valid, "{path}: {found:#?}");
        count += found.signatures.len();
    }
    assert_eq!(count, 4, "two slices of two programs");
}
