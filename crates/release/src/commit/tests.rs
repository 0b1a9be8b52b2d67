//! What is read out of messages, good and hostile.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Message {
    Message::parse(text.as_bytes())
}

fn change(text: &str) -> Change {
    parse(text).change.unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn titles_have_their_parts() {
    let found = change("feat(ui)!: add tabs (#12) (#123)");
    assert_eq!(found.kind, ChangeKind::Feature);
    assert_eq!(found.scope.as_deref(), Some("ui"));
    assert!(found.is_marked_breaking);
    assert_eq!(found.description, "add tabs (#12)");
    assert_eq!(found.pull_request, Some(123));
    for (text, kind) in [
        ("Fix: x", ChangeKind::Fix),
        ("PERF(a/b): x", ChangeKind::Performance),
        ("chore(deps): x", ChangeKind::Other),
        ("revert: feat: x", ChangeKind::Revert),
        ("\n\n  feat: after blank lines", ChangeKind::Feature),
    ] {
        assert_eq!(change(text).kind, kind, "{text}");
    }
}

#[test]
fn what_is_no_convention_is_none() {
    for text in [
        "",
        "add tabs",
        "feat:no space",
        "feat: ",
        "feat : x",
        "fixup! feat: x",
        "feat(): x",
        "feat(a: x",
        "feat(a)b: x",
        "Merge pull request #1 from a/b",
        ": x",
        "fe at: x",
        "https://example.com: x",
        "(#12)",
    ] {
        assert_eq!(parse(text).change, None, "{text}");
    }
}

#[test]
fn breaking_changes_are_found() {
    assert!(parse("chore!: drop Windows 7").is_breaking());
    assert!(parse("no convention\n\nBREAKING-CHANGE: still one").is_breaking());
    let message = parse(
        "feat: x\n\nbody\n\nBREAKING CHANGE: the first\n  goes on\nReviewed-by: Z\n\nBREAKING CHANGE: the second\n\nmore",
    );
    assert_eq!(message.breaking_notes, ["the first goes on", "the second"]);
    for text in [
        "feat: x\n\nbreaking change: lower case is none",
        "feat: x\n\nthis is no BREAKING CHANGE: at all",
        "feat: BREAKING CHANGE: in a title",
    ] {
        assert!(!parse(text).is_breaking(), "{text}");
    }
}

#[test]
fn reverts_name_commits() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    let message = parse(&format!(
        "Revert \"feat: x\" (#9)\n\nThis reverts commit {id}."
    ));
    assert_eq!(message.kind(), Some(ChangeKind::Revert));
    assert_eq!(message.reverts, [id]);
    assert_eq!(
        message.change.and_then(|change| change.pull_request),
        Some(9)
    );
    let message = parse("revert: let us never speak\n\nRefs: 676104e, A215868, 12345, notahexid");
    assert_eq!(message.reverts, ["676104e", "a215868"]);
    assert!(
        parse(&format!("feat: x\n\nThis reverts commit {id}."))
            .reverts
            .is_empty()
    );
    assert_eq!(
        change("Reapply \"feat: x\"").description,
        "Reapply \"feat: x\""
    );
}

#[test]
fn release_as_is_kept_as_it_is_said() {
    assert_eq!(
        parse("chore: x\n\nrelease-as: 2.0.0\nRelease-As: 3.0.0").release_as,
        Some("2.0.0".to_owned())
    );
    assert_eq!(
        parse("chore: x\n\nRelease-As: garbage \u{1b}[2J").release_as,
        Some("garbage  [2J".to_owned())
    );
}

#[test]
fn hostile_bytes_are_one_harmless_line() {
    let message = Message::parse(b"feat: a\x1b[31m\x00b\xff\xfe \xe2\x80\xaec\r\n\r\nx");
    assert_eq!(message.title, "feat: a [31m b\u{fffd}\u{fffd} c");
    let long = format!("feat: {}", "x".repeat(3_000_000));
    assert!(parse(&long).title.chars().count() <= TEXT_CHARS_MAX);
    let many = format!("feat: x\n{}", "BREAKING CHANGE: y\n".repeat(100_000));
    assert_eq!(parse(&many).breaking_notes.len(), ITEMS_MAX);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let message = Message::parse(&bytes);
        prop_assert!(!message.title.contains(char::is_control));
    }

    #[test]
    fn nothing_like_a_commit_makes_it_panic(text in "(feat|fix|Revert \"|revert)?(\\(.{0,4}\\))?!?: ?.{0,20}(\\(#[0-9]{0,22}\\))?(\n{1,2}(BREAKING CHANGE|Release-As|Refs|This reverts commit )[: #]{0,2}[a-f0-9é, ]{0,20}){0,4}") {
        let message = Message::parse(text.as_bytes());
        prop_assert!(!message.title.contains('\n'));
        for note in &message.breaking_notes {
            prop_assert!(!note.contains(char::is_control));
        }
    }
}
