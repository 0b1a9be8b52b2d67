//! Footers: `BREAKING CHANGE: …`, `Release-As: …`, and the commits that a revert names.
//!
//! Item 8 puts footers after the body. They are looked for at the start of every line instead, as the widespread tools do:
//! squashed pull requests have text after what were footers, and a break that is overlooked harms more than one too many.

use super::{ITEMS_MAX, one_line};

/// The footers that mean something here.
#[derive(Debug, Default)]
pub(super) struct Footers {
    pub(super) breaking: Vec<String>,
    pub(super) release_as: Option<String>,
}

pub(super) fn read(body: &[&str]) -> Footers {
    let mut footers = Footers::default();
    let mut lines = body.iter().copied().peekable();
    while let Some(line) = lines.next() {
        let Some((token, value)) = split(line) else {
            continue;
        };
        // Item 15 and 16: this one is upper case, with a space or a hyphen.
        if matches!(token, "BREAKING CHANGE" | "BREAKING-CHANGE") {
            let mut note = one_line(value);
            // Item 10: a value goes on until the next footer; here a blank line ends it too.
            while let Some(next) =
                lines.next_if(|next| !next.trim().is_empty() && split(next).is_none())
            {
                if note.len() < super::TEXT_CHARS_MAX {
                    note.push(' ');
                    note.push_str(&one_line(next));
                }
            }
            if footers.breaking.len() < ITEMS_MAX {
                footers.breaking.push(one_line(&note));
            }
        } else if token.eq_ignore_ascii_case("Release-As") && footers.release_as.is_none() {
            footers.release_as = Some(one_line(value));
        }
    }
    footers
}

/// `token: value` or `token #value` (item 8), the token being a word with hyphens (item 9).
fn split(line: &str) -> Option<(&str, &str)> {
    let colon = line
        .split_once(':')
        .filter(|(_, rest)| rest.is_empty() || rest.starts_with([' ', '\t']));
    let (token, value) = colon.or_else(|| line.split_once(" #"))?;
    let is_token = token == "BREAKING CHANGE"
        || (!token.is_empty()
            && token.len() <= 64
            && token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    is_token.then_some((token, value.trim()))
}

/// `This reverts commit <id>.` as git writes it, and `Refs: <id>, <id>` as the specification proposes.
pub(super) fn reverted(body: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for line in body {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("This reverts commit ") {
            found.extend(id(rest));
        } else if let Some((_, value)) =
            split(line).filter(|(token, _)| token.eq_ignore_ascii_case("refs"))
        {
            found.extend(value.split(',').take(ITEMS_MAX).filter_map(id));
        }
        if found.len() >= ITEMS_MAX {
            break;
        }
    }
    found
}

/// The name of a commit at the start of a text. Fewer than seven digits are not taken for one.
fn id(text: &str) -> Option<String> {
    let text = text.trim_start();
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_hexdigit())
        .unwrap_or(text.len());
    let is_end = !text[end..].starts_with(|c: char| c.is_alphanumeric());
    ((7..=64).contains(&end) && is_end).then(|| text[..end].to_ascii_lowercase())
}
