//! A step of GitHub Actions: outputs, the summary, and annotations, written where the runner says, and nowhere else.
//!
//! Everything that a verb prints may quote untrusted text, and the runner reads commands out of it. So the runner is
//! told to ignore commands while a verb runs; what this module itself writes is escaped (docs.github.com, "Workflow
//! commands for GitHub Actions").

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::hash::BuildHasher as _;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::output;

/// A step's summary is dropped above this, in bytes. GitHub's limit is 1 MiB for a step.
const SUMMARY_BYTES_MAX: usize = 900 * 1024;
/// How many annotations a step makes; GitHub shows ten of a kind and drops the rest in silence.
const ANNOTATIONS_MAX: usize = 9;
/// An output above this is left out, in bytes. GitHub takes 1 MiB for all outputs of a job.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;

/// The token that lets commands through again; there is one where this process is a step.
static STOPPED: Mutex<Option<String>> = Mutex::new(None);

/// What is to be shown as an annotation once commands are let through again.
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Whether this process is a step of GitHub Actions.
pub(crate) fn is_step() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Tells the runner to take nothing for a command until [`end`]. Does nothing elsewhere.
pub(crate) fn begin() {
    if is_step() {
        // A token that an input brought is a secret like GitHub's own, which the runner knows already.
        for secret in std::env::var("GITHUB_TOKEN")
            .iter()
            .filter(|it| !it.is_empty())
        {
            output::command(&format!("::add-mask::{}", data(secret)));
        }
        let token = random();
        output::command(&format!("::stop-commands::{token}"));
        *STOPPED.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }
}

/// What went wrong besides, without changing the result: shown now, and as an annotation at the end.
pub(crate) fn warn(message: &str) {
    output::note(&format!("warning: {message}"));
    if is_step() {
        let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.push(message.to_owned());
    }
}

/// Lets commands through again, once.
pub(crate) fn end() {
    let token = STOPPED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(token) = token {
        output::command(&format!("::{token}::"));
        let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in warnings.drain(..) {
            output::command(&format!("::warning title=lastmile::{}", data(&warning)));
        }
    }
}

/// A number that nobody can guess who wrote text before this process ran.
fn random() -> String {
    let half = || RandomState::new().hash_one(std::process::id());
    format!("lastmile-{:016x}{:016x}", half(), half())
}

/// The result of a verb: its fields that are one text, number, or truth become outputs, all of it the output `result`,
/// and what people read the summary.
pub(crate) fn result(verb: &str, value: &Value, text: &str) {
    if !is_step() {
        return;
    }
    let mut outputs = vec![
        ("exit".to_owned(), "0".to_owned()),
        ("result".to_owned(), value.to_string()),
    ];
    let fields = value.as_object().into_iter().flatten();
    outputs.extend(fields.filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((name.clone(), text))
    }));
    for (name, text) in outputs {
        set_output(&name, &text);
    }
    summary(&format!("### lastmile {verb}\n\n{}", fenced(text)));
}

/// What went wrong: the output `exit`, an annotation for each artifact that failed and one for the whole, and the summary.
pub(crate) fn failure(code: u8, word: &str, message: &str, report: Option<&Value>) {
    if !is_step() {
        return;
    }
    end();
    set_output("exit", &code.to_string());
    let failed = failed_checks(report);
    for line in failed.iter().take(ANNOTATIONS_MAX) {
        annotate(word, line);
    }
    let more = failed.len().saturating_sub(ANNOTATIONS_MAX);
    let more = if more > 0 {
        format!(" ({more} more in the summary)")
    } else {
        String::new()
    };
    annotate(word, &format!("{message}{more}"));
    let lines = failed.iter().map(|line| format!("{line}\n"));
    let text: String = lines.chain([format!("{word}: {message}\n")]).collect();
    summary(&format!("### lastmile: {word}\n\n{}", fenced(&text)));
}

/// Every check of a report that did not pass, a line each: of artifacts that are not good, of files that were
/// inspected, and of the release as a whole.
fn failed_checks(report: Option<&Value>) -> Vec<String> {
    let Some(report) = report else {
        return Vec::new();
    };
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    let mut add = |of: &str, checks: Vec<Value>| {
        for check in checks {
            if matches!(check["outcome"].as_str(), Some("fail" | "unsupported")) {
                let (id, reason) = (text(&check["id"]), text(&check["reason"]));
                lines.push(format!("{of}: {id}: {reason}"));
            }
        }
    };
    let good = |value: &Value| matches!(value["verdict"].as_str(), Some("valid" | "allowed"));
    for artifact in list(report, "artifacts") {
        if !good(&artifact) {
            add(&text(&artifact["name"]), list(&artifact, "checks"));
        }
    }
    for file in list(report, "files").iter().filter(|file| !good(file)) {
        let path = text(&file["path"]);
        add(&path, list(&file["signature"], "checks"));
        for signature in list(&file["signature"], "signatures") {
            add(&path, list(&signature, "checks"));
        }
        if file["signature"].is_null() {
            add(
                &path,
                vec![serde_json::json!({
                    "outcome": "unsupported",
                    "id": "format.unsupported",
                    "reason": "its own kind of signature is not supported by this version",
                })],
            );
        }
    }
    add("the release", list(report, "checks"));
    lines
}

fn annotate(title: &str, message: &str) {
    output::command(&format!(
        "::error title={}::{}",
        property(&format!("lastmile: {title}")),
        data(message)
    ));
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A block that shows any text as it is: its fence is longer than any run of backticks inside.
fn fenced(text: &str) -> String {
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// A value under a delimiter that does not occur in it, so that no value sets another output.
fn set_output(name: &str, value: &str) {
    if value.len() > OUTPUT_BYTES_MAX {
        output::note(&format!(
            "output `{name}` has {} bytes and is left out; GitHub takes 1 MiB for all of a job",
            value.len()
        ));
        return;
    }
    let delimiter = std::iter::repeat_with(random)
        .find(|delimiter| !value.contains(delimiter.as_str()))
        .unwrap_or_default();
    append("GITHUB_OUTPUT", &heredoc(name, value, &delimiter));
}

fn heredoc(name: &str, value: &str, delimiter: &str) -> String {
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

fn summary(text: &str) {
    let mut text = text.to_owned();
    if text.len() > SUMMARY_BYTES_MAX {
        let at = (0..=SUMMARY_BYTES_MAX)
            .rev()
            .find(|at| text.is_char_boundary(*at));
        text.truncate(at.unwrap_or_default());
        let _ = write!(text, "\n\n…cut: the whole stands in the log\n");
    }
    append("GITHUB_STEP_SUMMARY", &text);
}

/// Appends to the file that a variable names. A runner without one, or one that cannot be written to, loses a courtesy,
/// not the result.
fn append(variable: &str, text: &str) {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        return;
    };
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        output::note(&format!("{variable} cannot be written to: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_escaped_as_the_runner_reads_them() {
        assert_eq!(data("a%\r\n::b::c"), "a%25%0D%0A::b::c");
        assert_eq!(property("a:b,c\n"), "a%3Ab%2Cc%0A");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a ``` b"), "````text\na ``` b\n````\n");
        assert_eq!(fenced("plain\n"), "```text\nplain\n```\n");
    }

    #[test]
    fn what_failed_is_named_and_nothing_else() {
        let check = |outcome: &str| serde_json::json!([{ "id": "x.y", "outcome": outcome, "reason": "why" }]);
        let report = serde_json::json!({
            "artifacts": [
                { "name": "allowed.exe", "verdict": "allowed", "checks": check("fail") },
                { "name": "bad.exe", "verdict": "invalid", "checks": check("fail") },
            ],
            "files": [
                { "path": "a.exe", "verdict": "invalid", "signature": { "checks": [], "signatures": [{ "checks": check("fail") }] } },
                { "path": "b.msi", "verdict": "unsupported" },
            ],
            "checks": check("fail"),
        });
        let lines = failed_checks(Some(&report));
        assert_eq!(
            lines
                .iter()
                .map(|line| line.split(':').next().unwrap_or_default())
                .collect::<Vec<_>>(),
            ["bad.exe", "a.exe", "b.msi", "the release"]
        );
    }

    #[test]
    fn no_two_delimiters_are_the_same() {
        assert_ne!(random(), random());
        assert_eq!(heredoc("a", "x\ny", "D"), "a<<D\nx\ny\nD\n");
    }
}
