//! Notes of a release in Markdown, by kind of change. The same commits give the same bytes.
//!
//! Descriptions are anybody's words on a page that many read: they are shown as text, never as markup. Nobody is
//! mentioned, no issue of another project is referred to, nothing becomes a link or HTML, and no line is anybody's but ours.

use std::fmt::Write as _;

use crate::commit::{ChangeKind, Commit};

/// The most that is written, in bytes. GitHub takes 125,000 characters for the notes of a release.
pub const NOTES_BYTES_MAX: usize = 100_000;
/// The longest description or note, in characters.
const TEXT_CHARS_MAX: usize = 400;
/// How many entries a section has.
const ENTRIES_MAX: usize = 200;

/// The sections, in their order; `None` is what breaks, whatever its kind.
const SECTIONS: [(Option<ChangeKind>, &str); 5] = [
    (None, "Breaking changes"),
    (Some(ChangeKind::Feature), "Features"),
    (Some(ChangeKind::Fix), "Fixes"),
    (Some(ChangeKind::Performance), "Performance"),
    (Some(ChangeKind::Revert), "Reverts"),
];

/// Renders the notes; commits keep their order within a section.
pub fn render<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> String {
    let commits: Vec<_> = commits.into_iter().collect();
    let mut notes = String::new();
    let mut shown = 0;
    for (kind, title) in SECTIONS {
        let inside: Vec<_> = commits
            .iter()
            .filter(|commit| section(commit) == Some(kind))
            .collect();
        shown += inside.len();
        if inside.is_empty() {
            continue;
        }
        let gap = if notes.is_empty() { "" } else { "\n" };
        let _ = writeln!(notes, "{gap}## {title}\n");
        let mut left = inside.len();
        for commit in inside.iter().take(ENTRIES_MAX) {
            let entry = entry(commit);
            if notes.len() + entry.len() > NOTES_BYTES_MAX {
                break;
            }
            notes.push_str(&entry);
            left -= 1;
        }
        if left > 0 {
            let _ = writeln!(notes, "- and {left} more");
        }
    }
    let others = commits.len() - shown;
    if others > 0 && !notes.is_empty() {
        let (word, verb) = if others == 1 {
            ("commit", "changes")
        } else {
            ("commits", "change")
        };
        let _ = writeln!(
            notes,
            "\n{others} more {word} {verb} nothing of these kinds."
        );
    }
    notes
}

/// The section of a commit; none where it is not told.
fn section(commit: &Commit) -> Option<Option<ChangeKind>> {
    if commit.message.is_breaking() {
        return Some(None);
    }
    match commit.message.kind()? {
        ChangeKind::Other => None,
        kind => Some(Some(kind)),
    }
}

fn entry(commit: &Commit) -> String {
    let message = &commit.message;
    let mut line = "- ".to_owned();
    match &message.change {
        Some(change) => {
            if let Some(scope) = &change.scope {
                let _ = write!(line, "**{}:** ", escaped(scope));
            }
            line.push_str(&escaped(&change.description));
            if let Some(number) = change.pull_request {
                let _ = write!(line, " (#{number})");
            }
        }
        None => line.push_str(&escaped(&message.title)),
    }
    let _ = writeln!(line, " ({})", commit.id.short());
    for note in &message.breaking_notes {
        let note = escaped(note);
        if !note.is_empty() {
            let _ = writeln!(line, "  - {note}");
        }
    }
    line
}

/// Text that Markdown shows as it is.
///
/// CommonMark 0.31.2 §2.4: a backslash before any ASCII punctuation makes it that character. GitHub looks for mentions and
/// references in what was rendered, where no backslash is left, so that `@` and `#` are followed by a zero-width space
/// (U+200B), which is neither in a name nor in a number. Autolinks of GFM 0.29 §6.9 begin with `www.`, `http://`,
/// `https://`, `ftp://`, or have an `@`; a backslash inside ends them.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let cut: Vec<char> = text.trim().chars().take(TEXT_CHARS_MAX).collect();
    for (at, c) in cut.iter().copied().enumerate() {
        let after = cut.get(at + 1).copied().unwrap_or(' ');
        let follows = |word: &str| {
            let from = at.checked_sub(word.len());
            from.is_some_and(|from| {
                cut[from..at]
                    .iter()
                    .zip(word.chars())
                    .all(|(c, letter)| c.eq_ignore_ascii_case(&letter))
            })
        };
        match c {
            _ if c.is_control() => shown.push(' '),
            '@' | '#' => {
                shown.push('\\');
                shown.push(c);
                shown.push_str("&#8203;");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|' | '&' | '$' => {
                shown.push('\\');
                shown.push(c);
            }
            // `:name:` is an emoji to GitHub, `://` a link.
            ':' if !after.is_whitespace() => shown.push_str("\\:"),
            '.' if follows("www") => shown.push_str("\\."),
            // `GH-12` is a reference.
            '-' if follows("gh") && after.is_ascii_digit() => shown.push_str("\\-&#8203;"),
            // At its beginning, a text could be a list, a heading, a rule, or a number with a dot (§4.1, §4.3, §5.2).
            '-' | '+' | '=' if at == 0 => {
                shown.push('\\');
                shown.push(c);
            }
            '.' | ')' if cut[..at].iter().all(char::is_ascii_digit) => {
                shown.push('\\');
                shown.push(c);
            }
            _ => shown.push(c),
        }
    }
    if text.trim().chars().nth(TEXT_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
