//! What stands between the network and the operations: numbers, the log, faults, holds, and the server's clock.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, DATE, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, HttpResponse};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::api::Api;
use super::fault::Does;
use super::state::{Conditions, State};
use crate::clock::Clock;
use crate::desk::{Desk, Ticket};

/// One request, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// From 1, in the order of arrival.
    pub number: usize,
    /// `PutObject` and so on, as S3 names it.
    pub operation: &'static str,
    /// The key, or a listing's prefix.
    pub key: String,
    /// How much body it brought.
    pub body_bytes: usize,
    /// The status that was sent; none where no answer was.
    pub status: Option<u16>,
}

/// What the server and the test share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    state: Mutex<State>,
    pub(crate) desk: Desk<Request, Does>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers connections until it is aborted, and with it every connection.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, secret: &str) {
    let mut builder = S3ServiceBuilder::new(Api(shared.clone()));
    builder.set_auth(SimpleAuth::from_single(secret, secret));
    // Clients correct their clock by the server's, which is the test's: no signature is too old here.
    let mut config = S3Config::default();
    config.presigned_url_max_skew_time_secs = u32::MAX;
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    let front = Arc::new(Front {
        signed: builder.build(),
        unsigned: S3ServiceBuilder::new(Api(shared.clone())).build(),
        shared,
    });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, front.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, front: Arc<Front>) {
    let service = hyper::service::service_fn(move |request| {
        let front = front.clone();
        async move { front.answer(request).await }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A connection that a fault has closed is what the test asked for.
    drop(served);
}

struct Front {
    signed: S3Service,
    /// For `If-Match` without quotes, which `s3s` does not read: the header is taken off, and with it the signature.
    unsigned: S3Service,
    shared: Arc<Shared>,
}

impl Front {
    async fn answer(&self, request: hyper::Request<Incoming>) -> Result<HttpResponse, HttpError> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(dropped)?.to_bytes();
        let (operation, key) = named(&head.method, &head.uri);
        let arrival = self
            .shared
            .desk
            .register(operation, &key, |number| Request {
                number,
                operation,
                key: key.clone(),
                body_bytes: body.len(),
                status: None,
            });
        let ticket = arrival.ticket;
        // Only a conditional write can lose against another one in flight.
        let fault = match arrival.fault {
            Some(Does::Conflict409) if operation != "PutObject" => Some(Does::SlowDown503),
            fault => fault,
        };
        if let Some(held) = arrival.held {
            held.wait().await;
        }
        match &fault {
            Some(Does::DropBefore) => return Err(dropped("a planned fault")),
            Some(Does::KillBefore(hook)) => {
                hook();
                return Err(dropped("a planned fault"));
            }
            Some(Does::Hang) => match std::future::pending::<Infallible>().await {},
            Some(Does::Status500) => return Ok(self.refuse(&ticket, 500, "InternalError")),
            Some(Does::SlowDown503) => return Ok(self.refuse(&ticket, 503, "SlowDown")),
            Some(Does::Conflict409) => {
                return Ok(self.refuse(&ticket, 409, "ConditionalRequestConflict"));
            }
            Some(Does::ErrorBody200) => return Ok(self.refuse(&ticket, 200, "InternalError")),
            Some(Does::DropAfter | Does::Status500After | Does::KillAfter(_)) | None => {}
        }
        let text =
            |value: Option<&HeaderValue>| Some(value?.to_str().unwrap_or_default().to_owned());
        let conditions = Conditions {
            if_match: text(head.headers.get(IF_MATCH)),
            if_none_match: text(head.headers.get(IF_NONE_MATCH)),
        };
        let unquoted = conditions
            .if_match
            .as_ref()
            .is_some_and(|tag| !tag.starts_with('"'));
        head.extensions.insert(conditions);
        let service = if unquoted {
            head.headers.remove(IF_MATCH);
            head.headers.remove(AUTHORIZATION);
            &self.unsigned
        } else {
            &self.signed
        };
        let request = hyper::Request::from_parts(head, Body::from(body));
        let answer = service.call(request).await?;
        match fault {
            Some(Does::DropAfter) => Err(dropped("a planned fault")),
            Some(Does::KillAfter(hook)) => {
                hook();
                Err(dropped("a planned fault"))
            }
            Some(Does::Status500After) => Ok(self.refuse(&ticket, 500, "InternalError")),
            _ => Ok(self.send(&ticket, answer)),
        }
    }

    fn refuse(&self, ticket: &Ticket, status: u16, code: &str) -> HttpResponse {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>a planned fault</Message></Error>"
        );
        let mut answer = HttpResponse::new(Body::from(body));
        *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
        answer
            .headers_mut()
            .insert("content-type", HeaderValue::from_static("application/xml"));
        self.send(ticket, answer)
    }

    fn send(&self, ticket: &Ticket, mut answer: HttpResponse) -> HttpResponse {
        let date = http_date(self.shared.clock.now());
        answer.headers_mut().insert(DATE, date);
        let status = answer.status().as_u16();
        self.shared
            .desk
            .answered(ticket, |request| request.status = Some(status));
        answer
    }
}

fn dropped(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> HttpError {
    HttpError::new(error.into())
}

fn http_date(time: SystemTime) -> HeaderValue {
    HeaderValue::from_str(&httpdate::fmt_http_date(time)).expect("a date")
}

/// The operation and key of a request, path-style.
fn named(method: &Method, uri: &hyper::Uri) -> (&'static str, String) {
    let path = uri.path().trim_start_matches('/');
    let (_, key) = path.split_once('/').unwrap_or((path, ""));
    let key = percent_encoding::percent_decode_str(key)
        .decode_utf8_lossy()
        .into_owned();
    let query = uri.query().unwrap_or_default();
    let operation = match (method, key.is_empty()) {
        (&Method::GET, true) => "ListObjectsV2",
        (&Method::HEAD, true) => "HeadBucket",
        (&Method::GET, false) => "GetObject",
        (&Method::HEAD, false) => "HeadObject",
        (&Method::PUT, false) => "PutObject",
        (&Method::DELETE, false) => "DeleteObject",
        _ => "Unknown",
    };
    let prefix = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="));
    let prefix = prefix.map(|prefix| {
        percent_encoding::percent_decode_str(prefix)
            .decode_utf8_lossy()
            .into_owned()
    });
    (
        operation,
        if key.is_empty() {
            prefix.unwrap_or_default()
        } else {
            key
        },
    )
}
