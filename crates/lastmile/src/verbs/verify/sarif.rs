//! The report for code scanning: SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").
//!
//! Every check that did not pass is a result at its artifact. What the policy allows is a result too, suppressed with the
//! reason, so that nobody has to wonder where it went.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use release::Sha256;
use serde_json::{Value, json};
use signing::{CHECKS, Check, Outcome, ReleaseReport};

/// What stands in a relative address as it is (RFC 3986, `pchar` and `/`).
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn render(report: &ReleaseReport) -> String {
    let mut results = Vec::new();
    for artifact in &report.artifacts {
        let place = Place {
            artifact: &artifact.path,
            inside: None,
        };
        results.extend(artifact.checks.iter().filter_map(|it| place.result(it)));
        for leaf in artifact.contents.iter().flat_map(|it| &it.leaves) {
            let place = Place {
                artifact: &artifact.path,
                inside: Some(&leaf.path),
            };
            results.extend(leaf.checks.iter().filter_map(|it| place.result(it)));
        }
    }
    for feed in &report.feeds {
        let place = Place {
            artifact: &feed.path,
            inside: None,
        };
        results.extend(feed.checks.iter().filter_map(|it| place.result(it)));
    }
    for step in report.continuity.iter().flat_map(|it| &it.steps) {
        let place = Place {
            artifact: &step.to,
            inside: None,
        };
        results.extend(step.checks.iter().filter_map(|it| place.result(it)));
    }
    // A location is what code scanning shows a result at; the release as a whole has the configuration.
    let whole = Place {
        artifact: "lastmile.yml",
        inside: None,
    };
    results.extend(report.checks.iter().filter_map(|it| whole.result(it)));
    let rules: Vec<_> = CHECKS.iter().map(|(id, what)| rule(id, what)).collect();
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lastmile",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rule(id: &str, what: &str) -> Value {
    json!({
        "id": id,
        "shortDescription": { "text": what },
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": ["security", "signing"] },
    })
}

/// Where a check was made.
struct Place<'a> {
    artifact: &'a str,
    inside: Option<&'a str>,
}

impl Place<'_> {
    /// None where the check passed.
    fn result(&self, check: &Check) -> Option<Value> {
        let level = match check.outcome {
            Outcome::Pass => return None,
            Outcome::Fail | Outcome::Unsupported => "error",
            Outcome::Allowed => "note",
        };
        let id = check.id.as_str();
        let path = self.inside.unwrap_or(self.artifact);
        let uri = utf8_percent_encode(self.artifact, PATH).to_string();
        let mut location = json!({
            "physicalLocation": { "artifactLocation": { "uri": uri } },
        });
        if let (Some(inside), Some(location)) = (self.inside, location.as_object_mut()) {
            let logical = json!([{ "fullyQualifiedName": inside, "kind": "resource" }]);
            location.insert("logicalLocations".to_owned(), logical);
        }
        // The same finding of the next release is the same alert.
        let fingerprint = Sha256::of(format!("{id}\0{path}").as_bytes()).to_string();
        let mut result = json!({
            "ruleId": id,
            "level": level,
            "message": { "text": format!("{path}: {}", check.reason) },
            "locations": [location],
            "partialFingerprints": { "lastmile/v1": fingerprint },
        });
        if let (Outcome::Allowed, Some(result)) = (check.outcome, result.as_object_mut()) {
            let suppressed = json!([{ "kind": "external", "justification": check.reason }]);
            result.insert("suppressions".to_owned(), suppressed);
        }
        Some(result)
    }
}
