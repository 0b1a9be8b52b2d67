//! A request held against the description.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use serde_json::Value;

use super::{Operation, Parameter, route};

/// The versions that GitHub has given its API; without one, the first is meant.
const API_VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];
/// What every operation answers with, in the words that GitHub takes for it.
const JSON_MEDIA: [&str; 4] = [
    "*/*",
    "application/*",
    "application/json",
    "application/vnd.github+json",
];

/// What a request asks for, read.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Of the path, decoded.
    pub(crate) path: BTreeMap<String, String>,
    /// Of the query, decoded.
    pub(crate) query: BTreeMap<String, String>,
    /// Null where there is no JSON body.
    pub(crate) body: Value,
    /// Whether the version of the API is 2026-03-10 or later.
    pub(crate) newer_api: bool,
    /// Whether bytes are wanted, not JSON.
    pub(crate) wants_bytes: bool,
}

/// What holding a request against the description found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What the client must not do.
    pub(crate) violations: Vec<String>,
    /// What GitHub answers with 422 besides.
    pub(crate) invalid: Vec<String>,
    /// What GitHub answers with 400 besides.
    pub(crate) not_json: bool,
}

impl Operation {
    /// Reads a request of this operation, and says what is wrong with it.
    pub(crate) fn read_request(
        &self,
        path: BTreeMap<String, String>,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (Asked, Found) {
        let mut found = Found::default();
        self.check_headers(headers, &mut found);
        for (name, value) in &path {
            let parameter = self.parameter(name, false).expect("a described parameter");
            found.violations.extend(parameter.errors(value));
        }
        let mut asked = Asked {
            path,
            newer_api: header(headers, "x-github-api-version")
                .is_some_and(|sent| sent > API_VERSIONS[0]),
            wants_bytes: header(headers, ACCEPT.as_str()) == Some("application/octet-stream"),
            ..Asked::default()
        };
        for (name, value) in route::query(query) {
            match self.parameter(&name, true) {
                Some(parameter) => found.violations.extend(parameter.errors(&value)),
                None => found.violations.push(format!(
                    "`{name}` in the query is not a parameter of this operation"
                )),
            }
            if asked.query.insert(name.clone(), value).is_some() {
                found.violations.push(format!("`{name}` stands twice"));
            }
        }
        for parameter in &self.parameters {
            if parameter.in_query
                && parameter.required
                && !asked.query.contains_key(&parameter.name)
            {
                let missing = format!("\"{}\" wasn't supplied.", parameter.name);
                found.violations.push(missing.clone());
                found.invalid.push(missing);
            }
        }
        asked.body = self.read_body(headers, body, &mut found);
        (asked, found)
    }

    fn parameter(&self, name: &str, in_query: bool) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name && parameter.in_query == in_query)
    }

    fn check_headers(&self, headers: &HeaderMap, found: &mut Found) {
        if let Some(version) = header(headers, "x-github-api-version")
            && !API_VERSIONS.contains(&version)
        {
            found
                .violations
                .push(format!("`{version}` is no version of the API"));
        }
        let Some(accept) = header(headers, ACCEPT.as_str()) else {
            return;
        };
        let bytes = self.id == "repos/get-release-asset" && accept == "application/octet-stream";
        // `application/vnd.github.v3+json`, `application/vnd.github.raw+json`, and so on.
        let is_json = |media: &str| {
            JSON_MEDIA.contains(&media)
                || media.starts_with("application/vnd.github.") && media.ends_with("+json")
        };
        let named = accept
            .split(',')
            .map(|media| media.split(';').next().unwrap_or_default().trim());
        let known = |media: &str| is_json(media) || self.media.iter().any(|known| known == media);
        if !bytes && !named.into_iter().any(known) {
            found.violations.push(format!(
                "`Accept: {accept}` is nothing that this operation answers with"
            ));
        }
    }

    fn read_body(&self, headers: &HeaderMap, body: &[u8], found: &mut Found) -> Value {
        let Some(described) = &self.body else {
            if !body.is_empty() {
                found
                    .violations
                    .push("a body where none is described".to_owned());
            }
            return Value::Null;
        };
        let content_type = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        let Some(checker) = &described.json else {
            if content_type.is_empty() {
                found
                    .violations
                    .push("an upload without `Content-Type`".to_owned());
            }
            return Value::Null;
        };
        if body.is_empty() && !described.required {
            return Value::Null;
        }
        if content_type.split(';').next() != Some("application/json") {
            found
                .violations
                .push(format!("`Content-Type: {content_type}` for a JSON body"));
        }
        let Ok(value) = serde_json::from_slice(body) else {
            found
                .violations
                .push("the body is not the JSON it should be".to_owned());
            found.not_json = true;
            return Value::Null;
        };
        let errors = checker.errors(&value);
        found.violations.extend(errors.iter().cloned());
        found.invalid.extend(errors);
        value
    }
}

impl Parameter {
    fn errors(&self, text: &str) -> Vec<String> {
        let value = match self.kind.as_str() {
            "integer" | "number" | "boolean" => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
            }
            _ => Value::String(text.to_owned()),
        };
        self.checker
            .errors(&value)
            .into_iter()
            .map(|error| format!("parameter `{}`: {error}", self.name))
            .collect()
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
