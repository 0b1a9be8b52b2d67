//! What a commit says about itself: Conventional Commits 1.0.0 (conventionalcommits.org), `Release-As:`, and reverts.
//!
//! Whoever can write a commit writes this text, so it is cut, decoded with replacement, and never believed further than
//! its words go. A message that follows no convention is no error: such a commit counts and releases nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod footer;

/// How much of a message is read, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// How much of a title, or of one note about a breaking change, is kept, in characters.
pub const TEXT_CHARS_MAX: usize = 1_000;
/// How many notes, and how many reverted commits, one message can have.
const ITEMS_MAX: usize = 100;

/// The name of a commit: 40 hexadecimal digits, or 64 where a repository names its objects by SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

/// Why a text names no commit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is no commit: expected 40 or 64 of 0-9 and a-f", crate::name::printable(.0))]
pub struct CommitIdError(String);

impl CommitId {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning, enough to tell commits apart by eye.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, CommitIdError> {
        let is_hex = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_hex && matches!(text.len(), 40 | 64) {
            return Ok(Self(text.to_owned()));
        }
        Err(CommitIdError(text.to_owned()))
    }
}

impl TryFrom<String> for CommitId {
    type Error = CommitIdError;

    fn try_from(text: String) -> Result<Self, CommitIdError> {
        text.parse()
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> String {
        id.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A commit and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub id: CommitId,
    /// What it says.
    pub message: Message,
}

/// What a message says. Texts are of one line and without control characters, yet still somebody else's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub title: String,
    /// The parts of a title that follows the convention.
    pub change: Option<Change>,
    /// What breaks, in the author's words: one note for each footer `BREAKING CHANGE`.
    pub breaking_notes: Vec<String>,
    /// The value of the footer `Release-As`.
    pub release_as: Option<String>,
    /// The commits, whole or abbreviated, that this one undoes.
    pub reverts: Vec<String>,
}

/// A title by its parts: `type(scope)!: description (#123)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The type.
    pub kind: ChangeKind,
    /// The scope.
    pub scope: Option<String>,
    /// Whether a `!` stands before the colon.
    pub is_marked_breaking: bool,
    /// The description, without the number of the pull request.
    pub description: String,
    /// The pull request that was squashed into this commit, as GitHub ends such titles.
    pub pull_request: Option<u64>,
}

/// The type of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// `feat`.
    Feature,
    /// `fix`.
    Fix,
    /// `perf`.
    Performance,
    /// `revert`, or a title as `git revert` writes it.
    Revert,
    /// Any other: `docs`, `chore`, `build`, …
    Other,
}

impl Message {
    /// Parses a message; total, whatever the bytes are.
    pub fn parse(bytes: &[u8]) -> Self {
        let cut = &bytes[..bytes.len().min(MESSAGE_BYTES_MAX)];
        let text = String::from_utf8_lossy(cut);
        let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        let title = one_line(first);
        let body: Vec<&str> = lines.collect();
        let mut change = conventional(&title);
        let mut reverts = footer::reverted(&body);
        if change.is_none() {
            change = reverted_title(&title);
        }
        // Only what calls itself a revert undoes anything: a body may well tell of one.
        if change.as_ref().map(|change| change.kind) != Some(ChangeKind::Revert) {
            reverts.clear();
        }
        let footers = footer::read(&body);
        Self {
            title,
            change,
            breaking_notes: footers.breaking,
            release_as: footers.release_as,
            reverts,
        }
    }

    /// Whether this breaks what users rely on.
    ///
    /// Items 11 to 13 and 16: a `!` before the colon, or a footer, of any type.
    pub fn is_breaking(&self) -> bool {
        let marked = |change: &Change| change.is_marked_breaking;
        !self.breaking_notes.is_empty() || self.change.as_ref().is_some_and(marked)
    }

    /// The type, where the title follows the convention.
    pub fn kind(&self) -> Option<ChangeKind> {
        self.change.as_ref().map(|change| change.kind)
    }
}

/// `<type>[optional scope][!]: <description>` (items 1 to 5). Types are not case-sensitive (item 15).
fn conventional(title: &str) -> Option<Change> {
    let (head, description) = title.split_once(": ")?;
    let (head, is_marked_breaking) = match head.strip_suffix('!') {
        Some(rest) => (rest, true),
        None => (head, false),
    };
    let (name, scope) = match head.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')')?)),
        None => (head, None),
    };
    let is_noun = (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let is_scope =
        |text: &str| !text.trim().is_empty() && !text.contains(['(', ')']) && text.len() <= 128;
    if !is_noun || !scope.is_none_or(is_scope) || description.trim().is_empty() {
        return None;
    }
    let kind = match name.to_ascii_lowercase().as_str() {
        "feat" | "feature" => ChangeKind::Feature,
        "fix" => ChangeKind::Fix,
        "perf" => ChangeKind::Performance,
        "revert" => ChangeKind::Revert,
        _ => ChangeKind::Other,
    };
    let (description, pull_request) = without_number(description.trim());
    Some(Change {
        kind,
        scope: scope.map(|text| text.trim().to_owned()),
        is_marked_breaking,
        description: description.to_owned(),
        pull_request,
    })
}

/// `Revert "feat: x"` and `Reapply "feat: x"`, as git writes them (git-revert(1)); GitHub adds `(#123)`.
fn reverted_title(title: &str) -> Option<Change> {
    let (text, pull_request) = without_number(title);
    let quoted = text
        .strip_prefix("Revert \"")
        .or_else(|| text.strip_prefix("Reapply \""));
    let description = quoted?.strip_suffix('"')?;
    let shown = if text.starts_with("Reapply") {
        text
    } else {
        description
    };
    Some(Change {
        kind: ChangeKind::Revert,
        scope: None,
        is_marked_breaking: false,
        description: shown.to_owned(),
        pull_request,
    })
}

/// Takes ` (#123)` off the end, which a squashed pull request leaves there.
fn without_number(text: &str) -> (&str, Option<u64>) {
    let split = || {
        let (before, number) = text.strip_suffix(')')?.rsplit_once("(#")?;
        let before = before.trim_end();
        // `parse` would take a sign as well.
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let number = number.parse().ok().filter(|_| is_number)?;
        (!before.is_empty()).then_some((before, number))
    };
    match split() {
        Some((before, number)) => (before, Some(number)),
        None => (text, None),
    }
}

/// One line without control characters, bidirectional or zero-width ones (CVE-2021-42574), and not too long.
fn one_line(text: &str) -> String {
    let is_harmless = |c: &char| !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    let spaced = text
        .chars()
        .take(TEXT_CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c });
    let kept: String = spaced.filter(is_harmless).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests;
