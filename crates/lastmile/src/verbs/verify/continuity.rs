//! Whether installed copies accept the release, for people.

use signing::continuity::{ContinuityReport, Step};

use super::not_passed;
use crate::output;

/// What a step is called: the new artifact, and the previous one.
pub(super) fn name(step: &Step) -> String {
    format!("{} after {}", step.to, step.from)
}

/// Every step: what passed in a line each, as nobody else says that it was asked, then what did not, then notes.
pub(super) fn text(report: &ContinuityReport) -> String {
    let mut text = String::new();
    for step in &report.steps {
        let wrong = not_passed(&step.checks);
        let word = match (wrong.is_empty(), step.checks.is_empty()) {
            (false, _) => "REFUSED",
            (true, false) => "accepted",
            (true, true) => "not asked",
        };
        text.push_str(&format!("{word} {}\n", name(step)));
        let passed = step
            .checks
            .iter()
            .filter(|it| it.outcome == signing::Outcome::Pass);
        let passed = passed.map(super::row).collect::<Vec<_>>();
        text.push_str(&wrong);
        text.push_str(&output::table(&passed));
        text.extend(step.notes.iter().map(|note| format!("  note: {note}\n")));
    }
    text.extend(report.notes.iter().map(|note| format!("note: {note}\n")));
    text
}
