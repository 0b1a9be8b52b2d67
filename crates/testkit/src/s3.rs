//! An S3 service in memory, with the semantics that lastmile leans on and with faults on demand.
//!
//! Protocol and signatures are the crate `s3s`; what is stored, the conditions, and the checksums are here, as Amazon
//! documents them: `If-None-Match: *` and `If-Match` decide atomically (412; 404 for `If-Match` on a missing key), a
//! checksum that does not match stores nothing (400 `BadDigest`), and the clock is the server's.

mod api;
mod checksum;
mod fault;
mod service;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use crate::clock::Clock;
pub use crate::fault::{At, Hook};
pub use crate::hold::Hold;
pub use fault::{Does, Fault, Plan, Quirks};
pub use service::Request;
pub use state::Object;

/// The one bucket.
pub const BUCKET: &str = "atlas-dist";
/// Access key and secret, both.
const SNAKE_OIL: &str = "snake-oil";

/// A running server; it stops when this is dropped.
pub struct S3 {
    port: u16,
    shared: Arc<service::Shared>,
    serving: JoinHandle<()>,
}

impl S3 {
    /// Starts a server on a free port, with one empty bucket.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(service::Shared::default());
        let serving = tokio::spawn(service::serve(listener, shared.clone(), SNAKE_OIL));
        Self {
            port,
            shared,
            serving,
        }
    }

    /// `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The store's place, as a configuration names it.
    pub fn store_url(&self, prefix: &str) -> String {
        format!(
            "s3://{BUCKET}/{prefix}?region=us-east-1&endpoint={}",
            self.endpoint()
        )
    }

    /// The variables with which a process may write here.
    pub fn env(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ACCESS_KEY_ID", SNAKE_OIL),
            ("AWS_SECRET_ACCESS_KEY", SNAKE_OIL),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The server's clock, which stands until it is moved.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Everything that is stored, by key.
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.shared.state().objects.clone()
    }

    /// Puts everything that is stored back to what it was.
    pub fn restore(&self, objects: &BTreeMap<String, Object>) {
        self.shared.state().objects = objects.clone();
    }

    /// Stores bytes behind the API.
    pub fn put_raw(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let object = Object::new(bytes.into(), self.shared.clock.now());
        self.shared.state().objects.insert(key.to_owned(), object);
    }

    /// Changes one stored byte behind the API.
    pub fn flip_byte(&self, key: &str, at: usize) {
        let mut state = self.shared.state();
        let object = state.objects.get_mut(key).expect("an object");
        object.bytes[at] ^= 1;
    }

    /// Removes an object behind the API.
    pub fn remove_raw(&self, key: &str) {
        self.shared.state().objects.remove(key);
    }

    /// The requests since the last [`clear_requests`](Self::clear_requests), in the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.desk.requests()
    }

    /// Forgets the requests; the next one has number 1.
    pub fn clear_requests(&self) {
        self.shared.desk.clear_requests();
    }

    /// From here on, these faults; each strikes once.
    pub fn plan(&self, plan: Plan) {
        self.shared.desk.plan(plan);
    }

    /// From here on, this server is odd in these ways.
    pub fn quirks(&self, quirks: Quirks) {
        self.shared.state().quirks = quirks;
    }

    /// Stops the next request of this operation on a key that ends so, before it is applied.
    pub fn hold(&self, operation: &'static str, key_suffix: &str) -> Hold {
        self.shared.desk.hold(operation, key_suffix)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
