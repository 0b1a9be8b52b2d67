//! What an operation answers, before it becomes HTTP, and GitHub's words for its refusals.

use hyper::body::Bytes;
use serde_json::{Value, json};

const DOCS: &str = "https://docs.github.com/rest";

/// Status, headers, and body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    /// With their content type.
    Bytes(String, Bytes),
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(body),
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    /// 201, with the place of what was made.
    pub(crate) fn created(body: Value) -> Self {
        let url = body["url"].as_str().unwrap_or_default().to_owned();
        Self::json(201, body).with("location", url)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    pub(crate) fn bytes(status: u16, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Bytes(content_type.to_owned(), bytes.into()),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A message, as most refusals are.
    pub(crate) fn message(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message,
            "documentation_url": DOCS,
            "status": status.to_string(),
        });
        Self::json(status, body)
    }

    pub(crate) fn not_found() -> Self {
        Self::message(404, "Not Found")
    }

    /// What GitHub has and this one has not. It counts as a violation, so that no test leans on it.
    pub(crate) fn not_here(what: &str) -> Self {
        Self::message(
            501,
            &format!("{what} are not here; the testkit's GitHub is smaller"),
        )
    }

    /// 422 with one error in a field; the code is `already_exists`, `invalid`, or `missing_field`.
    pub(crate) fn invalid(resource: &str, code: &str, field: &str) -> Self {
        Self::validation_failed(&json!({"resource": resource, "code": code, "field": field}))
    }

    /// 422 with one error in words.
    pub(crate) fn custom(resource: &str, field: &str, message: &str) -> Self {
        Self::validation_failed(&json!({
            "resource": resource,
            "code": "custom",
            "field": field,
            "message": message,
        }))
    }

    fn validation_failed(error: &Value) -> Self {
        let body = json!({
            "message": "Validation Failed",
            "errors": [error],
            "documentation_url": DOCS,
            "status": "422",
        });
        Self::json(422, body)
    }
}
