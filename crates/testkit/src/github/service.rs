//! What stands between the network and the operations: the doors, the log, faults, holds, and the judge.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, DATE, IF_NONE_MATCH, USER_AGENT};
use hyper::http::request::Parts;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::{Answer, Body};
use super::api;
use super::contract::{Contract, Host, header};
use super::fault::Does;
use super::state::State;
use super::tokens::Caller;
use crate::clock::Clock;
use crate::desk::Desk;

/// One request, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// From 1, in the order of arrival.
    pub number: usize,
    /// `repos/create-release` and so on, as GitHub's description names it; `web/download` for the bytes of an asset, and
    /// `unknown` for what is not described.
    pub operation: &'static str,
    /// With its query, as it was sent, without the prefix of an Enterprise server.
    pub path: String,
    /// How much body it brought.
    pub body_bytes: usize,
    /// The status that was sent; none where no answer was.
    pub status: Option<u16>,
}

/// The three places that GitHub has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Api,
    Uploads,
    /// The site, and where assets are downloaded from.
    Web,
}

/// What the server and the test share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) desk: Desk<Request, Does>,
    state: Mutex<State>,
    violations: Mutex<Vec<String>>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn violations(&self) -> MutexGuard<'_, Vec<String>> {
        self.violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

type Sent = hyper::Response<Full<Bytes>>;

/// Answers connections until it is aborted, and with it every connection.
pub(crate) async fn serve(listener: TcpListener, door: Door, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, door, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, door: Door, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(move |request| {
        let shared = shared.clone();
        async move { answer(&shared, door, request).await }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A connection that a fault has closed is what the test asked for.
    drop(served);
}

async fn answer(
    shared: &Shared,
    door: Door,
    request: hyper::Request<Incoming>,
) -> io::Result<Sent> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = without_prefix(shared, door, head.uri.path()).to_owned();
    let query = head.uri.query().unwrap_or_default();
    let call = Call::named(door, &head, path, query);
    let arrival = shared
        .desk
        .register(call.operation(), &call.logged, |number| Request {
            number,
            operation: call.operation(),
            path: call.logged.clone(),
            body_bytes: body.len(),
            status: None,
        });
    if let Some(held) = arrival.held {
        held.wait().await;
    }
    let fault = arrival.fault;
    let answer = match before(fault.as_ref()) {
        Before::Close => return Err(io::Error::other("a planned fault")),
        Before::Wait => match std::future::pending::<Infallible>().await {},
        Before::Answer(answer) => answer,
        Before::Apply => call.apply(shared, &head, body, fault.as_ref()),
    };
    match fault {
        Some(Does::DropAfter) => return Err(io::Error::other("a planned fault")),
        Some(Does::KillAfter(hook)) => {
            hook();
            return Err(io::Error::other("a planned fault"));
        }
        _ => {}
    }
    let answer = match fault {
        Some(Does::StatusAfter(status)) => Answer::message(status, "a planned fault"),
        Some(Does::Garbage200) => Answer::bytes(
            200,
            "application/json; charset=utf-8",
            &b"{\"id\": 1, \"na"[..],
        ),
        _ => answer,
    };
    let sent = sent(shared, &head, answer);
    let status = sent.status().as_u16();
    shared
        .desk
        .answered(&arrival.ticket, |request| request.status = Some(status));
    Ok(sent)
}

enum Before {
    Apply,
    Answer(Answer),
    Close,
    Wait,
}

/// What a fault does instead of carrying a request out.
fn before(fault: Option<&Does>) -> Before {
    match fault {
        Some(Does::DropBefore) => Before::Close,
        Some(Does::KillBefore(hook)) => {
            hook();
            Before::Close
        }
        Some(Does::Hang) => Before::Wait,
        Some(Does::Status(status)) => Before::Answer(Answer::message(*status, "Server Error")),
        Some(Does::HtmlStatus(status)) => {
            let page = format!(
                "<html><body><h1>{status}</h1>This page is taking too long to load.</body></html>"
            );
            Before::Answer(Answer::bytes(*status, "text/html; charset=utf-8", page))
        }
        Some(Does::RateLimited {
            status,
            retry_after,
            remaining0_reset,
        }) => Before::Answer(limited(*status, *retry_after, *remaining0_reset)),
        _ => Before::Apply,
    }
}

fn limited(status: u16, retry_after: Option<u64>, reset: Option<u64>) -> Answer {
    let message = if reset.is_some() {
        "API rate limit exceeded for installation."
    } else {
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    };
    let mut answer = Answer::message(status, message);
    if let Some(seconds) = retry_after {
        answer = answer.with("retry-after", seconds.to_string());
    }
    if let Some(reset) = reset {
        answer = answer
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-reset", reset.to_string());
    }
    answer
}

/// The path as GitHub's description has it.
fn without_prefix<'a>(shared: &Shared, door: Door, path: &'a str) -> &'a str {
    let prefix = match door {
        Door::Api => "/api/v3",
        Door::Uploads => "/api/uploads",
        Door::Web => return path,
    };
    let enterprise = shared.state().quirks.enterprise;
    path.strip_prefix(prefix)
        .filter(|rest| enterprise && rest.starts_with('/'))
        .unwrap_or(path)
}

/// A request, and which operation it is.
struct Call {
    door: Door,
    path: String,
    logged: String,
    described: Option<(
        &'static super::contract::Operation,
        std::collections::BTreeMap<String, String>,
    )>,
}

impl Call {
    fn named(door: Door, head: &Parts, path: String, query: &str) -> Self {
        let host = match door {
            Door::Api => Some(Host::Api),
            Door::Uploads => Some(Host::Uploads),
            Door::Web => None,
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

    fn operation(&self) -> &'static str {
        match (&self.described, self.door) {
            (Some((operation, _)), _) => operation.id,
            (None, Door::Web) => "web/download",
            (None, Door::Api | Door::Uploads) => "unknown",
        }
    }

    fn apply(self, shared: &Shared, head: &Parts, body: Bytes, fault: Option<&Does>) -> Answer {
        let mut state = shared.state();
        let query = head.uri.query().unwrap_or_default();
        if self.door == Door::Web {
            return api::web::download(&state, &self.path, query, &head.headers).unwrap_or_else(
                |violation| {
                    shared.violations().push(violation);
                    Answer::message(400, "Bad Request")
                },
            );
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

/// An answer as HTTP, with the headers that every answer has.
fn sent(shared: &Shared, head: &Parts, answer: Answer) -> Sent {
    let state = shared.state();
    let (content_type, body) = match answer.body {
        Body::Empty => (None, Bytes::new()),
        Body::Json(value) => (
            Some("application/json; charset=utf-8".to_owned()),
            Bytes::from(value.to_string()),
        ),
        Body::Bytes(content_type, bytes) => (Some(content_type), bytes),
    };
    let mut response = hyper::Response::builder().status(answer.status);
    let date = httpdate::fmt_http_date(shared.clock.now());
    response = response.header(DATE, date);
    let counted = state.requests_counted;
    let given = |name: &str| answer.headers.iter().any(|(given, _)| *given == name);
    let limit = api::RATE_LIMIT;
    for (name, value) in [
        ("x-github-request-id", format!("FAKE:{counted:06X}")),
        ("x-ratelimit-limit", limit.to_string()),
        (
            "x-ratelimit-remaining",
            limit.saturating_sub(counted).to_string(),
        ),
        (
            "x-ratelimit-reset",
            (shared.clock.unix() + 3600).to_string(),
        ),
        ("x-ratelimit-used", counted.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
    ] {
        if !given(name) {
            response = response.header(name, value);
        }
    }
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let mut body = body;
    if answer.status == 200 && head.method == hyper::Method::GET {
        use sha2::Digest as _;
        let tag = super::objects::hex(&sha2::Sha256::digest(&body)[..16]);
        let tag = format!("\"{tag}\"");
        if header(&head.headers, IF_NONE_MATCH.as_str()) == Some(&tag) {
            response = response.status(304);
            body = Bytes::new();
        }
        response = response.header("etag", tag);
    }
    if let Some(content_type) = content_type
        && !body.is_empty()
    {
        response = response.header("content-type", content_type);
    }
    response.body(Full::new(body)).expect("an answer")
}
