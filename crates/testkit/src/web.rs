//! A web server in small: answers each path as it is told, well or badly, and remembers what it was asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Makes an answer to what was sent.
pub type Make = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// How a path is answered.
#[derive(Clone)]
pub enum Page {
    /// With these bytes.
    Bytes(Vec<u8>),
    /// With this status and no body.
    Status(u16),
    /// By naming another place.
    Redirect(String),
    /// Never.
    Silence,
    /// With what is made of the body that was sent, of this type of content.
    Made(&'static str, Arc<Make>),
    /// As CloudKit answers for Apple's tickets: a ticket by the name of its record, and nothing by another.
    Tickets(BTreeMap<String, Vec<u8>>),
}

/// A running server with a thread of its own; it stops when dropped.
pub struct Web {
    address: String,
    state: Arc<Mutex<State>>,
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    pages: BTreeMap<String, Page>,
    asked: Vec<String>,
}

impl Web {
    /// Starts it, with no page.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let state = state.clone();
                    async move { Ok::<_, Infallible>(answer(&state, request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self {
            address,
            state,
            _runtime: runtime,
        }
    }

    /// Where it is, without a slash at its end.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Answers a path so from now on.
    pub fn put(&self, path: &str, page: Page) {
        self.state().pages.insert(path.to_owned(), page);
    }

    /// Every path that was asked since this was last called.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(state: &Mutex<State>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let page = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.push(path.clone());
        state.pages.get(&path).cloned()
    };
    let mut kind = None;
    let (status, place, bytes) = match page.unwrap_or(Page::Status(404)) {
        Page::Bytes(bytes) => (200, None, bytes),
        Page::Status(status) => (status, None, Vec::new()),
        Page::Redirect(place) => (302, Some(place), Vec::new()),
        Page::Silence => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            (500, None, Vec::new())
        }
        Page::Made(of_type, make) => {
            kind = Some(of_type);
            (200, None, make(&body))
        }
        Page::Tickets(tickets) => (200, None, records(&tickets, &body)),
    };
    let mut response = Response::builder().status(status);
    if let Some(kind) = kind {
        response = response.header("content-type", kind);
    }
    if let Some(place) = place {
        response = response.header("location", place);
    }
    response
        .body(Full::new(Bytes::from(bytes)))
        .expect("a response")
}

/// The shape that CloudKit's `records/lookup` has.
fn records(tickets: &BTreeMap<String, Vec<u8>>, body: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let asked: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let asked = asked["records"].as_array().cloned().unwrap_or_default();
    let records: Vec<_> = asked
        .iter()
        .map(|record| {
            let name = record["recordName"].as_str().unwrap_or_default();
            match tickets.get(name) {
                Some(ticket) => {
                    let value = base64::engine::general_purpose::STANDARD.encode(ticket);
                    let ticket = serde_json::json!({ "value": value, "type": "BYTES" });
                    serde_json::json!({
                        "recordName": name, "recordType": "DeveloperIDTicket",
                        "fields": { "signedTicket": ticket }, "pluginFields": {}, "deleted": false,
                    })
                }
                None => serde_json::json!({
                    "recordName": name, "reason": "Record not found", "serverErrorCode": "NOT_FOUND",
                }),
            }
        })
        .collect();
    serde_json::json!({ "records": records })
        .to_string()
        .into_bytes()
}

/// SHA-1 in lower-case hexadecimal, as names of records have it.
pub fn sha1_hex(bytes: &[u8]) -> String {
    use sha1::Digest as _;
    let digest = sha1::Sha1::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
