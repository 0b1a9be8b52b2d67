//! GitHub over its REST API: references and tags, history, releases and their assets, commit statuses.
//!
//! Requests go through octocrab, whose own retry is off because it repeats POSTs; the policy here is: what can be repeated
//! is, with pauses that grow; a POST that would make a second thing, only after a look at whether the first one was carried
//! out. Every wait is bounded.
//! Assets are streamed by `reqwest`. What is read is limited in bytes and pages. Nothing here decides what a release is.
//!
//! [`Read`] cannot change anything, so a plan that holds only it cannot either; [`Write`] can.

mod assets;
mod call;
mod client;
mod download;
mod error;
mod history;
mod place;
mod refs;
mod releases;
mod retry;
mod settle;
mod statuses;

pub use assets::{Asset, AssetState, Body, Progress, Upload};
pub use error::GitHubError;
pub use history::{Commit, Compared};
pub use place::{ApiUrl, Place, PlaceError, Repository, Token};
pub use refs::{Kind, NewTag, Object, Tag, TagObject, Tagged};
pub use releases::{Draft, Publication, Release};
pub use statuses::{State, Status};

use std::sync::Arc;

/// A repository on GitHub, to read.
#[derive(Debug, Clone)]
pub struct Read(Arc<client::Client>);

/// A repository on GitHub, to read and to change.
#[derive(Debug, Clone)]
pub struct Write(Read);

impl Read {
    /// A handle on this place. No request is made yet.
    ///
    /// # Errors
    /// Where no client can be built, such as without certificates to trust.
    pub fn open(place: Place) -> Result<Self, GitHubError> {
        client::Client::open(place).map(|client| Self(Arc::new(client)))
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.0.place.repository
    }
}

impl Write {
    /// A handle that can change what is there. No request is made yet.
    ///
    /// # Errors
    /// As [`Read::open`].
    pub fn open(place: Place) -> Result<Self, GitHubError> {
        Read::open(place).map(Self)
    }

    /// The handle that cannot.
    pub fn read(&self) -> &Read {
        &self.0
    }

    fn client(&self) -> &client::Client {
        &self.0.0
    }
}
