//! What notes look like, and what nobody can make of them.

use proptest::prelude::*;

use super::*;
use crate::commit::Message;

fn commits(messages: &[&str]) -> Vec<Commit> {
    let commit = |(at, text): (usize, &&str)| Commit {
        id: format!("{:010x}{:030x}", at + 1, 0)
            .parse()
            .expect("forty digits"),
        message: Message::parse(text.as_bytes()),
    };
    messages.iter().enumerate().map(commit).collect()
}

fn notes(messages: &[&str]) -> String {
    render(&commits(messages))
}

#[test]
fn changes_are_told_by_kind() {
    let notes = notes(&[
        "fix: close the door (#12)",
        "feat(ui): add tabs",
        "docs: say so",
        "chore!: drop Windows 7\n\nBREAKING CHANGE: Windows 10 is needed",
        "Revert \"feat: old\"",
        "perf(db): ask once",
        "no convention",
    ]);
    let expected = "## Breaking changes

- drop Windows 7 (0000000004)
  - Windows 10 is needed

## Features

- **ui:** add tabs (0000000002)

## Fixes

- close the door (#12) (0000000001)

## Performance

- **db:** ask once (0000000006)

## Reverts

- feat: old (0000000005)

2 more commits change nothing of these kinds.
";
    assert_eq!(notes, expected);
}

#[test]
fn nobody_writes_markup() {
    let shown = |text: &str| {
        let notes = notes(&[&format!("fix: {text}")]);
        let line = notes.lines().last().unwrap_or_default().to_owned();
        let line = line.strip_prefix("- ").unwrap_or_default().to_owned();
        line.strip_suffix(" (0000000001)")
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(shown("hi @octocat"), "hi \\@&#8203;octocat");
    assert_eq!(
        shown("closes org/x#12 GH-7"),
        "closes org/x\\#&#8203;12 GH\\-&#8203;7"
    );
    assert_eq!(shown("<img src=x>"), "\\<img src=x\\>");
    assert_eq!(shown("[a](javascript:x)"), "\\[a\\](javascript\\:x)");
    assert_eq!(
        shown("see https://evil.example www.evil.example"),
        "see https\\://evil.example www\\.evil.example"
    );
    assert_eq!(shown("# title"), "\\#&#8203; title");
    assert_eq!(shown("- list"), "\\- list");
    assert_eq!(shown("12. list"), "12\\. list");
    assert_eq!(
        shown("`code` **b** _i_ ~~s~~ a|b &amp; $x$"),
        "\\`code\\` \\*\\*b\\*\\* \\_i\\_ \\~\\~s\\~\\~ a\\|b \\&amp; \\$x\\$"
    );
    assert_eq!(
        shown("plain words, with (some) 1.5 well-known signs!"),
        "plain words, with (some) 1.5 well-known signs!"
    );
    assert_eq!(shown("##[error]x"), "\\#&#8203;\\#&#8203;\\[error\\]x");
}

#[test]
fn notes_end() {
    let long = format!("feat: {}", "ab ".repeat(5_000));
    let many: Vec<&str> = std::iter::repeat_n(long.as_str(), 5_000).collect();
    let notes = notes(&many);
    assert!(notes.len() < NOTES_BYTES_MAX + 1_000, "{}", notes.len());
    assert!(
        notes.ends_with("- and 4800 more\n"),
        "{}",
        &notes[notes.len() - 60..]
    );
}

proptest! {
    #[test]
    fn every_line_is_ours(texts in proptest::collection::vec("(feat|fix)(\\(.{1,5}\\))?!?: \\PC{0,30}(\n\nBREAKING CHANGE: .{0,20})?", 1..6)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for line in notes(&texts).lines() {
            let ours = line.is_empty() || line.starts_with("## ") || line.starts_with("- ") || line.starts_with("  - ") || line.contains(" more commit");
            prop_assert!(ours, "{line:?}");
            prop_assert!(!line.contains(char::is_control));
        }
        prop_assert_eq!(notes(&texts), notes(&texts));
    }
}
