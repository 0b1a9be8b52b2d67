//! Whether installed copies accept the release, for people. Requirements are long, so lines are broken where a terminal ends.

use signing::Outcome;
use signing::continuity::{ContinuityReport, Step};

/// Columns of a line, unless one word is longer.
const COLUMNS: usize = 80;

/// What a step is called: the new artifact, and the previous one.
pub(super) fn name(step: &Step) -> String {
    format!("{} after {}", step.to, step.from)
}

/// Every step with every check, as nobody else says that it was asked; what fails comes first.
pub(super) fn text(report: &ContinuityReport) -> String {
    let mut text = String::new();
    for step in &report.steps {
        let (passed, wrong): (Vec<_>, Vec<_>) = step
            .checks
            .iter()
            .partition(|check| check.outcome == Outcome::Pass);
        let word = match (wrong.is_empty(), step.checks.is_empty()) {
            (false, _) => "REFUSED",
            (true, false) => "accepted",
            (true, true) => "not asked",
        };
        paragraph(&mut text, word, 0, &name(step));
        for check in wrong.into_iter().chain(passed) {
            let word = match check.outcome {
                Outcome::Pass => "pass",
                Outcome::Allowed => "allowed",
                Outcome::Fail => "FAIL",
                Outcome::Unsupported => "NOT LOOKED AT",
            };
            let said = format!("{}: {}", check.id.as_str(), check.reason);
            paragraph(&mut text, word, 2, &said);
        }
        for note in &step.notes {
            paragraph(&mut text, "note", 2, note);
        }
    }
    for note in &report.notes {
        paragraph(&mut text, "note", 0, note);
    }
    text
}

/// A word, and a text behind it in lines of [`COLUMNS`], each indented deeper than the first.
fn paragraph(into: &mut String, word: &str, indent: usize, text: &str) {
    let mut line = format!("{}{word}", " ".repeat(indent));
    for piece in text.split(' ') {
        if line.chars().count() + 1 + piece.chars().count() > COLUMNS {
            into.push_str(&line);
            into.push('\n');
            line = format!("{}{piece}", " ".repeat(indent + 4));
        } else {
            line.push(' ');
            line.push_str(piece);
        }
    }
    into.push_str(&line);
    into.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_a_terminal_does() {
        let mut text = String::new();
        let words = ["word"; 30].join(" ");
        paragraph(
            &mut text,
            "FAIL",
            2,
            &format!("{words} {}", "x".repeat(100)),
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(
            lines[..3].iter().all(|line| line.len() <= COLUMNS),
            "{text}"
        );
        assert!(lines[0].starts_with("  FAIL word word"), "{text}");
        assert!(lines[1].starts_with("      word"), "{text}");
        let again: Vec<_> = text.split_whitespace().skip(1).collect();
        assert_eq!(again.join(" "), format!("{words} {}", "x".repeat(100)));
    }
}
