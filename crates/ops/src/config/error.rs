//! Errors of a configuration, shown where they are.

use std::fmt;

use release::name::printable;

/// What a known key that is not enforced yet is refused with.
pub(super) const NOT_YET: &str = "is not yet supported by this version; take it out";

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    file: String,
    errors: Vec<ConfigError>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
    at: Option<At>,
}

/// A place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct At {
    line: usize,
    column: usize,
    text: String,
}

impl ConfigErrors {
    pub(super) fn new(file: &str, errors: Vec<ConfigError>) -> Self {
        Self {
            file: file.to_owned(),
            errors,
        }
    }

    pub(super) fn one(file: &str, error: ConfigError) -> Self {
        Self::new(file, vec![error])
    }
}

impl ConfigError {
    /// An error of the whole rather than of a place.
    pub(super) fn plain(message: String) -> Self {
        Self { message, at: None }
    }

    /// The parser's error, with its place and, for an unknown key, the nearest known one.
    pub(super) fn from_yaml(text: &str, error: &serde_yaml::Error) -> Self {
        let said = error.to_string();
        let mut at = error.location().map(|location| At {
            line: location.line(),
            column: location.column(),
            text: text
                .lines()
                .nth(location.line().saturating_sub(1))
                .unwrap_or_default()
                .to_owned(),
        });
        // The place is shown on its own; the parser's words for it would say it twice.
        let said = said.split(" at line ").next().unwrap_or(&said);
        let mut message = unknown_key(said).unwrap_or_else(|| printable_whole(said));
        if let Some((refused, column)) = not_yet(&message, at.as_ref()) {
            message = refused;
            if let (Some(at), Some(column)) = (&mut at, column) {
                at.column = column;
            }
        }
        Self { message, at }
    }
}

/// "unknown field `artefacts`, expected one of `app`, …", as serde says it, in our words.
fn unknown_key(said: &str) -> Option<String> {
    let mut quoted = said
        .get(said.find("unknown field `")?..)?
        .split('`')
        .skip(1)
        .step_by(2);
    let found = quoted.next()?;
    let known: Vec<_> = quoted.collect();
    let nearest = known.iter().map(|key| (distance(found, key), key)).min();
    Some(match nearest {
        Some((steps, key)) if steps <= 2 || (found.len() > 3 && key.starts_with(found)) => {
            format!("unknown key `{}`; did you mean `{key}`?", printable(found))
        }
        _ => format!(
            "unknown key `{}`; known here: {}",
            printable(found),
            known.join(", ")
        ),
    })
}

/// Names the key whose value was refused with [`NOT_YET`], and where that key stands if it stands before its value.
fn not_yet(message: &str, at: Option<&At>) -> Option<(String, Option<usize>)> {
    let path = message.strip_suffix(NOT_YET)?;
    // Whoever says more than that names the thing himself.
    let path = path
        .strip_suffix(": ")
        .or_else(|| path.is_empty().then_some(path))?;
    let inline = at.and_then(|at| {
        let before: String = at.text.chars().take(at.column.saturating_sub(1)).collect();
        let before = before.trim_end().strip_suffix(':')?;
        let key = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let key = key.into_iter().next().filter(|key| !key.is_empty())?;
        Some((
            key.to_owned(),
            before.chars().count() - key.chars().count() + 1,
        ))
    });
    let named = || {
        let key = path.rsplit('.').next().filter(|key| !key.is_empty());
        key.unwrap_or("this key").to_owned()
    };
    let (key, column) = match inline {
        Some((key, column)) => (key, Some(column)),
        None => (named(), None),
    };
    Some((format!("`{}` {NOT_YET}", printable(&key)), column))
}

/// Edits between two words, a swap of neighbours being one (Damerau and Levenshtein, restricted).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<_>, Vec<_>) = (
        one.chars().take(64).collect(),
        other.chars().take(64).collect(),
    );
    let mut rows = vec![(0..=other.len()).collect::<Vec<_>>()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let same = usize::from(one[i - 1] != other[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

/// A longer message made safe to print: the parser quotes the file.
fn printable_whole(text: &str) -> String {
    text.split('`')
        .map(|part| {
            part.chars()
                .flat_map(|c| {
                    if c.is_control() {
                        c.escape_unicode().collect::<Vec<_>>()
                    } else {
                        vec![c]
                    }
                })
                .collect::<String>()
        })
        .collect::<Vec<_>>()
        .join("`")
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "error: {}\n  --> {}", error.message, self.file)?;
            if let Some(At { line, column, text }) = &error.at {
                let gutter = line.to_string().len();
                let shown = printable(text).replace("\\u{9}", " ");
                let marks = text
                    .chars()
                    .skip(column - 1)
                    .take_while(|c| !c.is_whitespace() && !",:}]\"".contains(*c))
                    .count()
                    .max(1);
                write!(
                    f,
                    ":{line}:{column}\n{:gutter$} |\n{line} | {shown}\n{:gutter$} | ",
                    "", ""
                )?;
                write!(f, "{}{}", " ".repeat(column - 1), "^".repeat(marks))?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
