//! Paths of the description, and the requests that match them.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// `/repos/{owner}/{repo}/git/ref/{ref}`.
pub(crate) struct Template(Vec<Part>);

enum Part {
    Literal(String),
    /// One segment.
    One(String),
    /// One segment or more: a ref has slashes.
    Many(String),
}

impl Template {
    pub(crate) fn read(path: &str, parameters: &[Value]) -> Self {
        let many = |name: &str| {
            parameters
                .iter()
                .any(|found| found["name"] == name && found["x-multi-segment"] == true)
        };
        let part = |segment: &str| {
            let Some(name) = segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            else {
                return Part::Literal(segment.to_owned());
            };
            if many(name) {
                Part::Many(name.to_owned())
            } else {
                Part::One(name.to_owned())
            }
        };
        Self(path.trim_start_matches('/').split('/').map(part).collect())
    }

    /// The more there are, the closer a path must fit.
    pub(crate) fn literals(&self) -> usize {
        let literal = |part: &&Part| matches!(part, Part::Literal(_));
        self.0.iter().filter(literal).count()
    }

    /// The parameters in a path that fits, decoded.
    pub(crate) fn matches(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let segments: Vec<_> = path.trim_start_matches('/').split('/').collect();
        let mut found = BTreeMap::new();
        fits(&self.0, &segments, &mut found).then_some(found)
    }
}

fn fits(parts: &[Part], segments: &[&str], found: &mut BTreeMap<String, String>) -> bool {
    let Some((part, parts)) = parts.split_first() else {
        return segments.is_empty();
    };
    let Some((segment, rest)) = segments.split_first() else {
        return false;
    };
    match part {
        Part::Literal(literal) => literal == segment && fits(parts, rest, found),
        Part::One(name) => {
            found.insert(name.clone(), decoded(segment));
            !segment.is_empty() && fits(parts, rest, found)
        }
        Part::Many(name) => (1..=segments.len()).rev().any(|count| {
            let value = segments[..count].join("/");
            found.insert(name.clone(), decoded(&value));
            !value.is_empty() && fits(parts, &segments[count..], found)
        }),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The pairs of a query, decoded as a form is: a plus is a space.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let part = |text: &str| decoded(&text.replace('+', " "));
        (part(name), part(value))
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(pair)
        .collect()
}
