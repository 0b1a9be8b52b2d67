//! A GitHub in memory, with the semantics that lastmile leans on and with faults on demand.
//!
//! What is asked and what is answered is held against GitHub's own description (`contract/github.json`); a client that asks for
//! something else than is described fails its test when this is dropped. What the description does not say (drafts, names of
//! assets, immutable releases, lists that lag) is here as GitHub documents it, or as users have met it.
//!
//! Not here: people, pull requests, checks, contents of files, webhooks, and secondary limits that are counted.

mod answer;
mod api;
mod call;
mod contract;
mod fault;
mod held;
mod history;
mod objects;
mod page;
mod render;
mod service;
mod state;
mod strike;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use crate::clock::Clock;
pub use crate::fault::{At, Hook};
pub use crate::hold::Hold;
pub use fault::{Does, Fault, Plan, Quirks};
pub use objects::{Commit, Person, TagObject};
pub use service::Request;
pub use state::{Asset, Dispatch, Release, Status};

use crate::git::Git;
use service::Door;
use tokens::Access;

/// The repository, where a test names no other.
const REPOSITORY: &str = "acme/atlas";
/// What a release's job may do.
const WRITES: [(&str, &str); 3] = [
    ("contents", "write"),
    ("statuses", "write"),
    ("actions", "write"),
];

/// A running server; it stops when this is dropped.
///
/// # Panics
/// When it is dropped with violations of the description that nobody took.
pub struct GitHub {
    shared: Arc<service::Shared>,
    serving: Vec<JoinHandle<()>>,
    token: String,
}

impl GitHub {
    /// Starts a server on free ports, with `acme/atlas`, which is empty.
    pub async fn start() -> Self {
        Self::start_with(REPOSITORY).await
    }

    /// The same with this `owner/name`.
    pub async fn start_with(repository: &str) -> Self {
        let shared = Arc::new(service::Shared::default());
        let mut serving = Vec::new();
        let mut origins = Vec::new();
        for door in [Door::Api, Door::Uploads, Door::Web, Door::Storage] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
            origins.push(format!(
                "http://{}",
                listener.local_addr().expect("an address")
            ));
            serving.push(tokio::spawn(service::serve(listener, door, shared.clone())));
        }
        {
            let mut state = shared.state();
            state.repository = repository.to_owned();
            state.default_branch = "main".to_owned();
            [
                state.places.api,
                state.places.uploads,
                state.places.web,
                state.places.storage,
            ] = origins.try_into().expect("four");
        }
        let mut github = Self {
            shared,
            serving,
            token: String::new(),
        };
        github.token = github.token(&WRITES);
        github
    }

    /// `GITHUB_API_URL`.
    pub fn api_url(&self) -> String {
        self.shared.state().api()
    }

    /// `GITHUB_SERVER_URL`.
    pub fn server_url(&self) -> String {
        self.shared.state().places.web.clone()
    }

    /// `owner/name`.
    pub fn repository(&self) -> String {
        self.shared.state().repository.clone()
    }

    /// The variables that a workflow's step has here, with a token that may write contents, statuses, and actions.
    pub fn env(&self) -> Vec<(String, String)> {
        let variables = [
            ("GITHUB_API_URL", self.api_url()),
            ("GITHUB_SERVER_URL", self.server_url()),
            ("GITHUB_REPOSITORY", self.repository()),
            ("GITHUB_TOKEN", self.token.clone()),
        ];
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// A new token with these permissions, such as `("contents", "read")`, and no others.
    pub fn token(&self, permissions: &[(&str, &str)]) -> String {
        let mut state = self.shared.state();
        let token = format!("ghs_snakeoil{:04}", state.tokens.len() + 1);
        let permissions = permissions
            .iter()
            .map(|(name, access)| ((*name).to_owned(), Access::parse(access)));
        state.tokens.insert(token.clone(), permissions.collect());
        token
    }

    /// A token is not good any more.
    pub fn revoke(&self, token: &str) {
        self.shared.state().tokens.remove(token);
    }

    /// The server's clock, which stands until it is moved.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Takes over the branches and tags of a real repository, and everything that they reach.
    pub fn push(&self, git: &Git) {
        objects::push(&mut self.shared.state(), git);
    }

    /// From here on, these faults; each strikes once.
    pub fn plan(&self, plan: Plan) {
        self.shared.desk.plan(plan);
    }

    /// From here on, this server is odd in these ways.
    pub fn quirks(&self, quirks: Quirks) {
        self.shared.state().quirks = quirks;
    }

    /// Stops the next request of this operation before it is applied.
    pub fn hold(&self, operation: &'static str) -> Hold {
        self.shared.desk.hold(operation, "")
    }

    /// The requests since the last [`clear_requests`](Self::clear_requests), in the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.desk.requests()
    }

    /// Forgets the requests; the next one has number 1.
    pub fn clear_requests(&self) {
        self.shared.desk.clear_requests();
    }

    /// What was asked or answered and is not as GitHub describes it.
    pub fn violations(&self) -> Vec<String> {
        self.shared.violations().clone()
    }

    /// The same, and forgets them: a test that provokes them takes them.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.violations())
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        for serving in &self.serving {
            serving.abort();
        }
        let violations = self.violations();
        assert!(
            violations.is_empty() || std::thread::panicking(),
            "GitHub describes its API otherwise:\n{}",
            violations.join("\n")
        );
    }
}
