//! A CDN in small: serves the `public/` folder of a directory store under `/dl/`, with the headers of the sidecars.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running server; it stops when dropped.
pub struct Cdn {
    address: String,
    task: JoinHandle<()>,
}

impl Cdn {
    /// Serves what a directory store in this folder makes public.
    pub async fn serve(store: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let store = Arc::new(store.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let store = store.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = answer(&store, request.uri().path());
                    async move { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, task }
    }

    /// Where it is, without a slash at its end.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Cdn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(store: &Path, path: &str) -> Response<Full<Bytes>> {
    let Some(relative) = path
        .strip_prefix("/dl/")
        .filter(|path| !path.contains(".."))
    else {
        return status(404);
    };
    let file: PathBuf = store.join("public").join(relative);
    let Ok(bytes) = std::fs::read(file) else {
        return status(404);
    };
    let sidecar = std::fs::read(
        store
            .join(".lastmile/headers/public")
            .join(format!("{relative}.json")),
    )
    .unwrap_or_default();
    let headers: serde_json::Value = serde_json::from_slice(&sidecar).unwrap_or_default();
    let mut response = Response::builder().status(200);
    for name in ["content-type", "cache-control", "content-disposition"] {
        if let Some(value) = headers[name].as_str() {
            response = response.header(name, value);
        }
    }
    response
        .body(Full::new(Bytes::from(bytes)))
        .expect("a response")
}

fn status(code: u16) -> Response<Full<Bytes>> {
    Response::builder()
        .status(code)
        .body(Full::default())
        .expect("a response")
}
