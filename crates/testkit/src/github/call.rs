//! A request on its way: which operation it is, whether it is as described, who asks, and what they get.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, USER_AGENT};
use hyper::http::request::Parts;

use super::answer::Answer;
use super::api;
use super::contract::{Contract, Host, Operation, header};
use super::fault::Does;
use super::service::{Door, Shared};
use super::tokens::Caller;

/// A request, and which operation it is.
pub(crate) struct Call {
    door: Door,
    path: String,
    /// As the log has it.
    pub(crate) logged: String,
    described: Option<(&'static Operation, BTreeMap<String, String>)>,
}

impl Call {
    pub(crate) fn named(door: Door, head: &Parts, path: String, query: &str) -> Self {
        let host = match door {
            Door::Api => Some(Host::Api),
            Door::Uploads => Some(Host::Uploads),
            Door::Web | Door::Storage => None,
        };
        let described =
            host.and_then(|host| Contract::github().route(host, head.method.as_str(), &path));
        let logged = if query.is_empty() {
            path.clone()
        } else {
            format!("{path}?{query}")
        };
        Self {
            door,
            path,
            logged,
            described,
        }
    }

    pub(crate) fn operation(&self) -> &'static str {
        match (&self.described, self.door) {
            (Some((operation, _)), _) => operation.id,
            (None, Door::Web) => "web/download",
            (None, Door::Storage) => "storage/download",
            (None, Door::Api | Door::Uploads) => "unknown",
        }
    }

    pub(crate) fn apply(
        self,
        shared: &Shared,
        head: &Parts,
        body: Bytes,
        fault: Option<&Does>,
    ) -> Answer {
        let mut state = shared.state();
        let query = head.uri.query().unwrap_or_default();
        match self.door {
            Door::Web => return api::web::page(&state, &self.path),
            Door::Storage => {
                let bytes = api::web::bytes(&state, &self.path, query, &head.headers);
                return bytes.unwrap_or_else(|violation| {
                    shared.violations().push(violation);
                    Answer::message(400, "Bad Request")
                });
            }
            Door::Api | Door::Uploads => {}
        }
        let violate = |wrong: String| {
            shared
                .violations()
                .push(format!("{} {}: {wrong}", head.method, self.logged));
        };
        state.requests_counted += 1;
        // "All API requests must include a valid User-Agent header" (REST: getting started).
        if header(&head.headers, USER_AGENT.as_str()).is_none_or(str::is_empty) {
            violate("no `User-Agent`".to_owned());
            return Answer::message(403, "Request forbidden by administrative rules.");
        }
        let Some((operation, path)) = self.described else {
            violate("no operation that is described".to_owned());
            return Answer::not_found();
        };
        let (asked, found) = operation.read_request(path, query, &head.headers, &body);
        found.violations.iter().cloned().for_each(violate);
        let caller = match Caller::of(&head.headers, &state.tokens) {
            Ok(caller) => caller,
            Err(refusal) => return refusal,
        };
        let mut now = api::Now {
            unix: shared.clock.unix(),
            state: &mut state,
            asked: &asked,
            caller: &caller,
        };
        let answer = if let Err(refusal) = now.may(operation.id) {
            refusal
        } else if found.not_json {
            Answer::message(400, "Problems parsing JSON")
        } else if !found.invalid.is_empty() {
            let message = format!("Invalid request.\n\n{}", found.invalid.join("\n"));
            Answer::message(422, &message)
        } else if operation.id == "repos/upload-release-asset" {
            // The whole body is read before this, so a length that was not announced shows in the header alone.
            if head.headers.contains_key(CONTENT_LENGTH) {
                now.upload(&head.headers, body, fault)
            } else {
                Answer::message(411, "Length Required")
            }
        } else if matches!(fault, Some(Does::StarterLeft)) {
            Answer::message(502, "Server Error")
        } else {
            now.answer(operation.id)
        };
        for wrong in Contract::github().check_answer(operation, &answer) {
            violate(wrong);
        }
        answer
    }
}
