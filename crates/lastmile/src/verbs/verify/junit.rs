//! The report as a test run: the XML of JUnit, as CI systems read it. A file is a suite, a check a case.
//!
//! Source: the common subset that github.com/testmoapp/junitxml describes.

use std::fmt::Write as _;

use signing::{Check, Outcome, ReleaseReport};

pub(super) fn render(report: &ReleaseReport) -> String {
    let mut suites = Vec::new();
    for artifact in &report.artifacts {
        suites.push((artifact.path.as_str(), artifact.checks.as_slice()));
        let leaves = artifact.contents.iter().flat_map(|it| &it.leaves);
        suites.extend(leaves.map(|leaf| (leaf.path.as_str(), leaf.checks.as_slice())));
    }
    let feeds = report.feeds.iter();
    suites.extend(feeds.map(|feed| (feed.path.as_str(), feed.checks.as_slice())));
    let steps = report.continuity.iter().flat_map(|it| &it.steps);
    let steps: Vec<_> = steps
        .map(|step| (super::continuity::name(step), step.checks.as_slice()))
        .collect();
    suites.extend(steps.iter().map(|(name, checks)| (name.as_str(), *checks)));
    if !report.checks.is_empty() {
        suites.push(("the release as a whole", report.checks.as_slice()));
    }
    let all = || suites.iter().flat_map(|(_, checks)| checks.iter());
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let counts = counts(all());
    let _ = writeln!(text, "<testsuites name=\"lastmile verify\"{counts}>");
    for (path, checks) in &suites {
        text.push_str(&suite(path, checks));
    }
    text.push_str("</testsuites>\n");
    text
}

fn suite(path: &str, checks: &[Check]) -> String {
    let path = escaped(path);
    let counts = counts(checks.iter());
    let mut text = format!("  <testsuite name=\"{path}\"{counts}>\n");
    for check in checks {
        let id = check.id.as_str();
        let reason = escaped(&check.reason);
        let outcome = match check.outcome {
            Outcome::Pass => format!("<system-out>{reason}</system-out>"),
            Outcome::Allowed => format!("<skipped message=\"{reason}\"/>"),
            Outcome::Fail => format!("<failure type=\"{id}\" message=\"{reason}\"/>"),
            Outcome::Unsupported => {
                format!("<failure type=\"{id}\" message=\"not looked at: {reason}\"/>")
            }
        };
        let case = format!("<testcase classname=\"{path}\" name=\"{id}\">{outcome}</testcase>");
        let _ = writeln!(text, "    {case}");
    }
    text.push_str("  </testsuite>\n");
    text
}

fn counts<'a>(checks: impl Iterator<Item = &'a Check>) -> String {
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for check in checks {
        tests += 1;
        match check.outcome {
            Outcome::Pass => {}
            Outcome::Fail | Outcome::Unsupported => failures += 1,
            Outcome::Allowed => skipped += 1,
        }
    }
    format!(" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"")
}

/// Text for an attribute or an element. What XML cannot hold (XML 1.0, section 2.2) becomes a question mark.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => shown.push('?'),
            c => shown.push(c),
        }
    }
    shown
}
