//! One request, and what its answer means.

use std::time::Duration;

use release::name::printable;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::GitHubError;
use crate::place::Repository;

/// How long is waited where a secondary limit does not say how long (docs.github.com, "Rate limits for the REST API").
const SECONDARY_WAIT: Duration = Duration::from_secs(60);

/// A request. It says for people what it does, and which permission that takes.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) doing: String,
    pub(crate) needs: &'static str,
}

impl Call {
    pub(crate) fn get(path: String, doing: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            doing: doing.into(),
            needs: "contents: read",
        }
    }

    /// A request that changes something, and so needs more.
    pub(crate) fn change(
        method: Method,
        path: String,
        body: Option<Value>,
        doing: impl Into<String>,
    ) -> Self {
        Self {
            method,
            path,
            body,
            doing: doing.into(),
            needs: "contents: write",
        }
    }

    pub(crate) fn needing(mut self, needs: &'static str) -> Self {
        self.needs = needs;
        self
    }
}

/// An answer that is one: 2xx.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// Whether a list goes on (RFC 8288, `rel="next"`).
    pub(crate) has_next: bool,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        call: &Call,
        repository: &Repository,
    ) -> Result<T, GitHubError> {
        serde_json::from_slice(&self.body).map_err(|error| GitHubError::Unreadable {
            doing: call.doing.clone(),
            repository: repository.to_string(),
            why: printable(&error.to_string()),
        })
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Asking again would not help.
    Final(GitHubError),
    /// It was certainly not carried out; wait at least so long, if it says so.
    NotDone { why: String, wait: Option<Duration> },
    /// Nobody knows whether it was carried out.
    Unknown { why: String },
}

/// GitHub's body of an error.
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Value>,
}

/// What an answer that is not 2xx means.
pub(crate) fn trouble(
    call: &Call,
    repository: &Repository,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now_unix: u64,
) -> Trouble {
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let (doing, repository) = (call.doing.clone(), repository.to_string());
    let text = said.text();
    if matches!(status.as_u16(), 403 | 429)
        && let Some(wait) = limited(status, headers, &text, now_unix)
    {
        return Trouble::NotDone {
            why: format!("GitHub answers {}, {text}", status.as_u16()),
            wait: Some(wait),
        };
    }
    match status.as_u16() {
        401 => Trouble::Final(GitHubError::Unauthorized {
            doing,
            repository,
            said: text,
        }),
        403 => Trouble::Final(GitHubError::Forbidden {
            doing,
            repository,
            needs: call.needs,
            said: text,
        }),
        404 => Trouble::Final(GitHubError::NotFound {
            doing,
            repository,
            needs: call.needs,
        }),
        // GETs are redirected; what changes something is not sent anywhere else.
        300..=399 => Trouble::Final(GitHubError::Moved { doing, repository }),
        500..=599 | 408 => Trouble::Unknown {
            why: format!("GitHub answers {}", status.as_u16()),
        },
        status => Trouble::Final(GitHubError::Invalid {
            doing,
            repository,
            status,
            said: text,
        }),
    }
}

impl Said {
    /// The message and the codes of its errors, on one line: "Validation Failed: already_exists".
    fn text(&self) -> String {
        let mut text = if self.message.is_empty() {
            "without a reason".to_owned()
        } else {
            self.message.trim_end_matches('.').to_owned()
        };
        for error in self.errors.iter().take(5) {
            let field = |name: &str| error[name].as_str().unwrap_or_default();
            let detail = match (error.as_str(), field("message"), field("code")) {
                (Some(plain), ..) => plain,
                (None, "", code) => code,
                (None, message, _) => message,
            };
            if !detail.is_empty() {
                text.push_str(": ");
                text.push_str(detail);
            }
        }
        printable(&text)
    }
}

/// How long a limit on requests asks to wait; none where the answer is about something else.
fn limited(status: StatusCode, headers: &HeaderMap, text: &str, now_unix: u64) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    if let Some(seconds) = number(RETRY_AFTER.as_str()) {
        return Some(Duration::from_secs(seconds));
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let reset = number("x-ratelimit-reset")?;
        return Some(Duration::from_secs(reset.saturating_sub(now_unix) + 1));
    }
    let is_secondary = status.as_u16() == 429 || text.contains("secondary rate limit");
    is_secondary.then_some(SECONDARY_WAIT)
}

/// A path or query part, so that nothing in it is a separator; slashes stay where they separate.
pub(crate) fn encoded(part: &str) -> String {
    const PLAIN: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/');
    percent_encoding::utf8_percent_encode(part, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Trouble {
        let call = Call::change(Method::POST, "/x".to_owned(), None, "create a thing");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        let repository = "acme/atlas".parse().expect("a repository");
        trouble(&call, &repository, status, &map, body.as_bytes(), 1_000)
    }

    #[test]
    fn a_limit_is_told_from_a_missing_permission() {
        let waits = |trouble: Trouble| match trouble {
            Trouble::NotDone { wait, .. } => wait.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(waits(answer(403, &[("retry-after", "7")], "{}")), Some(7));
        let spent = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1005"),
        ];
        assert_eq!(waits(answer(403, &spent, "{}")), Some(6));
        let secondary = r#"{"message":"You have exceeded a secondary rate limit"}"#;
        assert_eq!(waits(answer(403, &[], secondary)), Some(60));
        assert_eq!(waits(answer(429, &[], "")), Some(60));
        let denied = r#"{"message":"Resource not accessible by integration"}"#;
        let trouble = answer(403, &[("x-ratelimit-remaining", "12")], denied);
        let Trouble::Final(error) = trouble else {
            panic!("{trouble:?}")
        };
        assert_eq!(
            error.to_string(),
            "cannot create a thing in `acme/atlas`: the token may not (Resource not accessible by integration); give the job `permissions: { contents: write }`"
        );
    }

    #[test]
    fn errors_of_a_field_are_quoted_safely() {
        let body = r#"{"message":"Validation Failed","errors":[{"code":"already_exists"},"a\n::error::b"]}"#;
        let Trouble::Final(error) = answer(422, &[], body) else {
            panic!("final")
        };
        let text = error.to_string();
        assert!(
            text.contains("422, Validation Failed: already_exists: a\\u{a}::error::b"),
            "{text}"
        );
    }

    #[test]
    fn nobody_knows_what_a_gateway_did() {
        assert!(matches!(
            answer(502, &[], "<html>"),
            Trouble::Unknown { .. }
        ));
    }

    #[test]
    fn a_part_is_no_separator() {
        assert_eq!(encoded("app/v1.0.0+a b?&#"), "app/v1.0.0%2Ba%20b%3F%26%23");
    }
}
