//! Names that end up in paths: parsed once, at the edge, so that no path ever meets an unexpected character.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not {what}: {rule}")]
pub struct NameError {
    /// The kind of name that was expected, with its article.
    pub what: &'static str,
    /// The text as found, escaped for printing.
    pub found: String,
    /// What such a name must look like.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { what: $what, found: printable(text), rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// What is shipped under one name, `atlas-desktop`.
    App, "the name of an app", "use 1 to 64 of a-z, 0-9 and `-`, starting with a letter or digit", is_slug
);
name!(
    /// A named stream that clients follow, `stable`.
    ///
    /// Refused are names that electron-updater reads as another channel's file: it looks for `latest.yml` for `stable`,
    /// and for `<channel>-mac.yml` and `<channel>-linux….yml` on those systems.
    Channel,
    "the name of a channel",
    "use 1 to 64 of a-z, 0-9 and `-`, starting with a letter or digit; `latest`, and what ends with `-mac`, `-linux`, or `-linux-` and an architecture, are feed files of other channels",
    |text| is_slug(text) && text != "latest" && !text.ends_with("-mac") && !is_linux_file(text)
);
name!(
    /// A named group of installs, `internal`, whose members say so themselves.
    CohortName, "the name of a cohort", "use 1 to 64 of a-z, 0-9 and `-`, starting with a letter or digit", is_slug
);
name!(
    /// A step of a rollout, `canary`. `complete` is refused: it is what comes after the last tier.
    TierName,
    "the name of a tier",
    "use 1 to 64 of a-z, 0-9 and `-`, starting with a letter or digit; `complete` is what follows the last tier",
    |text| is_slug(text) && text != "complete"
);
name!(
    /// The file name of an artifact, `Atlas-Setup-1.4.0.exe`: one path segment that is the same in S3, in a URL, on a
    /// disk of any operating system, and as a GitHub asset.
    FileName,
    "a file name that can be published",
    "use 1 to 200 of A-Z, a-z, 0-9 and `-_.+~`, starting with a letter or digit and not ending with a dot",
    is_file_name
);

impl Channel {
    /// The channel that clients follow when they say nothing.
    pub fn stable() -> Self {
        Self("stable".to_owned())
    }

    /// Whether this is the channel that clients follow when they say nothing.
    pub fn is_stable(&self) -> bool {
        self.0 == "stable"
    }
}

/// `beta-linux`, `beta-linux-arm64`.
fn is_linux_file(text: &str) -> bool {
    text.ends_with("-linux") || text.contains("-linux-")
}

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 64
        && bytes
            .next()
            .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_file_name(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with('.')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.+~".contains(&b))
}

/// Untrusted text made safe to print on one line, as [`escaped`], and what is too long is cut.
pub fn printable(text: &str) -> String {
    const CHARS_MAX: usize = 120;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", escaped(text.get(..end).unwrap_or_default())),
        None => escaped(text),
    }
}

/// Untrusted text made safe to print on one line: control characters, quotes, and anything that is not plain printable text
/// is escaped. For paths, whose last part matters most; whoever read the text has bounded its length.
pub fn escaped(text: &str) -> String {
    let shown: String = text
        .chars()
        .flat_map(|c| {
            // Bidirectional and zero-width characters reorder or hide what follows them on a terminal (CVE-2021-42574).
            let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            if c.is_control() || c == '`' || hides { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }
        })
        .collect();
    // To the runner of GitHub Actions this is a command, anywhere in a line (actions/runner, ActionCommand.cs).
    shown.replace("##[", "#\\u{23}[")
}

/// The text of an error and of all that caused it, each thing once, on one line and made safe to print.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    const CHARS_MAX: usize = 600;
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        // Outer errors of many libraries repeat their cause; saying a thing once is plainer.
        if !text.is_empty() && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = cause.source();
    }
    let text: Vec<char> = parts.join(": ").chars().take(CHARS_MAX).collect();
    let pieces = text
        .chunks(100)
        .map(|piece| printable(&piece.iter().collect::<String>()));
    // What two pieces make together is looked at as well.
    pieces.collect::<String>().replace("##[", "#\\u{23}[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_paths_or_tricks_are_refused() {
        for bad in [
            "",
            "../x",
            "a/b",
            "Atlas",
            "-a",
            "a b",
            "a\n",
            &"a".repeat(65),
        ] {
            assert!(bad.parse::<App>().is_err(), "{bad:?}");
        }
        for bad in [
            "", ".hidden", "a/b", "a\\b", "x.", "ä.exe", "a b.exe", "-rf", "a\0",
        ] {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?}");
        }
        for bad in [
            "latest",
            "latest-mac",
            "beta-mac",
            "beta-linux",
            "x-linux-arm64",
        ] {
            assert!(bad.parse::<Channel>().is_err(), "{bad:?}");
        }
        assert!("mac-beta".parse::<Channel>().is_ok());
        assert!("complete".parse::<TierName>().is_err());
        assert!("Atlas-Setup-1.4.0.exe".parse::<FileName>().is_ok());
    }

    #[test]
    fn printing_never_emits_controls() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(printable(&"x".repeat(500)).chars().count(), 121);
        assert_eq!(printable("a ##[error]b"), "a #\\u{23}[error]b");
    }
}
