//! Writing results. Standard output holds results alone; everything else goes to standard error.
//!
//! A reader that went away (`| head`) is no failure of ours, so write errors are dropped.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;
use serde_json::json;

use crate::cli::Format;
use crate::runner;

/// A result in the format that was asked for. The document gets `schema`, `verb`, and `exit` beside the value's own.
pub(crate) fn result(format: Format, verb: &str, value: &impl Serialize, text: &str) {
    match format {
        Format::Text => plain(text),
        Format::Json => json(&json!({ "schema": 1, "verb": verb, "exit": 0, "result": value })),
    }
    runner::result(verb, &serde_json::to_value(value).unwrap_or_default(), text);
}

/// A JSON document on standard output.
pub(crate) fn json(document: &serde_json::Value) {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    // Two hashes and a bracket are a command to the runner of GitHub Actions, anywhere in a line (actions/runner,
    // ActionCommand.cs, `TryParse`). In JSON a hash stands in strings alone, where it can be written like this.
    let mut text = text.replace("##[", "#\\u0023[");
    text.push('\n');
    plain(&text);
}

/// Text on standard output.
pub(crate) fn plain(text: &str) {
    let text = inert(text);
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// `word: message` on standard error.
pub(crate) fn error(word: &str, message: &str) {
    let mut out = io::stderr().lock();
    let (on, off) = if is_colored(&out) {
        ("\u{1b}[1;31m", "\u{1b}[0m")
    } else {
        ("", "")
    };
    // A configuration's errors begin with their own word, as there may be several.
    let line = if message.starts_with("error: ") {
        format!("{message}\n")
    } else {
        format!("{on}{word}:{off} {message}\n")
    };
    let _ = out.write_all(inert(&line).as_bytes());
}

/// A line on standard error that is no failure.
pub(crate) fn note(message: &str) {
    command(&inert(message));
}

/// A line on standard error as it is: a command to the runner of GitHub Actions.
pub(crate) fn command(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Text for a step of GitHub Actions, in which its runner finds no command.
fn inert(text: &str) -> Cow<'_, str> {
    if runner::is_step() {
        Cow::Owned(without_commands(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// The runner reads a command in two hashes and a bracket anywhere, and in two colons that begin a line
/// (actions/runner, ActionCommand.cs).
fn without_commands(text: &str) -> String {
    let escaped = text.replace("##[", "#\\u{23}[");
    let begins = |line: &str| line.trim_start().starts_with("::");
    let lines = escaped
        .split_inclusive('\n')
        .map(|line| match begins(line) {
            true => line.replacen("::", "\\u{3a}:", 1),
            false => line.to_owned(),
        });
    lines.collect()
}

fn is_colored(out: &io::StderrLock<'_>) -> bool {
    // https://no-color.org
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Rows with their columns aligned and two spaces between, indented by two.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!(" {cell:<width$} "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A size for people: `12.3 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes * 10 / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths / 1024, unit + 1);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// The beginning of a digest, enough to tell two apart by eye.
pub(crate) fn short(digest: &impl ToString) -> String {
    digest.to_string().chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_prints_no_command() {
        let text = "a ::b::c\n  ::error::pwned\n::add-mask::x ##[set-env name=A]b\n";
        assert_eq!(
            without_commands(text),
            "a ::b::c\n  \\u{3a}:error::pwned\n\\u{3a}:add-mask::x #\\u{23}[set-env name=A]b\n"
        );
    }

    #[test]
    fn sizes_and_tables() {
        assert_eq!(
            [
                size(5),
                size(1536),
                size(300 * 1024 * 1024),
                size(u64::MAX / 16)
            ],
            ["5 B", "1.5 KiB", "300.0 MiB", "1048575.9 TiB"]
        );
        assert_eq!(
            table(&[
                vec!["a".into(), "b".into()],
                vec!["long".into(), "c".into()]
            ]),
            "  a     b\n  long  c\n"
        );
    }
}
