//! What stands between the network and the operations: the doors, the log, faults, holds, and the judge.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{DATE, IF_NONE_MATCH};
use hyper::http::request::Parts;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::{Answer, Body};
use super::api;
use super::call::Call;
use super::contract::header;
use super::fault::Does;
use super::state::State;
use super::strike::{Before, before};
use crate::clock::Clock;
use crate::desk::Desk;

/// One request, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// From 1, in the order of arrival.
    pub number: usize,
    /// `repos/create-release` and so on, as GitHub's description names it; `web/download` and
    /// `storage/download` for assets without the API, and `unknown` for what is not described.
    pub operation: &'static str,
    /// With its query, as it was sent, without the prefix of an Enterprise server.
    pub path: String,
    /// How much body it brought.
    pub body_bytes: usize,
    /// The status that was sent; none where no answer was.
    pub status: Option<u16>,
}

/// The places that GitHub has, each with an origin of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Api,
    Uploads,
    /// The site.
    Web,
    /// Where the bytes of assets are.
    Storage,
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

/// The path as GitHub's description has it.
fn without_prefix<'a>(shared: &Shared, door: Door, path: &'a str) -> &'a str {
    let prefix = match door {
        Door::Api => "/api/v3",
        Door::Uploads => "/api/uploads",
        Door::Web | Door::Storage => return path,
    };
    let enterprise = shared.state().quirks.enterprise;
    path.strip_prefix(prefix)
        .filter(|rest| enterprise && rest.starts_with('/'))
        .unwrap_or(path)
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
